"""What masks, PSF kernels, template images and calibrations must be: arrays at ``roman.data`` in ASDF."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import asdf
import numpy as np
import numpy.typing as npt

from loaders.contribution.units import unit_fault

#: Arrays are looked at in memory.
_MOST_BYTES = 8 * 1024**3
#: A kernel keeps the flux of a star: it sums to one, within what truncation loses.
_SUM_TOLERANCE = 0.02

Array = npt.NDArray[Any]


def raw_tree(path: Path) -> Mapping[str, Any]:
    """Tree of an ASDF file as it is written, without making any object of it.

    Raises
    ------
    ValueError
        If it is none, or what it has is in other files.
    """
    with path.open("rb") as stream:
        if not stream.read(5) == b"#ASDF":
            raise ValueError("is no ASDF file")
    tree = asdf.util.load_yaml(path, tagged=True)
    if not isinstance(tree, Mapping):
        raise ValueError("has no tree")
    for place, node in _nodes(tree):
        if "$ref" in node or isinstance(node.get("source"), str):
            raise ValueError(f"{place} is in another file, and must be in this one")
    return tree


def faults(path: Path, tree: Mapping[str, Any], kind: str) -> Iterator[str]:
    """Yield what is wrong with the array of a file of that kind."""
    roman = tree.get("roman")
    data = roman.get("data") if isinstance(roman, Mapping) else None
    shape = data.get("shape") if isinstance(data, Mapping) else None
    if not isinstance(shape, list) or not all(isinstance(one, int) and one > 0 for one in shape):
        yield "roman.data is no array"
        return
    if (n_byte := int(np.prod(shape, dtype=object)) * 8) > _MOST_BYTES:
        yield f"roman.data has the shape {list(shape)}: more than {_MOST_BYTES} bytes ({n_byte})"
        return
    with warnings.catch_warnings():
        # Extensions of the author's are not installed here; the array needs none.
        warnings.simplefilter("ignore")
        with asdf.open(path, lazy_load=True, memmap=False) as file:
            array = np.asarray(file["roman"]["data"])
    yield from _JUDGES[kind](array)
    if kind in ("template_image", "calibration"):
        words = unit_fault(roman.get("unit") if isinstance(roman, Mapping) else None)
        yield from [f"roman.unit: {words}"] if words else []


def _mask(array: Array) -> Iterator[str]:
    if array.ndim != 2 or array.dtype.kind not in "bui":
        yield f"a mask is an image of integers or booleans, got {array.ndim} dimensions of {array.dtype}"


def _kernel(array: Array) -> Iterator[str]:
    if array.ndim not in (2, 3) or array.dtype.kind != "f":
        yield f"a PSF kernel is an image of reals, or several, got {array.ndim} dimensions of {array.dtype}"
        return
    if any(side % 2 == 0 for side in array.shape[-2:]):
        yield f"a PSF kernel has odd sides, so that a pixel is its centre, got {array.shape}"
    if not np.isfinite(array).all():
        yield "a PSF kernel has a value for each pixel, got some that are not finite"
        return
    sums = array.sum(axis=(-2, -1), dtype=float)
    worst = float(np.max(np.abs(sums - 1)))
    if worst > _SUM_TOLERANCE:
        yield f"a PSF kernel sums to 1 within {_SUM_TOLERANCE}, got a sum that is off by {worst:.3g}"


def _image(array: Array) -> Iterator[str]:
    if array.ndim != 2 or array.dtype.kind != "f":
        yield f"a template is an image of reals, got {array.ndim} dimensions of {array.dtype}"
    elif not np.isfinite(array).any():
        yield "a template has pixels with light, got none that is finite"


def _numbers(array: Array) -> Iterator[str]:
    if array.dtype.kind not in "fiu":
        yield f"a calibration is an array of numbers, got {array.dtype}"


_JUDGES: dict[str, Callable[[Array], Iterator[str]]] = {
    "mask": _mask,
    "psf_kernel": _kernel,
    "template_image": _image,
    "calibration": _numbers,
}
KINDS = tuple(_JUDGES)


def _nodes(node: Any, place: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every mapping of a tree with its place."""
    waiting = [(place, node)]
    while waiting:
        where, one = waiting.pop()
        if isinstance(one, Mapping):
            yield where or "the tree", one
            waiting += [(f"{where}.{key}".lstrip("."), value) for key, value in one.items()]
        elif isinstance(one, list):
            waiting += [(f"{where}[{k}]", value) for k, value in enumerate(one)]
