"""The PSF of a reference image in numbers: its shape at places over the image, and what it follows from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from loaders.psf.model import EffectivePsf
from loaders.psf.shape import PsfShape, psf_shape
from loaders.reference.frame import FloatArray, ReferenceFrame

PLACES_A_SIDE = 5
"""Places along an axis: in the middles of as many equal parts, so that one is the middle of the image."""

_ANGLES = {"fwhm": 1, "sigma": 1, "noise_equivalent_area": 2}
"""What is an angle, and to which power."""


@dataclass(frozen=True)
class ServedPsf:
    """A PSF that served the exposures of a day.

    Parameters
    ----------
    psf_model_id
        Its identifier in the library; None for that of the optics.
    n_exposure
        Exposures of the day that are in the image.
    is_of_day
        Whether it was built from exposures of that day.
    n_star, reduced_chi2, residual_fraction
        Stars that measured it, goodness of fit, and what it leaves of bright stars; 0 and NaN of the optics.
    """

    psf_model_id: int | None
    n_exposure: int
    is_of_day: bool
    n_star: int
    reduced_chi2: float
    residual_fraction: float


def places(shape: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Places where the PSF of an image of some fine pixels (ny, nx) is measured, row by row.

    They depend on the image alone, not on the nodes of its PSF: images of one frame have the same.

    Returns
    -------
    tuple of ndarray
        Columns x and rows y, fine pixels, shape (n,) each; the place n // 2 is the middle.
    """
    part = (np.arange(PLACES_A_SIDE) + 0.5) / PLACES_A_SIDE
    x, y = np.meshgrid(part * shape[1] - 0.5, part * shape[0] - 0.5)
    return x.ravel(), y.ravel()


def shape_columns(psf: EffectivePsf, frame: ReferenceFrame) -> dict[str, Any]:
    """Columns of ``roman.reference_psf_moment``, one row a place; NaN where the PSF could not be measured.

    Parameters
    ----------
    psf
        PSF of the image, in fine pixels.
    frame
        Its pixels on the sky.

    Returns
    -------
    dict
        ``place_number``, ``x`` and ``y`` (fine pixels), ``ra`` and ``dec`` (degrees ICRS), and the fields of
        `loaders.psf.shape.PsfShape`, sizes in arcsec; shape (n,) each.
    """
    x, y = places(frame.shape)
    ra, dec = frame.to_sky(x, y)
    # A PSF with one node is the same everywhere.
    alike = psf.x_node.size * psf.y_node.size == 1
    found = [psf_shape(psf, *at) for at in zip(x[: 1 if alike else None], y, strict=False)]
    shapes = found * x.size if alike else found
    out: dict[str, Any] = {"place_number": np.arange(x.size), "x": x, "y": y, "ra": ra, "dec": dec}
    for name in (field.name for field in fields(PsfShape)):
        scale = frame.pixel_scale ** _ANGLES.get(name, 0)
        out[name] = np.array([getattr(one, name) for one in shapes]) * scale
    out["psf_flags"] = out["psf_flags"].astype(np.int64)
    return out


def origin_row(served: Sequence[ServedPsf]) -> dict[str, Any]:
    """Columns of ``roman.reference_image`` that say what its PSF follows from; None where nothing tells.

    Parameters
    ----------
    served
        The PSFs by day, at least one.
    """
    count = np.array([one.n_exposure for one in served], dtype=np.float64)
    library = {one.psf_model_id: one.n_star for one in served if one.psf_model_id is not None}
    optics = np.array([one.psf_model_id is None for one in served])
    other_day = ~optics & ~np.array([one.is_of_day for one in served])
    return {
        "psf_n_star": sum(library.values()),
        "psf_reduced_chi2": _mean(np.array([one.reduced_chi2 for one in served]), count),
        "psf_residual_fraction": _mean(np.array([one.residual_fraction for one in served]), count),
        "psf_fraction_optics": float(count[optics].sum() / count.sum()),
        "psf_fraction_other_day": float(count[other_day].sum() / count.sum()),
    }


def shape_metrics(columns: Mapping[str, Any]) -> dict[str, float]:
    """Quality of the PSF of an image, from what `shape_columns` returns; NaN where nothing could be measured.

    ``reference_psf_fwhm`` (arcsec) and ``reference_psf_fourth_moment`` (mean of those along the axes) in the
    middle; ``reference_psf_ellipticity`` (modulus) and ``reference_psf_third_moment`` (root of the summed
    squares), the largest of all places; ``reference_psf_variation``, the largest less the least width over
    their mean; ``reference_psf_failed``, the fraction of the places where anything failed.
    """
    middle = columns["x"].size // 2
    third = np.sqrt(sum(columns[name] ** 2 for name in ("m30", "m21", "m12", "m03")))
    width = columns["fwhm"][np.isfinite(columns["fwhm"])]
    return {
        "reference_psf_fwhm": float(columns["fwhm"][middle]),
        "reference_psf_ellipticity": _largest(np.hypot(columns["e1"], columns["e2"])),
        "reference_psf_third_moment": _largest(third),
        "reference_psf_fourth_moment": float(columns["m40"][middle] + columns["m04"][middle]) / 2,
        "reference_psf_variation": float(np.ptp(width) / width.mean()) if width.size else float("nan"),
        "reference_psf_failed": float((columns["psf_flags"] != 0).mean()),
    }


def _mean(values: FloatArray, weight: FloatArray) -> float | None:
    """Mean of what is known, weighted; None where nothing is."""
    known = np.isfinite(values)
    return float(np.average(values[known], weights=weight[known])) if known.any() else None


def _largest(values: FloatArray) -> float:
    """Largest of the values that are known; NaN where none is."""
    return float(np.nanmax(values)) if np.isfinite(values).any() else float("nan")
