"""The local emulator for tests that need real signatures, real races or a real disk."""

from infra.emulator.launcher import Emulator, running_emulator

__all__ = ["Emulator", "running_emulator"]
