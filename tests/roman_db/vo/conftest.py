"""The databases of the queries, for the services of the Virtual Observatory."""

from tests.queries.conftest import filled_template, own_survey, survey  # noqa: F401  # fixtures
