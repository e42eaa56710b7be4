"""Reference images as files: RAD's ``msos_stack`` with the keywords of the MSOS reference frame."""

from __future__ import annotations

import copy
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asdf
import numpy as np
import numpy.typing as npt
import roman_datamodels
import yaml
from asdf.exceptions import ValidationError
from astropy import coordinates, units
from astropy.modeling.models import AffineTransformation2D, Pix2Sky_Gnomonic, RotateNative2Celestial, Shift
from astropy.time import Time
from gwcs import WCS, coordinate_frames
from roman_datamodels.datamodels import MsosStackModel

from loaders.output_folder import writing
from loaders.photometry.image import PixelImage
from loaders.photometry.noise import NoiseModel
from loaders.psf.model import EffectivePsf
from loaders.reference.build import Reference
from loaders.reference.frame import ReferenceFrame
from loaders.reference.image import spline_coefficients
from loaders.reference.kernels import Float32Array, FloatArray
from loaders.rejection import Rejected
from loaders.wfi.footprint import outline

_COMMON = (
    "prd_version",
    "sdf_software_version",
    "coordinates",
    "ephemeris",
    "exposure",
    "guide_star",
    "instrument",
    "observation",
    "pointing",
    "program",
    "ref_file",
    "rcs",
    "velocity_aberration",
    "visit",
    "wcsinfo",
)
"""Groups of keywords that the schema wants; they are those of the first exposure."""

_LARGEST_COVERAGE = 255

_FAULTS = (
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    ValidationError,
    yaml.YAMLError,
)
"""What is raised of files that are damaged or are none of ours."""


@dataclass(frozen=True)
class ReferenceKeywords:
    """What the file says of the image besides its pixels.

    Parameters
    ----------
    field
        Name of the field and its centre in degrees ICRS.
    field_centre
        See ``field``.
    season, sequence
        Numbers of the season, and of the span within it.
    start, end
        Begin of the first and end of the last exposure.
    exposure_time
        Of all exposures together, s.
    inputs
        Names of the files that went in.
    """

    field: str
    field_centre: tuple[float, float]
    season: int
    sequence: int
    start: Time
    end: Time
    exposure_time: float
    inputs: Sequence[str]


@dataclass(frozen=True)
class StoredReference:
    """A reference image read from its file.

    Parameters
    ----------
    frame
        Its pixels on the sky.
    image
        Flux in nJy in each fine pixel, with its noise.
    coefficient
        Shape (ny, nx): spline coefficients of the flux in a detector pixel centred at each place.
    psf
        Its PSF, on its pixels.
    """

    frame: ReferenceFrame
    image: PixelImage
    coefficient: FloatArray
    psf: EffectivePsf


def write_reference(
    path: Path, reference: Reference, psf: EffectivePsf, first: Path, keywords: ReferenceKeywords
) -> None:
    """Write a reference image; the file is there when it is whole, or not at all.

    Parameters
    ----------
    path
        File to write.
    reference
        The image.
    psf
        Its PSF; the file has it in the middle of the image as ``psf``, and whole beside it.
    first
        File of an exposure in it: the schema asks for the keywords of one.
    keywords
        What else there is to say.

    Raises
    ------
    Rejected
        If the folder cannot be written.
    """
    model = MsosStackModel()
    with roman_datamodels.open(first) as exposure:
        given = copy.deepcopy({name: exposure.meta[name] for name in _COMMON})
    model["meta"] = given | _meta(path, reference, keywords)
    model["meta"]["msos_reference_frame"] = _msos(model["meta"], keywords)
    image = reference.image
    deviation = np.sqrt(image.noise.variance(image.data))
    # All of it: the function between the pixels near the edge follows from those beyond.
    model["data"] = image.data.astype(np.float64)
    model["uncertainty"] = np.where(image.usable, deviation, 0).astype(np.float64)
    model["mask"] = (~image.usable).astype(np.uint8)
    model["coverage"] = np.minimum(np.rint(reference.coverage), _LARGEST_COVERAGE).astype(np.uint8)
    model["psf"] = np.array(psf.at(*reference.frame.middle))
    model["psf_nodes"] = {
        "stamps": psf.stamps.astype(np.float32),
        "x": psf.x_node,
        "y": psf.y_node,
        "oversampling": psf.oversampling,
    }
    folder = path.parent
    with writing(folder), tempfile.TemporaryDirectory(dir=folder, prefix=_unfinished(path)) as scratch:
        whole = Path(scratch) / path.name
        model.save(whole)
        whole.replace(path)


def _unfinished(path: Path) -> str:
    """How the names of folders begin in which images of the span of an image are written."""
    return f".writing-{path.name.rpartition('_run')[0]}-"


def remove_earlier(path: Path) -> None:
    """Remove the images of a span that are superseded, or were never registered or whole, once another is."""
    of_span = path.name.rpartition("_run")[0]
    for other in path.parent.glob(f"{of_span}_run*_{path.name.rpartition('_')[2]}"):
        if other != path:
            other.unlink(missing_ok=True)
    for left in path.parent.glob(f"{_unfinished(path)}*"):
        shutil.rmtree(left, ignore_errors=True)


def _meta(path: Path, reference: Reference, keywords: ReferenceKeywords) -> dict[str, Any]:
    """Keywords of the image itself."""
    frame, noise = reference.frame, reference.image.noise
    ra, dec = outline(frame.projection)
    corners = " ".join(f"{a:.9f} {d:.9f}" for a, d in zip(ra[::8], dec[::8], strict=True))
    return {
        "calibration_software_name": "roman-db",
        "calibration_software_version": version("roman-db"),
        "product_type": "l3_msos_stack",
        "filename": path.name,
        "file_date": Time.now(),
        "model_type": "MsosStackModel",
        "origin": "IPAC/SSC",
        "telescope": "ROMAN",
        "image_list": ",".join(keywords.inputs),
        "s_region": f"POLYGON ICRS {corners}",
        "wcs": _wcs(frame),
        "reference": {
            "ra": frame.ra,
            "dec": frame.dec,
            "matrix": frame.matrix.ravel().tolist(),
            "oversampling": frame.oversampling,
            "flux_unit": "nJy",
            "noise_read": float(noise.read),
            "noise_poisson": float(noise.poisson),
        },
    }


def _msos(meta: dict[str, Any], keywords: ReferenceKeywords) -> dict[str, Any]:
    """Keywords of RAD's ``wfi_microlensing_reference_frame_level_3``, in a group of their own.

    Some have the names of groups of `msos_stack`.
    """
    software = version("roman-db")
    return {
        **{name: meta[name] for name in ("filename", "file_date", "origin", "model_type", "product_type")},
        "instrument": "WFI",
        "program": int(meta["observation"]["program"]),
        "category": meta["program"]["category"],
        "subcategory": meta["program"]["subcategory"],
        "msos_photometry_version": software,
        "msos_events_version": software,
        "msos_detection_efficiency_version": software,
        "msos_processing_id": "r00",
        "season": f"s{keywords.season:02d}",
        "flip": 0,
        "gal_cen_flag": False,
        "ra_field_cen": float(keywords.field_centre[0]),
        "dec_field_cen": float(keywords.field_centre[1]),
        "ref_frame": "ICRS",
        "equinox": 2000.0,
        "field": keywords.field[:3],
        "detector": meta["instrument"]["detector"],
        "optical_element": meta["instrument"]["optical_element"],
        "sequence": f"e{keywords.sequence:02d}",
        "exptime": float(keywords.exposure_time),
        "expstart": keywords.start,
        "expend": keywords.end,
        "expstart_mjd": float(keywords.start.mjd),
        "expend_mjd": float(keywords.end.mjd),
        "s_region": meta["s_region"],
    }


def _wcs(frame: ReferenceFrame) -> WCS:
    """The frame as a WCS of the file."""
    transform = (
        Shift(-frame.middle[0]) & Shift(-frame.middle[1])
        | AffineTransformation2D(matrix=frame.matrix / 3600)
        | Pix2Sky_Gnomonic()
        | RotateNative2Celestial(frame.ra, frame.dec, 180.0)
    )
    detector = coordinate_frames.Frame2D(name="detector", axes_order=(0, 1), unit=(units.pix, units.pix))
    sky = coordinate_frames.CelestialFrame(
        name="world", reference_frame=coordinates.ICRS(), unit=(units.deg, units.deg)
    )
    return WCS([(detector, transform), (sky, None)])


def read_reference(path: Path) -> StoredReference:
    """Read a reference image that `write_reference` wrote.

    Raises
    ------
    Rejected
        If the file is missing or is no such image.
    """
    with _opened(path) as model:
        said, nodes = model.meta["reference"], model["psf_nodes"]
        data, deviation = (np.asarray(model[name], dtype=np.float32) for name in ("data", "uncertainty"))
        usable = np.asarray(model["mask"]) == 0
        _check_shapes(data.shape, {"uncertainty": deviation.shape, "mask": usable.shape})
        frame = _frame(said, data.shape)
        psf = EffectivePsf(
            np.asarray(nodes["stamps"], dtype=np.float64),
            int(nodes["oversampling"]),
            np.asarray(nodes["x"], dtype=np.float64),
            np.asarray(nodes["y"], dtype=np.float64),
        )
        noise = (float(said["noise_read"]), float(said["noise_poisson"]))
        image = PixelImage(data, _noise(data, deviation, usable, noise), usable, name=path.name)
    flux = data.astype(np.float64) * frame.oversampling**2
    return StoredReference(frame, image, spline_coefficients(flux), psf)


@contextmanager
def opened_pixels(path: Path) -> Iterator[tuple[ReferenceFrame, Float32Array]]:
    """The frame of a reference image and its pixels (nJy), of which only what is looked at is read.

    Raises
    ------
    Rejected
        If the file is missing or is no such image.
    """
    with _opened(path, memmap=True) as model:
        data = model["data"]
        yield _frame(model.meta["reference"], data.shape), data


def _frame(said: Mapping[str, Any], shape: tuple[int, int]) -> ReferenceFrame:
    """The frame that the keywords of an image say."""
    matrix = np.array(said["matrix"], dtype=np.float64).reshape(2, 2)
    return ReferenceFrame(said["ra"], said["dec"], matrix, shape, int(said["oversampling"]))


def read_coverage(path: Path) -> npt.NDArray[np.uint8]:
    """Read how many exposures see each place of a reference image, up to 255, shape (ny, nx).

    Raises
    ------
    Rejected
        If the file is missing or is no such image.
    """
    with _opened(path) as model:
        return np.array(model["coverage"], dtype=np.uint8)


@contextmanager
def _opened(path: Path, memmap: bool = False) -> Iterator[MsosStackModel]:
    """Open a reference image; what is wrong with the file, or with what is looked up, is a rejection."""
    try:
        with asdf.open(path, lazy_tree=True, memmap=memmap) as file:
            model = roman_datamodels.open(file)
            if not isinstance(model, MsosStackModel):
                raise _no_reference(path, f"it is a {type(model).__name__}")
            yield model
    except _FAULTS as error:
        said = str(error).splitlines() or [type(error).__name__]
        raise _no_reference(path, said[0]) from error


def _check_shapes(shape: tuple[int, ...], others: Mapping[str, tuple[int, ...]]) -> None:
    """Make sure that arrays are of the pixels of the image."""
    for name, other in others.items():
        if other != shape:
            raise ValueError(f"{name} is of shape {other}, the data of {shape}")


def _noise(
    data: Float32Array, deviation: Float32Array, usable: npt.NDArray[np.bool_], noise: tuple[float, float]
) -> NoiseModel:
    """The noise model whose standard deviations the file has."""
    common = NoiseModel(*noise)
    scale = np.where(usable, deviation**2 / common.variance(data), np.nan)
    return NoiseModel(*noise, scale.astype(np.float32))


def _no_reference(path: Path, why: str) -> Rejected:
    return Rejected(
        str(path), f"it cannot be read as a reference image: {why}", "Make the image again", "bad_reference"
    )
