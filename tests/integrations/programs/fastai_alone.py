"""Run the example of fastai offline without Accelerate, which fastai does not require."""

import os
import runpy
import sys

os.environ["DEARDIARY_OFFLINE"] = "1"
sys.modules["accelerate"] = None
runpy.run_path(sys.argv[1], run_name="__main__")
print("trained")
