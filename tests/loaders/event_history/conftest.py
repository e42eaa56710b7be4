"""The small survey of the queries' tests."""

from tests.queries.conftest import filled_template, own_survey

__all__ = ["filled_template", "own_survey"]
