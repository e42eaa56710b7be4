"""Effective PSFs as the ePSF reference file of the Roman archive (RAD) and as photutils' gridded model."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asdf
import numpy as np
from astropy.nddata import NDData
from astropy.time import Time
from photutils.psf import GriddedPSFModel
from roman_datamodels.datamodels import EpsfRefModel

from loaders.psf.model import EffectivePsf, FloatArray
from loaders.rejection import Rejected


@dataclass(frozen=True)
class ReferenceDescription:
    """What an ePSF reference file says about itself.

    Parameters
    ----------
    detector, optical_element
        ``WFI01`` … ``WFI18`` and the filter.
    use_after
        First time for which the PSF is meant.
    author, description
        Who made it, and from what.
    pedigree
        ``INFLIGHT 2027-03-01 2027-03-02``, ``MODEL``, ``SIMULATION`` … as the archive names them.
    jitter
        Major axis and minor axis (mas) and position angle (deg) of the line of sight's jitter; NaN is
        written as RAD's value for "unknown".
    """

    detector: str
    optical_element: str
    use_after: Time
    author: str
    description: str
    pedigree: str = "MODEL"
    jitter: tuple[float, float, float] = (np.nan, np.nan, np.nan)


_UNKNOWN = -999999.0


def reference_model(
    psf: EffectivePsf, description: ReferenceDescription, wings: EffectivePsf | None = None
) -> EpsfRefModel:
    """Make the data model of an ePSF reference file, in focus and for one spectral type.

    Parameters
    ----------
    psf
        The effective PSF; RAD's grid positions are its nodes, row by row.
    description
        What goes into the metadata.
    wings
        A wider PSF, of which the stamp of the node in the middle becomes ``extended_psf``.

    Returns
    -------
    EpsfRefModel
        A valid model, float32.
    """
    x, y = np.meshgrid(psf.x_node, psf.y_node)
    model = EpsfRefModel.create_fake_data()
    meta = model.meta
    meta.reftype, meta.pedigree, meta.author = "EPSF", description.pedigree, description.author
    meta.description, meta.useafter = description.description, description.use_after
    meta.instrument.detector, meta.instrument.optical_element = (
        description.detector,
        description.optical_element,
    )
    meta["oversample"] = psf.oversampling
    meta["spectral_type"], meta["defocus"] = ["None"], [0]
    meta.pixel_x, meta.pixel_y = x.ravel().tolist(), y.ravel().tolist()
    jitter = [float(np.nan_to_num(value, nan=_UNKNOWN)) for value in description.jitter]
    meta.jitter_major, meta.jitter_minor, meta.jitter_position_angle = jitter
    model["psf"] = psf.stamps.reshape(1, 1, -1, psf.size, psf.size).astype(np.float32)
    if wings is not None:
        middle = wings.stamps[wings.y_node.size // 2, wings.x_node.size // 2]
        model["extended_psf"] = middle.astype(np.float32)
    model.validate()
    return model


def write_reference_file(
    path: Path, psf: EffectivePsf, description: ReferenceDescription, wings: EffectivePsf | None = None
) -> None:
    """Write an ePSF reference file; see `reference_model`."""
    reference_model(psf, description, wings).save(path)


def read_reference_file(path: Path, defocus: int = 0, spectral_type: int = 0) -> EffectivePsf:
    """Read one focus and spectral type of an ePSF reference file.

    Parameters
    ----------
    path
        The file.
    defocus, spectral_type
        Indices along the first two axes of ``psf``.

    Returns
    -------
    EffectivePsf
        At the grid positions of the file.

    Raises
    ------
    Rejected
        If the file isn't an ePSF reference file, or its positions are no full grid.
    """
    where = str(path)
    try:
        with asdf.open(path, lazy_load=False, memmap=False) as opened:
            tree = opened.tree.get("roman")
            return _from_tree(where, tree, (defocus, spectral_type))
    except (OSError, ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        if isinstance(error, Rejected):
            raise
        what = f"not a readable ePSF reference file ({error})"
        raise Rejected(where, what, "Give a file of RAD's type EPSF", "not_epsf") from error


def to_gridded_model(psf: EffectivePsf) -> GriddedPSFModel:
    """Convert to photutils' model, whose stamps and flux scale are the same."""
    x, y = np.meshgrid(psf.x_node, psf.y_node)
    meta: dict[str, Any] = OrderedDict(
        grid_xypos=list(zip(x.ravel().tolist(), y.ravel().tolist(), strict=True)),
        oversampling=psf.oversampling,
    )
    return GriddedPSFModel(NDData(psf.stamps.reshape(-1, psf.size, psf.size), meta=meta))


def from_gridded_model(model: GriddedPSFModel) -> EffectivePsf:
    """Convert from photutils' model; ValueError if its stamps aren't square or the grid isn't full."""
    step_y, step_x = (int(value) for value in np.broadcast_to(model.oversampling, 2))
    if step_y != step_x:
        raise ValueError(f"oversampling must be the same along both axes, got {model.oversampling}")
    positions = np.asarray(model.grid_xypos, dtype=np.float64)
    return _on_grid(np.asarray(model.data, dtype=np.float64), step_x, positions[:, 0], positions[:, 1])


def _from_tree(where: str, tree: Any, plane: tuple[int, int]) -> EffectivePsf:
    """The effective PSF of the tree of a reference file."""
    meta = tree["meta"]
    if meta["reftype"] != "EPSF":
        raise Rejected(where, f"meta.reftype is {meta['reftype']!r}", "Give a file of type EPSF", "not_epsf")
    stamps = np.asarray(tree["psf"], dtype=np.float64)[plane]
    x, y = np.asarray(meta["pixel_x"], dtype=np.float64), np.asarray(meta["pixel_y"], dtype=np.float64)
    return _on_grid(stamps, int(meta["oversample"]), x, y)


def _on_grid(stamps: FloatArray, oversampling: int, x: FloatArray, y: FloatArray) -> EffectivePsf:
    """Stamps at listed positions as nodes of a full grid."""
    x_node, column = np.unique(x, return_inverse=True)
    y_node, row = np.unique(y, return_inverse=True)
    full = x_node.size * y_node.size
    if x.size != full or np.unique(row * x_node.size + column).size != full:
        raise ValueError(f"{x.size} positions don't fill a grid of {y_node.size} × {x_node.size} nodes")
    nodes = np.empty((y_node.size, x_node.size, *stamps.shape[1:]))
    nodes[row, column] = stamps
    return EffectivePsf(nodes, oversampling, x_node, y_node)
