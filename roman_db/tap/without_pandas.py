"""Keeps pandas out of the process of the service, where another part of the installation needs it.

Where it is installed, pyarrow imports it as soon as it makes an array of a list, to see whether that is one
of pandas' own: 30 MB for which the service has no use. pyarrow does without it where it cannot be found.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_NAME = "pandas"


class _OthersFinder(PathFinder):
    """Finds what is installed but for pandas."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a module is; None for pandas, as if it were not installed."""
        return None if fullname == _NAME else super().find_spec(fullname, path, target)


def keep_out_pandas() -> None:
    """Have no import find pandas from now on; one that has been imported stays."""
    sys.meta_path[:] = [_OthersFinder if finder is PathFinder else finder for finder in sys.meta_path]
