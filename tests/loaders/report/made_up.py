"""A small reference image, its exposures, objects and difference, made up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from loaders.report.facts import (
    ChangeFacts,
    DifferenceFacts,
    DifferencePixels,
    ExposureFacts,
    FlagCount,
    HeldMetric,
    ImageFacts,
    PsfFacts,
    ReferenceFacts,
    ReferencePixels,
    SourceFacts,
)
from loaders.report.run_facts import (
    BlockFacts,
    CatalogFacts,
    FailedUnit,
    MetricFacts,
    RejectionFacts,
    RunFacts,
    TaskFacts,
)

SHAPE = (50, 60)
#: What a name would do to a page that does not escape it.
HOSTILE = '"><script>alert(1)</script>&amp;'


def image(**others) -> ImageFacts:
    ny, nx = SHAPE
    made = ImageFacts(
        reference_image_id=7, field="F1", detector="WFI07", optical_element="F146", start_mjd=61473,
        end_mjd=61481, epoch_mjd_tdb=61473.5, n_exposure=5, n_refused=1, exposure_time=330.0, oversampling=2,
        n_x=nx, n_y=ny, ra_ref=268.0, dec_ref=-29.2, pixel_scale=0.055, limiting_mag=26.5, psf_model_id=3,
        psf_fwhm=0.14, psf_n_star=400, psf_epoch=61473.4, psf_n_star_all=1600, psf_reduced_chi2=1.2,
        psf_residual_fraction=0.01, psf_fraction_optics=0.0, psf_fraction_other_day=0.2,
        path="/products/image.asdf", sha256="ab" * 32, size_bytes=12_345_678, is_superseded=False,
        load_run_id=2, is_judged=True, psf_error=0.01, n_before=1,
    )  # fmt: skip
    return replace(made, **others)


def exposures() -> ExposureFacts:
    """Five that were used, and one that was left out and never compared."""
    ramp = np.linspace(-1, 1, 6)
    lost = np.array([False, False, True, False, False, False])
    unknown = np.where(lost, np.nan, ramp)
    return ExposureFacts(
        name=np.array([f"r{k}_cal.asdf" for k in range(6)], dtype=object),
        time=61473.2 + np.arange(6) / 120,
        is_used=~lost,
        refused=np.array(["it does not fit" if one else None for one in lost], dtype=object),
        east=unknown,
        north=-2 * unknown,
        east_err=np.where(lost, np.nan, 0.1),
        north_err=np.where(lost, np.nan, 0.1),
        sky=200 + ramp,
        scale=1 + unknown / 1000,
        rejected=np.where(lost, 0.4, 0.001),
    )


def sources() -> SourceFacts:
    """Three known stars of magnitude 20, one new of 22, one merged and one missing of 24."""
    state = np.array(["known", "known", "known", "new", "merged", "missing"], dtype=object)
    magnitude = np.array([20.1, 20.1, 20.1, 22.1, 24.1, 24.1])
    flux = 3631e9 * 10 ** (-0.4 * magnitude)
    found = np.isin(state, ("known", "new"))
    return SourceFacts(
        object_id=np.arange(6) + 2**60,
        state=state,
        x=np.linspace(5, 55, 6),
        y=np.linspace(5, 45, 6),
        flux=flux,
        flux_err=flux / 100,
        size=np.where(found, [0, 0.01, 0.5, 0, 0, 0], np.nan),
        is_extended=np.array([False, False, True, False, False, False]),
        reduced_chi2=np.where(found, 1.0, np.nan),
        flags=np.array([0, 1, 33, 0, 0, 0]),
    )


def pixels() -> ReferencePixels:
    """Sky of noise one with a star in the middle; the first column does not count."""
    flux = np.random.default_rng(1).normal(0, 1, SHAPE).astype(np.float32)
    flux[25, 30] = 5000.0
    usable = np.ones(SHAPE, dtype=bool)
    usable[:, 0] = False
    axis = np.arange(-20, 21) / 4
    psf = np.exp(-0.5 * (axis[:, None] ** 2 + axis**2))
    return ReferencePixels(flux, usable, np.full(SHAPE, 5, np.uint8), psf / psf.sum() * 16, 4)


def psf_over_the_image() -> PsfFacts:
    """Wider from left to right, lengthened along x; the last place failed."""
    ny, nx = SHAPE
    column, row = (one.ravel() for one in np.meshgrid(np.arange(5), np.arange(5)))
    fails = np.arange(25) == 24
    values = {
        "fwhm": 0.14 + 0.001 * column,
        "e1": np.full(25, 0.05),
        "e2": np.zeros(25),
        "third": 0.03 + 0.001 * row,
        "fourth": 0.83 + 0.001 * row,
    }
    values = {name: np.where(fails, np.nan, value) for name, value in values.items()}
    x, y = (column + 0.5) * nx / 5 - 0.5, (row + 0.5) * ny / 5 - 0.5
    return PsfFacts(x, y, **values, flags=np.where(fails, 3, 0))


def held(metric, value, lower=0.11, upper=0.24, verdict="good") -> HeldMetric:
    return HeldMetric(metric, value, lower, upper, verdict)


def changes() -> ChangeFacts:
    """By falling significance: a dipole, a loss at an object, and a new star."""
    return ChangeFacts(
        number=np.arange(3),
        object_id=np.array([-1, 2**60, -1]),
        kind=np.array(["dipole", "variable", "new"], dtype=object),
        x=np.array([10.0, 30.0, 59.0]),
        y=np.array([10.0, 25.0, 0.0]),
        ra=np.full(3, 268.0),
        dec=np.full(3, -29.2),
        flux=np.array([900.0, -500.0, 200.0]),
        flux_err=np.full(3, 10.0),
        reduced_chi2=np.ones(3),
    )


def difference_pixels() -> DifferencePixels:
    """Noise of one with a loss of 50 standard deviations."""
    noise = np.random.default_rng(2).normal(0, 1, SHAPE).astype(np.float32)
    noise[25, 30] = -50
    kernel = np.zeros((9, 9))
    kernel[4, 4] = 1.01
    none, far = np.zeros(SHAPE, dtype=bool), np.abs(noise) > 5
    seen = pixels()
    return DifferencePixels(noise, seen.usable, kernel, seen.flux, seen.flux - noise, noise, none, far)


def difference(**others) -> DifferenceFacts:
    return replace(DifferenceFacts(4, 6, 61465, 61473, 1.01, 0.3, 1.1, 2e-4, 3), **others)


def reference(**others) -> ReferenceFacts:
    made = ReferenceFacts(
        image=image(),
        exposures=exposures(),
        sources=sources(),
        flags=[FlagCount("SATURATED", "A pixel is saturated", 2)],
        pixels=pixels(),
        difference=difference(),
        changes=changes(),
        difference_pixels=difference_pixels(),
        psf=psf_over_the_image(),
        metrics=[held("reference_psf_fwhm", 0.14)],
        notes=(),
    )
    return replace(made, **others)


def run(**others) -> RunFacts:
    start = datetime(2027, 3, 9, 12, tzinfo=UTC)
    made = RunFacts(
        load_run_id=2,
        mode="eight-day",
        arguments={"detector": None, "unfinished": True},
        state="partly_failed",
        started_at=start,
        finished_at=start + timedelta(minutes=75),
        code_version="1.0",
        n_expected=12,
        n_loaded=10,
        n_rejected=2,
        message=None,
        tasks=[TaskFacts("reference", 1, 1, timedelta(seconds=200), start)],
        failed=[FailedUnit("catalog", "F1 WFI07", "failed", "ValueError: too dark")],
        rejections=[
            RejectionFacts("r2_cal.asdf", "misfit", "it does not fit", "Look at the exposure"),
            RejectionFacts("r2_cal.asdf", "misfit", "it does not fit", "Look at the exposure"),
            RejectionFacts(
                "r3_cal.asdf",
                "poor_search",
                "catalog F1 WFI07 failed: too dark",
                "Mend the cause",
            ),
        ],
        catalogs=[CatalogFacts(3, "reference", 1, 2, 3, 0, 1, 1, 0)],
        blocks=[BlockFacts("psf", "F146", 1, 5, 1200, 6000)],
        metrics=[MetricFacts("scatter_18", 4, 2.5, 0, 1)],
        n_replaced=0,
    )
    return replace(made, **others)
