"""Trails and hits in some exposures: others differ by no more than without them, and no object is made."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from loaders.difference.exposure import ExposureDifference, compare_exposure, template_of
from loaders.difference.matching import MatchingOptions
from loaders.difference.sources import DifferenceOptions, significance_image
from loaders.photometry.image import PixelImage
from loaders.photometry.parallel import Workers
from loaders.reference.others import KnownPlace, OtherExposures
from tests.loaders.photometry.scenes import POISSON, READ, gaussian_psf, star_pixels
from tests.loaders.reference.scenes import SIDE, SIGMA, build, dithers, image_of, stars

COUNT, TRANSIENT, OTHERS = 20, (8, 14), (0, 8, 11, 14)
FLUX, PLACE = 120.0, (33.2, 14.7)
"""The transient: its flux, and its pixels of the plane, where no star is near."""

PSF = gaussian_psf(SIGMA, half_width=6, oversampling=8)
OPTIONS = (MatchingOptions(threads=1), DifferenceOptions(threads=1))
SKY, POINTINGS = stars(0.02), dithers(COUNT, error=0.02)


def trail(level, slope, first):
    """Light three pixels wide from edge to edge."""
    out, x = np.zeros((SIDE, SIDE)), np.arange(SIDE)
    for k in range(3):
        y = np.rint(first + slope * x).astype(int) + k
        inside = (y >= 0) & (y < SIDE)
        out[y[inside], x[inside]] += level
    return out


def hits(k):
    """Four pixels at random in each exposure."""
    rng, out = np.random.default_rng(k), np.zeros((SIDE, SIDE))
    out[tuple(rng.integers(0, SIDE, (2, 4)))] = rng.uniform(10, 60, 4)
    return out


@dataclass(frozen=True)
class Series:
    """Exposures compared, by number, and where they lie on the frame."""

    compared: dict[int, ExposureDifference]
    others: OtherExposures

    def beyond(self, k):
        """Share of the pixels beyond five standard deviations."""
        difference = self.compared[k].difference
        return float((np.abs(significance_image(difference)) > 5).sum() / difference.usable.sum())

    def new(self, k):
        """Fine pixels of gains that are taken for new light, shape (n, 2)."""
        sources = self.compared[k].sources
        chosen = (sources.kind == "new") & (sources.flux > 0)
        return np.column_stack(self.others.members[k].place(sources.x[chosen], sources.y[chosen]))


def series(light, compared=OTHERS):
    """Compare some exposures: ``light`` has the number of an exposure and gives what its errors leave out."""
    exposures = []
    for k, pointing in enumerate(POINTINGS):
        exposure = SKY.exposure(pointing, seed=50 + k)
        at = pointing.to_detector(*(np.array([p]) for p in PLACE))
        star = FLUX * star_pixels((SIDE, SIDE), *at, SIGMA).reshape(SIDE, SIDE) if k in TRANSIENT else 0.0
        data = exposure.image.data + star
        photons = POISSON * np.maximum(data, 0)
        usable = np.ones(data.shape, dtype=bool)
        image = PixelImage.from_calibrated(data + light(k), np.sqrt(READ + photons), photons, usable)
        exposures.append(replace(exposure, image=image))
    reference = build(exposures)
    assert [member.refused for member in reference.members if member.refused] == []
    known = [KnownPlace(m.shift, m.sky, m.scale) for m in reference.members]
    others = OtherExposures(exposures.__getitem__, known, reference.frame, image_of(reference), Workers(1))
    catalog = SKY.in_frame(reference.frame)
    return Series(
        {
            k: compare_exposure(
                exposures[k].image,
                others.members[k].place,
                PSF,
                template_of(others.without(k)),
                catalog,
                OPTIONS,
            )
            for k in compared
        },
        others,
    )


LEVEL = 400 * float(np.median(SKY.mean(POINTINGS[5])))
SIGMA_SKY = float(np.sqrt(READ + POISSON * np.median(SKY.mean(POINTINGS[5]))))
TRAILS = {
    "bright": {5: trail(LEVEL, 0.9, 2.0)},
    "weak": {5: trail(7 * SIGMA_SKY, 0.9, 2.0)},
    "faint": {5: trail(3 * SIGMA_SKY, 0.9, 2.0)},
    "two": {5: trail(LEVEL, 0.9, 2.0), 6: trail(LEVEL, -0.6, 40.0)},
}


@pytest.fixture(scope="module")
def clean():
    return series(lambda _: 0.0)


def is_found(found):
    """The transient is new light in both its exposures, at one place, and nothing else is in two of them."""
    places = [(k, place) for k in found.compared for place in found.new(k)]
    pairs = [
        (k, other)
        for k, here in places
        for other, there in places
        if k < other and np.hypot(*(here - there)) < 1.0
    ]
    return pairs == [TRANSIENT]


def test_nothing_but_the_transient_is_new(clean):
    assert is_found(clean)


@pytest.mark.heavy
@pytest.mark.parametrize("which", list(TRAILS))
def test_a_trail_is_in_its_own_difference_alone(clean, which):
    lit = TRAILS[which]
    spoilt = series(lambda k: lit.get(k, 0.0), (*OTHERS, *lit))
    for k in OTHERS:
        assert spoilt.beyond(k) <= clean.beyond(k) + 0.002
        assert spoilt.compared[k].sources.x.size <= clean.compared[k].sources.x.size + 1
        chi2 = clean.compared[k].difference.reduced_chi2
        assert spoilt.compared[k].difference.reduced_chi2 == pytest.approx(chi2, rel=0.05)
    assert is_found(spoilt)
    for k, light in lit.items():
        difference = spoilt.compared[k].difference
        on = (light > 0) & difference.usable
        # The background takes some of one whose pixels are not far enough off to be told from it.
        part = 0.5 if which == "faint" else 0.1
        assert np.median(difference.data[on]) == pytest.approx(light.max(), rel=part)
        # Of less than six peaks nobody knows that they are a trail; that they make no object is seen above.
        assert len(spoilt.new(k)) == 0 or which == "faint"
        assert "variable" not in spoilt.compared[k].sources.kind or which == "faint"


@pytest.mark.heavy
def test_hits_are_in_their_own_differences_alone(clean):
    spoilt = series(hits)
    for k in OTHERS:
        hit = hits(k) > 0
        seen = spoilt.compared[k].difference.usable & hit
        assert (significance_image(spoilt.compared[k].difference)[seen] > 5).all()
        assert spoilt.beyond(k) <= clean.beyond(k) + 0.004
    assert is_found(spoilt)
