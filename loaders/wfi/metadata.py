"""What a Level-2 file says of its exposure, under the names that the archive's exposure table gives it.

RAD maps keywords to columns of that table (``archive_catalog: destination: [WFIExposure.<column>]``); the
fields below are those columns, each with the keyword that it is read from. Descriptions and units are RAD's.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any


def _at(keyword: str) -> Any:  # noqa: ANN401  # the type is that of the field
    """Declare a field and the keyword, below ``meta``, that it is read from."""
    return field(metadata={"keyword": keyword})


@dataclass(frozen=True, kw_only=True)
class ExposureMetadata:
    """Metadata of one detector image. None means unknown; times are UTC; lists are JSON text.

    ``pass_`` is the archive's column ``pass``, a word that Python keeps for itself. The visit, the exposure
    number and the numbers that make up ``visit_id`` come from the file's name where the keywords hold
    placeholders.
    """

    visit_id: str = _at("observation.visit_id")
    program: int = _at("observation.program")
    execution_plan: int = _at("observation.execution_plan")
    pass_: int = _at("observation.pass")
    segment: int = _at("observation.segment")
    observation: int = _at("observation.observation")
    visit: int = _at("observation.visit")
    exposure: int = _at("observation.exposure")
    observation_id: str | None = _at("observation.observation_id")
    visit_file_group: int | None = _at("observation.visit_file_group")
    visit_file_sequence: int | None = _at("observation.visit_file_sequence")
    visit_file_activity: str | None = _at("observation.visit_file_activity")
    wfi_parallel: bool | None = _at("observation.wfi_parallel")

    instrument_name: str | None = _at("instrument.name")
    detector: str = _at("instrument.detector")
    optical_element: str = _at("instrument.optical_element")

    exposure_type: str | None = _at("exposure.type")
    exposure_start_time: datetime = _at("exposure.start_time")
    exposure_mid_time: datetime = _at("exposure.mid_time")
    exposure_end_time: datetime = _at("exposure.end_time")
    exposure_nresultants: int | None = _at("exposure.nresultants")
    exposure_data_problem: str | None = _at("exposure.data_problem")
    exposure_frame_time: float | None = _at("exposure.frame_time")
    exposure_time: float | None = _at("exposure.exposure_time")
    effective_exposure_time: float | None = _at("exposure.effective_exposure_time")
    engineering_quality: str | None = _at("exposure.engineering_quality")
    ma_table_id: str | None = _at("exposure.ma_table_id")
    ma_table_name: str | None = _at("exposure.ma_table_name")
    ma_table_number: int | None = _at("exposure.ma_table_number")
    read_pattern: str | None = _at("exposure.read_pattern")
    exposure_truncated: bool | None = _at("exposure.truncated")
    hga_move: bool | None = _at("exposure.hga_move")

    filename: str = _at("filename")
    filedate: datetime | None = _at("file_date")
    model_type: str | None = _at("model_type")
    product_type: str | None = _at("product_type")
    origin: str | None = _at("origin")
    telescope: str | None = _at("telescope")
    calibration_software_name: str | None = _at("calibration_software_name")
    calibration_software_version: str | None = _at("calibration_software_version")
    prd_version: str | None = _at("prd_version")
    sdf_software_version: str | None = _at("sdf_software_version")
    crds_version: str | None = _at("ref_file.crds.version")
    crds_context: str | None = _at("ref_file.crds.context")

    reference_frame: str | None = _at("coordinates.reference_frame")
    ephemeris_reference_frame: str | None = _at("ephemeris.ephemeris_reference_frame")
    ephemeris_type: str | None = _at("ephemeris.type")
    ephemeris_time: float | None = _at("ephemeris.time")
    spatial_x: float | None = _at("ephemeris.spatial_x")
    spatial_y: float | None = _at("ephemeris.spatial_y")
    spatial_z: float | None = _at("ephemeris.spatial_z")
    velocity_x: float | None = _at("ephemeris.velocity_x")
    velocity_y: float | None = _at("ephemeris.velocity_y")
    velocity_z: float | None = _at("ephemeris.velocity_z")

    guide_window_id: str | None = _at("guide_star.guide_window_id")
    guide_mode: str | None = _at("guide_star.guide_mode")
    guide_star_id: str | None = _at("guide_star.guide_star_id")
    window_xstart: int | None = _at("guide_star.window_xstart")
    window_ystart: int | None = _at("guide_star.window_ystart")
    window_xstop: int | None = _at("guide_star.window_xstop")
    window_ystop: int | None = _at("guide_star.window_ystop")

    pa_aperture: float | None = _at("pointing.pa_aperture")
    pointing_engineering_source: str | None = _at("pointing.pointing_engineering_source")
    ra_v1: float | None = _at("pointing.ra_v1")
    dec_v1: float | None = _at("pointing.dec_v1")
    pa_v3: float | None = _at("pointing.pa_v3")
    target_aperture: str | None = _at("pointing.target_aperture")
    target_ra: float | None = _at("pointing.target_ra")
    target_dec: float | None = _at("pointing.target_dec")
    ra_reference: float | None = _at("velocity_aberration.ra_reference")
    dec_reference: float | None = _at("velocity_aberration.dec_reference")
    scale_factor: float | None = _at("velocity_aberration.scale_factor")

    aperture_name: str | None = _at("wcsinfo.aperture_name")
    v2_ref: float | None = _at("wcsinfo.v2_ref")
    v3_ref: float | None = _at("wcsinfo.v3_ref")
    vparity: int | None = _at("wcsinfo.vparity")
    v3yangle: float | None = _at("wcsinfo.v3yangle")
    ra_ref: float | None = _at("wcsinfo.ra_ref")
    dec_ref: float | None = _at("wcsinfo.dec_ref")
    roll_ref: float | None = _at("wcsinfo.roll_ref")
    s_region: str | None = _at("wcsinfo.s_region")

    conversion_megajanskys: float | None = _at("photometry.conversion_megajanskys")
    conversion_megajanskys_uncertainty: float | None = _at("photometry.conversion_megajanskys_uncertainty")
    pixel_area: float | None = _at("photometry.pixel_area")

    zodiacal_light: float | None = _at("statistics.zodiacal_light")
    image_median: float | None = _at("statistics.image_median")
    image_rms: float | None = _at("statistics.image_rms")
    good_pixel_fraction: float | None = _at("statistics.good_pixel_fraction")

    rcs_active: bool | None = _at("rcs.active")
    rcs_electronics: str | None = _at("rcs.electronics")
    rcs_bank: str | None = _at("rcs.bank")
    rcs_led: str | None = _at("rcs.led")
    rcs_counts: int | None = _at("rcs.counts")

    program_title: str | None = _at("program.title")
    investigator_name: str | None = _at("program.investigator_name")
    program_category: str | None = _at("program.category")
    program_subcategory: str | None = _at("program.subcategory")
    science_category: str | None = _at("program.science_category")

    visit_type: str | None = _at("visit.type")
    visit_start_time: datetime | None = _at("visit.start_time")
    visit_nexposures: int | None = _at("visit.nexposures")
    visit_internal_target: bool | None = _at("visit.internal_target")
    dither_primary_name: str | None = _at("visit.dither.primary_name")
    dither_subpixel_name: str | None = _at("visit.dither.subpixel_name")
    dither_executed_pattern: str | None = _at("visit.dither.executed_pattern")
    wfi_acm_z_defocus_size: float | None = _at("visit.wfi_acm_z_defocus_size")


def keywords() -> dict[str, str]:
    """List the keyword, below ``meta``, of every field."""
    return {item.name: str(item.metadata["keyword"]) for item in fields(ExposureMetadata)}


def archive_columns(metadata: ExposureMetadata) -> dict[str, object]:
    """Values by the name of their column: the fields, with ``pass_`` as ``pass``."""
    return {item.name.rstrip("_"): getattr(metadata, item.name) for item in fields(ExposureMetadata)}
