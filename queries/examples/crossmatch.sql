-- Nearest object to every source of another table, here the truth of a simulated scene.
-- Question: which of my sources are in the catalog, and how far off?
-- Parameters:
--   scene: name of the simulated scene
--   radius = 0.1: largest distance, arcsec
-- Note: in q3c_join the pair of columns that has the index (roman.object) comes second. For a table of your
--   own, put its name in place of the first.
SELECT DISTINCT ON (mine.source_id) mine.source_id, mine.kind, o.object_id, o.ra, o.dec,
       3.6e6 * q3c_dist(mine.ra, mine.dec, o.ra, o.dec) AS distance_mas
FROM roman.simulated_source AS mine
JOIN roman.simulated_scene AS scene ON scene.scene_id = mine.scene_id
JOIN roman.current_object AS o ON q3c_join(mine.ra, mine.dec, o.ra, o.dec, CAST(:radius AS double precision) / 3600)
WHERE scene.name = CAST(:scene AS text)
ORDER BY mine.source_id, distance_mas;
