CREATE OR REPLACE VIEW archive.wfimsoscatalog AS
SELECT t.* FROM ops.archive_row AS r CROSS JOIN LATERAL jsonb_to_record(r.content) AS t (
    filename character varying(1024),
    filedate timestamp without time zone,
    instrument_name character varying(8),
    origin character varying(15),
    model_type character varying(50),
    product_type character varying(120),
    program integer,
    category character varying(6),
    program_subcategory character varying(15),
    msos_photometry_version character varying(128),
    msos_events_version character varying(128),
    msos_detection_efficiency_version character varying(128),
    msos_processing_id character varying(3),
    season character varying(3),
    flip integer,
    gal_cen_flag character(1),
    ra_ref double precision,
    dec_ref double precision,
    reference_frame character varying(16),
    equinox double precision,
    field character varying(3),
    detector character varying(5),
    optical_element character varying(4),
    sequence character varying(3),
    exptime double precision,
    expstart timestamp without time zone,
    expend timestamp without time zone,
    expstart_mjd double precision,
    expend_mjd double precision,
    s_region text
) WHERE r.archive_table = 'WFIMSOSCatalog';
COMMENT ON VIEW archive.wfimsoscatalog IS 'Table WFIMSOSCatalog of the archive, by RAD.';
COMMENT ON COLUMN archive.wfimsoscatalog.filename IS 'File Name';
COMMENT ON COLUMN archive.wfimsoscatalog.filedate IS 'File Creation Date (UTC)';
COMMENT ON COLUMN archive.wfimsoscatalog.instrument_name IS 'Instrument';
COMMENT ON COLUMN archive.wfimsoscatalog.origin IS 'Institution / Organization Name';
COMMENT ON COLUMN archive.wfimsoscatalog.model_type IS 'Data Model Type';
COMMENT ON COLUMN archive.wfimsoscatalog.product_type IS 'Product Type Descriptor';
COMMENT ON COLUMN archive.wfimsoscatalog.program IS 'Program';
COMMENT ON COLUMN archive.wfimsoscatalog.category IS 'Program Category';
COMMENT ON COLUMN archive.wfimsoscatalog.program_subcategory IS 'Program Subcategory';
COMMENT ON COLUMN archive.wfimsoscatalog.msos_photometry_version IS 'Msos Photometry Software Version';
COMMENT ON COLUMN archive.wfimsoscatalog.msos_events_version IS 'Msos Events Software Version';
COMMENT ON COLUMN archive.wfimsoscatalog.msos_detection_efficiency_version IS 'Msos Detection Efficiency Software Version';
COMMENT ON COLUMN archive.wfimsoscatalog.msos_processing_id IS 'ID';
COMMENT ON COLUMN archive.wfimsoscatalog.season IS 'Season';
COMMENT ON COLUMN archive.wfimsoscatalog.flip IS 'GBTDS Seasonal Flip Indicator';
COMMENT ON COLUMN archive.wfimsoscatalog.gal_cen_flag IS 'Galactic Center Flag';
COMMENT ON COLUMN archive.wfimsoscatalog.ra_ref IS 'GBTDS Field Center RA';
COMMENT ON COLUMN archive.wfimsoscatalog.dec_ref IS 'GBTDS Field Center Dec';
COMMENT ON COLUMN archive.wfimsoscatalog.reference_frame IS 'Reference Frame';
COMMENT ON COLUMN archive.wfimsoscatalog.equinox IS 'Equinox';
COMMENT ON COLUMN archive.wfimsoscatalog.field IS 'GBTDS Field';
COMMENT ON COLUMN archive.wfimsoscatalog.detector IS 'Detector';
COMMENT ON COLUMN archive.wfimsoscatalog.optical_element IS 'Optical Element';
COMMENT ON COLUMN archive.wfimsoscatalog.sequence IS 'Seuqence';
COMMENT ON COLUMN archive.wfimsoscatalog.exptime IS 'Exposure Time';
COMMENT ON COLUMN archive.wfimsoscatalog.expstart IS 'Start Time';
COMMENT ON COLUMN archive.wfimsoscatalog.expend IS 'End Time';
COMMENT ON COLUMN archive.wfimsoscatalog.expstart_mjd IS 'Start Time MJD';
COMMENT ON COLUMN archive.wfimsoscatalog.expend_mjd IS 'End Time MJD';
COMMENT ON COLUMN archive.wfimsoscatalog.s_region IS 'Spatial Footprint';
CREATE OR REPLACE VIEW archive.wfimsosreferenceframe AS
SELECT t.* FROM ops.archive_row AS r CROSS JOIN LATERAL jsonb_to_record(r.content) AS t (
    filename character varying(1024),
    filedate timestamp without time zone,
    instrument_name character varying(8),
    origin character varying(15),
    model_type character varying(50),
    product_type character varying(120),
    program integer,
    category character varying(6),
    program_subcategory character varying(15),
    msos_photometry_version character varying(128),
    msos_events_version character varying(128),
    msos_detection_efficiency_version character varying(128),
    msos_processing_id character varying(3),
    season character varying(3),
    flip integer,
    gal_cen_flag character(1),
    ra_ref double precision,
    dec_ref double precision,
    reference_frame character varying(16),
    equinox double precision,
    field character varying(3),
    detector character varying(5),
    optical_element character varying(4),
    sequence character varying(3),
    exptime double precision,
    expstart timestamp without time zone,
    expend timestamp without time zone,
    expstart_mjd double precision,
    expend_mjd double precision,
    s_region text
) WHERE r.archive_table = 'WFIMSOSReferenceFrame';
COMMENT ON VIEW archive.wfimsosreferenceframe IS 'Table WFIMSOSReferenceFrame of the archive, by RAD.';
COMMENT ON COLUMN archive.wfimsosreferenceframe.filename IS 'File Name';
COMMENT ON COLUMN archive.wfimsosreferenceframe.filedate IS 'File Creation Date (UTC)';
COMMENT ON COLUMN archive.wfimsosreferenceframe.instrument_name IS 'Instrument';
COMMENT ON COLUMN archive.wfimsosreferenceframe.origin IS 'Institution / Organization Name';
COMMENT ON COLUMN archive.wfimsosreferenceframe.model_type IS 'Data Model Type';
COMMENT ON COLUMN archive.wfimsosreferenceframe.product_type IS 'Product Type Descriptor';
COMMENT ON COLUMN archive.wfimsosreferenceframe.program IS 'Program';
COMMENT ON COLUMN archive.wfimsosreferenceframe.category IS 'Program Category';
COMMENT ON COLUMN archive.wfimsosreferenceframe.program_subcategory IS 'Program Subcategory';
COMMENT ON COLUMN archive.wfimsosreferenceframe.msos_photometry_version IS 'Msos Photometry Software Version';
COMMENT ON COLUMN archive.wfimsosreferenceframe.msos_events_version IS 'Msos Events Software Version';
COMMENT ON COLUMN archive.wfimsosreferenceframe.msos_detection_efficiency_version IS 'Msos Detection Efficiency Software Version';
COMMENT ON COLUMN archive.wfimsosreferenceframe.msos_processing_id IS 'ID';
COMMENT ON COLUMN archive.wfimsosreferenceframe.season IS 'Season';
COMMENT ON COLUMN archive.wfimsosreferenceframe.flip IS 'GBTDS Seasonal Flip Indicator';
COMMENT ON COLUMN archive.wfimsosreferenceframe.gal_cen_flag IS 'Galactic Center Flag';
COMMENT ON COLUMN archive.wfimsosreferenceframe.ra_ref IS 'GBTDS Field Center RA';
COMMENT ON COLUMN archive.wfimsosreferenceframe.dec_ref IS 'GBTDS Field Center Dec';
COMMENT ON COLUMN archive.wfimsosreferenceframe.reference_frame IS 'Reference Frame';
COMMENT ON COLUMN archive.wfimsosreferenceframe.equinox IS 'Equinox';
COMMENT ON COLUMN archive.wfimsosreferenceframe.field IS 'GBTDS Field';
COMMENT ON COLUMN archive.wfimsosreferenceframe.detector IS 'Detector';
COMMENT ON COLUMN archive.wfimsosreferenceframe.optical_element IS 'Optical Element';
COMMENT ON COLUMN archive.wfimsosreferenceframe.sequence IS 'Seuqence';
COMMENT ON COLUMN archive.wfimsosreferenceframe.exptime IS 'Exposure Time';
COMMENT ON COLUMN archive.wfimsosreferenceframe.expstart IS 'Start Time';
COMMENT ON COLUMN archive.wfimsosreferenceframe.expend IS 'End Time';
COMMENT ON COLUMN archive.wfimsosreferenceframe.expstart_mjd IS 'Start Time MJD';
COMMENT ON COLUMN archive.wfimsosreferenceframe.expend_mjd IS 'End Time MJD';
COMMENT ON COLUMN archive.wfimsosreferenceframe.s_region IS 'Spatial Footprint';
CREATE OR REPLACE VIEW archive.wfimsosdqa AS
SELECT t.* FROM ops.archive_row AS r CROSS JOIN LATERAL jsonb_to_record(r.content) AS t (
    filename character varying(1024),
    filedate timestamp without time zone,
    instrument_name character varying(8),
    origin character varying(15),
    model_type character varying(50),
    product_type character varying(120),
    program integer,
    msos_dqa_version character varying(128),
    dqa_workflow character varying(32),
    dqa_artifact_type character varying(16),
    season character varying(3),
    period character varying(3),
    sequence character varying(3),
    field character varying(3),
    detector character varying(5),
    optical_element character varying(4),
    counter character varying(16),
    object_id character varying(64),
    roman_name character varying(128),
    classification character varying(64),
    ra double precision,
    dec double precision,
    dqa_flag integer
) WHERE r.archive_table = 'WFIMSOSDQA';
COMMENT ON VIEW archive.wfimsosdqa IS 'Table WFIMSOSDQA of the archive, by RAD.';
COMMENT ON COLUMN archive.wfimsosdqa.filename IS 'File Name';
COMMENT ON COLUMN archive.wfimsosdqa.filedate IS 'File Creation Date (UTC)';
COMMENT ON COLUMN archive.wfimsosdqa.instrument_name IS 'Instrument';
COMMENT ON COLUMN archive.wfimsosdqa.origin IS 'Institution / Organization Name';
COMMENT ON COLUMN archive.wfimsosdqa.model_type IS 'Data Model Type';
COMMENT ON COLUMN archive.wfimsosdqa.product_type IS 'Product Type Descriptor';
COMMENT ON COLUMN archive.wfimsosdqa.program IS 'Program ID';
COMMENT ON COLUMN archive.wfimsosdqa.msos_dqa_version IS 'Msos DQA Software Version';
COMMENT ON COLUMN archive.wfimsosdqa.dqa_workflow IS 'DQA Workflow';
COMMENT ON COLUMN archive.wfimsosdqa.dqa_artifact_type IS 'DQA Artifact Type';
COMMENT ON COLUMN archive.wfimsosdqa.season IS 'Season';
COMMENT ON COLUMN archive.wfimsosdqa.period IS 'GBTDS Period';
COMMENT ON COLUMN archive.wfimsosdqa.sequence IS 'Sequence';
COMMENT ON COLUMN archive.wfimsosdqa.field IS 'GBTDS Field';
COMMENT ON COLUMN archive.wfimsosdqa.detector IS 'Detector';
COMMENT ON COLUMN archive.wfimsosdqa.optical_element IS 'Optical Element';
COMMENT ON COLUMN archive.wfimsosdqa.counter IS 'Counter';
COMMENT ON COLUMN archive.wfimsosdqa.object_id IS 'Object ID';
COMMENT ON COLUMN archive.wfimsosdqa.roman_name IS 'Roman Name';
COMMENT ON COLUMN archive.wfimsosdqa.classification IS 'Event Classification';
COMMENT ON COLUMN archive.wfimsosdqa.ra IS 'Right Ascension';
COMMENT ON COLUMN archive.wfimsosdqa.dec IS 'Declination';
COMMENT ON COLUMN archive.wfimsosdqa.dqa_flag IS 'DQA Flag';
CREATE OR REPLACE VIEW archive.wfimsosdetectionefficiencycatalog AS
SELECT t.* FROM ops.archive_row AS r CROSS JOIN LATERAL jsonb_to_record(r.content) AS t (
    filename character varying(1024),
    filedate timestamp without time zone,
    instrument_name character varying(8),
    origin character varying(15),
    model_type character varying(50),
    product_type character varying(120),
    program integer,
    category character varying(6),
    program_subcategory character varying(15),
    msos_photometry_version character varying(128),
    msos_events_version character varying(128),
    msos_detection_efficiency_version character varying(128),
    msos_processing_id character varying(3),
    season character varying(3),
    flip integer,
    gal_cen_flag character(1),
    inject_medium character varying(16),
    tp_count integer,
    fp_count integer,
    tn_count integer,
    fn_count integer
) WHERE r.archive_table = 'WFIMSOSDetectionEfficiencyCatalog';
COMMENT ON VIEW archive.wfimsosdetectionefficiencycatalog IS 'Table WFIMSOSDetectionEfficiencyCatalog of the archive, by RAD.';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.filename IS 'File Name';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.filedate IS 'File Creation Date (UTC)';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.instrument_name IS 'Instrument';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.origin IS 'Institution / Organization Name';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.model_type IS 'Data Model Type';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.product_type IS 'Product Type Descriptor';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.program IS 'Program';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.category IS 'Program Category';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.program_subcategory IS 'Program Subcategory';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.msos_photometry_version IS 'Msos Photometry Software Version';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.msos_events_version IS 'Msos Events Software Version';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.msos_detection_efficiency_version IS 'Msos Detection Efficiency Software Version';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.msos_processing_id IS 'ID';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.season IS 'Season';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.flip IS 'GBTDS Seasonal Flip Indicator';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.gal_cen_flag IS 'Galactic Center Flag';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.inject_medium IS 'Injection Medium';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.tp_count IS 'True Positive Count';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.fp_count IS 'False Positive Count';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.tn_count IS 'True Negative Count';
COMMENT ON COLUMN archive.wfimsosdetectionefficiencycatalog.fn_count IS 'False Negative Count';
CREATE OR REPLACE VIEW archive.wfispec AS
SELECT t.* FROM ops.archive_row AS r CROSS JOIN LATERAL jsonb_to_record(r.content) AS t (
    filename character varying(1024),
    filedate timestamp without time zone,
    instrument_name character varying(8),
    origin character varying(15),
    program integer,
    program_complete character(1),
    data_release_id character varying(3),
    s_region text,
    visit_start_time_mjd double precision,
    visit_end_time_mjd double precision,
    optical_element character varying(20),
    cdp_ctx integer,
    wl_contamination_range character varying(128),
    wl_reference double precision,
    wl_snr_global_range character varying(128),
    unit_flux character varying(32),
    unit_wl character varying(16),
    phot_filter_cut_off character varying(128),
    wcs_field_center_ra double precision,
    wcs_field_center_dec double precision,
    version_g2dp_software character varying(128),
    g2dp_run_id character varying(128),
    segment smallint,
    visit smallint,
    observation_id character varying(28),
    visit_exptime double precision
) WHERE r.archive_table = 'WFISpec';
COMMENT ON VIEW archive.wfispec IS 'Table WFISpec of the archive, by RAD.';
COMMENT ON COLUMN archive.wfispec.filename IS 'File Name';
COMMENT ON COLUMN archive.wfispec.filedate IS 'File Creation Date (UTC)';
COMMENT ON COLUMN archive.wfispec.instrument_name IS 'Instrument';
COMMENT ON COLUMN archive.wfispec.origin IS 'Institution / Organization Name';
COMMENT ON COLUMN archive.wfispec.program IS 'Program';
COMMENT ON COLUMN archive.wfispec.program_complete IS 'Program Complete';
COMMENT ON COLUMN archive.wfispec.data_release_id IS 'Data Release ID';
COMMENT ON COLUMN archive.wfispec.s_region IS 'Spatial Region';
COMMENT ON COLUMN archive.wfispec.visit_start_time_mjd IS 'Start Time MJD';
COMMENT ON COLUMN archive.wfispec.visit_end_time_mjd IS 'End Time MJD';
COMMENT ON COLUMN archive.wfispec.optical_element IS 'WFI Optical Element';
COMMENT ON COLUMN archive.wfispec.cdp_ctx IS 'CDP Context';
COMMENT ON COLUMN archive.wfispec.wl_contamination_range IS 'Wl Contamination Range';
COMMENT ON COLUMN archive.wfispec.wl_reference IS 'Wl Reference';
COMMENT ON COLUMN archive.wfispec.wl_snr_global_range IS 'Wl Snr Global Range';
COMMENT ON COLUMN archive.wfispec.unit_flux IS 'Unit of flux';
COMMENT ON COLUMN archive.wfispec.unit_wl IS 'Unit of wavelength';
COMMENT ON COLUMN archive.wfispec.phot_filter_cut_off IS 'Phot Filter Cut Off';
COMMENT ON COLUMN archive.wfispec.wcs_field_center_ra IS 'Field Center RA';
COMMENT ON COLUMN archive.wfispec.wcs_field_center_dec IS 'Field Center Dec';
COMMENT ON COLUMN archive.wfispec.version_g2dp_software IS 'G2DP Software Version';
COMMENT ON COLUMN archive.wfispec.g2dp_run_id IS 'G2DP Run ID';
COMMENT ON COLUMN archive.wfispec.segment IS 'Segment number';
COMMENT ON COLUMN archive.wfispec.visit IS 'Visit number';
COMMENT ON COLUMN archive.wfispec.observation_id IS 'Programmatic Observation Identifier';
COMMENT ON COLUMN archive.wfispec.visit_exptime IS 'Exposure time';
CREATE OR REPLACE VIEW archive.wfispeccatalog AS
SELECT t.* FROM ops.archive_row AS r CROSS JOIN LATERAL jsonb_to_record(r.content) AS t (
    filename character varying(1024),
    filedate timestamp without time zone,
    instrument_name character varying(8),
    origin character varying(15),
    program integer,
    program_complete character(1),
    data_release_id character varying(3),
    s_region text,
    visit_start_time_mjd double precision,
    visit_end_time_mjd double precision,
    optical_element character varying(20),
    catalog_id integer,
    file_number integer
) WHERE r.archive_table = 'WFISpecCatalog';
COMMENT ON VIEW archive.wfispeccatalog IS 'Table WFISpecCatalog of the archive, by RAD.';
COMMENT ON COLUMN archive.wfispeccatalog.filename IS 'File Name';
COMMENT ON COLUMN archive.wfispeccatalog.filedate IS 'File Creation Date (UTC)';
COMMENT ON COLUMN archive.wfispeccatalog.instrument_name IS 'Instrument';
COMMENT ON COLUMN archive.wfispeccatalog.origin IS 'Institution / Organization Name';
COMMENT ON COLUMN archive.wfispeccatalog.program IS 'Program';
COMMENT ON COLUMN archive.wfispeccatalog.program_complete IS 'Program Complete';
COMMENT ON COLUMN archive.wfispeccatalog.data_release_id IS 'Data Release ID';
COMMENT ON COLUMN archive.wfispeccatalog.s_region IS 'Spatial Region';
COMMENT ON COLUMN archive.wfispeccatalog.visit_start_time_mjd IS 'Start Time MJD';
COMMENT ON COLUMN archive.wfispeccatalog.visit_end_time_mjd IS 'End Time MJD';
COMMENT ON COLUMN archive.wfispeccatalog.optical_element IS 'WFI Optical Element';
COMMENT ON COLUMN archive.wfispeccatalog.catalog_id IS 'Catalog ID';
COMMENT ON COLUMN archive.wfispeccatalog.file_number IS 'File Number';
CREATE OR REPLACE VIEW archive.wfispeclocation AS
SELECT t.* FROM ops.archive_row AS r CROSS JOIN LATERAL jsonb_to_record(r.content) AS t (
    filename character varying(1024),
    filedate timestamp without time zone,
    instrument_name character varying(8),
    origin character varying(15),
    program integer,
    program_complete character(1),
    data_release_id character varying(3),
    s_region text,
    visit_start_time_mjd double precision,
    visit_end_time_mjd double precision,
    optical_element character varying(20),
    dither double precision,
    detector character varying(5),
    num_src integer,
    optical_model character varying(1024),
    v3yangle double precision,
    version_g2dp_software character varying(128),
    g2dp_run_id character varying(128),
    segment smallint,
    visit smallint,
    observation_id character varying(28),
    visit_exptime double precision
) WHERE r.archive_table = 'WFISpecLocation';
COMMENT ON VIEW archive.wfispeclocation IS 'Table WFISpecLocation of the archive, by RAD.';
COMMENT ON COLUMN archive.wfispeclocation.filename IS 'File Name';
COMMENT ON COLUMN archive.wfispeclocation.filedate IS 'File Creation Date (UTC)';
COMMENT ON COLUMN archive.wfispeclocation.instrument_name IS 'Instrument';
COMMENT ON COLUMN archive.wfispeclocation.origin IS 'Institution / Organization Name';
COMMENT ON COLUMN archive.wfispeclocation.program IS 'Program';
COMMENT ON COLUMN archive.wfispeclocation.program_complete IS 'Program Complete';
COMMENT ON COLUMN archive.wfispeclocation.data_release_id IS 'Data Release ID';
COMMENT ON COLUMN archive.wfispeclocation.s_region IS 'Spatial Region';
COMMENT ON COLUMN archive.wfispeclocation.visit_start_time_mjd IS 'Start Time MJD';
COMMENT ON COLUMN archive.wfispeclocation.visit_end_time_mjd IS 'End Time MJD';
COMMENT ON COLUMN archive.wfispeclocation.optical_element IS 'WFI Optical Element';
COMMENT ON COLUMN archive.wfispeclocation.dither IS 'Dither';
COMMENT ON COLUMN archive.wfispeclocation.detector IS 'Detector';
COMMENT ON COLUMN archive.wfispeclocation.num_src IS 'Nsrc';
COMMENT ON COLUMN archive.wfispeclocation.optical_model IS 'Optical Model';
COMMENT ON COLUMN archive.wfispeclocation.v3yangle IS 'V3Yangle';
COMMENT ON COLUMN archive.wfispeclocation.version_g2dp_software IS 'G2DP Software Version';
COMMENT ON COLUMN archive.wfispeclocation.g2dp_run_id IS 'G2DP Run ID';
COMMENT ON COLUMN archive.wfispeclocation.segment IS 'Segment number';
COMMENT ON COLUMN archive.wfispeclocation.visit IS 'Visit number';
COMMENT ON COLUMN archive.wfispeclocation.observation_id IS 'Programmatic Observation Identifier';
COMMENT ON COLUMN archive.wfispeclocation.visit_exptime IS 'Exposure time';
CREATE OR REPLACE VIEW archive.wfiexposure AS
SELECT
    CAST(archive.fitted(e.calibration_software_name, 120) AS character varying(120)) AS calibration_software_name,
    CAST(archive.fitted(e.calibration_software_version, 120) AS character varying(120)) AS calibration_software_version,
    CAST(archive.fitted(e.product_type, 120) AS character varying(120)) AS product_type,
    CAST(archive.fitted(e.filename, 120) AS character varying(120)) AS filename,
    CAST(e.filedate AT TIME ZONE 'UTC' AS timestamp without time zone) AS filedate,
    CAST(archive.fitted(e.model_type, 50) AS character varying(50)) AS model_type,
    CAST(archive.fitted(e.origin, 15) AS character varying(15)) AS origin,
    CAST(archive.fitted(e.prd_version, 120) AS character varying(120)) AS prd_version,
    CAST(archive.fitted(e.sdf_software_version, 120) AS character varying(120)) AS sdf_software_version,
    CAST(archive.fitted(e.telescope, 5) AS character varying(5)) AS telescope,
    CAST(archive.fitted(e.reference_frame, 10) AS character varying(10)) AS reference_frame,
    CAST(archive.fitted(e.ephemeris_reference_frame, 10) AS character varying(10)) AS ephemeris_reference_frame,
    CAST(archive.fitted(e.ephemeris_type, 30) AS character varying(30)) AS ephemeris_type,
    CAST(nullif(e.ephemeris_time, 'NaN') AS double precision) AS ephemeris_time,
    CAST(nullif(e.spatial_x, 'NaN') AS double precision) AS spatial_x,
    CAST(nullif(e.spatial_y, 'NaN') AS double precision) AS spatial_y,
    CAST(nullif(e.spatial_z, 'NaN') AS double precision) AS spatial_z,
    CAST(nullif(e.velocity_x, 'NaN') AS double precision) AS velocity_x,
    CAST(nullif(e.velocity_y, 'NaN') AS double precision) AS velocity_y,
    CAST(nullif(e.velocity_z, 'NaN') AS double precision) AS velocity_z,
    CAST(archive.fitted(e.exposure_type, 25) AS character varying(25)) AS exposure_type,
    CAST(e.exposure_start_time AT TIME ZONE 'UTC' AS timestamp without time zone) AS exposure_start_time,
    CAST(e.exposure_end_time AT TIME ZONE 'UTC' AS timestamp without time zone) AS exposure_end_time,
    CAST(archive.fitted(e.engineering_quality, 30) AS character varying(30)) AS engineering_quality,
    CAST(archive.fitted(e.ma_table_id, 10) AS character varying(10)) AS ma_table_id,
    CAST(e.exposure_nresultants AS integer) AS exposure_nresultants,
    CAST(e.exposure_data_problem AS text) AS exposure_data_problem,
    CAST(nullif(e.exposure_frame_time, 'NaN') AS double precision) AS exposure_frame_time,
    CAST(nullif(e.exposure_time, 'NaN') AS double precision) AS exposure_time,
    CAST(nullif(e.effective_exposure_time, 'NaN') AS double precision) AS effective_exposure_time,
    CAST(archive.fitted(e.ma_table_name, 50) AS character varying(50)) AS ma_table_name,
    CAST(e.ma_table_number AS smallint) AS ma_table_number,
    CAST(archive.fitted(e.read_pattern, 3500) AS character varying(3500)) AS read_pattern,
    CAST(CASE e.exposure_truncated WHEN true THEN 'T' WHEN false THEN 'F' END AS character(1)) AS exposure_truncated,
    CAST(CASE e.hga_move WHEN true THEN 'T' WHEN false THEN 'F' END AS character(1)) AS hga_move,
    CAST(archive.fitted(e.guide_window_id, 20) AS character varying(20)) AS guide_window_id,
    CAST(archive.fitted(e.guide_mode, 30) AS character varying(30)) AS guide_mode,
    CAST(e.window_xstart AS integer) AS window_xstart,
    CAST(e.window_ystart AS integer) AS window_ystart,
    CAST(e.window_xstop AS integer) AS window_xstop,
    CAST(e.window_ystop AS integer) AS window_ystop,
    CAST(archive.fitted(e.guide_star_id, 20) AS character varying(20)) AS guide_star_id,
    CAST(archive.fitted(e.guide_star_epoch, 10) AS character varying(10)) AS epoch,
    CAST(archive.fitted(e.instrument_name, 5) AS character varying(5)) AS instrument_name,
    CAST(archive.fitted(e.detector, 16) AS character varying(16)) AS detector,
    CAST(archive.fitted(e.optical_element, 20) AS character varying(20)) AS optical_element,
    CAST(archive.fitted(v.observation_id, 28) AS character varying(28)) AS observation_id,
    CAST(archive.fitted(e.visit_id, 19) AS character varying(19)) AS visit_id,
    CAST(v.program AS integer) AS program,
    CAST(v.execution_plan AS smallint) AS execution_plan,
    CAST(v.pass AS smallint) AS pass,
    CAST(v.segment AS smallint) AS segment,
    CAST(v.observation AS smallint) AS observation,
    CAST(v.visit AS smallint) AS visit,
    CAST(v.visit_file_group AS smallint) AS visit_file_group,
    CAST(v.visit_file_sequence AS smallint) AS visit_file_sequence,
    CAST(archive.fitted(v.visit_file_activity, 2) AS character varying(2)) AS visit_file_activity,
    CAST(e.exposure AS smallint) AS exposure,
    CAST(CASE e.wfi_parallel WHEN true THEN 'T' WHEN false THEN 'F' END AS character(1)) AS wfi_parallel,
    CAST(nullif(e.pa_aperture, 'NaN') AS double precision) AS pa_aperture,
    CAST(archive.fitted(e.pointing_engineering_source, 10) AS character varying(10)) AS pointing_engineering_source,
    CAST(nullif(e.ra_v1, 'NaN') AS double precision) AS ra_v1,
    CAST(nullif(e.dec_v1, 'NaN') AS double precision) AS dec_v1,
    CAST(nullif(e.pa_v3, 'NaN') AS double precision) AS pa_v3,
    CAST(archive.fitted(e.target_aperture, 100) AS character varying(100)) AS target_aperture,
    CAST(nullif(e.target_ra, 'NaN') AS double precision) AS target_ra,
    CAST(nullif(e.target_dec, 'NaN') AS double precision) AS target_dec,
    CAST(archive.fitted(p.program_title, 200) AS character varying(200)) AS program_title,
    CAST(archive.fitted(p.investigator_name, 100) AS character varying(100)) AS investigator_name,
    CAST(archive.fitted(p.program_category, 6) AS character varying(6)) AS program_category,
    CAST(archive.fitted(p.program_subcategory, 15) AS character varying(15)) AS program_subcategory,
    CAST(archive.fitted(p.science_category, 50) AS character varying(50)) AS science_category,
    CAST(archive.fitted(e.crds_version, 120) AS character varying(120)) AS crds_version,
    CAST(archive.fitted(e.crds_context, 120) AS character varying(120)) AS crds_context,
    CAST(CASE e.rcs_active WHEN true THEN 'T' WHEN false THEN 'F' END AS character(1)) AS active,
    CAST(archive.fitted(e.rcs_electronics, 5) AS character varying(5)) AS electronics,
    CAST(archive.fitted(e.rcs_bank, 5) AS character varying(5)) AS bank,
    CAST(archive.fitted(e.rcs_led, 30) AS character varying(30)) AS led,
    CAST(e.rcs_counts AS integer) AS counts,
    CAST(nullif(e.ra_reference, 'NaN') AS double precision) AS ra_reference,
    CAST(nullif(e.dec_reference, 'NaN') AS double precision) AS dec_reference,
    CAST(nullif(e.scale_factor, 'NaN') AS double precision) AS scale_factor,
    CAST(archive.fitted(v.dither_primary_name, 100) AS character varying(100)) AS dither_primary_name,
    CAST(archive.fitted(v.dither_subpixel_name, 100) AS character varying(100)) AS dither_subpixel_name,
    CAST(v.dither_executed_pattern AS text) AS dither_executed_pattern,
    CAST(archive.fitted(v.visit_type, 30) AS character varying(30)) AS visit_type,
    CAST(v.visit_start_time AT TIME ZONE 'UTC' AS timestamp without time zone) AS visit_start_time,
    CAST(v.visit_nexposures AS integer) AS visit_nexposures,
    CAST(CASE v.visit_internal_target WHEN true THEN 'T' WHEN false THEN 'F' END AS character(1)) AS visit_internal_target,
    CAST(nullif(e.wfi_acm_z_defocus_size, 'NaN') AS double precision) AS wfi_acm_z_defocus_size,
    CAST(archive.fitted(e.aperture_name, 20) AS character varying(20)) AS aperture_name,
    CAST(nullif(e.v2_ref, 'NaN') AS double precision) AS v2_ref,
    CAST(nullif(e.v3_ref, 'NaN') AS double precision) AS v3_ref,
    CAST(e.vparity AS smallint) AS vparity,
    CAST(nullif(e.v3yangle, 'NaN') AS double precision) AS v3yangle,
    CAST(nullif(e.ra_ref, 'NaN') AS double precision) AS ra_ref,
    CAST(nullif(e.dec_ref, 'NaN') AS double precision) AS dec_ref,
    CAST(nullif(e.roll_ref, 'NaN') AS double precision) AS roll_ref,
    CAST(e.s_region AS text) AS s_region,
    CAST(nullif(e.conversion_megajanskys, 'NaN') AS double precision) AS conversion_megajanskys,
    CAST(nullif(e.conversion_megajanskys_uncertainty, 'NaN') AS double precision) AS conversion_megajanskys_uncertainty,
    CAST(nullif(e.pixel_area, 'NaN') AS double precision) AS pixel_area,
    CAST(nullif(e.zodiacal_light, 'NaN') AS double precision) AS zodiacal_light,
    CAST(nullif(e.image_median, 'NaN') AS double precision) AS image_median,
    CAST(nullif(e.image_rms, 'NaN') AS double precision) AS image_rms,
    CAST(nullif(e.good_pixel_fraction, 'NaN') AS double precision) AS good_pixel_fraction
FROM roman.exposure AS e LEFT JOIN roman.visit AS v ON v.visit_id = e.visit_id LEFT JOIN roman.program AS p ON p.program = v.program;
COMMENT ON VIEW archive.wfiexposure IS 'Table WFIExposure of the archive, by RAD.';
COMMENT ON COLUMN archive.wfiexposure.calibration_software_name IS 'Calibration Software Name';
COMMENT ON COLUMN archive.wfiexposure.calibration_software_version IS 'Calibration Software Version Number';
COMMENT ON COLUMN archive.wfiexposure.product_type IS 'Product Type Descriptor';
COMMENT ON COLUMN archive.wfiexposure.filename IS 'File Name';
COMMENT ON COLUMN archive.wfiexposure.filedate IS 'File Creation Date';
COMMENT ON COLUMN archive.wfiexposure.model_type IS 'Data Model Type';
COMMENT ON COLUMN archive.wfiexposure.origin IS 'Institution / Organization Name';
COMMENT ON COLUMN archive.wfiexposure.prd_version IS 'SOC PRD Version Number';
COMMENT ON COLUMN archive.wfiexposure.sdf_software_version IS 'SDF Version Number';
COMMENT ON COLUMN archive.wfiexposure.telescope IS 'Telescope Name';
COMMENT ON COLUMN archive.wfiexposure.reference_frame IS 'Name of the Celestial Coordinate Reference Frame';
COMMENT ON COLUMN archive.wfiexposure.ephemeris_reference_frame IS 'Ephemeris Reference Frame';
COMMENT ON COLUMN archive.wfiexposure.ephemeris_type IS 'Ephemeris Type';
COMMENT ON COLUMN archive.wfiexposure.ephemeris_time IS 'UTC Time of Ephemeris Information (MJD)';
COMMENT ON COLUMN archive.wfiexposure.spatial_x IS 'X Spatial Coordinate of Roman (km)';
COMMENT ON COLUMN archive.wfiexposure.spatial_y IS 'Y Spatial Coordinate of Roman (km)';
COMMENT ON COLUMN archive.wfiexposure.spatial_z IS 'Z Spatial Coordinate of Roman (km)';
COMMENT ON COLUMN archive.wfiexposure.velocity_x IS 'X Component of Roman Velocity (km/s)';
COMMENT ON COLUMN archive.wfiexposure.velocity_y IS 'Y Component of Roman Velocity (km/s)';
COMMENT ON COLUMN archive.wfiexposure.velocity_z IS 'Z Component of Roman Velocity (km/s)';
COMMENT ON COLUMN archive.wfiexposure.exposure_type IS 'type';
COMMENT ON COLUMN archive.wfiexposure.exposure_start_time IS 'Exposure Start Time (UTC)';
COMMENT ON COLUMN archive.wfiexposure.exposure_end_time IS 'Exposure End Time (UTC)';
COMMENT ON COLUMN archive.wfiexposure.engineering_quality IS 'Engineering Data Quality';
COMMENT ON COLUMN archive.wfiexposure.ma_table_id IS 'Multi-Accumulation Table Identifier';
COMMENT ON COLUMN archive.wfiexposure.exposure_nresultants IS 'Number of Resultants';
COMMENT ON COLUMN archive.wfiexposure.exposure_data_problem IS 'Data Problem';
COMMENT ON COLUMN archive.wfiexposure.exposure_frame_time IS 'Detector Readout Time (s)';
COMMENT ON COLUMN archive.wfiexposure.exposure_time IS 'Exposure Time (s)';
COMMENT ON COLUMN archive.wfiexposure.effective_exposure_time IS 'Effective Exposure Time (s)';
COMMENT ON COLUMN archive.wfiexposure.ma_table_name IS 'Name of the Multi-Accumulation Table';
COMMENT ON COLUMN archive.wfiexposure.ma_table_number IS 'Multi-Accumulation Table Identification Number';
COMMENT ON COLUMN archive.wfiexposure.read_pattern IS 'Read Pattern';
COMMENT ON COLUMN archive.wfiexposure.exposure_truncated IS 'Truncated MA Table';
COMMENT ON COLUMN archive.wfiexposure.hga_move IS 'High Gain Antenna (HGA) Movement';
COMMENT ON COLUMN archive.wfiexposure.guide_window_id IS 'Guide Window Identifier';
COMMENT ON COLUMN archive.wfiexposure.guide_mode IS 'Guide Window Mode';
COMMENT ON COLUMN archive.wfiexposure.window_xstart IS 'Guide Window X Start Position (pixels)';
COMMENT ON COLUMN archive.wfiexposure.window_ystart IS 'Guide Window Y Start Position (pixels)';
COMMENT ON COLUMN archive.wfiexposure.window_xstop IS 'Guide Window X Stop Position (pixels)';
COMMENT ON COLUMN archive.wfiexposure.window_ystop IS 'Guide Window Y Start Position (pixels)';
COMMENT ON COLUMN archive.wfiexposure.guide_star_id IS 'Guide Star Identifier';
COMMENT ON COLUMN archive.wfiexposure.epoch IS 'Guide Star Coordinates Epoch';
COMMENT ON COLUMN archive.wfiexposure.instrument_name IS 'Instrument Name';
COMMENT ON COLUMN archive.wfiexposure.detector IS 'Wide Field Instrument (WFI) Detector Identifier';
COMMENT ON COLUMN archive.wfiexposure.optical_element IS 'Wide Field Instrument (WFI) Optical Element';
COMMENT ON COLUMN archive.wfiexposure.observation_id IS 'Programmatic Observation Identifier';
COMMENT ON COLUMN archive.wfiexposure.visit_id IS 'Visit Identifier';
COMMENT ON COLUMN archive.wfiexposure.program IS 'Program Number';
COMMENT ON COLUMN archive.wfiexposure.execution_plan IS 'Execution Plan Number';
COMMENT ON COLUMN archive.wfiexposure.pass IS 'Pass Number';
COMMENT ON COLUMN archive.wfiexposure.segment IS 'Segment Number';
COMMENT ON COLUMN archive.wfiexposure.observation IS 'Observation Number';
COMMENT ON COLUMN archive.wfiexposure.visit IS 'Visit Number';
COMMENT ON COLUMN archive.wfiexposure.visit_file_group IS 'Visit File Group';
COMMENT ON COLUMN archive.wfiexposure.visit_file_sequence IS 'Visit File Sequence';
COMMENT ON COLUMN archive.wfiexposure.visit_file_activity IS 'Visit File Activity';
COMMENT ON COLUMN archive.wfiexposure.exposure IS 'Exposure Number';
COMMENT ON COLUMN archive.wfiexposure.wfi_parallel IS 'WFI Parallel Flag';
COMMENT ON COLUMN archive.wfiexposure.pa_aperture IS 'Aperture Position Angle (deg)';
COMMENT ON COLUMN archive.wfiexposure.pointing_engineering_source IS 'Pointing Engineering Source';
COMMENT ON COLUMN archive.wfiexposure.ra_v1 IS 'Right Ascension of the Telescope V1 Axis (deg)';
COMMENT ON COLUMN archive.wfiexposure.dec_v1 IS 'Declination of the Telescope V1 Axis (deg)';
COMMENT ON COLUMN archive.wfiexposure.pa_v3 IS 'Position Angle of the Telescope V3 Axis (deg)';
COMMENT ON COLUMN archive.wfiexposure.target_aperture IS 'Aperture Name Used for Pointing';
COMMENT ON COLUMN archive.wfiexposure.target_ra IS 'Right Ascension of the Target Aperture (deg)';
COMMENT ON COLUMN archive.wfiexposure.target_dec IS 'Declination of the Target Aperture';
COMMENT ON COLUMN archive.wfiexposure.program_title IS 'Proposal Title';
COMMENT ON COLUMN archive.wfiexposure.investigator_name IS 'Principal Investigator Name';
COMMENT ON COLUMN archive.wfiexposure.program_category IS 'Program Category';
COMMENT ON COLUMN archive.wfiexposure.program_subcategory IS 'Program Subcategory';
COMMENT ON COLUMN archive.wfiexposure.science_category IS 'Science Category';
COMMENT ON COLUMN archive.wfiexposure.crds_version IS 'CRDS Software Version';
COMMENT ON COLUMN archive.wfiexposure.crds_context IS 'CRDS Context';
COMMENT ON COLUMN archive.wfiexposure.active IS 'Status of the Relative Calibration System (RCS)';
COMMENT ON COLUMN archive.wfiexposure.electronics IS 'Relative Calibration System (RCS) Electronics Side';
COMMENT ON COLUMN archive.wfiexposure.bank IS 'Light Emitting Diode (LED) Bank Selection';
COMMENT ON COLUMN archive.wfiexposure.led IS 'Light Emitting Diode (LED) Passband';
COMMENT ON COLUMN archive.wfiexposure.counts IS 'Light Emitting Diode (LED) Flux (DN)';
COMMENT ON COLUMN archive.wfiexposure.ra_reference IS 'Velocity Aberrated Reference Right Ascension (deg)';
COMMENT ON COLUMN archive.wfiexposure.dec_reference IS 'Velocity Aberrated Reference Declination (deg)';
COMMENT ON COLUMN archive.wfiexposure.scale_factor IS 'Velocity Aberration Correction Scale Factor';
COMMENT ON COLUMN archive.wfiexposure.dither_primary_name IS 'Primary Dither Pattern Name';
COMMENT ON COLUMN archive.wfiexposure.dither_subpixel_name IS 'Subpixel Dither Pattern Name';
COMMENT ON COLUMN archive.wfiexposure.dither_executed_pattern IS 'Executed Dither Pattern Offsets (arcsec)';
COMMENT ON COLUMN archive.wfiexposure.visit_type IS 'Visit Type';
COMMENT ON COLUMN archive.wfiexposure.visit_start_time IS 'Visit Start Time (UTC)';
COMMENT ON COLUMN archive.wfiexposure.visit_nexposures IS 'Number of Planned Exposures';
COMMENT ON COLUMN archive.wfiexposure.visit_internal_target IS 'Internal Target';
COMMENT ON COLUMN archive.wfiexposure.wfi_acm_z_defocus_size IS 'WFI Alignment Compensation Mechanism Z defocus size';
COMMENT ON COLUMN archive.wfiexposure.aperture_name IS 'Aperture Name';
COMMENT ON COLUMN archive.wfiexposure.v2_ref IS 'V2 Reference Position (arcsec)';
COMMENT ON COLUMN archive.wfiexposure.v3_ref IS 'V3 Reference Position (arcsec)';
COMMENT ON COLUMN archive.wfiexposure.vparity IS 'Relative Rotation Between the Ideal and Telescope Axes';
COMMENT ON COLUMN archive.wfiexposure.v3yangle IS 'Angle Between the V3 and Ideal Y Axes (deg)';
COMMENT ON COLUMN archive.wfiexposure.ra_ref IS 'Right Ascension of the Reference Position (deg)';
COMMENT ON COLUMN archive.wfiexposure.dec_ref IS 'Declination of the Reference Position (deg)';
COMMENT ON COLUMN archive.wfiexposure.roll_ref IS 'V3 Position Angle at the Reference Position';
COMMENT ON COLUMN archive.wfiexposure.s_region IS 'Spatial Extent of the Exposure';
COMMENT ON COLUMN archive.wfiexposure.conversion_megajanskys IS 'Zeropoint Flux (MJy/sr)';
COMMENT ON COLUMN archive.wfiexposure.conversion_megajanskys_uncertainty IS 'Zeropoint Flux Uncertainty (MJy/sr)';
COMMENT ON COLUMN archive.wfiexposure.pixel_area IS 'Nominal Pixel Area (sr)';
COMMENT ON COLUMN archive.wfiexposure.zodiacal_light IS 'Estimated Zodiacal Light Surface Brightness (MJy/sr)';
COMMENT ON COLUMN archive.wfiexposure.image_median IS 'Median Image Value (DN/s)';
COMMENT ON COLUMN archive.wfiexposure.image_rms IS 'Image Mean Absolute Deviation (DN/s)';
COMMENT ON COLUMN archive.wfiexposure.good_pixel_fraction IS 'Fraction of Good Pixels';
CREATE OR REPLACE VIEW archive.sourcecatalog AS
SELECT t.* FROM ops.archive_row AS r CROSS JOIN LATERAL jsonb_to_record(r.content) AS t (
    calibration_software_name character varying(120),
    calibration_software_version character varying(120),
    product_type character varying(120),
    filename character varying(120),
    filedate timestamp without time zone,
    model_type character varying(50),
    origin character varying(15),
    prd_version character varying(120),
    sdf_software_version character varying(120),
    telescope character varying(5),
    reference_frame character varying(10),
    exposure_type character varying(25),
    exposure_start_time timestamp without time zone,
    exposure_end_time timestamp without time zone,
    engineering_quality character varying(30),
    ma_table_id character varying(10),
    exposure_nresultants integer,
    exposure_data_problem text,
    exposure_frame_time double precision,
    exposure_time double precision,
    effective_exposure_time double precision,
    ma_table_name character varying(50),
    ma_table_number smallint,
    read_pattern character varying(3500),
    exposure_truncated character(1),
    hga_move character(1),
    instrument_name character varying(5),
    detector character varying(16),
    optical_element character varying(20),
    observation_id character varying(28),
    visit_id character varying(19),
    program integer,
    execution_plan smallint,
    pass smallint,
    segment smallint,
    observation smallint,
    visit smallint,
    visit_file_group smallint,
    visit_file_sequence smallint,
    visit_file_activity character varying(2),
    exposure smallint,
    wfi_parallel character(1),
    conversion_megajanskys double precision,
    conversion_megajanskys_uncertainty double precision,
    pixel_area double precision,
    pa_aperture double precision,
    pointing_engineering_source character varying(10),
    ra_v1 double precision,
    dec_v1 double precision,
    pa_v3 double precision,
    target_aperture character varying(100),
    target_ra double precision,
    target_dec double precision,
    program_title character varying(200),
    investigator_name character varying(100),
    program_category character varying(6),
    program_subcategory character varying(15),
    science_category character varying(50),
    crds_version character varying(120),
    crds_context character varying(120),
    dither_primary_name character varying(100),
    dither_subpixel_name character varying(100),
    dither_executed_pattern text,
    visit_type character varying(30),
    visit_start_time timestamp without time zone,
    visit_nexposures integer,
    visit_internal_target character(1),
    aperture_name character varying(20),
    v2_ref double precision,
    v3_ref double precision,
    vparity smallint,
    v3yangle double precision,
    ra_ref double precision,
    dec_ref double precision,
    roll_ref double precision,
    s_region text,
    data_release_id character varying(120),
    time_first timestamp without time zone,
    time_last timestamp without time zone,
    time_mean timestamp without time zone,
    max_exposure_time double precision,
    exposure_grouping character varying(120),
    x_ref double precision,
    y_ref double precision,
    pixel_scale_ref double precision,
    pixel_scale double precision,
    projection character varying(50),
    image_shape character varying(50),
    ra double precision,
    dec double precision,
    orientation double precision,
    orientation_ref double precision,
    skycell_name character varying(30),
    rotation_matrix character varying(3500)
) WHERE r.archive_table = 'SourceCatalog';
COMMENT ON VIEW archive.sourcecatalog IS 'Table SourceCatalog of the archive, by RAD.';
COMMENT ON COLUMN archive.sourcecatalog.calibration_software_name IS 'Calibration Software Name';
COMMENT ON COLUMN archive.sourcecatalog.calibration_software_version IS 'Calibration Software Version Number';
COMMENT ON COLUMN archive.sourcecatalog.product_type IS 'Product Type Descriptor';
COMMENT ON COLUMN archive.sourcecatalog.filename IS 'File Name';
COMMENT ON COLUMN archive.sourcecatalog.filedate IS 'File Creation Date';
COMMENT ON COLUMN archive.sourcecatalog.model_type IS 'Data Model Type';
COMMENT ON COLUMN archive.sourcecatalog.origin IS 'Institution / Organization Name';
COMMENT ON COLUMN archive.sourcecatalog.prd_version IS 'SOC PRD Version Number';
COMMENT ON COLUMN archive.sourcecatalog.sdf_software_version IS 'SDF Version Number';
COMMENT ON COLUMN archive.sourcecatalog.telescope IS 'Telescope Name';
COMMENT ON COLUMN archive.sourcecatalog.reference_frame IS 'Name of the Celestial Coordinate Reference Frame';
COMMENT ON COLUMN archive.sourcecatalog.exposure_type IS 'type';
COMMENT ON COLUMN archive.sourcecatalog.exposure_start_time IS 'Exposure Start Time (UTC)';
COMMENT ON COLUMN archive.sourcecatalog.exposure_end_time IS 'Exposure End Time (UTC)';
COMMENT ON COLUMN archive.sourcecatalog.engineering_quality IS 'Engineering Data Quality';
COMMENT ON COLUMN archive.sourcecatalog.ma_table_id IS 'Multi-Accumulation Table Identifier';
COMMENT ON COLUMN archive.sourcecatalog.exposure_nresultants IS 'Number of Resultants';
COMMENT ON COLUMN archive.sourcecatalog.exposure_data_problem IS 'Data Problem';
COMMENT ON COLUMN archive.sourcecatalog.exposure_frame_time IS 'Detector Readout Time (s)';
COMMENT ON COLUMN archive.sourcecatalog.exposure_time IS 'Exposure Time (s)';
COMMENT ON COLUMN archive.sourcecatalog.effective_exposure_time IS 'Effective Exposure Time (s)';
COMMENT ON COLUMN archive.sourcecatalog.ma_table_name IS 'Name of the Multi-Accumulation Table';
COMMENT ON COLUMN archive.sourcecatalog.ma_table_number IS 'Multi-Accumulation Table Identification Number';
COMMENT ON COLUMN archive.sourcecatalog.read_pattern IS 'Read Pattern';
COMMENT ON COLUMN archive.sourcecatalog.exposure_truncated IS 'Truncated MA Table';
COMMENT ON COLUMN archive.sourcecatalog.hga_move IS 'High Gain Antenna (HGA) Movement';
COMMENT ON COLUMN archive.sourcecatalog.instrument_name IS 'Instrument Name';
COMMENT ON COLUMN archive.sourcecatalog.detector IS 'Wide Field Instrument (WFI) Detector Identifier';
COMMENT ON COLUMN archive.sourcecatalog.optical_element IS 'Wide Field Instrument (WFI) Optical Element';
COMMENT ON COLUMN archive.sourcecatalog.observation_id IS 'Programmatic Observation Identifier';
COMMENT ON COLUMN archive.sourcecatalog.visit_id IS 'Visit Identifier';
COMMENT ON COLUMN archive.sourcecatalog.program IS 'Program Number';
COMMENT ON COLUMN archive.sourcecatalog.execution_plan IS 'Execution Plan Number';
COMMENT ON COLUMN archive.sourcecatalog.pass IS 'Pass Number';
COMMENT ON COLUMN archive.sourcecatalog.segment IS 'Segment Number';
COMMENT ON COLUMN archive.sourcecatalog.observation IS 'Observation Number';
COMMENT ON COLUMN archive.sourcecatalog.visit IS 'Visit Number';
COMMENT ON COLUMN archive.sourcecatalog.visit_file_group IS 'Visit File Group';
COMMENT ON COLUMN archive.sourcecatalog.visit_file_sequence IS 'Visit File Sequence';
COMMENT ON COLUMN archive.sourcecatalog.visit_file_activity IS 'Visit File Activity';
COMMENT ON COLUMN archive.sourcecatalog.exposure IS 'Exposure Number';
COMMENT ON COLUMN archive.sourcecatalog.wfi_parallel IS 'WFI Parallel Flag';
COMMENT ON COLUMN archive.sourcecatalog.conversion_megajanskys IS 'Zeropoint Flux (MJy/sr)';
COMMENT ON COLUMN archive.sourcecatalog.conversion_megajanskys_uncertainty IS 'Zeropoint Flux Uncertainty (MJy/sr)';
COMMENT ON COLUMN archive.sourcecatalog.pixel_area IS 'Nominal Pixel Area (sr)';
COMMENT ON COLUMN archive.sourcecatalog.pa_aperture IS 'Aperture Position Angle (deg)';
COMMENT ON COLUMN archive.sourcecatalog.pointing_engineering_source IS 'Pointing Engineering Source';
COMMENT ON COLUMN archive.sourcecatalog.ra_v1 IS 'Right Ascension of the Telescope V1 Axis (deg)';
COMMENT ON COLUMN archive.sourcecatalog.dec_v1 IS 'Declination of the Telescope V1 Axis (deg)';
COMMENT ON COLUMN archive.sourcecatalog.pa_v3 IS 'Position Angle of the Telescope V3 Axis (deg)';
COMMENT ON COLUMN archive.sourcecatalog.target_aperture IS 'Aperture Name Used for Pointing';
COMMENT ON COLUMN archive.sourcecatalog.target_ra IS 'Right Ascension of the Target Aperture (deg)';
COMMENT ON COLUMN archive.sourcecatalog.target_dec IS 'Declination of the Target Aperture';
COMMENT ON COLUMN archive.sourcecatalog.program_title IS 'Proposal Title';
COMMENT ON COLUMN archive.sourcecatalog.investigator_name IS 'Principal Investigator Name';
COMMENT ON COLUMN archive.sourcecatalog.program_category IS 'Program Category';
COMMENT ON COLUMN archive.sourcecatalog.program_subcategory IS 'Program Subcategory';
COMMENT ON COLUMN archive.sourcecatalog.science_category IS 'Science Category';
COMMENT ON COLUMN archive.sourcecatalog.crds_version IS 'CRDS Software Version';
COMMENT ON COLUMN archive.sourcecatalog.crds_context IS 'CRDS Context';
COMMENT ON COLUMN archive.sourcecatalog.dither_primary_name IS 'Primary Dither Pattern Name';
COMMENT ON COLUMN archive.sourcecatalog.dither_subpixel_name IS 'Subpixel Dither Pattern Name';
COMMENT ON COLUMN archive.sourcecatalog.dither_executed_pattern IS 'Executed Dither Pattern Offsets (arcsec)';
COMMENT ON COLUMN archive.sourcecatalog.visit_type IS 'Visit Type';
COMMENT ON COLUMN archive.sourcecatalog.visit_start_time IS 'Visit Start Time (UTC)';
COMMENT ON COLUMN archive.sourcecatalog.visit_nexposures IS 'Number of Planned Exposures';
COMMENT ON COLUMN archive.sourcecatalog.visit_internal_target IS 'Internal Target';
COMMENT ON COLUMN archive.sourcecatalog.aperture_name IS 'Aperture Name';
COMMENT ON COLUMN archive.sourcecatalog.v2_ref IS 'V2 Reference Position (arcsec)';
COMMENT ON COLUMN archive.sourcecatalog.v3_ref IS 'V3 Reference Position (arcsec)';
COMMENT ON COLUMN archive.sourcecatalog.vparity IS 'Relative Rotation Between the Ideal and Telescope Axes';
COMMENT ON COLUMN archive.sourcecatalog.v3yangle IS 'Angle Between the V3 and Ideal Y Axes (deg)';
COMMENT ON COLUMN archive.sourcecatalog.ra_ref IS 'Right Ascension of the Reference Position (deg)';
COMMENT ON COLUMN archive.sourcecatalog.dec_ref IS 'Declination of the Reference Position (deg)';
COMMENT ON COLUMN archive.sourcecatalog.roll_ref IS 'V3 Position Angle at the Reference Position';
COMMENT ON COLUMN archive.sourcecatalog.s_region IS 'Spatial Extent of the Exposure';
COMMENT ON COLUMN archive.sourcecatalog.data_release_id IS 'Data Release Identifier';
COMMENT ON COLUMN archive.sourcecatalog.time_first IS 'Start Time of the First Exposure';
COMMENT ON COLUMN archive.sourcecatalog.time_last IS 'End Time of the Last Exposure';
COMMENT ON COLUMN archive.sourcecatalog.time_mean IS 'Mean Time of the Co-Added Data Product';
COMMENT ON COLUMN archive.sourcecatalog.max_exposure_time IS 'Maximum Exposure Time (s)';
COMMENT ON COLUMN archive.sourcecatalog.exposure_grouping IS 'Exposure Grouping';
COMMENT ON COLUMN archive.sourcecatalog.x_ref IS 'X Coordinate of Projection Region Center';
COMMENT ON COLUMN archive.sourcecatalog.y_ref IS 'Y Coordinate of Projection Region Center';
COMMENT ON COLUMN archive.sourcecatalog.pixel_scale_ref IS 'Pixel Scale at Projection Region Center (degrees per pixel)';
COMMENT ON COLUMN archive.sourcecatalog.pixel_scale IS 'Pixel Scale at Image Center (degrees per pixel)';
COMMENT ON COLUMN archive.sourcecatalog.projection IS 'Projection Type';
COMMENT ON COLUMN archive.sourcecatalog.image_shape IS 'Shape of Image (pixels)';
COMMENT ON COLUMN archive.sourcecatalog.ra IS 'Right Ascension of Image Center (deg)';
COMMENT ON COLUMN archive.sourcecatalog.dec IS 'Declination of Image Center (deg)';
COMMENT ON COLUMN archive.sourcecatalog.orientation IS 'Image Orientation (deg)';
COMMENT ON COLUMN archive.sourcecatalog.orientation_ref IS 'Projection Region Orientation (deg)';
COMMENT ON COLUMN archive.sourcecatalog.skycell_name IS 'Skycell Name';
COMMENT ON COLUMN archive.sourcecatalog.rotation_matrix IS '2x2 rotation matrix';
CREATE OR REPLACE VIEW archive.segmentationmap AS
SELECT t.* FROM ops.archive_row AS r CROSS JOIN LATERAL jsonb_to_record(r.content) AS t (
    calibration_software_name character varying(120),
    calibration_software_version character varying(120),
    product_type character varying(120),
    filename character varying(120),
    filedate timestamp without time zone,
    model_type character varying(50),
    origin character varying(15),
    prd_version character varying(120),
    sdf_software_version character varying(120),
    telescope character varying(5),
    reference_frame character varying(10),
    exposure_type character varying(25),
    exposure_start_time timestamp without time zone,
    exposure_end_time timestamp without time zone,
    engineering_quality character varying(30),
    ma_table_id character varying(10),
    exposure_nresultants integer,
    exposure_data_problem text,
    exposure_frame_time double precision,
    exposure_time double precision,
    effective_exposure_time double precision,
    ma_table_name character varying(50),
    ma_table_number smallint,
    read_pattern character varying(3500),
    exposure_truncated character(1),
    hga_move character(1),
    instrument_name character varying(5),
    detector character varying(16),
    optical_element character varying(20),
    observation_id character varying(28),
    visit_id character varying(19),
    program integer,
    execution_plan smallint,
    pass smallint,
    segment smallint,
    observation smallint,
    visit smallint,
    visit_file_group smallint,
    visit_file_sequence smallint,
    visit_file_activity character varying(2),
    exposure smallint,
    wfi_parallel character(1),
    conversion_megajanskys double precision,
    conversion_megajanskys_uncertainty double precision,
    pixel_area double precision,
    pa_aperture double precision,
    pointing_engineering_source character varying(10),
    ra_v1 double precision,
    dec_v1 double precision,
    pa_v3 double precision,
    target_aperture character varying(100),
    target_ra double precision,
    target_dec double precision,
    program_title character varying(200),
    investigator_name character varying(100),
    program_category character varying(6),
    program_subcategory character varying(15),
    science_category character varying(50),
    crds_version character varying(120),
    crds_context character varying(120),
    dither_primary_name character varying(100),
    dither_subpixel_name character varying(100),
    dither_executed_pattern text,
    visit_type character varying(30),
    visit_start_time timestamp without time zone,
    visit_nexposures integer,
    visit_internal_target character(1),
    aperture_name character varying(20),
    v2_ref double precision,
    v3_ref double precision,
    vparity smallint,
    v3yangle double precision,
    ra_ref double precision,
    dec_ref double precision,
    roll_ref double precision,
    s_region text,
    data_release_id character varying(120),
    time_first timestamp without time zone,
    time_last timestamp without time zone,
    time_mean timestamp without time zone,
    max_exposure_time double precision,
    exposure_grouping character varying(120),
    x_ref double precision,
    y_ref double precision,
    pixel_scale_ref double precision,
    pixel_scale double precision,
    projection character varying(50),
    image_shape character varying(50),
    ra double precision,
    dec double precision,
    orientation double precision,
    orientation_ref double precision,
    skycell_name character varying(30),
    rotation_matrix character varying(3500)
) WHERE r.archive_table = 'SegmentationMap';
COMMENT ON VIEW archive.segmentationmap IS 'Table SegmentationMap of the archive, by RAD.';
COMMENT ON COLUMN archive.segmentationmap.calibration_software_name IS 'Calibration Software Name';
COMMENT ON COLUMN archive.segmentationmap.calibration_software_version IS 'Calibration Software Version Number';
COMMENT ON COLUMN archive.segmentationmap.product_type IS 'Product Type Descriptor';
COMMENT ON COLUMN archive.segmentationmap.filename IS 'File Name';
COMMENT ON COLUMN archive.segmentationmap.filedate IS 'File Creation Date';
COMMENT ON COLUMN archive.segmentationmap.model_type IS 'Data Model Type';
COMMENT ON COLUMN archive.segmentationmap.origin IS 'Institution / Organization Name';
COMMENT ON COLUMN archive.segmentationmap.prd_version IS 'SOC PRD Version Number';
COMMENT ON COLUMN archive.segmentationmap.sdf_software_version IS 'SDF Version Number';
COMMENT ON COLUMN archive.segmentationmap.telescope IS 'Telescope Name';
COMMENT ON COLUMN archive.segmentationmap.reference_frame IS 'Name of the Celestial Coordinate Reference Frame';
COMMENT ON COLUMN archive.segmentationmap.exposure_type IS 'type';
COMMENT ON COLUMN archive.segmentationmap.exposure_start_time IS 'Exposure Start Time (UTC)';
COMMENT ON COLUMN archive.segmentationmap.exposure_end_time IS 'Exposure End Time (UTC)';
COMMENT ON COLUMN archive.segmentationmap.engineering_quality IS 'Engineering Data Quality';
COMMENT ON COLUMN archive.segmentationmap.ma_table_id IS 'Multi-Accumulation Table Identifier';
COMMENT ON COLUMN archive.segmentationmap.exposure_nresultants IS 'Number of Resultants';
COMMENT ON COLUMN archive.segmentationmap.exposure_data_problem IS 'Data Problem';
COMMENT ON COLUMN archive.segmentationmap.exposure_frame_time IS 'Detector Readout Time (s)';
COMMENT ON COLUMN archive.segmentationmap.exposure_time IS 'Exposure Time (s)';
COMMENT ON COLUMN archive.segmentationmap.effective_exposure_time IS 'Effective Exposure Time (s)';
COMMENT ON COLUMN archive.segmentationmap.ma_table_name IS 'Name of the Multi-Accumulation Table';
COMMENT ON COLUMN archive.segmentationmap.ma_table_number IS 'Multi-Accumulation Table Identification Number';
COMMENT ON COLUMN archive.segmentationmap.read_pattern IS 'Read Pattern';
COMMENT ON COLUMN archive.segmentationmap.exposure_truncated IS 'Truncated MA Table';
COMMENT ON COLUMN archive.segmentationmap.hga_move IS 'High Gain Antenna (HGA) Movement';
COMMENT ON COLUMN archive.segmentationmap.instrument_name IS 'Instrument Name';
COMMENT ON COLUMN archive.segmentationmap.detector IS 'Wide Field Instrument (WFI) Detector Identifier';
COMMENT ON COLUMN archive.segmentationmap.optical_element IS 'Wide Field Instrument (WFI) Optical Element';
COMMENT ON COLUMN archive.segmentationmap.observation_id IS 'Programmatic Observation Identifier';
COMMENT ON COLUMN archive.segmentationmap.visit_id IS 'Visit Identifier';
COMMENT ON COLUMN archive.segmentationmap.program IS 'Program Number';
COMMENT ON COLUMN archive.segmentationmap.execution_plan IS 'Execution Plan Number';
COMMENT ON COLUMN archive.segmentationmap.pass IS 'Pass Number';
COMMENT ON COLUMN archive.segmentationmap.segment IS 'Segment Number';
COMMENT ON COLUMN archive.segmentationmap.observation IS 'Observation Number';
COMMENT ON COLUMN archive.segmentationmap.visit IS 'Visit Number';
COMMENT ON COLUMN archive.segmentationmap.visit_file_group IS 'Visit File Group';
COMMENT ON COLUMN archive.segmentationmap.visit_file_sequence IS 'Visit File Sequence';
COMMENT ON COLUMN archive.segmentationmap.visit_file_activity IS 'Visit File Activity';
COMMENT ON COLUMN archive.segmentationmap.exposure IS 'Exposure Number';
COMMENT ON COLUMN archive.segmentationmap.wfi_parallel IS 'WFI Parallel Flag';
COMMENT ON COLUMN archive.segmentationmap.conversion_megajanskys IS 'Zeropoint Flux (MJy/sr)';
COMMENT ON COLUMN archive.segmentationmap.conversion_megajanskys_uncertainty IS 'Zeropoint Flux Uncertainty (MJy/sr)';
COMMENT ON COLUMN archive.segmentationmap.pixel_area IS 'Nominal Pixel Area (sr)';
COMMENT ON COLUMN archive.segmentationmap.pa_aperture IS 'Aperture Position Angle (deg)';
COMMENT ON COLUMN archive.segmentationmap.pointing_engineering_source IS 'Pointing Engineering Source';
COMMENT ON COLUMN archive.segmentationmap.ra_v1 IS 'Right Ascension of the Telescope V1 Axis (deg)';
COMMENT ON COLUMN archive.segmentationmap.dec_v1 IS 'Declination of the Telescope V1 Axis (deg)';
COMMENT ON COLUMN archive.segmentationmap.pa_v3 IS 'Position Angle of the Telescope V3 Axis (deg)';
COMMENT ON COLUMN archive.segmentationmap.target_aperture IS 'Aperture Name Used for Pointing';
COMMENT ON COLUMN archive.segmentationmap.target_ra IS 'Right Ascension of the Target Aperture (deg)';
COMMENT ON COLUMN archive.segmentationmap.target_dec IS 'Declination of the Target Aperture';
COMMENT ON COLUMN archive.segmentationmap.program_title IS 'Proposal Title';
COMMENT ON COLUMN archive.segmentationmap.investigator_name IS 'Principal Investigator Name';
COMMENT ON COLUMN archive.segmentationmap.program_category IS 'Program Category';
COMMENT ON COLUMN archive.segmentationmap.program_subcategory IS 'Program Subcategory';
COMMENT ON COLUMN archive.segmentationmap.science_category IS 'Science Category';
COMMENT ON COLUMN archive.segmentationmap.crds_version IS 'CRDS Software Version';
COMMENT ON COLUMN archive.segmentationmap.crds_context IS 'CRDS Context';
COMMENT ON COLUMN archive.segmentationmap.dither_primary_name IS 'Primary Dither Pattern Name';
COMMENT ON COLUMN archive.segmentationmap.dither_subpixel_name IS 'Subpixel Dither Pattern Name';
COMMENT ON COLUMN archive.segmentationmap.dither_executed_pattern IS 'Executed Dither Pattern Offsets (arcsec)';
COMMENT ON COLUMN archive.segmentationmap.visit_type IS 'Visit Type';
COMMENT ON COLUMN archive.segmentationmap.visit_start_time IS 'Visit Start Time (UTC)';
COMMENT ON COLUMN archive.segmentationmap.visit_nexposures IS 'Number of Planned Exposures';
COMMENT ON COLUMN archive.segmentationmap.visit_internal_target IS 'Internal Target';
COMMENT ON COLUMN archive.segmentationmap.aperture_name IS 'Aperture Name';
COMMENT ON COLUMN archive.segmentationmap.v2_ref IS 'V2 Reference Position (arcsec)';
COMMENT ON COLUMN archive.segmentationmap.v3_ref IS 'V3 Reference Position (arcsec)';
COMMENT ON COLUMN archive.segmentationmap.vparity IS 'Relative Rotation Between the Ideal and Telescope Axes';
COMMENT ON COLUMN archive.segmentationmap.v3yangle IS 'Angle Between the V3 and Ideal Y Axes (deg)';
COMMENT ON COLUMN archive.segmentationmap.ra_ref IS 'Right Ascension of the Reference Position (deg)';
COMMENT ON COLUMN archive.segmentationmap.dec_ref IS 'Declination of the Reference Position (deg)';
COMMENT ON COLUMN archive.segmentationmap.roll_ref IS 'V3 Position Angle at the Reference Position';
COMMENT ON COLUMN archive.segmentationmap.s_region IS 'Spatial Extent of the Exposure';
COMMENT ON COLUMN archive.segmentationmap.data_release_id IS 'Data Release Identifier';
COMMENT ON COLUMN archive.segmentationmap.time_first IS 'Start Time of the First Exposure';
COMMENT ON COLUMN archive.segmentationmap.time_last IS 'End Time of the Last Exposure';
COMMENT ON COLUMN archive.segmentationmap.time_mean IS 'Mean Time of the Co-Added Data Product';
COMMENT ON COLUMN archive.segmentationmap.max_exposure_time IS 'Maximum Exposure Time (s)';
COMMENT ON COLUMN archive.segmentationmap.exposure_grouping IS 'Exposure Grouping';
COMMENT ON COLUMN archive.segmentationmap.x_ref IS 'X Coordinate of Projection Region Center';
COMMENT ON COLUMN archive.segmentationmap.y_ref IS 'Y Coordinate of Projection Region Center';
COMMENT ON COLUMN archive.segmentationmap.pixel_scale_ref IS 'Pixel Scale at Projection Region Center (degrees per pixel)';
COMMENT ON COLUMN archive.segmentationmap.pixel_scale IS 'Pixel Scale at Image Center (degrees per pixel)';
COMMENT ON COLUMN archive.segmentationmap.projection IS 'Projection Type';
COMMENT ON COLUMN archive.segmentationmap.image_shape IS 'Shape of Image (pixels)';
COMMENT ON COLUMN archive.segmentationmap.ra IS 'Right Ascension of Image Center (deg)';
COMMENT ON COLUMN archive.segmentationmap.dec IS 'Declination of Image Center (deg)';
COMMENT ON COLUMN archive.segmentationmap.orientation IS 'Image Orientation (deg)';
COMMENT ON COLUMN archive.segmentationmap.orientation_ref IS 'Projection Region Orientation (deg)';
COMMENT ON COLUMN archive.segmentationmap.skycell_name IS 'Skycell Name';
COMMENT ON COLUMN archive.segmentationmap.rotation_matrix IS '2x2 rotation matrix';
