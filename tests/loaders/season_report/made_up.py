"""A season with two events, made up from the formulas of the literature."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loaders.extinction.product import ExtinctionMap, Provenance
from loaders.lens_physics.model import StoredModel
from loaders.season_report.facts import (
    ElementFacts,
    EventFacts,
    ModelFacts,
    MotionFacts,
    NeighbourFacts,
    PhysicsFacts,
    QualityFacts,
    QuantityFacts,
    ReasonFacts,
    SeasonFacts,
    SkyFacts,
    VariabilityFacts,
)
from loaders.stored_curve.band import Band
from tests.loaders.season_report.made_up_efficiency import detection, efficiency

T_0, U_0, T_E = 2_461_480.0, 0.1, 8.0
#: Fluxes of source and blend (nJy) by element, points of each, and by what their errors are multiplied.
ELEMENTS = {"F146": (4000.0, 1000.0, 2000, 1.2), "F087": (900.0, 300.0, 200, 1.0)}


def paczynski(time):
    """Magnification of a point by a point (Paczyński 1986, ApJ 304, 1)."""
    u2 = U_0**2 + ((time - T_0) / T_E) ** 2
    return (u2 + 2) / np.sqrt(u2 * (u2 + 4))


def bands():
    """Light curves with normal noise; errors are too small by the factors of `ELEMENTS`."""
    rng, out = np.random.default_rng(3), []
    for name, (source, blend, number, scale) in ELEMENTS.items():
        time = np.sort(rng.uniform(T_0 - 30, T_0 + 40, number))
        error = np.full(number, 40.0)
        flux = source * paczynski(time) + blend + scale * error * rng.normal(size=number)
        out.append(Band(name, time, flux, error))
    return out


def model(rank=1, name="1L1S", chi2=2200.0, **others) -> ModelFacts:
    value = {"t_0": T_0, "u_0": U_0, "t_E": T_E}
    flux, flux_err = {}, {}
    for element, (source, blend, _, _) in ELEMENTS.items():
        flux |= {(element, 1): source, (element, 0): blend}
        flux_err |= {(element, 1): 12.0, (element, 0): float("nan")}
    stored = StoredModel(name, 1, 1, value, {"t_0": 0.01, "u_0": 0.002, "t_E": float("nan")}, flux)
    scale = {element: one[3] for element, one in ELEMENTS.items()}
    made = ModelFacts(10 + rank, rank, stored, chi2, 2200, 7, chi2 + 54.0, "roman-db", flux_err, scale)
    return replace(made, **others)


def event(**others) -> EventFacts:
    mass = QuantityFacts("Mtot", "measured", 0.31, 0.25, 0.4, 0.6827, "Msun")
    made = EventFacts(
        event_id=5,
        object_id=2**60 + 1,
        classification="single_lens",
        t_0_guess=T_0 + 0.1,
        t_eff=0.8,
        delta_chi2=51234.0,
        explained=0.99,
        place=(268.0, -29.0),
        bands=bands(),
        models=[model(), model(2, chi2=2290.0)],
        physics=[PhysicsFacts(1, {"Result": "mass_measured", "rho": "not_fitted"}, [mass])],
        neighbours=[
            NeighbourFacts(2**60 + 7, 0.31, "F146", 21.5, 6, "single_lens", True),
            NeighbourFacts(2**60 + 8, 0.9, None, None, None, None, False),
        ],
        motions=[
            MotionFacts(3, "elongation", "measured", 2, 300, 4.25, 0.3, -3.5, 0.4, False),
            MotionFacts(3, "chromatic_shift", "faint_lens", 0, 0, None, None, None, None, None),
        ],
    )
    return replace(made, **others)


def bare() -> EventFacts:
    """An event whose models and points are gone."""
    return event(event_id=6, bands=[], models=[], physics=[], neighbours=[])


def season(**others) -> SeasonFacts:
    n = 50
    variable = np.arange(n) < 3
    sample = VariabilityFacts(
        "F146",
        1,
        np.linspace(17, 22, n),
        np.where(variable, 40.0, 0.5),
        np.where(variable, 3.0, 1.0),
        variable,
        np.array([[18.0, 1.0, 0.02], [20.0, 0.99, 0.02]]),
    )
    sky = SkyFacts(
        np.random.default_rng(1).uniform([267.9, -29.1], [268.1, -28.9], (n, 2)),
        np.array([[268.0, -29.0], [268.05, -29.0], [267.95, -29.05]]),
        np.array(["single_lens", "anomalous", "outburst"], dtype=object),
        np.array([True, True, False]),
    )
    made = SeasonFacts(
        survey="gbtds",
        season=1,
        photometry_kind="psf",
        lines=["Variable objects: 2 periodic, 1 irregular."],
        elements=[ElementFacts("F146", 1234, 567_890, 3)],
        variability=sample,
        reasons=[ReasonFacts("single_lens", True, 2), ReasonFacts("outburst", False, 1)],
        sky=sky,
        einstein_time={"anomalous": np.array([30.0]), "single_lens": np.array([8.0, 12.0])},
        extinction=None,
        efficiency=efficiency(),
        detections=[detection()],
        metrics=[
            QualityFacts("constant_chi2", "Reduced chi-square of the locus", "", 1.9, 0.7, 1.6, "warning"),
            QualityFacts("event_chi2", "Median of the models", "", 1.01, 0.7, 1.5, "good"),
        ],
    )
    return replace(made, **others)


def extinction(*, fitted: bool) -> ExtinctionMap:
    """Four cells, all with a red clump in each element or none."""
    n, elements = 4, ("F087", "F146", "F213")
    number = np.linspace(0.8, 1.2, n) if fitted else np.full(n, np.nan)
    names = ("extinction", "extinction_err", "extinction_covariance_f146", "clump_mag", "clump_mag_err")
    values = {one: dict.fromkeys((*names, "clump_mag_intrinsic"), number) for one in elements}
    status = {one: np.full(n, "fitted" if fitted else "no_stars") for one in elements}
    index = 1_844_672 + np.arange(n)
    stars = {one: np.full(n, 500) for one in elements}
    return ExtinctionMap(np.full(n, 9), index, values, stars, status, Provenance(1, "1.0", "0020", {}))
