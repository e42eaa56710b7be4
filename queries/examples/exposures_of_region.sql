-- Exposures that touch a region of the sky, given as a multi-order coverage map (MOC).
-- Question: which exposures cover my region, and how deep is it in each optical element?
-- Parameters:
--   moc: ranges of HEALPix pixels of order 29, nested, each [first,last), such as {[0,4096),[8192,12288)}
-- Note: with mocpy, moc = "{" + ",".join(f"[{a},{b})" for a, b in MOC.from_cone(...).to_depth29_ranges) + "}"
SELECT optical_element, detector, count(*) AS n_exposure, sum(exposure_time) AS exposure_time,
       min(midpoint_mjd_tdb) AS first_mjd_tdb, max(midpoint_mjd_tdb) AS last_mjd_tdb
FROM roman.exposure
WHERE footprint && CAST(:moc AS int8multirange)
GROUP BY optical_element, detector
ORDER BY optical_element, detector;
