"""What the private cluster says when it cannot do what it was asked."""

from __future__ import annotations


class ClusterError(RuntimeError):
    """The private PostgreSQL cannot be made, started, reached or stopped.

    Parameters
    ----------
    what
        What is wrong, with the offending value.
    where
        The folder, file or program that is at fault.
    remedy
        What the reader can do about it, in the imperative.
    """

    def __init__(self, what: str, where: object, remedy: str) -> None:
        super().__init__(what, str(where), remedy)
        self.what, self.where, self.remedy = what, str(where), remedy

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.remedy}."
