"""Object catalogs into the database: versions, identity, history."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.table import vstack

from tests.faults.command_line import succeed
from tests.faults.killed import run_all
from tests.faults.rows import assert_same, stored_rows
from tests.loaders.catalog.stored import (
    ARCSEC,
    DEC,
    MAS,
    count,
    load,
    objects,
    refused,
    rejections,
    stars,
    version_ids,
    versions,
    write,
)
from tests.queries.filling import nested_pixel
from tests.roman_db.conftest import execute

EAST = MAS / np.cos(np.radians(DEC))


def test_again_makes_no_new_version(new_database, tmp_path):
    load(stars(), tmp_path / "a.ecsv")
    before = stored_rows(new_database)
    outcome = load(stars(), tmp_path / "a.ecsv")
    assert "12 of them were there already" in outcome.out
    load(stars(), tmp_path / "the_same_under_another_name.ecsv")
    after = stored_rows(new_database)
    assert_same(after, {**before, "file": after["file"], "input": after["input"]})
    assert versions(new_database) == [(12, 0, 0, 0)]


def test_identifiers_are_the_pixels_of_the_first_positions(new_database, tmp_path):
    table = stars()
    load(table, tmp_path / "a.ecsv")
    expected = nested_pixel(np.array(table["ra"]), np.array(table["dec"]))
    assert [row[0] for row in objects(new_database)] == expected.tolist()


def test_changed_position_is_a_new_version_of_the_same_object(new_database, tmp_path):
    first = stars()
    load(first, tmp_path / "a.ecsv")
    before = objects(new_database)
    second = stars()
    second["ra"][3] += 200 * EAST  # four times the radius within which positions match
    second["dec"][5] -= 30 * MAS
    outcome = load(second, tmp_path / "a.ecsv")
    assert "0 objects new, 2 changed, 10 unchanged" in outcome.out
    after = objects(new_database)
    assert [row[0] for row in after] == [row[0] for row in before]
    np.testing.assert_allclose([row[1] for row in after], second["ra"], rtol=0, atol=1e-12)
    np.testing.assert_allclose([row[2] for row in after], second["dec"], rtol=0, atol=1e-12)
    kept = execute(new_database, "SELECT object_id, ra, dec FROM roman.object_history ORDER BY ra")
    assert kept == [before[3], before[5]]


def test_changed_flux_alone_is_a_new_version(new_database, tmp_path):
    load(stars(), tmp_path / "a.ecsv")
    fainter = stars()
    fainter["flux_F146"][2] = 333.0
    outcome = load(fainter, tmp_path / "a.ecsv")
    assert "0 objects new, 0 changed, 12 unchanged; 1 fluxes new or changed" in outcome.out
    first, second = version_ids(new_database)
    query = "SELECT psf_flux, catalog_version_id, replaced_by FROM roman.object_flux_history"
    assert execute(new_database, query) == [(400.0, first, second)]
    query = f"SELECT psf_flux FROM roman.object_flux WHERE catalog_version_id = {second}"
    assert execute(new_database, query) == [(333.0,)]
    assert count(new_database, "roman.object_history") == 0


def test_unknown_values_do_not_erase_known_ones(new_database, tmp_path):
    load(
        stars(pmra=np.full(12, 3.0) * u.mas / u.yr, pmdec=np.full(12, -4.0) * u.mas / u.yr),
        tmp_path / "a.ecsv",
    )
    plain = stars()
    plain.remove_columns(["flux_F146", "flux_F146_error", "ra_error"])
    load(plain, tmp_path / "b.ecsv")
    assert set(objects(new_database, "pm_ra, pm_dec, ra_err")) == {(3.0, -4.0, 2.0)}
    assert count(new_database, "roman.object_flux") == 12


def test_every_version_can_be_asked_for(new_database, tmp_path):
    """Four versions that move, brighten and add stars: each can be had as it was."""
    rng = np.random.default_rng(3)
    table, snapshots = stars(8), []
    for step in range(4):
        load(table, tmp_path / f"{step}.ecsv")
        snapshots.append(
            execute(new_database, "SELECT object_id, ra, dec, ra_err FROM roman.object ORDER BY 1")
        )
        moved = rng.random(len(table)) < 0.4
        table["ra"][moved] += rng.normal(0, 100, moved.sum()) * EAST
        new = stars(2, dec=DEC + (step + 1) * 10 * ARCSEC)
        new["source_id"] += 100 * (step + 1)
        table = vstack([table, new])
    query = "SELECT object_id, ra, dec, ra_err FROM roman.object_at({}) ORDER BY 1"
    then = [execute(new_database, query.format(version)) for version in version_ids(new_database)]
    assert then == snapshots
    assert len({tuple(snapshot) for snapshot in snapshots}) == 4


def test_position_finds_what_another_catalog_calls_differently(new_database, tmp_path):
    load(stars(), tmp_path / "a.ecsv")
    other = stars()
    other["source_id"] += 10_000
    other["ra"] += 20 * EAST
    succeed("load", "catalog", write(other, tmp_path / "b.ecsv"), "--name", "other")
    assert versions(new_database)[1] == (0, 12, 0, 0)
    assert count(new_database, "roman.object") == 12
    names = "SELECT count(DISTINCT object_id) FROM roman.object_alias GROUP BY catalog_name"
    assert execute(new_database, names) == [(12,), (12,)]


def test_position_beyond_the_radius_is_another_object(new_database, tmp_path):
    load(stars(), tmp_path / "a.ecsv")
    other = stars()
    other["ra"] += 60 * EAST
    path = write(other, tmp_path / "b.ecsv")
    succeed("load", "catalog", path, "--name", "wide", "--match-radius", "0.1")
    assert count(new_database, "roman.object") == 12
    other["ra"] += 60 * EAST
    succeed("load", "catalog", write(other, path), "--name", "narrow")
    assert count(new_database, "roman.object") == 24


def test_catalog_that_is_numbered_anew_moves_no_object(new_database, tmp_path):
    """A name counts near its object only: another catalog may have the same names."""
    load(stars(), tmp_path / "a.ecsv")
    before = objects(new_database)
    renumbered = stars()
    renumbered["source_id"] = renumbered["source_id"][::-1].copy()
    load(renumbered, tmp_path / "a.ecsv")
    assert objects(new_database) == before[::-1]
    assert versions(new_database)[1] == (0, 0, 12, 0)
    elsewhere = stars(dec=DEC + 1)
    load(elsewhere, tmp_path / "a.ecsv")
    assert count(new_database, "roman.object") == 24
    assert {row[2] for row in objects(new_database)} == {DEC + 1}


def test_two_names_of_one_object(new_database, tmp_path):
    """Named apart in turns, and then both at once: the nearer is the object."""
    one = stars(1)
    load(one, tmp_path / "a.ecsv")
    ((object_id, *_),) = objects(new_database)
    renamed = stars(1)
    renamed["source_id"] = [999]
    renamed["dec"] += 40 * MAS
    load(renamed, tmp_path / "b.ecsv")
    assert [row[0] for row in objects(new_database)] == [object_id, object_id]
    load(vstack([one, renamed]), tmp_path / "c.ecsv")
    found = objects(new_database)
    assert [row[0] == object_id for row in found] == [False, True]  # the object lies where 999 was
    load(vstack([one, renamed]), tmp_path / "c.ecsv")
    assert objects(new_database) == found
    assert len(version_ids(new_database)) == 3


def test_names_that_are_not_unique(new_database, tmp_path):
    table = stars()
    table["source_id"][5] = 103
    table["source_id"][7] = 103
    path = write(table, tmp_path / "a.ecsv")
    outcome = refused(path, "--name", "survey")
    assert "12 rows read: 10 loaded (0 of them were there already), 2 rejected." in outcome.out
    assert rejections(new_database) == [
        ("repeated_source_id", row, "source_id 103 is that of row 3, elsewhere") for row in (5, 7)
    ]
    (line,) = outcome.lines("rejected rows")
    assert "row 5: source_id 103" in line
    assert count(new_database, "roman.object") == 10
    assert count(new_database, "roman.object_alias") == 10
    run = "SELECT n_read, n_loaded, n_rejected FROM ops.load_run"
    assert execute(new_database, run) == [(12, 10, 2)]
    before = stored_rows(new_database)
    refused(path, "--name", "survey")
    after = stored_rows(new_database)
    assert_same(after, {**before, "rejection": after["rejection"]})


def test_rows_of_one_source_may_share_its_name(new_database, tmp_path):
    """The same row twice is one source; sources without a name are not of one name."""
    table = vstack([stars(), stars()[3:5]])
    load(table, tmp_path / "a.ecsv")
    assert versions(new_database) == [(12, 0, 0, 2)]
    nameless = stars(dec=DEC + 1)
    nameless["source_id"] = [""] * 12
    load(nameless, tmp_path / "b.ecsv")
    assert count(new_database, "roman.object") == 24


@pytest.mark.parametrize(("ra", "dec"), [(359.9995, 10.0), (0.0, 10.0), (17.0, 89.99999), (200.0, -90.0)])
def test_matches_across_the_seam_and_at_the_poles(new_database, tmp_path, ra, dec):
    """Tangent-plane offsets of 20 mas: right ascension may go around by any amount."""
    there = stars(1)
    x, y = np.array([0.0, 4.0, -5.0, 3.0]), np.array([0.0, -3.0, 2.0, 5.0])  # arcsec
    table = vstack([there] * 4)
    table["source_id"] = np.arange(4)
    table["flux_F146"][:] = [100.0, 200.0, 400.0, 800.0]
    table["ra"][:], table["dec"][:] = _around(ra, dec, x, y)
    load(table, tmp_path / "a.ecsv")
    before = {row[0] for row in objects(new_database)}
    table["ra"][:], table["dec"][:] = _around(ra, dec, x + 0.012, y - 0.016)
    succeed("load", "catalog", write(table, tmp_path / "b.ecsv"), "--name", "other")
    assert versions(new_database) == [(4, 0, 0, 0), (0, 4, 0, 0)]
    assert {row[0] for row in objects(new_database)} == before
    assert all(0 <= row[1] < 360 for row in objects(new_database))


def _around(ra, dec, x, y):
    """Positions at offsets x to the east and y to the north, arcsec, by vectors in space."""
    a, d = np.radians(ra), np.radians(dec)
    up = np.array([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])
    east = np.array([-np.sin(a), np.cos(a), 0.0])
    offsets = np.radians(np.stack([x, y]) / 3600)
    at = up + offsets[0][:, None] * east + offsets[1][:, None] * np.cross(up, east)
    at /= np.linalg.norm(at, axis=1)[:, None]
    return np.degrees(np.arctan2(at[:, 1], at[:, 0])) % 360, np.degrees(np.arcsin(at[:, 2]))


def test_identifier_that_is_taken(new_database, tmp_path):
    """A star moves away by its name; one that then appears at its first place gets the next number."""
    star = stars(1)
    load(star, tmp_path / "a.ecsv")
    ((object_id, *_),) = objects(new_database)
    star["dec"] += 500 * MAS
    newcomer = stars(1)
    newcomer["source_id"] = [101]
    load(vstack([star, newcomer]), tmp_path / "a.ecsv")
    assert [row[0] for row in objects(new_database)] == [object_id, object_id + 1]


def test_two_stars_in_one_cell(new_database, tmp_path):
    pair = vstack([stars(1), stars(1)])
    pair["source_id"] = [1, 2]
    pair["flux_F146"][:] = [100.0, 9000.0]  # not the same star twice
    load(pair, tmp_path / "a.ecsv")
    (first, *_), (second, *_) = objects(new_database)
    assert abs(first - second) == 1


def test_fast_star_is_found_at_another_epoch(new_database, tmp_path):
    """5 arcsec a year to the north: eleven years are 55 arcsec."""
    motion = {"pmra": [0.0] * u.mas / u.yr, "pmdec": [5000.0] * u.mas / u.yr}
    early = stars(1, **motion)
    early["ref_epoch"][:] = 2016.0
    early["dec"] -= 55 * ARCSEC
    load(early, tmp_path / "a.ecsv")
    ((_, _, dec),) = objects(new_database)
    assert dec == pytest.approx(DEC, abs=0.1 * MAS)
    succeed("load", "catalog", write(stars(1, **motion), tmp_path / "b.ecsv"), "--name", "other")
    assert count(new_database, "roman.object") == 1


@pytest.mark.heavy
def test_loads_at_once(new_database, tmp_path):
    """The same file three times and one that shares half of its stars: as one after the other."""
    path, other = write(stars(), tmp_path / "a.ecsv"), stars(24)
    command = ("load", "catalog", path, "--name", "survey")
    more = ("load", "catalog", write(other[6:], tmp_path / "b.ecsv"), "--name", "survey")
    outcomes = run_all([command, more, command, command])
    assert [outcome.code for outcome in outcomes] == [0] * 4, outcomes
    expected = nested_pixel(np.array(other["ra"]), np.array(other["dec"])).tolist()
    assert [row[0] for row in objects(new_database)] == expected
    assert count(new_database, "roman.object") == 24
    assert sum(row[0] for row in versions(new_database)) == 24
    assert len(versions(new_database)) == 2


def test_the_planner_knows_what_was_loaded(new_database, tmp_path):
    """Without statistics the next catalog was compared with the names of this one, each with each."""
    load(stars(), tmp_path / "a.ecsv")
    known = "SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'roman'"
    tables = {row[0] for row in execute(new_database, known)}
    assert {"object", "object_flux", "object_alias"} <= tables
