"""The filled database of ``tests/queries``, and the commands."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner, Result

from roman_db.query.commands import commands

from ...queries.conftest import filled_template, own_survey, survey

__all__ = ["filled_template", "own_survey", "survey"]


@pytest.fixture
def run():
    """Run ``roman-db`` with some words and return what came of it; only foreseen errors are let pass."""

    @click.group()
    def root():
        pass

    commands(root)

    def invoke(*words: object, **options) -> Result:
        result = CliRunner().invoke(root, [str(word) for word in words], **options)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke
