"""The effective PSF in scenes made by romanisim 0.15 with its "galsim" PSF and no reference files.

It is not what the optics predict (`loaders.psf.optics`): one wavelength; PSFs of the four corners blended
over the detector; the pupil binned by eight, unmirrored and sampled so coarsely that GalSim's interpolation
is part of the PSF; no charge diffusion, and no inter-pixel capacitance although the code names one. Found
by reading romanisim and confirmed on a scene of it, whose PSF it reproduces to 0.13 % (L2).
"""

from __future__ import annotations

import galsim
import galsim.roman
import numpy as np

from loaders.psf.model import EffectivePsf, FloatArray
from loaders.psf.optics import aberrations, detector_number, galsim_filter, pupil_image

NODES = (49.0, 4039.0)
"""Detector pixel coordinates, along either axis, of the corner PSFs."""

_PUPIL_BIN = 8
_REFERENCE_WAVELENGTH = 1293.0


def romanisim_psf(
    detector: str, optical_element: str, oversampling: int = 4, half_width: int = 15
) -> EffectivePsf:
    """Reproduce the effective PSF of a romanisim scene.

    Parameters
    ----------
    detector
        ``WFI01`` … ``WFI18``.
    optical_element
        An imaging filter.
    oversampling, half_width
        Grid steps per pixel and half the width of a stamp in pixels; romanisim cuts stars at 100 pixels.

    Returns
    -------
    EffectivePsf
        Nodes at the four corners, detector pixel coordinates.
    """
    number, element = detector_number(detector), optical_element
    wavelength = galsim.roman.getBandpass(galsim_filter(element)).effective_wavelength
    image, scale = pupil_image(number, element, _PUPIL_BIN)
    lit = galsim.Image((image > 0).astype(np.float64), scale=scale)
    aperture = galsim.Aperture(
        lam=wavelength, diam=galsim.roman.diameter, obscuration=galsim.roman.obscuration, pupil_plane_im=lit
    )
    rows = []
    for y in NODES:
        waves = [aberrations(number, (x, y)) * _REFERENCE_WAVELENGTH / wavelength for x in NODES]
        optics = [
            galsim.OpticalPSF(lam=wavelength, diam=galsim.roman.diameter, aberrations=w, aper=aperture)
            for w in waves
        ]
        rows.append([_phases(profile, oversampling, half_width) for profile in optics])
    nodes = np.array(NODES)
    return EffectivePsf(np.array(rows), oversampling, nodes, nodes)


def _phases(profile: galsim.GSObject, oversampling: int, half_width: int) -> FloatArray:
    """Draw a profile in whole pixels at every phase, as the scene does, and interleave the phases."""
    reach = half_width + 1
    bounds = galsim.BoundsI(-reach, reach, -reach, reach)
    grid = np.empty(((2 * reach + 1) * oversampling,) * 2)
    for j, i in np.ndindex(oversampling, oversampling):
        centre = galsim.PositionD(-i / oversampling, -j / oversampling)
        image = profile.drawImage(bounds=bounds, scale=galsim.roman.pixel_scale, center=centre, dtype=float)
        grid[j::oversampling, i::oversampling] = image.array
    middle, half = reach * oversampling, half_width * oversampling
    return grid[middle - half : middle + half + 1, middle - half : middle + half + 1]
