"""The objects of a server, one file per noun, named like the server's routes.

In every ``update`` an argument that is not given leaves its field as it is.
"""
