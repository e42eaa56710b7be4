"""World coordinate systems of simulated images as gwcs objects with an exact inverse."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from astropy import coordinates, units
from astropy.modeling import CompoundModel
from astropy.modeling.models import (
    Identity,
    Mapping,
    Pix2Sky_Gnomonic,
    Polynomial2D,
    RotateNative2Celestial,
    RotationSequence3D,
    Scale,
    Shift,
)
from gwcs import WCS, coordinate_frames
from gwcs.geometry import CartesianToSpherical, SphericalToCartesian

from loaders.simulation.attitude import Attitude
from loaders.simulation.distortion import CENTRE, Distortion
from loaders.simulation.parameters import Window

FloatArray = npt.NDArray[np.float64]


def detector_wcs(geometry: Distortion, attitude: Attitude, window: Window) -> WCS:
    """The WCS of a window of a detector: detector, v2v3, v2v3vacorr, world, as in Roman's own Level-2 files.

    Pixels are 0-based in the window. Velocity aberration is not modelled, so that ``v2v3vacorr`` is ``v2v3``.
    """
    steps = [
        (_frame("detector", units.pix), _to_v(geometry, window)),
        (_frame("v2v3", units.arcsec), Identity(2)),
        (_frame("v2v3vacorr", units.arcsec), _to_sky(geometry, attitude)),
        (_icrs(), None),
    ]
    return _bounded(steps, window.shape)


def tangent_wcs(ra: float, dec: float, pixel_scale: float, shape: tuple[int, int]) -> WCS:
    """The WCS of a mosaic: a tangent plane touching at the centre of the image, north up and east left.

    ``pixel_scale`` is in arcsec; pixels are 0-based.
    """
    degrees = pixel_scale / 3600
    centre = Shift(-(shape[1] - 1) / 2) & Shift(-(shape[0] - 1) / 2)
    to_sky = Pix2Sky_Gnomonic() | RotateNative2Celestial(ra, dec, 180.0)
    transform = centre | Scale(-degrees) & Scale(degrees) | to_sky
    return _bounded([(_frame("detector", units.pix), transform), (_icrs(), None)], shape)


def footprint(wcs: WCS, shape: tuple[int, int]) -> str:
    """The sky region of an image as an STC-S polygon through the outer corners of its corner pixels."""
    height, width = shape
    x = np.array([-0.5, width - 0.5, width - 0.5, -0.5])
    y = np.array([-0.5, -0.5, height - 0.5, height - 0.5])
    ra, dec = wcs(x, y, with_bounding_box=False)
    return "POLYGON ICRS " + " ".join(f"{a:.9f} {d:.9f}" for a, d in zip(ra, dec, strict=True))


def _to_v(geometry: Distortion, window: Window) -> CompoundModel:
    into_detector = Shift(window.x - CENTRE) & Shift(window.y - CENTRE)
    both = Mapping((0, 1, 0, 1))
    polynomials = _polynomials(geometry.forward)
    polynomials.inverse = both | _polynomials(geometry.inverse)
    both.inverse = Identity(2)
    return into_detector | both | polynomials | Shift(geometry.v2_ref) & Shift(geometry.v3_ref)


def _polynomials(coefficients: FloatArray) -> CompoundModel:
    degree = coefficients.shape[1] - 1
    terms = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    first, second = (Polynomial2D(degree, **{f"c{i}_{j}": c[i, j] for i, j in terms}) for c in coefficients)
    return first & second


def _to_sky(geometry: Distortion, attitude: Attitude) -> CompoundModel:
    pointing = attitude.at(geometry.v2_ref, geometry.v3_ref)
    turns = [geometry.v2_ref / 3600, -geometry.v3_ref / 3600, pointing.roll, pointing.dec, -pointing.ra]
    to_degrees = Scale(1 / 3600) & Scale(1 / 3600)
    rotation = RotationSequence3D(turns, "zyxyz")
    return to_degrees | SphericalToCartesian(180) | rotation | CartesianToSpherical(360)


def _frame(name: str, unit: units.UnitBase) -> coordinate_frames.Frame2D:
    axes = ("x", "y") if name == "detector" else ("v2", "v3")
    return coordinate_frames.Frame2D(name=name, axes_order=(0, 1), axes_names=axes, unit=(unit, unit))


def _icrs() -> coordinate_frames.CelestialFrame:
    return coordinate_frames.CelestialFrame(
        name="world", reference_frame=coordinates.ICRS(), unit=(units.deg, units.deg)
    )


def _bounded(steps: list[tuple[object, object]], shape: tuple[int, int]) -> WCS:
    wcs = WCS(steps)
    wcs.bounding_box = ((-0.5, shape[1] - 0.5), (-0.5, shape[0] - 0.5))
    return wcs
