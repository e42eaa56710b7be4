"""The stated noise of references of few exposures, against dense algebra and against what they scatter by."""

from itertools import product

import numpy as np
import pytest
from scipy.interpolate import BSpline
from scipy.linalg import toeplitz
from scipy.ndimage import gaussian_filter

from loaders.photometry.image import PixelImage
from loaders.photometry.noise import NoiseModel
from loaders.photometry.parallel import Workers
from loaders.reference.build import ExposureImage
from loaders.reference.frame import ReferenceFrame
from loaders.reference.image import orthonormal
from loaders.reference.members import MemberState
from loaders.reference.passes import ReferenceOptions, Work
from loaders.reference.propagation import fit_with_noise
from loaders.wfi.placement import Placement
from tests.loaders.reference.scenes import PIXEL, Sky, build, dithers

FINE, SIDE, FRAME = 2, 12, 36
SKY = Sky(np.array([9.0, 36.0, 22.0, 30.0]), np.array([30.0, 17.0, 11.0, 39.0]), np.geomspace(60, 500, 4))
NEARLY_THE_SAME = [(0.0, 0.0), (0.25, 0.1), (0.1, 0.3)]
SCATTERED = [(0.0, 0.0), (1.5, 0.4), (0.5, -1.5), (-1.0, 1.1), (2.1, 1.6)]


def exposures_at(offsets):
    """Work and members of exposures of unit noise at offsets in detector pixels; a pixel in ten is lost."""
    rng, half = np.random.default_rng(1), (SIDE - 1) / 2
    middle, images, members = (FRAME - 1) / 2, [], []
    for dx, dy in offsets:
        usable = rng.uniform(size=(SIDE, SIDE)) > 0.1
        images.append(
            ExposureImage(PixelImage(rng.normal(size=(SIDE, SIDE)), NoiseModel(1.0, 0.0), usable), None)
        )
        forward = np.zeros((2, 2, 2))
        forward[0, 0, 0], forward[1, 0, 0] = middle + FINE * dx, middle + FINE * dy
        forward[0, 1, 0] = forward[1, 0, 1] = FINE * half
        place = Placement((half, half), (half, half), forward, 0.0)
        members.append(MemberState(place, 0.0, 1.0, (0.0, 0.0), (0.0, 0.0), 0.0, 1.0, 0.0))
    frame = ReferenceFrame(268.0, -29.0, PIXEL / FINE * np.eye(2), (FRAME, FRAME), FINE)
    return Work(images.__getitem__, frame, ReferenceOptions(threads=1), Workers(1)), members


def dense_covariance(work, members):
    """Covariance of the fine pixels by dense algebra, shape (FRAME², FRAME²)."""
    basis = BSpline(np.arange(-2.0, FRAME + 2), np.eye(FRAME), 3, extrapolate=False)
    rows = []
    for number, member in enumerate(members):
        j, i = np.nonzero(work.load(number).image.usable)
        along_x, along_y = (np.nan_to_num(basis(at)) for at in member.place(i.astype(float), j.astype(float)))
        rows.append((along_y[:, :, None] * along_x[:, None, :]).reshape(i.size, -1))
    seen = np.concatenate(rows)
    normal = seen.T @ seen
    diagonal = np.diag(normal)
    bend = toeplitz(np.r_[6.0, -4.0, 1.0, np.zeros(FRAME - 3)])
    eye = np.eye(FRAME)
    smoothing = np.kron(bend, eye) + np.kron(eye, bend) + 0.01 * np.eye(FRAME**2)
    estimator = np.linalg.solve(normal + 1e-4 * diagonal[diagonal > 0].mean() * smoothing, seen.T)
    image = orthonormal_of(estimator) / FINE**2
    return image @ image.T


def orthonormal_of(columns):
    """`orthonormal` of each column of a matrix of coefficients."""
    return np.stack([orthonormal(c.reshape(FRAME, FRAME)).ravel() for c in columns.T], axis=1)


def star_variance(covariance):
    """Variance of sums of pixels with the weights of a star at each place, shape (FRAME, FRAME)."""
    out = np.zeros((FRAME, FRAME))
    for j, i in product(range(8, FRAME - 8), repeat=2):
        star = np.zeros((FRAME, FRAME))
        star[j, i] = 1
        star = gaussian_filter(star, 0.5 * FINE, mode="constant").ravel()
        out[j, i] = star @ covariance @ star / (star @ star)
    return out


@pytest.mark.parametrize("offsets", [NEARLY_THE_SAME, SCATTERED], ids=["nearly_the_same", "scattered"])
def test_propagated_noise_is_that_of_dense_algebra(offsets):
    work, members = exposures_at(offsets)
    covariance = dense_covariance(work, members)
    pixel, star = np.diag(covariance).reshape(FRAME, FRAME), star_variance(covariance)
    found = fit_with_noise(work, members, [None] * len(members))
    inner, tested = np.s_[12:24, 12:24], np.s_[8:28, 8:28]
    edge = np.ones((FRAME, FRAME), dtype=bool)
    edge[inner] = False
    for value, true in ((found.pixel, pixel), (found.star, star)):
        assert np.sqrt(np.mean(value[inner] / true[inner])) == pytest.approx(1, abs=0.1)
        ratio = (value / np.where(true > 0, true, 1))[tested][edge[tested]]
        assert np.sqrt(np.mean(ratio)) == pytest.approx(1, abs=0.1)
    # What the number of exposures says of the noise is far from it where their places are nearly the same.
    counted = 1 / (FINE**2 * 0.9 * len(members))
    assert (np.median(star[inner]) > 3 * counted) == (offsets is NEARLY_THE_SAME)


def test_noise_does_not_depend_on_strips():
    work, members = exposures_at(SCATTERED)
    one = fit_with_noise(work, members, [None] * len(members))
    cut = Work(work.load, work.frame, ReferenceOptions(threads=1, most_pixels=900), work.workers)
    other = fit_with_noise(cut, members, [None] * len(members))
    seen = one.pixel > 0.01 * one.pixel.max()
    np.testing.assert_allclose(other.pixel[seen], one.pixel[seen], rtol=0.05)


@pytest.mark.heavy
@pytest.mark.parametrize("count", [6, 12])
def test_images_scatter_as_stated_at_edges_and_inside(count):
    """Nearly empty sky, the same dithers, other noise each time: sums of pixels as those of a star."""
    sky = Sky(np.array([24.0]), np.array([24.0]), np.array([300.0]))
    references = [
        build([sky.exposure(pointing, 100 * seed + k) for k, pointing in enumerate(dithers(count, seed=5))])
        for seed in range(10)
    ]
    image = np.array([reference.image.data for reference in references], dtype=np.float64)
    error = (image - image.mean(axis=0)) * np.sqrt(len(image) / (len(image) - 1))
    # Stars are sums of pixels that count.
    usable = np.all([reference.image.usable for reference in references], axis=0)
    squares = gaussian_filter(usable.astype(float), 0.5 * FINE / np.sqrt(2)) / (4 * np.pi * (0.5 * FINE) ** 2)
    star = np.array([gaussian_filter(one * usable, 0.5 * FINE) for one in error]) / np.sqrt(squares + 1e-9)
    empty = np.zeros(image.shape[1:])
    pull = star / np.sqrt([reference.image.noise.variance(empty) for reference in references])
    y, x = np.indices(empty.shape)
    (sx,), (sy,) = sky.in_frame(references[0].frame)
    free = (np.hypot(x - sx, y - sy) > 12) & usable
    share = references[0].coverage / count
    assert np.sqrt(np.mean(pull[:, free & (share > 0.9)] ** 2)) == pytest.approx(1, abs=0.1)
    for low, high in ((0.2, 0.4), (0.4, 0.9)):
        seen = free & (share > low) & (share < high)
        assert np.count_nonzero(seen) > 300
        assert np.sqrt(np.mean(pull[:, seen] ** 2)) == pytest.approx(1, abs=0.15)
