"""Light curves as matrices: blocks of exposures, segments of fluxes, additive summaries."""
