"""Stars too close to be told apart are fitted as one, and their flux is split again afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from loaders.photometry.psf_table import IntArray
from loaders.psf.model import FloatArray


@dataclass(frozen=True)
class Blends:
    """Stars merged into sources.

    Parameters
    ----------
    x, y, flux
        Shape (m,): position and first guess of the flux of every source; for several stars the mean
        position weighted by flux, and the summed flux.
    source
        Shape (n,): source that each star belongs to.
    share
        Shape (n,): share of the flux of its source that each star gets, from the first guesses; equal shares
        where no star of a source has a positive one.
    blended
        Shape (n,): whether a star shares its source.
    """

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    source: IntArray
    share: FloatArray
    blended: npt.NDArray[np.bool_]


def merge_blends(x: FloatArray, y: FloatArray, flux: FloatArray, radius: float) -> Blends:
    """Merge stars that are chained by distances below a radius.

    Parameters
    ----------
    x, y
        Shape (n,): positions in pixels.
    flux
        Shape (n,): first guesses of the fluxes, 0 where unknown.
    radius
        Distance in pixels below which two stars become one source; 0 merges coincident stars only.
    """
    source = _chain(x, y, radius)
    size = np.bincount(source)
    positive = np.maximum(flux, 0.0)
    total = np.bincount(source, positive)
    share = np.where(total[source] > 0, positive / np.where(total > 0, total, 1.0)[source], 1 / size[source])
    middle = [np.bincount(source, weight).astype(float) for weight in (share * x, share * y, flux)]
    return Blends(middle[0], middle[1], middle[2], source, share, size[source] > 1)


def _chain(x: FloatArray, y: FloatArray, radius: float) -> IntArray:
    """Number of the source of every star, stars closer than the radius being in one source."""
    if x.size == 0:
        return np.empty(0, dtype=np.int64)
    # Stars are spread evenly: a tree that isn't balanced is as good and made in a quarter of the time.
    tree = cKDTree(np.column_stack([x, y]), balanced_tree=False, compact_nodes=False)
    pairs = tree.query_pairs(radius, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(x.size, x.size))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
