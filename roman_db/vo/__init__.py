"""Services of the Virtual Observatory beside TAP: cone search, DataLink, time series, cutouts and coverage."""
