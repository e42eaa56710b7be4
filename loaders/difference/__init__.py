"""What changed: exposures and references less a template, and the sources in what is left."""
