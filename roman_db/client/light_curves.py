"""Light curves of objects from the service of time series, some objects a request."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import requests
from numpy.typing import ArrayLike, NDArray
from pyarrow import parquet

from roman_db.client.failure import BadQuery, NotAllowed, unreachable
from roman_db.client.points import is_cut
from roman_db.client.session import ServiceSession

#: Most objects that the service takes in one request.
MOST_OBJECTS = 10_000
#: Seconds to connect, and to wait for the next bytes.
_PATIENCE_S = (10.0, 600.0)
_PIECE = 2**20
_NAME = re.compile(r"\w{1,40}", re.ASCII)


@dataclass(frozen=True)
class Wanted:
    """Whose light curves are wanted.

    Parameters
    ----------
    object_ids
        Shape (n,), each once, ascending.
    optical_element
        Such as F146; None for all.
    photometry_kind
        Such as psf; None for all.

    Raises
    ------
    BadQuery
        If there is no object, or a name cannot be one.
    """

    object_ids: NDArray[np.int64]
    optical_element: str | None = None
    photometry_kind: str | None = None

    def __post_init__(self) -> None:
        if not self.object_ids.size:
            raise BadQuery("object_ids is empty: give one or more identifiers of objects")
        names = {
            "optical_element": (self.optical_element, "F146"),
            "photometry_kind": (self.photometry_kind, "psf"),
        }
        for name, (given, such) in names.items():
            if given is not None and not _NAME.fullmatch(given):
                raise BadQuery(f"{name} must be a name such as {such}, got {given!r}")

    def parameters(self) -> dict[str, Any]:
        """Parameters of a request to ``/timeseries``."""
        numbers = self.object_ids.tolist()
        element = self.optical_element
        names = [f"light_curve/{one}/{element}" if element else str(one) for one in numbers]
        kind = {"KIND": self.photometry_kind} if self.photometry_kind else {}
        return {"ID": ",".join(names), "RESPONSEFORMAT": "parquet"} | kind

    def parts(self, size: int) -> Iterator[Wanted]:
        """Parts of so many objects; raises `BadQuery` if a request cannot have so many."""
        if not 1 <= size <= MOST_OBJECTS:
            raise BadQuery(f"objects_per_request must be 1 to {MOST_OBJECTS:,}, got {size}")
        for start in range(0, self.object_ids.size, size):
            yield self.of(self.object_ids[start : start + size])

    def of(self, object_ids: NDArray[np.int64]) -> Wanted:
        """The same of other objects."""
        return Wanted(object_ids, self.optical_element, self.photometry_kind)


def read_object_ids(given: ArrayLike | Sequence[int]) -> NDArray[np.int64]:
    """Read identifiers of objects, each once, ascending.

    Parameters
    ----------
    given
        One or many; numbers of 64 bits, or texts of their digits. Floating-point numbers have 53 bits and are
        refused.

    Raises
    ------
    BadQuery
        If one is no identifier.
    """
    values = np.atleast_1d(np.ma.filled(given, -1) if np.ma.isMaskedArray(given) else np.asarray(given))
    if values.dtype.kind == "f" and values.size:
        raise BadQuery(
            "identifiers of objects have 64 bits, and floating-point numbers round them: read them as int64"
        )
    try:
        numbers = np.array([int(one) for one in values.ravel().tolist()], dtype=np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadQuery(f"identifiers of objects must be whole numbers of 64 bits ({error})") from error
    if numbers.size and numbers.min() < 0:
        raise BadQuery(f"identifiers of objects are not negative, got {numbers.min()}, or one is missing")
    return np.unique(numbers)


def fetched(session: ServiceSession, url: str, wanted: Wanted) -> Iterator[tuple[Wanted, bytes]]:
    """Yield light curves as Parquet, in more than one file where the service cuts one.

    Parameters
    ----------
    session
        Who asks.
    url
        Address of the service of time series.
    wanted
        At most `MOST_OBJECTS` objects.

    Raises
    ------
    NotAllowed
        If not even one object comes whole.
    """
    sink = io.BytesIO()
    _receive(session, url, wanted, sink)
    content = sink.getvalue()
    if not is_cut(parquet.read_metadata(io.BytesIO(content)).metadata):
        yield wanted, content
        return
    if wanted.object_ids.size == 1:
        raise NotAllowed(
            f"the light curve of object {wanted.object_ids[0]} has more points than the service sends at a "
            "time: ask for one optical element, or by times in ADQL"
        )
    middle = wanted.object_ids.size // 2
    for half in (wanted.object_ids[:middle], wanted.object_ids[middle:]):
        yield from fetched(session, url, wanted.of(half))


def _receive(session: ServiceSession, url: str, wanted: Wanted, sink: BinaryIO) -> None:
    """Write an answer as it comes."""
    with session.post(url, data=wanted.parameters(), stream=True, timeout=_PATIENCE_S) as response:
        try:
            for piece in response.iter_content(_PIECE):
                sink.write(piece)
        except requests.RequestException as error:
            raise unreachable(error, url) from error
