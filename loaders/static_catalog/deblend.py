"""Hierarchical deblending: which peaks of a connected group of pixels are sources, and whose each pixel is.

The tree of a group is built from the top: pixels are taken in the order of their brightness, and a pixel
without a brighter neighbour begins a branch. Where two branches meet is their saddle. If both have enough
light above it and stand high enough above it in units of the noise, they stay sources of their own; else
the lesser joins the other. Enough is a share of the light that the source on the other side of the saddle
has so far: the contrast of Bertin & Arnouts (1996, A&AS 117, 393), without their discrete levels, and of
the neighbour where theirs is of the whole group, so that a source does not vanish because the group is
large. Every pixel goes to the source of the brightest neighbour that was there before it (watershed by
flooding, Vincent & Soille 1991, IEEE Trans. Pattern Anal. Mach. Intell. 13, 583). Sorting is the slowest
part: the time grows like n log n.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from loaders.static_catalog.image import Float32Array
from loaders.static_catalog.options import CatalogOptions
from roman_db.compiled import compiled

Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


def deblend(
    groups: Int32Array, image: Float32Array, noise: Float32Array, options: CatalogOptions
) -> tuple[Int32Array, Int32Array]:
    """Divide connected groups of pixels into sources.

    Parameters
    ----------
    groups
        Shape (ny, nx): number of the group of each pixel, from 1; 0 for none.
    image
        Shape (ny, nx): smoothed image in which peaks are told apart.
    noise
        Shape (ny, nx): its standard deviation.
    options
        ``contrast``, ``min_depth`` and ``min_pixels`` count.

    Returns
    -------
    labels : ndarray
        Shape (ny, nx): label of the source of each pixel, 1 to n in the order of their lowest pixels; 0 for
        none.
    parent : ndarray
        Shape (n,): the group that each source was a part of.
    """
    pixel = np.flatnonzero(groups)
    group, value = groups.ravel()[pixel], image.ravel()[pixel].astype(np.float64)
    order = np.argsort(-value)
    order = order[np.argsort(group[order], kind="stable")]
    pixel, value, group = pixel[order], value[order], group[order]
    rank = np.full(groups.size, -1, dtype=np.int32)
    rank[pixel] = np.arange(pixel.size, dtype=np.int32)
    limits = options.contrast, options.min_depth, float(options.min_pixels)
    leaf = _flood(pixel, (value, noise.ravel()[pixel].astype(np.float64)), rank, groups.shape, limits)
    labels = np.zeros(groups.size, dtype=np.int32)
    back = np.argsort(pixel)
    _, first, number = np.unique(leaf[back], return_index=True, return_inverse=True)
    place = np.empty(first.size, dtype=np.int32)
    place[np.argsort(first)] = np.arange(1, first.size + 1, dtype=np.int32)
    labels[pixel[back]] = place[number]
    parent = np.zeros(first.size, dtype=np.int32)
    parent[place - 1] = group[back][first]
    return labels.reshape(groups.shape), parent


@compiled()
def _root(tree: Int32Array, i: int) -> int:
    """Root of a union-find tree, halving the paths on the way."""
    while tree[i] != i:
        tree[i] = tree[tree[i]]
        i = tree[i]
    return i


@compiled()
def _flood(
    pixel: Int64Array,
    planes: tuple[FloatArray, FloatArray],
    rank: Int32Array,
    shape: tuple[int, int],
    limits: tuple[float, float, float],
) -> Int32Array:
    """Source of each pixel, given as the place of its peak in the order of brightness; shape (n,)."""
    value, noise = planes
    n = pixel.size
    branch, alias = np.empty(n, np.int32), np.empty(n, np.int32)  # trees of branches, and of names of sources
    leaf, top, near = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(8, np.int32)
    light, size, own = np.zeros(n), np.zeros(n), np.zeros(n)  # of branches; light of sources
    for i in range(n):
        branch[i] = alias[i] = leaf[i] = top[i] = i
        light[i], size[i] = value[i], 1.0
        count = _neighbours(pixel[i], i, rank, shape, near)
        if count > 0:
            leaf[i] = leaf[near[0]]
            _join(branch, i, _root(branch, near[0]), (light, size), top)
        own[_root(alias, leaf[i])] += value[i]
        for k in range(1, count):
            mine, other = _root(branch, i), _root(branch, near[k])
            if mine != other:
                takers = leaf[near[k]], leaf[i]
                planes_here = (value, noise, light, size, own)
                _meet((mine, other), takers, value[i], planes_here, (top, alias), limits)
                _join(branch, mine, other, (light, size), top)
    for i in range(n):
        leaf[i] = _root(alias, leaf[i])
    return leaf


@compiled()
def _neighbours(place: int, i: int, rank: Int32Array, shape: tuple[int, int], near: Int32Array) -> int:
    """Write the ranks of those of the eight neighbours that came before pixel i, the brightest first."""
    count = 0
    y, x = place // shape[1], place % shape[1]
    for v in range(max(y - 1, 0), min(y + 2, shape[0])):
        for u in range(max(x - 1, 0), min(x + 2, shape[1])):
            other = rank[v * shape[1] + u]
            if 0 <= other < i:
                near[count] = other
                if other < near[0]:
                    near[count], near[0] = near[0], other
                count += 1
    return count


@compiled()
def _meet(roots, takers, level, planes, names, limits):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Where two branches meet, let one that is no source of its own take the other's name.

    ``roots`` are those of the branches, ``takers`` the names that each would take, ``level`` is the value of
    the saddle.
    """
    top, alias = names
    own = planes[4]
    host_0, host_1 = own[_root(alias, takers[0])], own[_root(alias, takers[1])]
    light_0, real_0 = _stands_out(roots[0], (level, host_0), planes, top, limits)
    light_1, real_1 = _stands_out(roots[1], (level, host_1), planes, top, limits)
    if real_0 and real_1:
        return
    first_is_lesser = light_0 < light_1 if real_0 == real_1 else real_1
    lesser, taker = (roots[0], takers[0]) if first_is_lesser else (roots[1], takers[1])
    gone, stays = _root(alias, top[lesser]), _root(alias, taker)
    if gone != stays:
        alias[gone] = stays
        own[stays] += own[gone]


@compiled()
def _stands_out(root, level, planes, top, limits):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Light of a branch above the saddle, and whether it makes a source beside the one that it touches."""
    value, noise, light, size, _ = planes
    peak = top[root]
    above = light[root] - size[root] * level[0]
    deep = value[peak] - level[0] >= limits[1] * noise[peak]
    return above, above >= limits[0] * level[1] and deep and size[root] >= limits[2]


@compiled()
def _join(tree, mine, other, sums, top):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Make two branches one."""
    light, size = sums
    if size[mine] < size[other]:
        mine, other = other, mine
    tree[other] = mine
    light[mine] += light[other]
    size[mine] += size[other]
    top[mine] = min(top[mine], top[other])
