"""Names of product files.

They follow those of the SOC's Level 3 and 4 (``r<program>_<processing>_…_<element>_<suffix>``); the parts
between are values of RAD's keywords in the forms that their descriptions show: s01, e08, f03, wfi05, f146.
Products of one exposure begin as its own file does (``r<visit>_<exposure>_<detector>_<element>``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Keywords that are part of a name, in its order.
_PARTS = (
    "msos_processing_id", "season", "sequence", "field", "detector", "optical_element", "inject_medium",
)  # fmt: skip
_OF_EXPOSURE = ("detector", "optical_element", "msos_processing_id")
_UNSAFE = re.compile(r"[^a-z0-9.]+")


def file_name(keywords: Mapping[str, object], suffix: str) -> str:
    """Name of the file of a product with these keywords, without ``.asdf`` or ``.parquet``.

    >>> file_name({"program": 992, "msos_processing_id": "r03", "season": "s01"}, "event_catalog")
    'r00992_r03_s01_event_catalog'
    """
    is_of_exposure = "observation_id" in keywords
    names = _OF_EXPOSURE if is_of_exposure else _PARTS
    head = _exposure(keywords) if is_of_exposure else _program(keywords)
    parts = [str(keywords[name]).lower() for name in names if keywords.get(name) is not None]
    safe = [_UNSAFE.sub("-", part) for part in parts]
    number = keywords.get("file_number")
    last = [f"{number:04d}"] if isinstance(number, int) else []
    return "_".join([head, *safe, *last, suffix])


def _exposure(keywords: Mapping[str, object]) -> str:
    """Beginning of a name: visit and exposure."""
    return f"r{keywords['observation_id']}_{keywords['exposure']:04d}"


def _program(keywords: Mapping[str, object]) -> str:
    """Beginning of a name: the program, or zeros where it is of several."""
    program = keywords.get("program")
    return f"r{program:05d}" if isinstance(program, int) else "r00000"
