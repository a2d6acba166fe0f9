"""The commands that ``deardiary`` finds by the entry points of the group ``deardiary.commands``."""
