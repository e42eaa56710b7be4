"""The search of a large image part by part, so that the memory it takes does not grow with the image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise, product

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from loaders.detection.known import Known
from loaders.detection.layer import Layer, SearchOptions
from loaders.detection.measure import Detections
from loaders.detection.search import search
from loaders.photometry.image import PixelImage
from loaders.photometry.noise import NoiseModel
from loaders.psf.model import FloatArray

#: Side of the parts in detector pixels; a smaller image is one part.
SIDE = 1024

#: Pixels around a part that are searched with it: wings from further out hardly matter.
MARGIN = 40

_BAND = 0.5
"""Detector pixels beyond the edge of a part within which its sources are looked at, too."""

Told = Callable[[int, int, int], None]
"""Told the steps that are done, all of them, and the sources so far."""


@dataclass(frozen=True)
class Part:
    """A part of an image: the rows and columns that it answers for, and those that it sees."""

    own: tuple[slice, slice]
    seen: tuple[slice, slice]

    @property
    def corner(self) -> tuple[int, int]:
        """Column and row of the first pixel that it sees."""
        return self.seen[1].start, self.seen[0].start

    def holds(self, x: FloatArray, y: FloatArray, band: float) -> npt.NDArray[np.bool_]:
        """Places within a band around the pixels that it answers for, shape (n,)."""
        rows, columns = self.own
        inside_x = (x >= columns.start - 0.5 - band) & (x < columns.stop - 0.5 + band)
        return np.asarray(inside_x & (y >= rows.start - 0.5 - band) & (y < rows.stop - 0.5 + band))


def parts_of(shape: tuple[int, int], side: int, margin: int) -> list[Part]:
    """Cut an image into parts of nearly equal size, none of them longer than a side.

    Parameters
    ----------
    shape
        Pixels (ny, nx) of the image.
    side
        Longest side of a part, pixels.
    margin
        Pixels around it that it sees.
    """
    along = []
    for length in shape:
        edges = np.linspace(0, length, -(-length // side) + 1).round().astype(int).tolist()
        along.append(
            [(slice(a, b), slice(max(a - margin, 0), min(b + margin, length))) for a, b in pairwise(edges)]
        )
    return [Part((row[0], column[0]), (row[1], column[1])) for row, column in product(*along)]


def search_in_parts(
    layer: Layer,
    options: SearchOptions,
    known: Known | None = None,
    told: Told | None = None,
    side: int = SIDE,
) -> Detections:
    """Find all stars of an image, as `search` does, part after part.

    Parameters
    ----------
    layer
        The image; the frame in which sources are listed is its own.
    options
        Options of the search.
    known
        As `search` takes it.
    told
        Told of each round of each part.
    side
        Longest side of a part, detector pixels.

    Returns
    -------
    Detections
        Sources above the threshold, in no order. What two parts found at one place, closer than
        ``options.separation``, is one source.
    """
    scale = options.oversampling
    parts = parts_of(layer.image.data.shape, side * scale, MARGIN * scale)
    found: list[Detections] = []
    for number, part in enumerate(parts):
        tell = _teller(told, (number, len(parts)), options, sum(one.x.size for one in found))
        found.extend(_searched(layer, part, options, known, tell))
    if not found:
        # No part has a pixel that counts, which is for the search to say.
        return search([layer], layer.image.data.shape, options)
    return _joined(found, options.separation * scale)


def _teller(
    told: Told | None, part: tuple[int, int], options: SearchOptions, count: int
) -> Callable[[int, int], None]:
    """Tell of the rounds of a part, the one of a number of so many, as steps of all of them."""

    def tell(round_number: int, sources: int) -> None:
        if told is not None:
            number, n_part = part
            told(number * options.max_rounds + round_number, n_part * options.max_rounds, count + sources)

    return tell


def _searched(
    layer: Layer,
    part: Part,
    options: SearchOptions,
    known: Known | None,
    tell: Callable[[int, int], None],
) -> Iterator[Detections]:
    """What a part has, in the frame of the whole; nothing if it has no pixel that counts."""
    image = _cut(layer.image, part)
    if not (image.usable & np.isfinite(image.data) & np.isfinite(image.noise.scale)).any():
        return
    left, top = part.corner
    rows, here = np.empty(0, dtype=np.int64), None
    if known is not None:
        rows = np.flatnonzero(part.holds(known[0], known[1], MARGIN * options.oversampling))
        here = (known[0][rows] - left, known[1][rows] - top, known[2][rows])
    found = search([replace(layer, image=image)], image.data.shape, options, here, tell)
    again = found.known >= 0
    row = np.full(found.x.size, -1, dtype=np.int64)
    row[again] = rows[found.known[again]]
    found = replace(found, x=found.x + left, y=found.y + top, known=row)
    yield found.take(part.holds(found.x, found.y, _BAND * options.oversampling))


def _cut(image: PixelImage, part: Part) -> PixelImage:
    """The pixels that a part sees."""
    noise, (left, top) = image.noise, part.corner
    scale = noise.scale if np.ndim(noise.scale) == 0 else np.asarray(noise.scale)[part.seen]
    return replace(
        image,
        data=image.data[part.seen],
        noise=NoiseModel(noise.read, noise.poisson, scale),
        usable=image.usable[part.seen],
        saturated=None if image.saturated is None else image.saturated[part.seen],
        origin=(image.origin[0] + left, image.origin[1] + top),
    )


def _joined(found: Sequence[Detections], separation: float) -> Detections:
    """All sources of the parts, each once."""
    number = np.repeat(np.arange(len(found)), [one.x.size for one in found])
    names = [field.name for field in fields(Detections)]
    whole = Detections(**{name: np.concatenate([getattr(one, name) for one in found]) for name in names})
    kept = np.ones(number.size, dtype=bool)
    if number.size:
        pairs = cKDTree(np.column_stack([whole.x, whole.y])).query_pairs(separation, output_type="ndarray")
        pairs = pairs[number[pairs[:, 0]] != number[pairs[:, 1]]]
        kept[pairs.max(axis=1)] = False
    whole = whole.take(kept)
    # Two sources of two parts may have taken the same known one for theirs.
    _, first = np.unique(whole.known, return_index=True)
    known = np.full(whole.known.size, -1, dtype=np.int64)
    known[first] = whole.known[first]
    return replace(whole, known=known)
