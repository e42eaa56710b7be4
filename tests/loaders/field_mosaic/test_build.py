"""Mosaics of several images: overlaps, gaps, backgrounds, what is left out, and how much is in memory."""

import numpy as np
import pytest

from loaders.field_mosaic.build import build_mosaic
from loaders.field_mosaic.resample import MJY_PER_SR
from loaders.field_mosaic.sky import Difference, solve_skies
from loaders.rejection import Rejected
from tests.loaders.field_mosaic.made_up import CENTRE, PIXEL, READ, frame, reference, stars_in

SHAPE = (96, 96)
#: MJy/sr of a nJy in a detector pixel.
UNIT = MJY_PER_SR / PIXEL**2


def built(images, tmp_path):
    return build_mosaic(images.__getitem__, [one.frame for one in images], CENTRE, tmp_path)


def around(mosaic, ra, dec, half=6):
    """Sum of the mosaic, nJy, in a square about a place."""
    x, y = (int(np.rint(value[0])) for value in mosaic.grid.to_pixel(np.array([ra]), np.array([dec])))
    cut = mosaic.planes.data[y - half : y + half + 1, x - half : x + half + 1].astype(np.float64)
    return float(cut.sum() * mosaic.grid.pixel_area * 1e15)


def test_two_that_overlap(tmp_path):
    """Half of each is shared; the sky of the second is 3 nJy higher, its noise half as large."""
    left, right = frame((-2.0, 0.0), 4.0, SHAPE), frame((2.0, 0.5), -7.0, SHAPE)
    stars = stars_in(left, [-5.0, 20.0], [3.0, -2.0], [400.0, 300.0])
    images = [reference(left, stars, seed=1), reference(right, stars, sky=3.0, seed=2, read=READ / 4)]
    mosaic = built(images, tmp_path)
    first, second = mosaic.parts
    assert (second.sky - first.sky) / UNIT == pytest.approx(3.0, abs=0.05)
    assert first.sky + second.sky == pytest.approx(0, abs=1e-9)
    assert (first.n_overlap, second.n_overlap) == (1, 1)
    error = np.hypot(first.sky_err, second.sky_err)
    assert abs(second.sky - first.sky - 3 * UNIT) < 5 * error
    assert error < 0.02 * UNIT
    context = mosaic.planes.context[0]
    assert set(np.unique(context)) == {0, 1, 2, 3}
    # Where both are, weights and inverse variances add up.
    weight = np.array(mosaic.planes.weight)
    alone = [np.median(weight[context == k]) for k in (1, 2)]
    assert np.median(weight[context == 3]) == pytest.approx(sum(alone), rel=0.05)
    np.testing.assert_allclose(weight[context > 0] * mosaic.planes.var_rnoise[context > 0], 1, rtol=1e-5)
    assert first.share + second.share == pytest.approx(1, abs=1e-5)
    assert second.share > first.share
    # The light of a star that both have, over the mean of their skies.
    sky = 1.5 * 13**2
    assert around(mosaic, stars.ra[1], stars.dec[1]) - sky == pytest.approx(300, abs=15)


@pytest.mark.heavy
def test_scatter_of_pixels_that_both_have(tmp_path):
    frames = [frame((-1.0, 0.0), 4.0, SHAPE), frame((1.0, 0.5), -7.0, SHAPE)]
    pulls = []
    for seed in range(30):
        images = [reference(one, seed=2 * seed + k, read=READ * (1 + 2 * k)) for k, one in enumerate(frames)]
        folder = tmp_path / str(seed)
        folder.mkdir()
        mosaic = built(images, folder)
        planes = mosaic.planes
        both = planes.context[0] == 3
        pulls.append(planes.data[both] / np.sqrt(planes.var_rnoise[both] + planes.var_poisson[both]))
    assert np.std(np.concatenate(pulls)) == pytest.approx(1, abs=0.01)


def test_two_that_do_not_overlap_stay_as_they_are(tmp_path):
    frames = [frame((-8.0, 0.0), 5.0, SHAPE), frame((8.0, 3.0), 5.0, SHAPE)]
    images = [reference(one, sky=sky) for one, sky in zip(frames, (1.0, 5.0), strict=True)]
    mosaic = built(images, tmp_path)
    assert [part.sky for part in mosaic.parts] == [0.0, 0.0]
    assert [part.n_overlap for part in mosaic.parts] == [0, 0]
    planes = mosaic.planes
    for bit, sky in ((1, 1.0), (2, 5.0)):
        np.testing.assert_allclose(planes.data[planes.context[0] == bit] / UNIT, sky, rtol=1e-4)
    gap = planes.context[0] == 0
    assert np.isnan(planes.data[gap]).all()
    assert np.isnan(planes.var_rnoise[gap]).all()
    assert (planes.weight[gap] == 0).all()
    assert mosaic.statistics.fraction_covered == pytest.approx(1 - gap.mean())
    # The middle column between them is nobody's.
    (x,), _ = mosaic.grid.to_pixel(np.array([CENTRE[0]]), np.array([CENTRE[1]]))
    assert gap[:, round(x)].all()
    # Covered is what the usable pixels cover: a border of 16 fine pixels is not.
    inner = (SHAPE[0] - 16) * (SHAPE[1] - 16) * 2
    assert (~gap).sum() == pytest.approx(inner, rel=0.05)


def test_rows_at_a_time_are_all_rows(tmp_path, monkeypatch):
    frames = [frame((-2.0, 0.0), 4.0, SHAPE), frame((2.0, 0.5), -7.0, SHAPE)]
    images = [reference(one, sky=k, seed=k) for k, one in enumerate(frames)]
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    whole = built(images, tmp_path / "whole")
    monkeypatch.setattr("loaders.field_mosaic.combine._ROWS", 7 * whole.grid.shape[1])
    parts = built(images, tmp_path / "parts")
    for name in ("data", "weight", "var_poisson", "var_rnoise", "context"):
        np.testing.assert_array_equal(getattr(parts.planes, name), getattr(whole.planes, name))
    assert parts.statistics.fraction_covered == whole.statistics.fraction_covered
    assert parts.statistics.median == pytest.approx(whole.statistics.median)
    np.testing.assert_allclose(parts.statistics.share, whole.statistics.share)
    finite = whole.planes.data[np.isfinite(whole.planes.data)]
    assert whole.statistics.median == pytest.approx(float(np.median(finite)))
    assert whole.statistics.deviation == pytest.approx(float(np.abs(finite - finite.mean()).mean()), rel=1e-5)


def test_one_that_cannot_be_read_is_left_out(tmp_path):
    frames = [frame((-8.0, 0.0), 5.0, SHAPE), frame((0.0, 1.0), 5.0, SHAPE), frame((8.0, 3.0), 5.0, SHAPE)]
    images = [reference(one, sky=1.0) for one in frames]
    gone = Rejected("image 1", "the file is gone", "Make it again", "bad_reference")

    def load(number):
        if number == 1:
            raise gone
        return images[number]

    mosaic = build_mosaic(load, frames, CENTRE, tmp_path)
    assert [part.refused for part in mosaic.parts] == [None, gone, None]
    # Bits are those of the images that are in it.
    assert set(np.unique(mosaic.planes.context)) == {0, 1, 2}
    assert [part.share > 0 for part in mosaic.parts] == [True, False, True]


def test_none_that_can_be_read_is_refused(tmp_path):
    one = reference(frame(shape=SHAPE), usable=np.zeros(frame(shape=SHAPE).shape, bool))
    with pytest.raises(Rejected) as refused:
        built([one], tmp_path)
    assert refused.value.code == "nothing_usable"


def test_more_than_thirty_two_images_have_bits_of_their_own(tmp_path):
    frames = [frame((9.0 * k, 0.0), 0.0, (80, 80)) for k in range(33)]
    images = [reference(one, sky=1.0) for one in frames]
    mosaic = built(images, tmp_path)
    assert mosaic.planes.context.shape[0] == 2
    assert set(np.unique(mosaic.planes.context[0])) == {0, *(1 << k for k in range(32))}
    assert set(np.unique(mosaic.planes.context[1])) == {0, 1}


def test_backgrounds_of_a_chain_and_one_apart():
    """Truth 1, 4, 2 for three that hang together, and one that touches none; then a loop does not close."""
    found = [Difference(0, 1, -3.0, 0.1, 500), Difference(1, 2, 2.0, 0.1, 500)]
    skies = solve_skies(4, found)
    np.testing.assert_allclose(skies.value, [1 - 7 / 3, 4 - 7 / 3, 2 - 7 / 3, 0], atol=1e-9)
    np.testing.assert_array_equal(skies.n_overlap, [1, 2, 1, 0])
    assert skies.error[3] == 0
    # A loop that does not close is shared out by the errors.
    loop = solve_skies(3, [*found, Difference(0, 2, -1.3, 0.1, 500)])
    left = [loop.value[0] - loop.value[1] + 3, loop.value[1] - loop.value[2] - 2]
    np.testing.assert_allclose(left, [-0.1, -0.1], atol=1e-9)
    np.testing.assert_array_equal(solve_skies(2, []).value, [0, 0])
