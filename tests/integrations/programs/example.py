"""Run an example, then once more with a function of its framework that fails; continue, or exit."""

import importlib
import runpy
import sys

example, module, path, at, then = sys.argv[1:]
sys.argv[:] = [example]
names = runpy.run_path(example, run_name="__main__")

*above, name = path.split(".")
owner = importlib.import_module(module)
for each in above:
    owner = getattr(owner, each)
original, calls = getattr(owner, name), []


def failing(*args, **kwargs):
    calls.append(1)
    if len(calls) >= int(at):
        raise RuntimeError("it failed in the middle")
    return original(*args, **kwargs)


setattr(owner, name, failing)
try:
    names["main"]()
except Exception as error:
    print("caught", error, flush=True)
    if then == "exit":
        raise
