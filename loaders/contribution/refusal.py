"""Why a submission is refused: every reason at once."""

from __future__ import annotations

from collections.abc import Sequence

from loaders.rejection import Rejected

_REMEDY = "Correct all of it, then submit it again"


class Refused(Rejected):
    """A submission that is not what docs/scientist/contributing.md asks for."""

    def __init__(self, submission: str, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        lines = "".join(f"\n  {reason}" for reason in reasons)
        super().__init__(
            submission, f"is refused for {len(reasons)} reasons:{lines}\n", _REMEDY, "submission"
        )

    def __str__(self) -> str:
        """Say every reason on a line of its own."""
        return f"{self.where}: {self.what}{self.remedy}."
