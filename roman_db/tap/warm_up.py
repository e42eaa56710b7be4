"""What the first query would wait for: compiled code, the catalog, grammars."""

from __future__ import annotations

import pyarrow as pa

from roman_db.tap.adql import schema_catalog, translate
from roman_db.tap.formats.binary2 import encode_batch


def warm_up() -> None:
    """Translate a query and encode a row, so that both are ready."""
    translate("SELECT TOP 1 object_id FROM roman.object", schema_catalog())
    encode_batch(pa.record_batch({"one": pa.array([1], pa.int64())}), (None,))
