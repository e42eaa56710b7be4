"""Wide Field Instrument exposures: from a Level-2 file to arrays, metadata, sky footprint and times."""
