"""Maps of extinction in the database: what is stored is what the stars say, once."""

import numpy as np
import pytest
import sqlalchemy as sa
import yaml
from click.testing import CliRunner

from loaders.extinction.commands import commands
from loaders.extinction.load import pending_roots, read_map, summary_of_extinction
from loaders.extinction.tasks import EXTINCTION_MODE
from loaders.rejection import Rejected
from roman_db import cli, session
from roman_db.jobs import run_mode
from roman_db.query.audit import chosen, run_audits
from roman_db.settings import settings
from tests.loaders.extinction.sky import ROOT


def run(**more):
    report = run_mode(EXTINCTION_MODE, {"redo": False} | more, lambda *_: None)
    assert not report.failed
    return report


def ask(query, **values):
    with session.reading() as connection:
        return connection.execute(sa.text(query), values).all()


CURRENT = """
SELECT * FROM roman.extinction
WHERE superseded_at IS NULL AND healpix_index >> (2 * (healpix_order - 8)) = :root
ORDER BY healpix_order, healpix_index, optical_element
"""


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """Names a file of assumptions in the settings."""

    def change(**changes):
        path = tmp_path / "own.yaml"
        path.write_text(yaml.safe_dump(changes))
        monkeypatch.setenv("ROMAN_DB_EXTINCTION_CONFIGURATION", str(path))
        settings.cache_clear()
        return path

    yield change
    monkeypatch.undo()
    settings.cache_clear()


def test_extinctions_are_those_that_the_stars_were_given(dusty_field):
    run()
    rows = ask(CURRENT, root=ROOT.index)
    fitted = [row for row in rows if row.status == "fitted"]
    assert len(fitted) > 0.9 * len(rows)
    assert len(rows) >= 3 * 4
    for element, truth in dusty_field.extinction.items():
        mine = [row for row in fitted if row.optical_element == element]
        # All cells share what is assumed, here without error: only their own errors count.
        pulls = [(row.extinction - truth) / row.clump_mag_err for row in mine]
        assert np.abs(pulls).max() < 4
        assert all(row.extinction_err > row.clump_mag_err for row in mine)


def test_every_place_has_one_row_an_element(dusty_field):
    run()
    rows = ask("SELECT * FROM roman.extinction WHERE superseded_at IS NULL")
    roots = {row.object_id >> 42 for row in ask("SELECT object_id FROM roman.object")}
    assert {row.healpix_index >> 2 * (row.healpix_order - 8) for row in rows} == roots
    assert [result.name for result in run_audits(chosen([]), 0) if not result.passed] == []
    held = ask("""
        SELECT o.object_id FROM roman.object o JOIN roman.extinction e
        ON e.healpix_index = o.object_id >> 2 * (29 - e.healpix_order)
        WHERE e.superseded_at IS NULL AND e.optical_element = 'F146'
    """)
    assert len(held) == len(set(held)) == ask("SELECT count(*) FROM roman.object")[0][0]


def test_a_field_without_enough_stars_has_rows_with_the_reason(own_survey):
    run()
    found = {row.optical_element: row.status for row in ask("SELECT * FROM roman.extinction")}
    # Of the small survey all stars are in F146 and F087, and most are fainter than giants.
    assert found == {"F087": "too_few_stars", "F146": "too_few_stars", "F213": "not_measured"}
    assert summary_of_extinction() == "Extinction: no cell with a red clump; 1 too_few_stars."


def test_again_does_nothing_and_redo_gives_the_same(dusty_field):
    run()
    before = ask(CURRENT, root=ROOT.index)
    assert run().succeeded == []
    run(redo=True)
    after = ask(CURRENT, root=ROOT.index)
    assert [row[1:-2] for row in after] == [row[1:-2] for row in before]
    assert {row.extinction_id for row in after} & {row.extinction_id for row in before} == set()
    kept = ask("SELECT count(*) FROM roman.extinction WHERE superseded_at IS NOT NULL")
    assert kept[0][0] == ask("SELECT count(*) FROM roman.extinction WHERE superseded_at IS NULL")[0][0]


def test_other_assumptions_make_another_map(dusty_field, configured):
    run()
    before = ask(CURRENT, root=ROOT.index)
    configured(distance={"galactic_centre": 8.0}, cells={"deepest_order": 8})
    assert len(run().succeeded) == 2
    after = ask(CURRENT, root=ROOT.index)
    assert {row.healpix_order for row in after} == {8}
    nearer = 5 * np.log10(8.275 / 8.0)
    ours, theirs = (
        np.mean([row.extinction for row in rows if row.optical_element == "F146" and row.status == "fitted"])
        for rows in (after, before)
    )
    assert ours - theirs == pytest.approx(nearer, abs=0.03)
    assert read_map().provenance.configuration()["distance"]["galactic_centre"] == 8.0
    assert run().succeeded == []


def test_roots_are_found_by_jumps_as_by_counting(dusty_field):
    units = pending_roots({})
    expected = sorted({row.object_id >> 42 for row in ask("SELECT object_id FROM roman.object")})
    assert [unit.arguments["index"] for unit in units] == expected
    assert len(expected) == 2


def test_what_is_not_in_the_bulge_is_left_out(dusty_field, configured):
    configured(region={"longitude": [5.0, 12.0]})
    assert pending_roots({}) == []


def test_assumptions_that_do_not_fit_are_refused(own_survey, configured):
    path = configured(law={"form": "none"})
    with pytest.raises(Rejected, match="ROMAN_DB_EXTINCTION_CONFIGURATION") as error:
        run()
    assert error.value.code == "bad_configuration"
    assert str(path) in str(error.value)
    path.unlink()
    with pytest.raises(Rejected, match="no configuration"):
        run()


@pytest.mark.heavy
def test_the_map_is_exported_as_each_kind_of_file(dusty_field, tmp_path):
    commands(cli.root)
    result = CliRunner().invoke(cli.root, ["run", "extinction"])
    assert result.exit_code == 0, result.output
    assert "cells, F146 1." in result.output
    n_cell = ask("SELECT count(DISTINCT (healpix_order, healpix_index)) FROM roman.extinction")[0][0]
    for ending in (".fits", ".asdf", ".png"):
        path = tmp_path / f"map{ending}"
        result = CliRunner().invoke(cli.root, ["export", "extinction-map", str(path)])
        assert result.exit_code == 0, result.output
        assert result.output == f"{n_cell} cells written: {path}\n"
        assert path.stat().st_size > 5000
    result = CliRunner().invoke(cli.root, ["export", "extinction-map", "map.csv"])
    assert result.exit_code == 2
    assert "'map.csv' does not end in .fits, .asdf, .png" in result.output


def test_without_a_map_there_is_nothing_to_export(own_survey, tmp_path):
    with pytest.raises(Rejected, match="Make it: roman-db run extinction"):
        read_map()
    assert summary_of_extinction() == "Extinction: no map."
