"""The small survey of the queries' tests, and the same after the mode ``season``."""

from tests.loaders.season.done import own_season
from tests.queries.conftest import filled_template, own_survey

__all__ = ["filled_template", "own_season", "own_survey"]
