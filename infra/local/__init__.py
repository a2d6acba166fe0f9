"""DearDiary on one machine: an AWS emulator that keeps its state, and the server in front of it."""
