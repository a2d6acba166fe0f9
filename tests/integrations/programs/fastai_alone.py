"""Import the integration of fastai without Accelerate, which fastai does not require."""

import importlib
import sys

sys.modules["accelerate"] = None
importlib.import_module("deardiary.integrations.fastai")
print("imported")
