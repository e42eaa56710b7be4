"""LSDB as it comes from PyPI, which reads what we write."""

from __future__ import annotations

import warnings

import pytest

with warnings.catch_warnings():
    # It sets an option of pandas that has no effect any more.
    warnings.filterwarnings("ignore", "The 'mode.chained_assignment' option", DeprecationWarning)
    import lsdb

#: nested-pandas uses what pandas 4 will no longer have.
QUIET = pytest.mark.filterwarnings("ignore:The inplace keyword in NestedFrame:DeprecationWarning")

__all__ = ["QUIET", "lsdb"]
