"""The cell magic in a shell of IPython, on a running service."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.table import Table
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from roman_db.client import BadQuery, RowsWereCut


@pytest.fixture
def shell(address, monkeypatch) -> Iterator[InteractiveShell]:
    """A shell with the magic, which knows the address by the environment."""
    monkeypatch.setenv("ROMAN_TAP_URL", address)
    # A shell puts a module of its own in its place, from which no process can be begun.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    quiet = Config({"HistoryManager": {"enabled": False}})
    made = InteractiveShell(config=quiet)
    made.run_line_magic("load_ext", "roman_db.client")
    yield made
    made.atexit_operations()
    atexit.unregister(made.atexit_operations)


def test_rows_are_shown_or_go_to_a_variable(shell, truth):
    query = "SELECT object_id, ra FROM roman.object ORDER BY object_id"
    shown = shell.run_cell_magic("romansql", "", query)
    assert shown["object_id"].tolist() == truth.object_id.tolist()
    assert shown["ra"].unit == u.deg
    assert shell.run_cell_magic("romansql", "rows", query) is None
    assert np.array_equal(shell.user_ns["rows"].as_array(), shown.as_array())


def test_variables_stand_for_values_and_tables(shell, truth):
    shell.push({"wanted": truth.object_id[[2, 5]], "element": "F146' OR 'a' = 'a"})
    query = """
        SELECT object_id FROM roman.object_flux WHERE object_id IN ({wanted}) AND optical_element = {element}
    """
    assert len(shell.run_cell_magic("romansql", "", query)) == 0
    shell.push({"element": "F146"})
    assert len(shell.run_cell_magic("romansql", "", query)) == 2
    shell.push({"mine": Table({"number": truth.object_id[[2]]})})
    joined = "SELECT o.ra FROM {mine} AS m JOIN roman.object AS o ON o.object_id = m.number"
    assert shell.run_cell_magic("romansql", "--job", joined)["ra"].tolist() == [pytest.approx(truth.ra[2])]
    with pytest.raises(BadQuery, match=r"no value for \{other\}"):
        shell.run_cell_magic("romansql", "", "SELECT {other} FROM roman.object")


def test_pandas_and_a_limit(shell):
    with pytest.warns(RowsWereCut, match="more than these 3"):
        shell.run_cell_magic("romansql", "few --format pandas --maxrec 3", "SELECT ra FROM roman.object")
    few = shell.user_ns["few"]
    assert isinstance(few, pd.DataFrame)
    assert few.shape == (3, 1)


def test_another_catalog_may_be_named(shell, roman, monkeypatch):
    monkeypatch.setenv("ROMAN_TAP_URL", "http://127.0.0.1:9/tap")
    shell.push({"roman": roman, "number": 7})
    query = "SELECT object_id FROM roman.object"
    assert len(shell.run_cell_magic("romansql", "--catalog roman", query)) == 60
    for line, said in (("--catalog number", "is no Catalog"), ("not-a-name", "name of a variable")):
        with pytest.raises(UsageError, match=said):
            shell.run_cell_magic("romansql", line, query)
