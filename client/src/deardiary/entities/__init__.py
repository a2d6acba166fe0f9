"""The objects of a server, one file per noun, named like the server's routes.

In every ``update``, an omitted argument leaves its field unchanged.
"""
