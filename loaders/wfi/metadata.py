"""What a Level-2 file says of its exposure, under the names that the archive's exposure table gives it.

RAD maps keywords to columns of that table (``archive_catalog: destination: [WFIExposure.<column>]``); the
fields below are those columns, each with the keyword that it is read from. Descriptions and units are RAD's.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime

_KEYWORD = "keyword"


@dataclass(frozen=True, kw_only=True)
class ExposureMetadata:
    """Metadata of one detector image. None means unknown; times are UTC; lists are JSON text.

    ``pass_`` is the archive's column ``pass``, a word that Python keeps for itself. The visit, the exposure
    number and the numbers that make up ``visit_id`` come from the file's name where the keywords hold
    placeholders.
    """

    visit_id: str = field(metadata={_KEYWORD: "observation.visit_id"})
    program: int = field(metadata={_KEYWORD: "observation.program"})
    execution_plan: int = field(metadata={_KEYWORD: "observation.execution_plan"})
    pass_: int = field(metadata={_KEYWORD: "observation.pass"})
    segment: int = field(metadata={_KEYWORD: "observation.segment"})
    observation: int = field(metadata={_KEYWORD: "observation.observation"})
    visit: int = field(metadata={_KEYWORD: "observation.visit"})
    exposure: int = field(metadata={_KEYWORD: "observation.exposure"})
    observation_id: str | None = field(metadata={_KEYWORD: "observation.observation_id"})
    visit_file_group: int | None = field(metadata={_KEYWORD: "observation.visit_file_group"})
    visit_file_sequence: int | None = field(metadata={_KEYWORD: "observation.visit_file_sequence"})
    visit_file_activity: str | None = field(metadata={_KEYWORD: "observation.visit_file_activity"})
    wfi_parallel: bool | None = field(metadata={_KEYWORD: "observation.wfi_parallel"})

    instrument_name: str | None = field(metadata={_KEYWORD: "instrument.name"})
    detector: str = field(metadata={_KEYWORD: "instrument.detector"})
    optical_element: str = field(metadata={_KEYWORD: "instrument.optical_element"})

    exposure_type: str | None = field(metadata={_KEYWORD: "exposure.type"})
    exposure_start_time: datetime = field(metadata={_KEYWORD: "exposure.start_time"})
    exposure_mid_time: datetime = field(metadata={_KEYWORD: "exposure.mid_time"})
    exposure_end_time: datetime = field(metadata={_KEYWORD: "exposure.end_time"})
    exposure_nresultants: int | None = field(metadata={_KEYWORD: "exposure.nresultants"})
    exposure_data_problem: str | None = field(metadata={_KEYWORD: "exposure.data_problem"})
    exposure_frame_time: float | None = field(metadata={_KEYWORD: "exposure.frame_time"})
    exposure_time: float | None = field(metadata={_KEYWORD: "exposure.exposure_time"})
    effective_exposure_time: float | None = field(metadata={_KEYWORD: "exposure.effective_exposure_time"})
    engineering_quality: str | None = field(metadata={_KEYWORD: "exposure.engineering_quality"})
    ma_table_id: str | None = field(metadata={_KEYWORD: "exposure.ma_table_id"})
    ma_table_name: str | None = field(metadata={_KEYWORD: "exposure.ma_table_name"})
    ma_table_number: int | None = field(metadata={_KEYWORD: "exposure.ma_table_number"})
    read_pattern: str | None = field(metadata={_KEYWORD: "exposure.read_pattern"})
    exposure_truncated: bool | None = field(metadata={_KEYWORD: "exposure.truncated"})
    hga_move: bool | None = field(metadata={_KEYWORD: "exposure.hga_move"})

    filename: str = field(metadata={_KEYWORD: "filename"})
    filedate: datetime | None = field(metadata={_KEYWORD: "file_date"})
    model_type: str | None = field(metadata={_KEYWORD: "model_type"})
    product_type: str | None = field(metadata={_KEYWORD: "product_type"})
    origin: str | None = field(metadata={_KEYWORD: "origin"})
    telescope: str | None = field(metadata={_KEYWORD: "telescope"})
    calibration_software_name: str | None = field(metadata={_KEYWORD: "calibration_software_name"})
    calibration_software_version: str | None = field(metadata={_KEYWORD: "calibration_software_version"})
    prd_version: str | None = field(metadata={_KEYWORD: "prd_version"})
    sdf_software_version: str | None = field(metadata={_KEYWORD: "sdf_software_version"})
    crds_version: str | None = field(metadata={_KEYWORD: "ref_file.crds.version"})
    crds_context: str | None = field(metadata={_KEYWORD: "ref_file.crds.context"})

    reference_frame: str | None = field(metadata={_KEYWORD: "coordinates.reference_frame"})
    ephemeris_reference_frame: str | None = field(metadata={_KEYWORD: "ephemeris.ephemeris_reference_frame"})
    ephemeris_type: str | None = field(metadata={_KEYWORD: "ephemeris.type"})
    ephemeris_time: float | None = field(metadata={_KEYWORD: "ephemeris.time"})
    spatial_x: float | None = field(metadata={_KEYWORD: "ephemeris.spatial_x"})
    spatial_y: float | None = field(metadata={_KEYWORD: "ephemeris.spatial_y"})
    spatial_z: float | None = field(metadata={_KEYWORD: "ephemeris.spatial_z"})
    velocity_x: float | None = field(metadata={_KEYWORD: "ephemeris.velocity_x"})
    velocity_y: float | None = field(metadata={_KEYWORD: "ephemeris.velocity_y"})
    velocity_z: float | None = field(metadata={_KEYWORD: "ephemeris.velocity_z"})

    guide_window_id: str | None = field(metadata={_KEYWORD: "guide_star.guide_window_id"})
    guide_mode: str | None = field(metadata={_KEYWORD: "guide_star.guide_mode"})
    guide_star_id: str | None = field(metadata={_KEYWORD: "guide_star.guide_star_id"})
    guide_star_epoch: str | None = field(metadata={_KEYWORD: "guide_star.epoch"})
    window_xstart: int | None = field(metadata={_KEYWORD: "guide_star.window_xstart"})
    window_ystart: int | None = field(metadata={_KEYWORD: "guide_star.window_ystart"})
    window_xstop: int | None = field(metadata={_KEYWORD: "guide_star.window_xstop"})
    window_ystop: int | None = field(metadata={_KEYWORD: "guide_star.window_ystop"})

    pa_aperture: float | None = field(metadata={_KEYWORD: "pointing.pa_aperture"})
    pointing_engineering_source: str | None = field(
        metadata={_KEYWORD: "pointing.pointing_engineering_source"}
    )
    ra_v1: float | None = field(metadata={_KEYWORD: "pointing.ra_v1"})
    dec_v1: float | None = field(metadata={_KEYWORD: "pointing.dec_v1"})
    pa_v3: float | None = field(metadata={_KEYWORD: "pointing.pa_v3"})
    target_aperture: str | None = field(metadata={_KEYWORD: "pointing.target_aperture"})
    target_ra: float | None = field(metadata={_KEYWORD: "pointing.target_ra"})
    target_dec: float | None = field(metadata={_KEYWORD: "pointing.target_dec"})
    ra_reference: float | None = field(metadata={_KEYWORD: "velocity_aberration.ra_reference"})
    dec_reference: float | None = field(metadata={_KEYWORD: "velocity_aberration.dec_reference"})
    scale_factor: float | None = field(metadata={_KEYWORD: "velocity_aberration.scale_factor"})

    aperture_name: str | None = field(metadata={_KEYWORD: "wcsinfo.aperture_name"})
    v2_ref: float | None = field(metadata={_KEYWORD: "wcsinfo.v2_ref"})
    v3_ref: float | None = field(metadata={_KEYWORD: "wcsinfo.v3_ref"})
    vparity: int | None = field(metadata={_KEYWORD: "wcsinfo.vparity"})
    v3yangle: float | None = field(metadata={_KEYWORD: "wcsinfo.v3yangle"})
    ra_ref: float | None = field(metadata={_KEYWORD: "wcsinfo.ra_ref"})
    dec_ref: float | None = field(metadata={_KEYWORD: "wcsinfo.dec_ref"})
    roll_ref: float | None = field(metadata={_KEYWORD: "wcsinfo.roll_ref"})
    s_region: str | None = field(metadata={_KEYWORD: "wcsinfo.s_region"})

    conversion_megajanskys: float | None = field(metadata={_KEYWORD: "photometry.conversion_megajanskys"})
    conversion_megajanskys_uncertainty: float | None = field(
        metadata={_KEYWORD: "photometry.conversion_megajanskys_uncertainty"}
    )
    pixel_area: float | None = field(metadata={_KEYWORD: "photometry.pixel_area"})

    zodiacal_light: float | None = field(metadata={_KEYWORD: "statistics.zodiacal_light"})
    image_median: float | None = field(metadata={_KEYWORD: "statistics.image_median"})
    image_rms: float | None = field(metadata={_KEYWORD: "statistics.image_rms"})
    good_pixel_fraction: float | None = field(metadata={_KEYWORD: "statistics.good_pixel_fraction"})

    rcs_active: bool | None = field(metadata={_KEYWORD: "rcs.active"})
    rcs_electronics: str | None = field(metadata={_KEYWORD: "rcs.electronics"})
    rcs_bank: str | None = field(metadata={_KEYWORD: "rcs.bank"})
    rcs_led: str | None = field(metadata={_KEYWORD: "rcs.led"})
    rcs_counts: int | None = field(metadata={_KEYWORD: "rcs.counts"})

    program_title: str | None = field(metadata={_KEYWORD: "program.title"})
    investigator_name: str | None = field(metadata={_KEYWORD: "program.investigator_name"})
    program_category: str | None = field(metadata={_KEYWORD: "program.category"})
    program_subcategory: str | None = field(metadata={_KEYWORD: "program.subcategory"})
    science_category: str | None = field(metadata={_KEYWORD: "program.science_category"})

    visit_type: str | None = field(metadata={_KEYWORD: "visit.type"})
    visit_start_time: datetime | None = field(metadata={_KEYWORD: "visit.start_time"})
    visit_nexposures: int | None = field(metadata={_KEYWORD: "visit.nexposures"})
    visit_internal_target: bool | None = field(metadata={_KEYWORD: "visit.internal_target"})
    dither_primary_name: str | None = field(metadata={_KEYWORD: "visit.dither.primary_name"})
    dither_subpixel_name: str | None = field(metadata={_KEYWORD: "visit.dither.subpixel_name"})
    dither_executed_pattern: str | None = field(metadata={_KEYWORD: "visit.dither.executed_pattern"})
    wfi_acm_z_defocus_size: float | None = field(metadata={_KEYWORD: "visit.wfi_acm_z_defocus_size"})


def keywords() -> dict[str, str]:
    """List the keyword, below ``meta``, of every field."""
    return {item.name: str(item.metadata[_KEYWORD]) for item in fields(ExposureMetadata)}


def archive_columns(metadata: ExposureMetadata) -> dict[str, object]:
    """Values by the name of their column: the fields, with ``pass_`` as ``pass``."""
    return {item.name.rstrip("_"): getattr(metadata, item.name) for item in fields(ExposureMetadata)}
