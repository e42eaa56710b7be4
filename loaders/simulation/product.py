"""Writing of products: validated, and under their names only when whole."""

from __future__ import annotations

import tempfile
from pathlib import Path

from roman_datamodels.datamodels import DataModel


def write_product(path: Path, model: DataModel) -> None:
    """Validate a Level-2 or Level-3 model against RAD and write it.

    The file is written in a folder of its own beside ``path`` and then moved, so that no reader sees a part.

    Raises
    ------
    asdf.exceptions.ValidationError
        If the model breaks its schema.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as scratch:
        whole = Path(scratch) / path.name
        model.save(whole)
        whole.replace(path)
