"""Dithered exposures of stars whose PSF is a Gaussian over square pixels, and what their reference has."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.interpolate import BSpline

from loaders.photometry.image import PixelImage
from loaders.photometry.noise import NoiseModel
from loaders.psf.model import EffectivePsf
from loaders.reference.build import ExposureImage, Reference, ReferenceOptions, build_reference
from loaders.reference.frame import ReferenceFrame, choose_frame
from loaders.reference.members import dithered_on
from loaders.reference.others import FineImage
from loaders.reference.psf import PlacedPsf, reference_psf
from loaders.wfi.projection_fit import fit_projection
from tests.loaders.photometry.scenes import POISSON, READ, gaussian_psf, pixel_gaussian, star_pixels

FloatArray = npt.NDArray[np.float64]
SIDE = 48
SIGMA = 0.9
PIXEL = 0.11
"""Arcsec."""

ONE_THREAD = ReferenceOptions(threads=1)


@dataclass(frozen=True)
class Pointing:
    """Where an exposure lies: its middle, in detector pixels from that of the plane, and its turn (degrees).

    ``error`` is how far its WCS is off, detector pixels.
    """

    dx: float
    dy: float
    angle: float = 0.0
    error: tuple[float, float] = (0.0, 0.0)
    sky: float = 3.0
    scale: float = 1.0

    def to_plane(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Detector pixels to those of the plane."""
        c, s, m = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle)), (SIDE - 1) / 2
        return c * (x - m) - s * (y - m) + m + self.dx, s * (x - m) + c * (y - m) + m + self.dy

    def to_detector(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Pixels of the plane to those of the detector."""
        c, s, m = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle)), (SIDE - 1) / 2
        u, v = x - m - self.dx, y - m - self.dy
        return c * u + s * v + m, -s * u + c * v + m

    @property
    def claimed(self) -> "Pointing":
        """As the WCS has it."""
        return replace(self, dx=self.dx + self.error[0], dy=self.dy + self.error[1])


@dataclass(frozen=True)
class Sky:
    """Stars in pixels of the plane that touches the sky at (ra, dec)."""

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    ra: float = 268.0
    dec: float = -29.2

    @property
    def plane(self) -> ReferenceFrame:
        """The plane in detector pixels; closed form."""
        return ReferenceFrame(self.ra, self.dec, PIXEL * np.diag([-1.0, 1.0]), (SIDE, SIDE), 1)

    def mean(self, pointing: Pointing, flux: FloatArray | None = None) -> FloatArray:
        """Expected pixels of an exposure."""
        x, y = pointing.to_detector(self.x, self.y)
        light = star_pixels((SIDE, SIDE), x, y, SIGMA) @ (self.flux if flux is None else flux)
        return pointing.sky + pointing.scale * light.reshape(SIDE, SIDE)

    def exposure(
        self, pointing: Pointing, seed: int | None = None, flux: FloatArray | None = None
    ) -> ExposureImage:
        """An exposure; without noise if there is no seed."""
        data = self.mean(pointing, flux)
        if seed is not None:
            noise = np.random.default_rng(seed).normal(size=data.shape)
            data = data + noise * np.sqrt(READ + POISSON * data)
        image = PixelImage(data, NoiseModel(READ, POISSON), np.ones(data.shape, dtype=bool))
        to_plane, plane = pointing.claimed.to_plane, self.plane
        return ExposureImage(image, fit_projection(lambda x, y: plane.to_sky(*to_plane(x, y)), (SIDE, SIDE)))

    def in_frame(self, frame: ReferenceFrame) -> tuple[FloatArray, FloatArray]:
        """Fine pixels of the stars."""
        return frame.projection.to_pixel(*self.plane.to_sky(self.x, self.y))


def stars(density: float = 0.02, seed: int = 1, faintest: float = 20.0) -> Sky:
    """Stars at random places on the plane and around it, faint ones more frequent."""
    rng = np.random.default_rng(seed)
    n = round(density * (SIDE + 16) ** 2)
    x, y = rng.uniform(-8, SIDE + 8, (2, n))
    return Sky(x, y, faintest / rng.uniform(0.02, 1.0, n))


def dithers(count: int, seed: int = 2, error: float = 0.0, angle: float = 0.0) -> list[Pointing]:
    """Random pointings with a different sky each; turned by up to some degrees."""
    rng = np.random.default_rng(seed)
    off = rng.normal(0, 1, (count, 2)) * error
    return [
        Pointing(*rng.uniform(-3, 3, 2), float(rng.uniform(-angle, angle)), tuple(off[k]), rng.uniform(2, 5))
        for k in range(count)
    ]


def build(
    exposures: list[ExposureImage], oversampling: int = 2, options: ReferenceOptions = ONE_THREAD
) -> Reference:
    """The reference of some exposures on the frame that holds all."""
    frame = choose_frame([one.projection for one in exposures], oversampling)
    return build_reference(exposures.__getitem__, len(exposures), frame, options)


def image_of(reference: Reference) -> FineImage:
    """A reference as its file has it."""
    return FineImage(reference.coefficient, reference.image.noise, reference.frame.oversampling)


def psf_of(reference: Reference) -> EffectivePsf:
    """PSF of a reference as its exposures have it."""
    served = [member for member in reference.members if member.refused is None]
    psf = gaussian_psf(SIGMA, half_width=6, oversampling=8)
    placed = [PlacedPsf(psf, (0.0, 0.0), member.place, (SIDE, SIDE), 1.0) for member in served]
    fine = reference.frame.oversampling
    return reference_psf(placed, 5.0 * fine, dithered_on(reference.members, fine))


def splined(profile: Callable[[FloatArray], FloatArray], at: float, n: int) -> FloatArray:
    """Orthonormal coefficients 0 … n - 1 of the cubic spline from which a profile about ``at`` differs least.

    By brute force: normal equations of dense samples, and the square root of their matrix.
    """
    step = 1 / 32
    u = np.arange(-8, n + 8, step) + step / 2
    basis = BSpline.design_matrix(u, np.arange(-12.0, n + 12.0), 3).toarray()
    value, vector = np.linalg.eigh(basis.T @ basis * step)
    # Splines that lie off the samples have no light; their eigenvalue is zero.
    inverse = np.where(value > 1e-6, 1 / np.sqrt(np.maximum(value, 1e-6)), 0)
    out = vector @ (inverse * (vector.T @ (basis.T @ profile(u - at) * step)))
    return out[10 : 10 + n]


def expected(sky: Sky, frame: ReferenceFrame) -> FloatArray:
    """Closed form of a reference of unturned exposures: splines in u and v nearest to every star."""
    scale = frame.oversampling

    def profile(u: FloatArray) -> FloatArray:
        return pixel_gaussian(u / scale, SIGMA) / scale

    out = np.zeros(frame.shape)
    for x, y, flux in zip(*sky.in_frame(frame), sky.flux, strict=True):
        out += flux * np.outer(splined(profile, y, frame.shape[0]), splined(profile, x, frame.shape[1]))
    return out
