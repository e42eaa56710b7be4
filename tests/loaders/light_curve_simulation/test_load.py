"""``roman-db simulate-lightcurves``: files, and the same truth in the database."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.faults.command_line import roman_db, succeed
from tests.roman_db.conftest import execute

SHORT = ("--seasons", 1, "--seed", 7)


@pytest.fixture
def folder(new_database, tmp_path):
    succeed("simulate-lightcurves", tmp_path, "--number", 20, *SHORT)
    return tmp_path


def test_files_and_database_agree(folder, new_database):
    truth = pq.read_table(folder / "truth.parquet").to_pylist()
    stored = execute(
        new_database,
        "SELECT source_id, kind, ra, dec, true_flux, model, s.parameters FROM roman.simulated_source "
        "JOIN roman.simulated_scene AS s USING (scene_id) WHERE s.name = 'lightcurves' ORDER BY source_id",
    )
    assert len(stored) == len(truth) == 20
    for row, one in zip(stored, truth, strict=True):
        assert (row[0], row[1], row[2], row[3]) == (one["number"], one["kind"], one["ra"], one["dec"])
        assert row[5]["split"] == one["split"]
        assert row[5]["object"] == one["object"]
        told = json.loads(one["truth"])
        assert row[4] == {e: told[f"flux_{e}"] for e in ("F087", "F146", "F213")}
        assert row[5]["error_scale"] == told["error_scale"]
        assert row[6]["seed"] == 7


def test_points_are_as_described(folder):
    points = pq.read_table(folder / "lightcurves.parquet")
    assert points.schema.field("flux").metadata[b"unit"] == b"nJy"
    columns = points.to_pydict()
    assert len(set(columns["object"])) == 20
    assert set(columns["optical_element"]) == {"F087", "F146", "F213"}
    at = np.array(columns["bjd_tdb"])
    assert 2461448 < at.min() < at.max() < 2461521


def test_more_light_curves_begin_with_the_same(folder, new_database, tmp_path_factory):
    more = tmp_path_factory.mktemp("more")
    succeed("simulate-lightcurves", more, "--number", 24, *SHORT)
    first, second = (pq.read_table(place / "lightcurves.parquet") for place in (folder, more))
    assert second.slice(0, len(first)).equals(first)
    assert execute(new_database, "SELECT count(*) FROM roman.simulated_source")[0][0] == 24


def test_an_unknown_class_is_said(new_database, tmp_path):
    outcome = roman_db("simulate-lightcurves", tmp_path / "new", "--kind", "comet")
    assert outcome.code == 2
    assert "unknown classes comet; there are point_lens" in outcome.err
    assert not (tmp_path / "new").exists()
