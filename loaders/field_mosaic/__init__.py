"""The season's reference images of all detectors of a field on one grid: the mosaic of the field."""
