"""What the pages of a season are made of: plain values and arrays, as the database has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.extinction.product import ExtinctionMap
from loaders.lens_physics.model import StoredModel
from loaders.stored_curve.band import Band

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.object_]

#: Chi-square above that of the first by which another model describes an event as well.
AS_GOOD = 25.0


@dataclass(frozen=True)
class ElementFacts:
    """Objects with light curves in an optical element, points of theirs, and those that vary."""

    optical_element: str
    n_object: int
    n_point: int
    n_variable: int


@dataclass(frozen=True)
class VariabilityFacts:
    """A sample of the objects in one optical element.

    Parameters
    ----------
    optical_element
        That with most points.
    one_in
        One in so many constant objects is in the sample, by a hash of their identifiers.
    magnitude, index, root
        Shape (n,): AB magnitude of the mean, variability index, and cube root of reduced chi-square; NaN
        where unknown.
    is_variable
        Shape (n,).
    locus
        Shape (n_cell, 3): magnitude, and middle and width of the cube root of constant stars.
    """

    optical_element: str
    one_in: int
    magnitude: FloatArray
    index: FloatArray
    root: FloatArray
    is_variable: BoolArray
    locus: FloatArray


@dataclass(frozen=True)
class SkyFacts:
    """Places, degrees ICRS: a sample of the objects, shape (n, 2), and candidates, shape (m, 2) and (m,)."""

    objects: FloatArray
    candidates: FloatArray
    classification: TextArray
    is_event: BoolArray


@dataclass(frozen=True)
class ReasonFacts:
    """Candidates of a class; of those that are no events the class is why they were refused."""

    classification: str
    is_event: bool
    n: int


@dataclass(frozen=True)
class QualityFacts:
    """A quality metric of the season with the limits that were in force; None where there is none."""

    metric: str
    description: str
    unit: str
    value: float | None
    lower: float | None
    upper: float | None
    verdict: str


@dataclass(frozen=True)
class DetectionFacts:
    """What became of an injection of events into light curves of the season, or into images.

    Limits are those of one standard deviation; ``n_needed`` are events that ±2 % of completeness need.
    """

    name: str
    inject_medium: str
    tp_count: int
    fp_count: int
    tn_count: int
    fn_count: int
    completeness: float | None
    completeness_lower: float | None
    completeness_upper: float | None
    n_needed_completeness: int | None
    reliability: float | None
    reliability_lower: float | None
    reliability_upper: float | None
    n_needed_reliability: int | None

    @property
    def completeness_err(self) -> float | None:
        """Half the interval of completeness."""
        return _half(self.completeness_lower, self.completeness_upper)

    @property
    def reliability_err(self) -> float | None:
        """Half the interval of reliability."""
        return _half(self.reliability_lower, self.reliability_upper)


def _half(lower: float | None, upper: float | None) -> float | None:
    return None if lower is None or upper is None else (upper - lower) / 2


@dataclass(frozen=True)
class MosaicFacts:
    """A mosaic of a field.

    Parameters
    ----------
    field_mosaic_id, field, season, optical_element, n_exposure, fraction_covered, path
        Of ``roman.field_mosaic``.
    shape
        Pixels (ny, nx).
    pixel_scale
        Arcsec.
    x_ref, y_ref
        Pixel of the centre of the field.
    small, side
        Means of blocks of ``side`` × ``side`` pixels, MJy/sr; NaN where there is nothing.
    outlines
        Corners of the detectors in order, pixels (x, y), shape (4,) each.
    """

    field_mosaic_id: int
    field: str
    season: int
    optical_element: str
    n_exposure: int
    fraction_covered: float
    path: str
    shape: tuple[int, int]
    pixel_scale: float
    x_ref: int
    y_ref: int
    small: FloatArray
    side: int
    outlines: Mapping[str, tuple[FloatArray, FloatArray]]


@dataclass(frozen=True)
class SeasonFacts:
    """What there is of a season: of all light curves if ``season`` is 0.

    Parameters
    ----------
    survey, season, photometry_kind
        Which light curves.
    lines
        What the command prints of variable objects, astrometry, lenses and extinction.
    elements, variability, reasons, sky
        See their classes; ``variability`` is None without a light curve.
    einstein_time
        Days, of the believed models of events by class.
    extinction
        The current map; None without one.
    efficiency, detections
        Cells of events in light curves by picture (`loaders.event_efficiency.cells.VIEWS`), and injections.
    metrics
        As last measured.
    mosaics
        Those of its fields.
    stale
        Other seasons whose light curves became others after they had been described; 0 is all together.
    """

    survey: str
    season: int
    photometry_kind: str
    lines: Sequence[str]
    elements: Sequence[ElementFacts]
    variability: VariabilityFacts | None
    reasons: Sequence[ReasonFacts]
    sky: SkyFacts
    einstein_time: Mapping[str, FloatArray]
    extinction: ExtinctionMap | None
    efficiency: Mapping[str, Sequence[Mapping[str, Any]]]
    detections: Sequence[DetectionFacts]
    metrics: Sequence[QualityFacts]
    mosaics: Sequence[MosaicFacts] = ()
    stale: Sequence[int] = ()

    @property
    def name(self) -> str:
        """Name for people."""
        return f"season {self.season}" if self.season else "all seasons"


@dataclass(frozen=True)
class ModelFacts:
    """A current model of an event.

    ``flux_err`` is nJy by element and source, NaN where not known; ``error_scale`` is by what the errors of
    an element were multiplied; ``twin_of`` is the rank of the better one of two models that are twins by
    ``degeneracy``; ``up_to_season`` is None where the light curves of the season of the event were fitted.
    """

    event_model_id: int
    rank: int
    model: StoredModel
    chi2: float
    n_point: int
    n_parameter: int
    bic: float
    software: str
    flux_err: Mapping[tuple[str, int], float]
    error_scale: Mapping[str, float]
    twin_of: int | None = None
    degeneracy: str | None = None
    up_to_season: int | None = None

    @property
    def reduced_chi2(self) -> float:
        """Chi-square over degrees of freedom."""
        return self.chi2 / max(self.n_point - self.n_parameter, 1)


@dataclass(frozen=True)
class QuantityFacts:
    """A physical quantity that follows from a model; None where it has no value, limit or unit."""

    name: str
    method: str
    value: float | None
    lower: float | None
    upper: float | None
    confidence: float
    unit: str | None


@dataclass(frozen=True)
class PhysicsFacts:
    """What follows of source and lens from a model: how well each is known, and the quantities."""

    rank: int
    status: Mapping[str, str]
    quantities: Sequence[QuantityFacts]


@dataclass(frozen=True)
class MotionFacts:
    """The relative motion of source and lens: a row of ``roman.relative_proper_motion``, mas/yr."""

    season: int
    method: str
    status: str
    n_season: int
    n_exposure: int
    pm_rel_ra: float | None
    pm_rel_ra_err: float | None
    pm_rel_dec: float | None
    pm_rel_dec_err: float | None
    sign_known: bool | None


@dataclass(frozen=True)
class NeighbourFacts:
    """An object near that of an event.

    ``distance`` is arcsec, ``magnitude`` AB in ``optical_element``, None without a light curve; ``event_id``
    and ``classification`` are of its candidate, None without one.
    """

    object_id: int
    distance: float
    optical_element: str | None
    magnitude: float | None
    event_id: int | None
    classification: str | None
    is_event: bool


@dataclass(frozen=True)
class EventFacts:
    """All that the page of an event shows.

    Parameters
    ----------
    event_id, object_id, classification, t_0_guess, t_eff, delta_chi2, explained
        Of ``roman.event``; None where unknown.
    place
        Right ascension and declination, degrees ICRS.
    bands
        The points that count, errors as measured.
    models
        Current ones by rank.
    physics
        By rank of the model.
    neighbours
        By distance.
    motions
        Of source and lens, the best known first.
    same
        What is known as the same brightening of the star, each in words.
    """

    event_id: int
    object_id: int
    classification: str
    t_0_guess: float
    t_eff: float
    delta_chi2: float | None
    explained: float | None
    place: tuple[float, float]
    bands: Sequence[Band]
    models: Sequence[ModelFacts]
    physics: Sequence[PhysicsFacts]
    neighbours: Sequence[NeighbourFacts]
    motions: Sequence[MotionFacts] = ()
    same: Sequence[str] = ()

    @property
    def twins(self) -> list[ModelFacts]:
        """Models other than the first that came to an end and describe the event as well as it does."""
        return [
            one
            for one in self.models[1:]
            if one.model.is_converged and one.chi2 - self.models[0].chi2 < AS_GOOD
        ]


def event_file(event_id: int) -> str:
    """Name of the page of an event."""
    return f"event_{event_id}.html"
