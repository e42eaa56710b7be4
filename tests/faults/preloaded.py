"""What the commands import when they run, imported beforehand: a forked process begins at once."""

import loaders.catalog.load
import loaders.daily.load
import loaders.simulation.load
import loaders.wfi.load
import roman_db.delivery.round
import roman_db.release.freeze

__all__ = ["loaders", "roman_db"]
