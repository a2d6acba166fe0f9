"""Work in a thread that a fork of the process must not interrupt.

A module that another thread is importing at the fork stays locked in the new process for ever. A pipe that it has just
opened for a program stays open there.
"""

import os
import threading

no_fork = threading.Lock()  # a fork waits for it; hold it for milliseconds only

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=no_fork.acquire, after_in_parent=no_fork.release, after_in_child=no_fork.release)
