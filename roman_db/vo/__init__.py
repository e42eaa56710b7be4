"""Services of the Virtual Observatory beside TAP: cone search, links, time series, cutouts, coverage."""
