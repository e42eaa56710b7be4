"""What a loader says of an input that it cannot use."""

from __future__ import annotations


class Rejected(ValueError):
    """An input, or one row of it, that cannot be loaded.

    Parameters
    ----------
    where
        The file, and within it the keyword, column or row that is at fault.
    what
        What is wrong there, with the offending value.
    remedy
        What the reader can do about it, in the imperative.
    code
        A short stable name of the reason, for counting (``not_asdf``, ``no_wcs``, ``nan_position`` …).
    """

    def __init__(self, where: str, what: str, remedy: str, code: str) -> None:
        super().__init__(where, what, remedy, code)
        self.where, self.what, self.remedy, self.code = where, what, remedy, code

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.remedy}."
