"""How large an uploaded table may be: as a file, and as rows in memory."""

from __future__ import annotations

from dataclasses import dataclass

from roman_db.service_failure import BadRequest

#: Bytes that the values of a table may take in memory: so many, or so many times those of its file. What is
#: packed in a file of a few kilobytes may be gigabytes of values.
_MEMORY, _GROWTH = 2**28, 8


@dataclass(frozen=True)
class UploadLimits:
    """Bytes of all files of a request, rows and columns of each, and whether addresses are fetched."""

    size: int
    rows: int
    columns: int
    fetches: bool = False

    @property
    def memory(self) -> int:
        """Bytes that the values of a table may take in memory."""
        return max(_MEMORY, _GROWTH * self.size)

    def check_shape(self, n_row: int, n_column: int) -> None:
        """Say whether a table may have so many rows and columns; raises `BadRequest` where it may not."""
        for what, found, most in (("rows", n_row, self.rows), ("columns", n_column, self.columns)):
            if found > most:
                raise BadRequest(f"a table has at most {most} {what}, this one has {found}")

    def check_memory(self, n_byte: int) -> None:
        """Say whether its values may take so many bytes; raises `BadRequest` where they may not."""
        if n_byte > self.memory:
            raise BadRequest(
                f"its values would take {n_byte} bytes of memory, those of a table may take {self.memory}: "
                'leave columns or rows out, and give text of a VOTable no width (arraysize="*")'
            )
