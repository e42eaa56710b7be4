-- Indexes that the table descriptions can't say: the sky (q3c) and coverage (ranges of HEALPix pixels).
CREATE INDEX IF NOT EXISTS object_q3c_idx ON roman.object (q3c_ang2ipix(ra, dec));
CREATE INDEX IF NOT EXISTS exposure_q3c_idx ON roman.exposure (q3c_ang2ipix(ra, dec));
CREATE INDEX IF NOT EXISTS field_q3c_idx ON roman.field (q3c_ang2ipix(ra, dec));
CREATE INDEX IF NOT EXISTS exposure_footprint_idx ON roman.exposure USING gist (footprint);
CREATE INDEX IF NOT EXISTS simulated_source_q3c_idx ON roman.simulated_source (q3c_ang2ipix(ra, dec));
CREATE INDEX IF NOT EXISTS injected_source_q3c_idx ON roman.injected_source (q3c_ang2ipix(ra, dec));
CREATE INDEX IF NOT EXISTS source_q3c_idx ON roman.source (q3c_ang2ipix(ra, dec));
CREATE INDEX IF NOT EXISTS sky_cell_q3c_idx ON roman.sky_cell (q3c_ang2ipix(ra, dec));
CREATE INDEX IF NOT EXISTS mosaic_footprint_idx ON roman.mosaic USING gist (footprint);

-- One exposure stands in one current block of a kind only: what makes a second daily run find its work done.
-- Nothing waits in a list: each look at it would go through the whole list, with as many identifiers as are asked for.
CREATE INDEX IF NOT EXISTS light_curve_block_exposure_idx ON roman.light_curve_block USING gin (exposure_id);
ALTER INDEX roman.light_curve_block_exposure_idx SET (fastupdate = off);

-- What is current is asked by day.
CREATE INDEX IF NOT EXISTS light_curve_block_current_idx ON roman.light_curve_block (start_mjd)
WHERE superseded_at IS NULL;

-- Every light curve reads the arrays of its blocks: those of a day stay in the row.
ALTER TABLE roman.light_curve_block SET (toast_tuple_target = 8160);

-- One current reference image of a kind and span, one current mosaic of a field, element and season, and one current
-- difference of an exposure or of a reference image.
CREATE UNIQUE INDEX IF NOT EXISTS reference_image_current_idx
ON roman.reference_image (field_id, detector, optical_element, start_mjd, reference_kind)
WHERE superseded_at IS NULL;
CREATE UNIQUE INDEX IF NOT EXISTS field_mosaic_current_idx
ON roman.field_mosaic (field_id, optical_element, start_mjd)
WHERE superseded_at IS NULL;
CREATE INDEX IF NOT EXISTS field_mosaic_footprint_idx ON roman.field_mosaic USING gist (footprint);
CREATE UNIQUE INDEX IF NOT EXISTS difference_image_current_idx
ON roman.difference_image (coalesce(exposure_id, -1), coalesce(minuend_reference_image_id, -1))
WHERE superseded_at IS NULL;
CREATE INDEX IF NOT EXISTS reference_image_footprint_idx ON roman.reference_image USING gist (footprint);
CREATE INDEX IF NOT EXISTS reference_image_q3c_idx ON roman.reference_image (q3c_ang2ipix(ra_ref, dec_ref));
CREATE INDEX IF NOT EXISTS difference_image_exposure_idx ON roman.difference_image (exposure_id);
CREATE INDEX IF NOT EXISTS dia_source_q3c_idx ON roman.dia_source (q3c_ang2ipix(ra, dec));
CREATE INDEX IF NOT EXISTS event_object_idx ON roman.event (object_id);
CREATE INDEX IF NOT EXISTS event_model_event_idx ON roman.event_model (event_id);

-- A cell has one current row an element; an object finds its cell by the order and its own number.
CREATE UNIQUE INDEX IF NOT EXISTS extinction_current_idx
ON roman.extinction (healpix_order, healpix_index, optical_element) WHERE superseded_at IS NULL;

-- A piece of the sky has one current solution a season and kind.
CREATE UNIQUE INDEX IF NOT EXISTS astrometric_solution_current_idx
ON roman.astrometric_solution (season, photometry_kind, healpix_order, healpix_index) WHERE superseded_at IS NULL;

-- An object is dropped once at a time; what is current is asked for every object.
CREATE UNIQUE INDEX IF NOT EXISTS dropped_object_current_idx ON roman.dropped_object (object_id)
WHERE restored_by IS NULL;

-- Current spectra of a place, and one current version of each spectrum of a file.
CREATE INDEX IF NOT EXISTS spectrum_q3c_idx ON roman.spectrum (q3c_ang2ipix(ra, dec)) WHERE superseded_at IS NULL;
CREATE UNIQUE INDEX IF NOT EXISTS spectrum_current_idx
ON roman.spectrum (file_id, spectrum_name) WHERE superseded_at IS NULL;

-- Current spectra by what ivoa.ssa says of them: wavelengths of their first and last pixel, their name.
CREATE INDEX IF NOT EXISTS spectrum_band_idx
ON roman.spectrum ((1e-6 * wavelength[1]), (1e-6 * wavelength[n_pixel])) WHERE superseded_at IS NULL;
CREATE INDEX IF NOT EXISTS spectrum_name_idx ON roman.spectrum (lower(spectrum_name)) WHERE superseded_at IS NULL;

-- One current combined spectrum of an object through an element, one current extraction of an exposure, and one current
-- file of each version of a reference.
CREATE UNIQUE INDEX IF NOT EXISTS spectrum_combined_idx
ON roman.spectrum (object_id, optical_element) WHERE superseded_at IS NULL AND file_id IS NULL;
CREATE UNIQUE INDEX IF NOT EXISTS spectral_extraction_current_idx
ON roman.spectral_extraction (exposure_id) WHERE superseded_at IS NULL;
CREATE UNIQUE INDEX IF NOT EXISTS calibration_reference_current_idx
ON roman.calibration_reference (reftype, optical_element, coalesce(detector, ''), version) WHERE superseded_at IS NULL;

-- One version of a collection of the community for each folder and beginning of tables' names, however it is spelled.
CREATE UNIQUE INDEX IF NOT EXISTS community_product_spelling_idx
ON roman.community_product (regexp_replace(lower(name || '_' || version || '_'), '[^a-z0-9]+', '_', 'g'));

-- What is looked for again and again and is mostly not there: extractions whose spectra are to be combined, and files that
-- arrived and are in no job yet.
CREATE INDEX IF NOT EXISTS spectral_extraction_uncombined_idx
ON roman.spectral_extraction (spectral_extraction_id) WHERE combined_at IS NULL;
CREATE INDEX IF NOT EXISTS arrived_file_waiting_idx ON ops.arrived_file (changed_at) WHERE job_id IS NULL;

-- Announced files that are not loaded are looked for every few seconds, and what came of their name with them.
CREATE INDEX IF NOT EXISTS notified_file_waiting_idx ON ops.notified_file (filename) WHERE file_id IS NULL;
CREATE INDEX IF NOT EXISTS load_run_input_filename_idx
ON ops.load_run_input (regexp_replace(path, '^.*/', ''));
