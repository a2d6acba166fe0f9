"""Shared parts of the commands: server processes, a meter, curves to log and read, prices and reports."""
