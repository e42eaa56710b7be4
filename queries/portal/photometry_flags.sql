-- What the bits of the flags of points mean.
-- Grain: one row a bit
SELECT f.bit, f.name, f.description FROM roman.photometry_flag AS f ORDER BY f.bit;
