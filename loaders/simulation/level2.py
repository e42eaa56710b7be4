"""A measured window as a Level-2 product: RAD's ``wfi_image`` with every required keyword."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.time import Time
from roman_datamodels.datamodels import ImageModel
from roman_datamodels.dqflags import pixel as dq_flag

from loaders.simulation.attitude import (
    V3_Y_ANGLE,
    V_PARITY,
    WFI_CEN_V2,
    WFI_CEN_V3,
    Attitude,
)
from loaders.simulation.ephemeris import observatory_state
from loaders.simulation.geometry import Camera
from loaders.simulation.noise import Measured
from loaders.simulation.parameters import SimulationParameters
from loaders.simulation.season import PlannedExposure
from loaders.simulation.throughput import megajansky_conversion
from loaders.simulation.wcs import detector_wcs, footprint

FloatArray = npt.NDArray[np.float64]

SOFTWARE = "roman-db idealised scene simulator"
_NOT_APPLICABLE = "N/A"
_DONE = ("assign_wcs", "dq_init", "dark", "photom", "ramp_fit", "saturation", "tweakreg")
_SKIPPED = ("flux", "outlier_detection", "skymatch", "source_catalog")
_NO_SIGNATURE = ("dark_decay", "flat_field", "linearity", "refpix", "wfi18_transient")
_REFERENCE_FILES = (
    "apcorr",
    "area",
    "bam",
    "dark",
    "darkdecaysignal",
    "distortion",
    "epsf",
    "flat",
    "gain",
    "integralnonlinearity",
    "inverselinearity",
    "linearity",
    "mask",
    "photom",
    "readnoise",
    "refpix",
    "saturation",
)
_NO_WINDOW = -999999
"""What Roman's own products hold where an integer keyword has no value."""


@dataclass(frozen=True)
class Frame:
    """What an exposure's keywords are made from: parameters, plan, camera, pointing of the WCS, sky.

    ``zodiacal`` is in electrons/s and pixel.
    """

    parameters: SimulationParameters
    planned: PlannedExposure
    camera: Camera
    attitude: Attitude
    zodiacal: float

    @property
    def pixel_area(self) -> float:
        """Solid angle in sr of the pixel at the window's centre."""
        return self.camera.distortion.pixel_area(*self.camera.centre)

    @property
    def megajanskys(self) -> float:
        """MJy/sr of one DN/s."""
        detector, element = self.parameters.survey.detector, self.planned.optical_element
        return megajansky_conversion(detector, element, self.parameters.detector.gain, self.pixel_area)


def image_model(measured: Measured, frame: Frame) -> ImageModel:
    """Assemble a Level-2 image in DN/s; arrays of reference pixels are empty, as none are simulated."""
    gain = frame.parameters.detector.gain
    shape = measured.rate.shape
    data = (measured.rate / gain).astype(np.float32)
    model = ImageModel()
    arrays = {
        "data": data,
        "dq": measured.dq,
        "dq2": np.zeros(shape, dtype=np.uint32),
        "err": _half(np.sqrt(measured.variance) / gain),
        "var_poisson": _half(measured.var_poisson / gain**2),
        "var_rnoise": _half((measured.variance - measured.var_poisson) / gain**2),
        "chisq": np.zeros((0, 0), dtype=np.float16),
        "dumo": np.zeros((0, 0), dtype=np.float16),
    } | _no_reference_pixels(len(frame.planned.ma_table.read_pattern))
    for key, value in ({"meta": _meta(frame, data, measured.dq)} | arrays).items():
        model[key] = value
    return model


def _half(values: FloatArray) -> npt.NDArray[np.float16]:
    """Half precision, as RAD demands of errors; held below its largest number."""
    return np.minimum(values, float(np.finfo(np.float16).max)).astype(np.float16)


def _no_reference_pixels(resultants: int) -> dict[str, npt.NDArray[Any]]:
    arrays: dict[str, npt.NDArray[Any]] = {"amp33": np.zeros((resultants, 0, 0), dtype=np.uint16)}
    for side in ("left", "right", "top", "bottom"):
        arrays[f"border_ref_pix_{side}"] = np.zeros((resultants, 0, 0), dtype=np.float32)
        arrays[f"dq_border_ref_pix_{side}"] = np.zeros((0, 0), dtype=np.uint32)
    return arrays


def _meta(frame: Frame, data: npt.NDArray[np.float32], dq: npt.NDArray[np.uint32]) -> dict[str, Any]:
    shape = frame.camera.window.shape
    wcs = detector_wcs(frame.camera.distortion, frame.attitude, frame.camera.window)
    return _basic(frame) | {
        "cal_step": _cal_step(),
        "cal_logs": [f"{SOFTWARE}: seed {frame.parameters.survey.seed}, scene {frame.parameters.scene.seed}"],
        "coordinates": {"reference_frame": "ICRS"},
        "ephemeris": _ephemeris(frame.planned.mid_time),
        "exposure": _exposure(frame.planned),
        "guide_star": _guide_star(),
        "instrument": {
            "name": "WFI",
            "detector": frame.parameters.survey.detector,
            "optical_element": frame.planned.optical_element,
        },
        "observation": _observation(frame.planned),
        "photometry": {
            "conversion_megajanskys": frame.megajanskys,
            "conversion_megajanskys_uncertainty": 0.0,
            "pixel_area": frame.pixel_area,
        },
        "pointing": _pointing(frame.attitude),
        "program": _program(frame.parameters),
        "rcs": {"active": False, "electronics": None, "bank": None, "led": None, "counts": 0},
        "ref_file": _ref_file(),
        "statistics": _statistics(frame, data, dq),
        "velocity_aberration": _velocity_aberration(frame),
        "visit": _visit(frame),
        "wcs": wcs,
        "wcsinfo": _wcsinfo(frame, footprint(wcs, shape)),
    }


def _basic(frame: Frame) -> dict[str, Any]:
    return {
        "calibration_software_name": SOFTWARE,
        "calibration_software_version": version("roman-db"),
        "product_type": "l2",
        "filename": frame.planned.filename(frame.parameters.survey.detector),
        "file_date": Time.now(),
        "model_type": "ImageModel",
        "origin": "STSCI/SOC",
        "prd_version": _NOT_APPLICABLE,
        "sdf_software_version": _NOT_APPLICABLE,
        "telescope": "ROMAN",
    }


def _cal_step() -> dict[str, str]:
    """Effects that were simulated and taken out are complete; those that never were there do not apply."""
    steps = dict.fromkeys(_DONE, "COMPLETE") | dict.fromkeys(_SKIPPED, "SKIPPED")
    return steps | dict.fromkeys(_NO_SIGNATURE, _NOT_APPLICABLE)


def _ephemeris(time: Time) -> dict[str, Any]:
    state = observatory_state(time)
    position, velocity = state.position_km, state.velocity_km_s
    return {
        "ephemeris_reference_frame": "ICRS",
        "type": "PREDICTED",
        "time": float(time.utc.mjd),
        **{f"spatial_{axis}": float(value) for axis, value in zip("xyz", position, strict=True)},
        **{f"velocity_{axis}": float(value) for axis, value in zip("xyz", velocity, strict=True)},
    }


def _exposure(planned: PlannedExposure) -> dict[str, Any]:
    table = planned.ma_table
    means = [float(np.mean(reads)) * table.frame_time for reads in table.read_pattern]
    return {
        "type": "WFI_SPECTRAL" if planned.optical_element in ("GRISM", "PRISM") else "WFI_IMAGE",
        "start_time": planned.start_time,
        "mid_time": planned.mid_time,
        "end_time": planned.end_time,
        "engineering_quality": "OK",
        "ma_table_id": table.identifier,
        "ma_table_name": table.name,
        "ma_table_number": table.number,
        "nresultants": len(table.read_pattern),
        "data_problem": None,
        "frame_time": table.frame_time,
        "exposure_time": table.exposure_time,
        "effective_exposure_time": means[-1] - means[0],
        "read_pattern": [list(reads) for reads in table.read_pattern],
        "truncated": False,
        "hga_move": False,
    }


def _guide_star() -> dict[str, Any]:
    edges = ("window_xstart", "window_ystart", "window_xstop", "window_ystop")
    names = ("guide_window_id", "guide_mode", "guide_star_id", "epoch")
    return dict.fromkeys(edges, _NO_WINDOW) | dict.fromkeys(names, _NOT_APPLICABLE)


def _observation(planned: PlannedExposure) -> dict[str, Any]:
    names = planned.identifiers
    return {
        "observation_id": names.observation_id,
        "visit_id": names.visit_id,
        "program": names.program,
        "execution_plan": names.execution_plan,
        "pass": names.pass_number,
        "segment": names.segment,
        "observation": names.observation,
        "visit": names.visit,
        "visit_file_group": 2,
        "visit_file_sequence": 1,
        "visit_file_activity": "01",
        "exposure": names.exposure,
        "wfi_parallel": False,
    }


def _pointing(attitude: Attitude) -> dict[str, Any]:
    boresight, centre = attitude.at(0.0, 0.0), attitude.at(WFI_CEN_V2, WFI_CEN_V3)
    return {
        "pa_aperture": (centre.roll + V3_Y_ANGLE) % 360.0,
        "pointing_engineering_source": "PLANNED",
        "ra_v1": boresight.ra,
        "dec_v1": boresight.dec,
        "pa_v3": boresight.roll,
        "target_aperture": "WFI_CEN",
        "target_ra": centre.ra,
        "target_dec": centre.dec,
    }


def _program(parameters: SimulationParameters) -> dict[str, str]:
    survey = parameters.survey
    names = ("title", "investigator_name", "category", "subcategory", "science_category")
    return {name: getattr(survey, name) for name in names}


def _ref_file() -> dict[str, Any]:
    crds = {"version": _NOT_APPLICABLE, "context": _NOT_APPLICABLE}
    return dict.fromkeys(_REFERENCE_FILES, _NOT_APPLICABLE) | {"crds": crds}


def _statistics(frame: Frame, data: npt.NDArray[np.float32], dq: npt.NDArray[np.uint32]) -> dict[str, float]:
    good = (dq & np.uint32(dq_flag.DO_NOT_USE.value)) == 0
    values = data[good] if good.any() else np.zeros(1, dtype=np.float32)
    median = float(np.median(values))
    return {
        "zodiacal_light": frame.zodiacal / frame.parameters.detector.gain * frame.megajanskys,
        "image_median": median,
        "image_rms": float(np.mean(np.abs(values - values.mean()))),
        "good_pixel_fraction": float(good.mean()),
    }


def _velocity_aberration(frame: Frame) -> dict[str, float]:
    """Aberration is not simulated: a scale of one about the reference position."""
    centre = frame.attitude.at(frame.camera.distortion.v2_ref, frame.camera.distortion.v3_ref)
    return {"ra_reference": centre.ra, "dec_reference": centre.dec, "scale_factor": 1.0}


def _visit(frame: Frame) -> dict[str, Any]:
    planned = frame.planned
    return {
        "dither": {
            "primary_name": frame.parameters.survey.dither_name,
            "subpixel_name": None,
            "executed_pattern": [value for offset in planned.visit_offsets for value in offset],
        },
        "type": "GENERAL_SCIENCE",
        "start_time": planned.visit_start_time,
        "nexposures": len(planned.visit_offsets),
        "internal_target": False,
        "wfi_acm_z_defocus_size": None,
    }


def _wcsinfo(frame: Frame, region: str) -> dict[str, Any]:
    geometry = frame.camera.distortion
    centre = frame.attitude.at(geometry.v2_ref, geometry.v3_ref)
    return {
        "aperture_name": f"{frame.parameters.survey.detector}_FULL",
        "v2_ref": geometry.v2_ref,
        "v3_ref": geometry.v3_ref,
        "vparity": V_PARITY,
        "v3yangle": V3_Y_ANGLE,
        "ra_ref": centre.ra,
        "dec_ref": centre.dec,
        "roll_ref": centre.roll,
        "s_region": region,
    }
