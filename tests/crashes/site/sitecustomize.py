"""Found by Python when it starts, if this directory is on PYTHONPATH: see `steps`."""

import importlib.util
import os
from pathlib import Path

spec = importlib.util.spec_from_file_location("steps", Path(__file__).parent.parent / "steps.py")
assert spec is not None
assert spec.loader is not None
steps = importlib.util.module_from_spec(spec)
spec.loader.exec_module(steps)
steps.install(os.environ)
