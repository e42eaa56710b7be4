"""What is said of each source in the end: errors, goodness of fit, crowding, shape and flags."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from loaders.detection.estimate import Estimate, combine
from loaders.detection.refine import LayerFit, Refinement
from loaders.photometry.diagnostics import core_chi2, crowding
from loaders.photometry.flags import PhotometryFlag
from loaders.photometry.image import StarList
from loaders.photometry.judgement import fit_flags, image_flags, judge_extras
from loaders.photometry.positions import measure_extras
from loaders.psf.model import FloatArray

_FITTED = 2.0
"""Parameters of a source besides its flux: its position."""


@dataclass(frozen=True)
class Detections:
    """Sources that were found; all arrays have shape (n,), NaN where not measured.

    Parameters
    ----------
    x, y, x_err, y_err
        Position in the frame and its standard errors, pixels; errors are marginal over all other parameters.
    flux, flux_err
        Flux and its standard error, in the unit of the images: the mean of all images, weighted.
    reduced_chi2, crowding
        Means over the images of `loaders.photometry.diagnostics.core_chi2` and ``crowding``.
    size, e1, e2, size_err, e1_err, e2_err
        Relative excess in size over the PSF, and ellipticity; see `loaders.photometry.extended_fit`. NaN for
        faint sources.
    n_image
        Images that measured the source.
    flags
        Bits of `PhotometryFlag` that hold in all of these images; `BLENDED` here says that another source
        lies so near that the two may share their light wrongly.
    known
        Row in the list that the search began with; -1 if the source is new.
    """

    x: FloatArray
    y: FloatArray
    x_err: FloatArray
    y_err: FloatArray
    flux: FloatArray
    flux_err: FloatArray
    reduced_chi2: FloatArray
    crowding: FloatArray
    size: FloatArray
    e1: FloatArray
    e2: FloatArray
    size_err: FloatArray
    e1_err: FloatArray
    e2_err: FloatArray
    n_image: npt.NDArray[np.int64]
    flags: npt.NDArray[np.uint16]
    known: npt.NDArray[np.int64]

    @property
    def signal_to_noise(self) -> FloatArray:
        """Flux over its standard error."""
        return self.flux / self.flux_err

    def take(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Detections:
        """Some of the sources."""
        return Detections(**{name: values[chosen] for name, values in vars(self).items()})


def measure(refinement: Refinement, blend_radius: float) -> Detections:
    """Measure all sources where they are now."""
    sources = refinement.sources
    value, variance = refinement.combined()
    error = np.sqrt(variance)
    quality = [_quality(fit) for fit in refinement.fits]
    seen = [np.isfinite(one.chi2) for one in quality]
    n_image = np.sum(seen, axis=0)
    shape, shape_variance = combine([one.shape for one in quality])
    flags = _flags_of_all(quality, seen) | _blended(sources.x, sources.y, blend_radius)
    flags[~np.isfinite(value[:, 0])] |= PhotometryFlag.FIT_FAILED
    return Detections(
        x=sources.x,
        y=sources.y,
        x_err=error[:, 1],
        y_err=error[:, 2],
        flux=value[:, 0],
        flux_err=error[:, 0],
        reduced_chi2=_mean([one.chi2 for one in quality]),
        crowding=_mean([one.crowding for one in quality]),
        **_named(("size", "e1", "e2"), shape),
        **_named(("size_err", "e1_err", "e2_err"), np.sqrt(shape_variance)),
        n_image=n_image.astype(np.int64),
        flags=flags.astype(np.uint16),
        known=sources.known,
    )


@dataclass(frozen=True)
class _Quality:
    """What one image says of all sources of the frame, shape (n, …); NaN and no flag where it has none."""

    chi2: FloatArray
    crowding: FloatArray
    shape: Estimate
    flags: npt.NDArray[np.int64]


def _quality(layer: LayerFit) -> _Quality:
    fit, index = layer.fit, layer.index
    extras = measure_extras(fit)
    failed, value, error = judge_extras(fit, extras)
    chi2, crowd = core_chi2(fit, np.full(fit.count, _FITTED)), crowding(fit)
    flags = failed | fit_flags(fit, fit.flux_variance, chi2, crowd)
    flags |= image_flags(layer.image, fit.field.usable, StarList(fit.x, fit.y))
    # Fluxes are measured on the image alone; what the fit holds beyond its edge is no measurement.
    inside = (flags & PhotometryFlag.OUTSIDE) == 0
    table = np.column_stack([chi2, crowd, value[:, 2:], error[:, 2:] ** 2])
    every = np.full((layer.count, table.shape[1]), np.nan)
    every[index[inside]] = table[inside]
    every_flag = np.zeros(layer.count, dtype=np.int64)
    every_flag[index] = flags
    return _Quality(every[:, 0], every[:, 1], Estimate(every[:, 2:5], every[:, 5:]), every_flag)


def _flags_of_all(quality: list[_Quality], seen: list[npt.NDArray[np.bool_]]) -> npt.NDArray[np.int64]:
    """Flags that hold in every image that measured a source; of all images where none did."""
    everything = np.int64(-1)
    common = np.full(quality[0].chi2.size, everything)
    for one, inside in zip(quality, seen, strict=True):
        common &= np.where(inside, one.flags, everything)
    union = np.bitwise_or.reduce([one.flags for one in quality])
    return np.asarray(np.where(common == everything, union, common), dtype=np.int64)


def _blended(x: FloatArray, y: FloatArray, radius: float) -> npt.NDArray[np.int64]:
    """The flag of sources that have another one within a radius."""
    flags = np.zeros(x.size, dtype=np.int64)
    if x.size > 1:
        pairs = cKDTree(np.column_stack([x, y])).query_pairs(radius, output_type="ndarray")
        flags[pairs.ravel()] = PhotometryFlag.BLENDED
    return flags


def _mean(columns: list[FloatArray]) -> FloatArray:
    """Mean of the images that have a value, NaN where none has."""
    count = np.sum([np.isfinite(column) for column in columns], axis=0)
    total = np.nansum(columns, axis=0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _named(names: tuple[str, ...], table: FloatArray) -> dict[str, FloatArray]:
    """Columns of a table by name."""
    return {name: np.ascontiguousarray(column) for name, column in zip(names, table.T, strict=True)}
