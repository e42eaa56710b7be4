"""The service's process has no pandas, though it is installed, and does what it does with it."""

import subprocess
import sys

import pytest

_ASKED = """
from roman_db.tap.without_pandas import keep_out_pandas
keep_out_pandas()
keep_out_pandas()
import importlib.metadata, importlib.util, sys
import roman_db.tap.server
import pyarrow as pa
assert pa.array([1, None, 3]).to_pylist() == [1, None, 3]
assert "pandas" not in sys.modules and importlib.util.find_spec("pandas") is None
assert importlib.metadata.version("numpy")  # what is installed is still found
"""


@pytest.mark.heavy
def test_the_service_is_imported_without_pandas():
    __import__("pandas")  # it is there
    command = [sys.executable, "-c", _ASKED]
    asked = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert asked.returncode == 0, asked.stderr
