"""Sources in a difference image, and what kind of thing each is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter
from scipy.spatial import cKDTree

from loaders.detection.layer import Layer, SearchOptions
from loaders.detection.measure import Detections
from loaders.detection.parts import SIDE, search_in_parts
from loaders.difference.matching import BoolArray, Difference
from loaders.difference.trails import find_trails, pixels_of_trails
from loaders.photometry.image import PixelImage
from loaders.photometry.noise import NoiseModel
from loaders.psf.model import EffectivePsf, FloatArray
from loaders.reference.kernels import Float32Array

_HALO = 4.0
"""Detector pixels within which the light of a star makes a difference doubtful."""

_MAD_TO_SIGMA = 1.4826

_LIT = 4.0
"""Standard deviations from which a pixel may be one of a trail."""

_POOR, _POOR_SHARE, _POOR_SHARE_KNOWN = 3.0, 0.05, 0.2
"""Reduced chi-square above which the core has not the shape of a star: that of a perfect template, and its
growth with an error of the PSF, as a fraction of the signal-to-noise ratio; the same at a catalogued object.

What a star gained stands on its own light in the template, whose errors are more than those of what appeared;
a hit leaves a quarter, but falls on an object seldom."""


class SourceClass(StrEnum):
    """What a source in a difference image is taken for."""

    NEW = "new"
    VARIABLE = "variable"
    DIPOLE = "dipole"
    HIT = "hit"
    EDGE = "edge"


DESCRIPTION: dict[SourceClass, str] = {
    SourceClass.NEW: "Light of the shape of a star where the catalog has none",
    SourceClass.VARIABLE: "Light of the shape of a star at the place of a catalogued object",
    SourceClass.DIPOLE: "Gain beside a loss: a star that moved, or was not laid on itself",
    SourceClass.HIT: "Not of the shape of a star: a cosmic ray, a trail, a bad pixel",
    SourceClass.EDGE: "Beside pixels that do not count, or at the edge of the image",
}
"""One line for a reader of the database."""


@dataclass(frozen=True)
class DifferenceOptions:
    """Options of `find_difference_sources`.

    Parameters
    ----------
    threshold
        Signal-to-noise ratio from which a source is listed.
    association
        Distance in detector pixels within which a source belongs to a catalogued object, beside three times
        the error of its position.
    dipole
        Distance in detector pixels within which gain and loss are one dipole. However little a star moved,
        the two peaks of what is left lie about its full width at half maximum apart.
    dipole_ratio
        Least ratio of the lesser to the greater of the two.
    psf_error, halo_error
        Error of the matched template as a fraction of its light, and of the brightest light within 4 detector
        pixels.
    oversampling
        Pixels of the image per detector pixel: 1 for exposures.
    threads
        Threads; None for all processors.
    side
        Longest side in detector pixels of what is searched at once, with a margin around it.
    """

    threshold: float = 6.0
    association: float = 0.5
    dipole: float = 2.5
    dipole_ratio: float = 0.3
    psf_error: float = 0.005
    halo_error: float = 0.0
    oversampling: int = 1
    threads: int | None = None
    side: int = SIDE


@dataclass(frozen=True)
class DifferenceSources:
    """Sources of a difference; all arrays have shape (n,).

    Parameters
    ----------
    x, y, x_err, y_err
        Position in pixels of the image, and its standard errors.
    flux, flux_err
        Change of flux, negative for a loss, and its standard error, unit of the image.
    reduced_chi2
        Of the fit of a star to the core.
    kind
        `SourceClass`.
    nearest
        Row of the nearest object of the catalog that was given; -1 where there is none in reach.
    distance
        Distance to it in pixels; NaN where there is none.
    """

    x: FloatArray
    y: FloatArray
    x_err: FloatArray
    y_err: FloatArray
    flux: FloatArray
    flux_err: FloatArray
    reduced_chi2: FloatArray
    kind: npt.NDArray[np.str_]
    nearest: npt.NDArray[np.int64]
    distance: FloatArray

    @property
    def signal_to_noise(self) -> FloatArray:
        """Modulus of the change over its error."""
        return np.abs(self.flux) / self.flux_err


def find_difference_sources(
    difference: Difference,
    psf: EffectivePsf,
    origin: tuple[float, float],
    catalog: tuple[FloatArray, FloatArray],
    options: DifferenceOptions | None = None,
) -> DifferenceSources:
    """Find what appeared, brightened, faded or moved.

    Parameters
    ----------
    difference
        The difference image.
    psf
        PSF of the image that the template was subtracted from.
    origin
        Detector coordinates (x, y) of its pixel (0, 0).
    catalog
        Positions (x, y) of catalogued objects in pixels of the image, shape (m,) each.
    options
        Options; the defaults if None.

    Returns
    -------
    DifferenceSources
        Sorted by falling significance.
    """
    options = options or DifferenceOptions()
    found = _found(difference, psf, origin, options)
    clear, trailed = _without_trails(difference, found, options)
    if trailed.any():
        # What a trail has not the shape of is seen as sources all around it.
        rest = _found(clear, psf, origin, options)
        found = {name: np.concatenate([rest[name], values[trailed]]) for name, values in found.items()}
        trailed = np.arange(found["x"].size) >= rest["x"].size
    order = np.argsort(-found["significance"], kind="stable")
    found, trailed = {name: values[order] for name, values in found.items()}, trailed[order]
    nearest, distance = _nearest(found, catalog, options)
    kind = _classify(clear.usable, found, nearest, options)
    kind[trailed] = SourceClass.HIT.value
    del found["significance"]
    return DifferenceSources(**found, kind=kind, nearest=nearest, distance=distance)


def _found(
    difference: Difference, psf: EffectivePsf, origin: tuple[float, float], options: DifferenceOptions
) -> dict[str, FloatArray]:
    """Gains and losses."""
    return _joined(*(_search(difference, sign, psf, origin, options) for sign in (1, -1)))


def _without_trails(
    difference: Difference, found: dict[str, FloatArray], options: DifferenceOptions
) -> tuple[Difference, BoolArray]:
    """A difference in which the pixels of trails do not count, and which sources are gains on a trail."""
    significance, usable = significance_image(difference), difference.usable
    y, x = (at.astype(np.float64) for at in np.nonzero(usable & (significance > _LIT)))
    trails = find_trails(x, y, usable.shape, options.oversampling)
    if not trails:
        return difference, np.zeros(found["x"].size, dtype=bool)
    band = pixels_of_trails(trails, significance, usable)
    on_trail = np.any([trail.holds(found["x"], found["y"]) for trail in trails], axis=0)
    return replace(difference, usable=usable & ~band), on_trail & (found["flux"] > 0)


def _search(
    difference: Difference,
    sign: int,
    psf: EffectivePsf,
    origin: tuple[float, float],
    options: DifferenceOptions,
) -> Detections:
    """Stars in the difference, or in its negative."""
    light = np.maximum(difference.model - np.median(difference.model), 0)
    reach = 2 * round(_HALO * options.oversampling) + 1
    doubt = options.psf_error * light + options.halo_error * maximum_filter(light, size=reach)
    noise = difference.variance * _excess(difference)
    scale = np.where(difference.usable, noise + doubt**2, np.nan).astype(np.float32)
    data = (sign * difference.data).astype(np.float32)
    image = PixelImage(data, NoiseModel(1.0, 0.0, scale), difference.usable, origin=origin)
    chosen = SearchOptions(
        threshold=options.threshold,
        max_rounds=2,
        oversampling=options.oversampling,
        threads=options.threads,
    )
    return search_in_parts(Layer(image, psf), chosen, side=options.side)


def _excess(difference: Difference) -> float:
    """Variance of the middle of the pixels over that which is stated, at least one.

    Two references of few exposures differ by more than their noise where their dithers leave places out.
    """
    pull = np.abs(significance_image(difference)[difference.usable])
    return max(1.0, float((_MAD_TO_SIGMA * np.median(pull)) ** 2))


def _joined(gain: Detections, loss: Detections) -> dict[str, FloatArray]:
    """Gains and losses that have a flux, in one list."""
    names = ("x", "y", "x_err", "y_err", "flux_err", "reduced_chi2")
    found = {name: np.concatenate([getattr(gain, name), getattr(loss, name)]) for name in names}
    found["flux"] = np.concatenate([gain.flux, -loss.flux])
    found["significance"] = np.abs(found["flux"]) / found["flux_err"]
    # A peak on which no star can be fitted, too few of its pixels counting, is no source.
    fitted = np.isfinite(found["significance"])
    return {name: values[fitted] for name, values in found.items()}


def _nearest(
    found: dict[str, FloatArray], catalog: tuple[FloatArray, FloatArray], options: DifferenceOptions
) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Nearest catalogued object of every source within reach."""
    count = found["x"].size
    nearest, distance = np.full(count, -1, dtype=np.int64), np.full(count, np.nan)
    if count == 0 or catalog[0].size == 0:
        return nearest, distance
    places = np.column_stack([found["x"], found["y"]])
    far, row = (np.asarray(part) for part in cKDTree(np.column_stack(catalog)).query(places))
    reach = np.hypot(options.association * options.oversampling, 3 * np.hypot(found["x_err"], found["y_err"]))
    near = far <= reach
    nearest[near], distance[near] = row[near], far[near]
    return nearest, distance


def _classify(
    usable: BoolArray,
    found: dict[str, FloatArray],
    nearest: npt.NDArray[np.int64],
    options: DifferenceOptions,
) -> npt.NDArray[np.str_]:
    """What each source is taken for; a stronger objection hides a weaker one."""
    kind = np.where(nearest >= 0, SourceClass.VARIABLE.value, SourceClass.NEW.value).astype("U8")
    kind[_hits(found, nearest)] = SourceClass.HIT.value
    # Where gain and loss overlap, neither has the shape of a star; a hit has no loss beside it.
    kind[_dipoles(found, options)] = SourceClass.DIPOLE.value
    kind[_at_edge(usable, found)] = SourceClass.EDGE.value
    return kind


def _dipoles(found: dict[str, FloatArray], options: DifferenceOptions) -> BoolArray:
    """Sources that have one of the other sign and like strength beside them."""
    marked = np.zeros(found["x"].size, dtype=bool)
    if marked.size > 1:
        tree = cKDTree(np.column_stack([found["x"], found["y"]]))
        pairs = tree.query_pairs(options.dipole * options.oversampling, output_type="ndarray")
        a, b = found["flux"][pairs[:, 0]], found["flux"][pairs[:, 1]]
        strong, weak = np.maximum(np.abs(a), np.abs(b)), np.minimum(np.abs(a), np.abs(b))
        marked[pairs[(a * b < 0) & (weak >= options.dipole_ratio * strong)].ravel()] = True
    return marked


def _hits(found: dict[str, FloatArray], nearest: npt.NDArray[np.int64]) -> BoolArray:
    """Sources whose core has not the shape of a star."""
    share = np.where(nearest >= 0, _POOR_SHARE_KNOWN, _POOR_SHARE)
    limit = _POOR + (share * found["significance"]) ** 2
    return np.asarray(found["reduced_chi2"] > limit)


def _at_edge(usable: BoolArray, found: dict[str, FloatArray]) -> BoolArray:
    """Sources beside a pixel that does not count, or beside the edge."""
    spoilt = maximum_filter((~usable).astype(np.uint8), size=3, mode="constant", cval=1)
    row = np.clip(np.rint(found["y"]), 0, usable.shape[0] - 1).astype(np.int64)
    column = np.clip(np.rint(found["x"]), 0, usable.shape[1] - 1).astype(np.int64)
    return np.asarray(spoilt[row, column] > 0)


def significance_image(difference: Difference) -> Float32Array:
    """Difference over its standard deviation, 0 where it does not count, shape (ny, nx)."""
    value = np.where(difference.usable, difference.data / np.sqrt(difference.variance), 0)
    return np.asarray(value, dtype=np.float32)
