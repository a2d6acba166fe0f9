"""An AWS on this machine: the emulator's process, and what it needs to be fit for use."""
