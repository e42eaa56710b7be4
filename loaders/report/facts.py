"""What the pages are made of: plain values and arrays, as the database and the files have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
TextArray = npt.NDArray[np.object_]
Pixels = npt.NDArray[np.float32]

#: States of a source on a reference image, in the order in which they are drawn and listed.
STATES = ("known", "new", "merged", "missing")

#: Kinds of sources in a difference, likewise.
KINDS = ("new", "variable", "dipole", "hit", "edge")


@dataclass(frozen=True)
class ImageFacts:
    """A row of ``roman.reference_image``, in its units, with the name of its field.

    ``psf_n_star`` and ``psf_epoch`` are those of its PSF in the library, None where there is none;
    ``psf_n_star_all`` and what follows are of all PSFs that its own follows from, None of older images;
    ``n_before`` counts the current images of the same field, detector and element of earlier days.
    """

    reference_image_id: int
    field: str
    detector: str
    optical_element: str
    start_mjd: int
    end_mjd: int
    epoch_mjd_tdb: float
    n_exposure: int
    n_refused: int
    exposure_time: float
    oversampling: int
    n_x: int
    n_y: int
    ra_ref: float
    dec_ref: float
    pixel_scale: float
    limiting_mag: float | None
    psf_model_id: int | None
    psf_fwhm: float | None
    psf_n_star: int | None
    psf_epoch: float | None
    psf_n_star_all: int | None
    psf_reduced_chi2: float | None
    psf_residual_fraction: float | None
    psf_fraction_optics: float | None
    psf_fraction_other_day: float | None
    path: str
    sha256: str
    size_bytes: int
    is_superseded: bool
    load_run_id: int
    is_judged: bool | None
    psf_error: float | None
    n_before: int

    @property
    def name(self) -> str:
        """Name for people."""
        return f"{self.field} {self.detector} {self.optical_element} {self.start_mjd} to {self.end_mjd}"


@dataclass(frozen=True)
class ExposureFacts:
    """Exposures of a reference image in order of time, each array of shape (n,); NaN where unknown.

    Parameters
    ----------
    name
        Name of the file.
    time
        Midpoint, MJD TDB.
    is_used
        Whether the exposure is in the image.
    refused
        Why it is not; None where it is.
    east, north, east_err, north_err
        Shift of the sky against what the WCS says, with standard errors, mas.
    sky
        nJy per detector pixel.
    scale, rejected
        Light over that of the image, and share of pixels left out.
    """

    name: TextArray
    time: FloatArray
    is_used: BoolArray
    refused: TextArray
    east: FloatArray
    north: FloatArray
    east_err: FloatArray
    north_err: FloatArray
    sky: FloatArray
    scale: FloatArray
    rejected: FloatArray


@dataclass(frozen=True)
class SourceFacts:
    """Objects of a reference image, each array of shape (n,); NaN where not measured.

    Parameters
    ----------
    object_id
        Identifiers.
    state
        One of `STATES`.
    x, y
        Fine pixels, 0-based; of objects that were not found the place where the catalog has them.
    flux, flux_err
        nJy; of objects that were not found what the catalog has.
    size
        Relative excess in size over the PSF.
    is_extended
        Whether that is significant; False where it was not measured.
    reduced_chi2
        Of the core of the fit.
    flags
        Bits; 0 where nothing was measured.
    """

    object_id: IntArray
    state: TextArray
    x: FloatArray
    y: FloatArray
    flux: FloatArray
    flux_err: FloatArray
    size: FloatArray
    is_extended: BoolArray
    reduced_chi2: FloatArray
    flags: IntArray

    def count(self, state: str) -> int:
        """Objects in a state."""
        return int(np.sum(self.state == state))


@dataclass(frozen=True)
class FlagCount:
    """A flag of sources: its name, what it means, and on how many of them it is set."""

    name: str
    description: str
    count: int


@dataclass(frozen=True)
class ReferencePixels:
    """What the file of a reference image holds.

    Parameters
    ----------
    flux
        Shape (ny, nx): nJy in each fine pixel.
    usable
        Shape (ny, nx): pixels that count.
    coverage
        Shape (ny, nx): exposures that see each place.
    psf
        Shape (n, n): PSF in the middle of the image, share of the light in a pixel.
    psf_oversampling
        Grid steps of the PSF per fine pixel.
    """

    flux: Pixels
    usable: BoolArray
    coverage: npt.NDArray[np.uint8]
    psf: FloatArray
    psf_oversampling: int


@dataclass(frozen=True)
class DifferenceFacts:
    """A row of ``roman.difference_image``, and which image was subtracted."""

    difference_image_id: int
    template_id: int
    template_start_mjd: int
    template_end_mjd: int
    kernel_sum: float
    template_share: float
    reduced_chi2: float
    fraction_beyond: float
    n_source: int


@dataclass(frozen=True)
class ChangeFacts:
    """Sources of a difference by falling significance, each array of shape (n,).

    ``object_id`` is -1 where there is none; ``x, y`` are fine pixels of the image, ``ra, dec`` degrees ICRS,
    ``flux, flux_err`` the change in nJy, ``kind`` one of `KINDS`.
    """

    number: IntArray
    object_id: IntArray
    kind: TextArray
    x: FloatArray
    y: FloatArray
    ra: FloatArray
    dec: FloatArray
    flux: FloatArray
    flux_err: FloatArray
    reduced_chi2: FloatArray

    @property
    def significance(self) -> FloatArray:
        """Change over its error, shape (n,)."""
        return self.flux / self.flux_err

    def count(self, kind: str) -> int:
        """Sources of a kind."""
        return int(np.sum(self.kind == kind))


@dataclass(frozen=True)
class DifferencePixels:
    """A difference that was computed again.

    Parameters
    ----------
    significance
        Shape (ny, nx): difference over its standard deviation.
    usable
        Shape (ny, nx): pixels that count.
    kernel
        Shape (n, n): kernel in the middle of the image.
    image, template, difference
        Shape (ny, nx): nJy in each fine pixel.
    changed, far
        Shape (ny, nx): pixels of what changed, and those far off (`loaders.difference.far_pixels`).
    """

    significance: Pixels
    usable: BoolArray
    kernel: FloatArray
    image: Pixels
    template: Pixels
    difference: Pixels
    changed: BoolArray
    far: BoolArray


@dataclass(frozen=True)
class PsfFacts:
    """Shape of the PSF of an image at places on it, each array of shape (n,); NaN where it failed.

    Parameters
    ----------
    x, y
        Fine pixels.
    fwhm
        Full width at half maximum, arcsec.
    e1, e2
        Ellipticity along the axes and along the diagonals.
    third, fourth
        Root of the summed squares of the third moments; mean of the fourth along the axes.
    flags
        What failed: see ``roman.reference_psf_moment``; 0 where nothing did.
    """

    x: FloatArray
    y: FloatArray
    fwhm: FloatArray
    e1: FloatArray
    e2: FloatArray
    third: FloatArray
    fourth: FloatArray
    flags: IntArray


@dataclass(frozen=True)
class HeldMetric:
    """A quality metric of an image, and the limits that it is held against; None where there is none."""

    metric: str
    value: float | None
    lower: float | None
    upper: float | None
    verdict: str


@dataclass(frozen=True)
class ReferenceFacts:
    """All that the page of a reference image shows; what could not be had is None, and ``notes`` say why."""

    image: ImageFacts
    exposures: ExposureFacts
    sources: SourceFacts | None
    flags: Sequence[FlagCount]
    pixels: ReferencePixels | None
    difference: DifferenceFacts | None
    changes: ChangeFacts | None
    difference_pixels: DifferencePixels | None
    psf: PsfFacts | None
    metrics: Sequence[HeldMetric]
    notes: Sequence[str]
