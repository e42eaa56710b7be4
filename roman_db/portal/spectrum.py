"""Spectra as pages show them: pixels that a screen can show, small pictures, and densities of redshifts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from roman_db.portal.decimation import extremes

FloatArray = npt.NDArray[np.float64]

#: Pixels that are drawn as they are, in spans that have no more.
_ALL = 4000
#: Size of a small picture, and the share of fluxes that lies beyond each of its edges, %.
_WIDTH, _HEIGHT, _LEFT_OUT = 240, 56, 1.0


def shown_pixels(
    pixels: dict[str, npt.NDArray[Any]], span: tuple[float, float], columns: int
) -> dict[str, Any]:
    """Pixels between two wavelengths: all if they are few, else the lowest and highest of each column.

    Parameters
    ----------
    pixels
        ``wavelength`` (µm, ascending), ``flux``, ``flux_err`` and ``mask`` by name, each of shape (n,).
    span
        First and last wavelength; one pixel before and after them is kept, so that lines go on.
    columns
        Columns of pixels of the screen.

    Returns
    -------
    dict
        The same names with fewer pixels, and ``is_exact``.
    """
    wave = pixels["wavelength"]
    first = max(int(np.searchsorted(wave, span[0])) - 1, 0)
    last = int(np.searchsorted(wave, span[1], side="right")) + 1
    seen = {name: values[first:last] for name, values in pixels.items()}
    is_exact = seen["wavelength"].size <= _ALL
    if not is_exact:
        is_good = seen["mask"] == 0
        kept = [
            extremes(seen["wavelength"], np.where(some, seen["flux"], np.nan), span, columns)
            for some in (is_good, ~is_good)
        ]
        chosen = np.union1d(*kept)
        seen = {name: values[chosen] for name, values in seen.items()}
    return seen | {"is_exact": is_exact}


def density_of(quantile: FloatArray) -> dict[str, FloatArray]:
    """Density of a redshift from its quantiles, as the corners of a line of steps.

    Parameters
    ----------
    quantile
        Shape (n,), ascending, at probabilities (k + 0.5) / n.

    Returns
    -------
    dict
        ``z`` and ``density`` (1 / z), of equal shapes; empty where all quantiles are one.
    """
    edges, first = np.unique(quantile, return_index=True)
    if edges.size < 2:
        return {"z": np.zeros(0), "density": np.zeros(0)}
    # Quantiles that are one in single precision share the probability of the step after them.
    share = np.diff(np.append(first[:-1], quantile.size - 1)) / quantile.size
    height = share / np.diff(edges)
    return {
        "z": np.repeat(edges, 2),
        "density": np.concatenate([[0.0], np.repeat(height, 2), [0.0]]),
    }


def small_picture(wavelength: FloatArray, flux: FloatArray, mask: npt.NDArray[np.integer]) -> str:
    """Path of a spectrum in SVG, within `_WIDTH` by `_HEIGHT`; empty where no pixel is good.

    Parameters
    ----------
    wavelength, flux
        Shape (n,); NaN where there is no flux.
    mask
        Shape (n,), 0 where a pixel is good.
    """
    good = np.isfinite(flux) & (mask == 0)
    if np.count_nonzero(good) < 2:
        return ""
    span = (float(wavelength[good][0]), float(wavelength[good][-1]))
    low, high = np.percentile(flux[good], (_LEFT_OUT, 100 - _LEFT_OUT))
    kept = extremes(wavelength, np.where(good, flux, np.nan), span, _WIDTH)
    x = (wavelength[kept] - span[0]) / (span[1] - span[0]) * _WIDTH
    y = _HEIGHT * (1 - (np.clip(flux[kept], low, high) - low) / (high - low or 1.0))
    return "M" + "L".join(f"{one:.1f} {other:.1f}" for one, other in zip(x, y, strict=True))
