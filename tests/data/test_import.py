"""Importing the data layer is cheap: what is heavy is imported where it is needed."""

import json
import subprocess
import sys


def test_nothing_heavy_is_imported():
    code = "import sys, json, truing.data; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    )
    heavy = {"torch", "transformers", "datasets", "pandas", "pyarrow", "jinja2", "scipy", "sklearn", "statsmodels"}
    assert not heavy & set(loaded)
