"""Names of product files.

They follow those of the SOC's Level 3 and 4 (``r<program>_<processing>_…_<element>_<suffix>``); the parts
between are values of RAD's keywords in the forms that their descriptions show: s01, e08, f03, wfi05, f146.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Keywords that are part of a name, in its order.
_PARTS = (
    "msos_processing_id", "season", "sequence", "field", "detector", "optical_element", "inject_medium",
)  # fmt: skip
_UNSAFE = re.compile(r"[^a-z0-9.]+")


def file_name(keywords: Mapping[str, object], suffix: str) -> str:
    """Name of the file of a product with these keywords, without ``.asdf`` or ``.parquet``.

    >>> file_name({"program": 992, "msos_processing_id": "r03", "season": "s01"}, "event_catalog")
    'r00992_r03_s01_event_catalog'
    """
    parts = [str(keywords[name]).lower() for name in _PARTS if keywords.get(name) is not None]
    safe = [_UNSAFE.sub("-", part) for part in parts]
    program = keywords.get("program")
    number = f"{program:05d}" if isinstance(program, int) else "00000"
    return "_".join([f"r{number}", *safe, suffix])
