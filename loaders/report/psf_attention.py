"""What needs an eye of the PSF of a reference image: values beyond their limits, and what served instead."""

from __future__ import annotations

from collections.abc import Iterator

from loaders.report.facts import HeldMetric, ReferenceFacts

#: Share of the exposures from which it is said that another PSF than that of their day serves them.
OTHER_DAY = 0.25

_BUILD_AGAIN = "Make the PSFs of its days again: roman-db run daily --redo, then the image."
_TREND = (
    "See when: roman-db query --example reference_psf_trend. If only one of the two has the PSF of the "
    "optics, that is the change."
)

#: By metric what is said of it, and what to do where it is beyond its limits.
_WORDS = {
    "reference_psf_fwhm": (
        "the width of its PSF is {value:.4f} arcsec",
        "Wider: look at the focus, and at the shifts of the exposures. Narrower: at the stars of the PSFs.",
    ),
    "reference_psf_ellipticity": (
        "the ellipticity of its PSF is {value:.3f} somewhere",
        "Look at the map of the PSF: alike everywhere it is jitter or shifts, on one side the PSF of a part.",
    ),
    "reference_psf_third_moment": (
        "the third moments of its PSF are {value:.3f} somewhere",
        "Look at the map and at the PSF: coma does it, and neighbours that are not in the catalog.",
    ),
    "reference_psf_fourth_moment": (
        "the fourth moment of its PSF is {value:.3f}",
        "Look at the focus and at the profile: wings that are not those of the optics do it.",
    ),
    "reference_psf_variation": (
        "the width of its PSF varies by {value:.1%} over the image",
        "Look at the map: a single place that stands out is the PSF of a part with few stars.",
    ),
    "reference_psf_failed": (
        "its PSF could not be measured at {value:.0%} of the places on it",
        'Which: roman-db query "SELECT * FROM roman.reference_psf_moment WHERE psf_flags <> 0". '
        + _BUILD_AGAIN,
    ),
    "reference_psf_fwhm_change": (
        "the width of its PSF changed by {value:.1%} from the image before",
        _TREND,
    ),
    "reference_psf_ellipticity_change": (
        "the ellipticity of its PSF changed by {value:.3f} from the image before",
        _TREND,
    ),
}


def of_psf(facts: ReferenceFacts) -> Iterator[tuple[str, str]]:
    """What is to be looked at of the PSF of an image, and what to do."""
    image = facts.image
    optics, other_day = image.psf_fraction_optics or 0.0, image.psf_fraction_other_day or 0.0
    why = f"The run that built the PSFs says why: task psf. {_BUILD_AGAIN}"
    if image.psf_model_id is not None and optics > 0:
        yield f"the PSF of the optics serves {optics:.0%} of its exposures: none is good within 30 days.", why
    if other_day > OTHER_DAY:
        yield (
            f"the PSF of another day serves {other_day:.0%} of its exposures: theirs failed or is poor.",
            why,
        )
    for one in facts.metrics:
        if one.metric in _WORDS and one.verdict in ("warning", "failure"):
            what, do = _WORDS[one.metric]
            if one.value is None:
                yield f"{one.metric} could not be measured.", _BUILD_AGAIN
            else:
                yield f"{what.format(value=one.value)} ({_limits(one)}).", do


def _limits(metric: HeldMetric) -> str:
    """Limits of a metric in words."""
    lower, upper = metric.lower, metric.upper
    if lower is None:
        return "no limit" if upper is None else f"limit {upper:g}"
    return f"limit {lower:g} at least" if upper is None else f"limits {lower:g} to {upper:g}"
