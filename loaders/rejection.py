"""What a loader says of an input that it cannot use."""

from __future__ import annotations

import traceback

_SHOWN = 200


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
        #: Where in the code it came about, for the log; None where the words above say all.
        self.trace: str | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.remedy}."


def unexpected(where: object, error: Exception) -> Rejected:
    """Rejection of an input on which our code failed in a way that nobody foresaw.

    Parameters
    ----------
    where
        The input.
    error
        What was raised; its traceback is kept for the log.
    """
    said = " ".join(str(error).split())
    what = f"the loader failed on it with {type(error).__name__}{': ' if said else ''}{said[:_SHOWN]}"
    remedy = "Report it with the log and, if you may, the file; all other files are loaded"
    rejected = Rejected(str(where), what, remedy, "unexpected_error")
    rejected.trace = "".join(traceback.format_exception(error))
    return rejected
