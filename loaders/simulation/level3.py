"""Level-3 mosaics of a scene as products: RAD's ``wfi_mosaic`` with every required keyword."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.table import Table
from astropy.time import Time
from roman_datamodels.datamodels import MosaicModel

from loaders.psf.model import EffectivePsf
from loaders.psf.mosaic import DETECTOR_SCALE
from loaders.simulation.level2 import SOFTWARE
from loaders.simulation.mosaic import MosaicGrid, expected_mosaic, observe_mosaic
from loaders.simulation.scene import Scene
from loaders.simulation.season import PlannedExposure
from loaders.simulation.wcs import footprint, tangent_wcs

_NOT_APPLICABLE = "N/A"


def simulate_level3(
    scene: Scene, psf: EffectivePsf, exposures: tuple[PlannedExposure, ...], grid: MosaicGrid
) -> MosaicModel:
    """Simulate the mosaic of exposures in one filter; the sky is subtracted.

    Parameters
    ----------
    scene
        The scene.
    psf
        Effective PSF of the detector in the filter.
    exposures
        The exposures that went in, all of one filter and multi-accumulation table.
    grid
        The pixels.

    Raises
    ------
    ValueError
        If there are no exposures, or more than one filter or table.
    """
    if len({(e.optical_element, e.ma_table.name) for e in exposures}) != 1:
        raise ValueError("a mosaic needs exposures of exactly one filter and one multi-accumulation table")
    expected = expected_mosaic(scene, psf, exposures, grid)
    arrays = observe_mosaic(scene, expected, exposures, grid)
    model = MosaicModel()
    model["meta"] = _meta(scene, arrays["data"], exposures, grid)
    for name, values in arrays.items():
        model[name] = values
    return model


def _meta(
    scene: Scene, data: npt.NDArray[np.float32], exposures: tuple[PlannedExposure, ...], grid: MosaicGrid
) -> dict[str, Any]:
    centre, survey = scene.parameters.scene, scene.parameters.survey
    wcs = tangent_wcs(centre.ra, centre.dec, grid.pixel_scale, grid.shape)
    element = exposures[0].optical_element
    names = ("title", "investigator_name", "category", "subcategory", "science_category")
    median = float(np.median(data))
    deviation = float(np.mean(np.abs(data - data.mean())))
    return {
        "calibration_software_name": SOFTWARE,
        "calibration_software_version": version("roman-db"),
        "filename": mosaic_filename(survey.program, element, centre.ra, centre.dec),
        "file_date": Time.now(),
        "model_type": "MosaicModel",
        "origin": "STSCI/SOC",
        "product_type": "l3",
        "telescope": "ROMAN",
        "association": {"name": _NOT_APPLICABLE},
        "cal_logs": [f"{SOFTWARE}: seed {survey.seed}, scene {centre.seed}"],
        "cal_step": {
            "flux": "COMPLETE",
            "outlier_detection": _NOT_APPLICABLE,
            "skymatch": "COMPLETE",
            "resample": _NOT_APPLICABLE,
        },
        "coadd_info": _coadd(exposures),
        "coordinates": {"reference_frame": "ICRS"},
        "individual_image_meta": _members(exposures, survey.detector),
        "instrument": {"name": "WFI", "optical_element": element},
        "observation": _observation(exposures),
        "program": {name: getattr(survey, name) for name in names},
        "resample": _resample(exposures, survey.detector, grid),
        "statistics": {"image_median": median, "image_rms": deviation, "good_pixel_fraction": 1.0},
        "wcs": wcs,
        "wcsinfo": _wcsinfo(scene, grid, footprint(wcs, grid.shape)),
    }


def mosaic_filename(program: int, optical_element: str, ra: float, dec: float) -> str:
    """Name of a mosaic by program, position and filter, after Roman's convention for sky cells."""
    sign = "p" if dec >= 0 else "m"
    return (
        f"r{program:05d}_full_{round(ra):03d}{sign}{abs(round(dec)):02d}_{optical_element.lower()}_coadd.asdf"
    )


def _coadd(exposures: tuple[PlannedExposure, ...]) -> dict[str, Any]:
    starts = [e.start_mjd_utc for e in exposures]
    total = sum(e.ma_table.exposure_time for e in exposures)
    return {
        "time_first": exposures[0].start_time,
        "time_last": exposures[-1].end_time,
        "time_mean": Time(float(np.mean(starts)), format="mjd", scale="utc"),
        "max_exposure_time": total,
        "exposure_time": total,
    }


def _members(exposures: tuple[PlannedExposure, ...], detector: str) -> dict[str, Table]:
    names = [e.filename(detector) for e in exposures]
    ids = [e.identifiers.observation_id for e in exposures]
    return {"basic": Table({"filename": names}), "observation": Table({"observation_id": ids})}


def _observation(exposures: tuple[PlannedExposure, ...]) -> dict[str, Any]:
    """Identifiers that all exposures share; None where they differ."""

    def shared(name: str) -> int | None:
        values = {getattr(e.identifiers, name) for e in exposures}
        return int(values.pop()) if len(values) == 1 else None

    names = {
        "program": "program",
        "execution_plan": "execution_plan",
        "pass": "pass_number",
        "segment": "segment",
        "observation": "observation",
        "visit": "visit",
        "exposure": "exposure",
    }
    return {key: shared(name) for key, name in names.items()} | {"exposure_grouping": "full"}


def _resample(exposures: tuple[PlannedExposure, ...], detector: str, grid: MosaicGrid) -> dict[str, Any]:
    return {
        "good_bits": "~DO_NOT_USE+NON_SCIENCE",
        "members": [e.filename(detector) for e in exposures],
        "pixel_scale_ratio": grid.pixel_scale / DETECTOR_SCALE,
        "pixfrac": 0.0,
        "pointings": len(exposures),
        "weight_type": "exptime",
    }


def _wcsinfo(scene: Scene, grid: MosaicGrid, region: str) -> dict[str, Any]:
    centre = scene.parameters.scene
    scale = grid.pixel_scale / 3600
    return {
        "ra_ref": centre.ra,
        "dec_ref": centre.dec,
        "x_ref": (grid.width - 1) / 2,
        "y_ref": (grid.height - 1) / 2,
        "rotation_matrix": [[-1.0, 0.0], [0.0, 1.0]],
        "pixel_scale_ref": scale,
        "pixel_scale": scale,
        "projection": "TAN",
        "s_region": region,
        "ra": centre.ra,
        "dec": centre.dec,
        "orientation_ref": 0.0,
        "orientation": 0.0,
        "skycell_name": _NOT_APPLICABLE,
        "image_shape": [grid.height, grid.width],
    }
