"""What the commands import when they run, imported beforehand: a forked process begins at once."""

import loaders.catalog.load
import loaders.daily.load
import loaders.simulation.load
import loaders.wfi.load

__all__ = ["loaders"]
