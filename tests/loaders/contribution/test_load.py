"""Collections stored and published: matched with objects, seen by nobody before, in TAP and a file after."""

import hashlib
import re
import tarfile
from xml.etree import ElementTree

import numpy as np
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from loaders.contribution import load
from loaders.contribution.commands import ingest_command, publish_command
from loaders.contribution.refusal import Refused
from roman_db import migrate, session, settings
from roman_db.locks import LockHeld
from roman_db.portal.names import known_names
from roman_db.session import Role
from roman_db.tap import vosi
from roman_db.tap.adql import schema_catalog, translate
from roman_db.tap.community_catalog import community_tables
from tests.loaders.contribution.conftest import CCSP, catalog, make, name_of
from tests.loaders.light_curve.synthetic import context
from tests.roman_db.conftest import execute

TABLE = "community.dust_dr1_catalog"


@pytest.fixture
def products(tmp_path, monkeypatch, database):
    """Folder of products, and three objects: one at the first source, two near the second."""
    monkeypatch.setenv("ROMAN_DB_PRODUCTS", str(tmp_path / "products"))
    where = context()
    places = {11: (268.0, -29.0), 12: (268.001 + 0.3 / 3600, -29.001), 13: (268.001, -29.001 + 0.1 / 3600)}
    with session.transaction() as connection:
        for object_id, (ra, dec) in places.items():
            values = {
                "o": object_id,
                "ra": ra,
                "dec": dec,
                "v": where.catalog_version_id,
                "r": where.load_run_id,
            }
            connection.execute(sa.text(_OBJECT), values)
    settings.settings.cache_clear()
    return tmp_path / "products/community"


_OBJECT = """
    INSERT INTO roman.object
        (object_id, ra, dec, ref_epoch, first_catalog_version_id, catalog_version_id, load_run_id)
    VALUES (:o, :ra, :dec, 2027, :v, :v, :r)
"""


def run(command, *words):
    done = CliRunner().invoke(command, [str(word) for word in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def refused(submission, told):
    """Ingesting a submission is refused in words that say so."""
    done = CliRunner().invoke(ingest_command, [str(submission)])
    assert done.exit_code == 1
    assert re.search(told, done.output)


def ask(query, role=Role.READER):
    with session.reading(role) as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def called(folder, product="catalog", **changes):
    """Submission of one source with another name or version, its table of some product type."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.loaders.contribution.conftest.CCSP", CCSP | changes)
        made = make(folder, ra=[268.0], dec=[-29.0])
    renamed = name_of(product, "parquet")
    made.path("table").rename(folder / renamed)
    made.manifest["files"][0]["filename"] = renamed
    made.seal()
    return made


def by_tap(query):
    """Rows of a query in ADQL, as a reader gets them."""
    found = translate(query, schema_catalog().with_tables(community_tables(query)))
    with session.reading() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(found.sql)]


def test_a_collection_is_stored_matched_published_and_found(good, products, database):
    assert run(ingest_command, good.folder) == "DUST DR1: 6 files stored, 2 rows matched with objects\n"
    assert ask("SELECT count(*) FROM roman.community_product") == [(0,)]
    assert ask("SELECT count(*) FROM roman.community_match") == [(0,)]
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        ask(f"SELECT * FROM {TABLE}")
    assert community_tables(f"SELECT * FROM {TABLE}") == []
    told = run(publish_command, "DUST", "DR1")
    assert told.endswith(f"dust_dr1.tar\ntable {TABLE}\n")
    matched = ask("SELECT row_number, object_id, separation FROM roman.community_match ORDER BY 1")
    assert [row[:2] for row in matched] == [(1, 11), (2, 13)]
    np.testing.assert_allclose([row[2] for row in matched], [0, 0.1], atol=1e-6)
    assert by_tap(f"SELECT row_number, a_f146, note FROM {TABLE} ORDER BY row_number") == [
        (1, 1.5, "fine"),
        (2, 1.5, "fine"),
    ]
    joined = f"""
        SELECT o.object_id, t.a_f146 FROM {TABLE} AS t
        JOIN roman.community_match AS m ON m.row_number = t.row_number
        JOIN roman.object AS o ON o.object_id = m.object_id ORDER BY o.object_id
    """
    assert by_tap(joined) == [(11, 1.5), (13, 1.5)]
    listed = (
        f"SELECT column_name, unit FROM tap_schema.columns WHERE table_name = '{TABLE}' ORDER BY column_index"
    )
    assert ask(listed) == [
        ("row_number", None),
        ("ra", "deg"),
        ("dec", "deg"),
        ("a_f146", "mag"),
        ("note", None),
    ]
    migrate.upgrade()
    assert len(ask(listed)) == 5
    reconciled = (
        "SELECT count(*) FROM ops.load_run WHERE state = 'succeeded' AND n_read = n_loaded + n_rejected"
    )
    assert execute(database, reconciled) == [(2,)]


def test_the_bundle_holds_what_was_submitted_and_is_the_same_each_time(good, products):
    run(ingest_command, good.folder)
    run(publish_command, "DUST", "DR1")
    bundle = products / "dust/dust_dr1.tar"
    before = hashlib.sha256(bundle.read_bytes()).hexdigest()
    with tarfile.open(bundle) as tar:
        files = [one for one in tar if one.isfile()]
        kept = {one.name.removeprefix("dust_dr1/"): tar.extractfile(one).read() for one in files}
    given = {path.name: path.read_bytes() for path in good.folder.iterdir()}
    sums = kept.pop("SHA256SUMS").decode().splitlines()
    assert kept == given
    assert sums == sorted(sums, key=lambda line: line.split()[1])
    assert all(hashlib.sha256(given[name]).hexdigest() == digest for digest, name in map(str.split, sums))
    run(publish_command, "DUST", "DR1")
    assert hashlib.sha256(bundle.read_bytes()).hexdigest() == before


def test_versions_stand_side_by_side_and_none_is_overwritten(good, products, database, tmp_path):
    run(ingest_command, good.folder)
    assert "0 rows matched" in run(ingest_command, good.folder)
    run(publish_command, "DUST", "DR1")
    pq.write_table(catalog([268.0], [-29.0]), good.path("table"))
    good.seal()
    refused(good.folder, "DUST DR1 is there already with other files")
    assert by_tap(f"SELECT count(*) AS n FROM {TABLE}") == [(2,)]
    run(ingest_command, called(tmp_path / "newer", data_release_id="DR2").folder)
    run(publish_command, "DUST", "DR2")
    states = "SELECT version, state FROM roman.community_product ORDER BY version"
    assert ask(states) == [("DR1", "superseded"), ("DR2", "published")]
    assert by_tap(f"SELECT count(*) AS n FROM {TABLE}") == [(2,)]
    assert by_tap("SELECT count(*) AS n FROM community.dust_dr2_catalog") == [(1,)]
    with pytest.raises(Refused, match="was not ingested"):
        run(publish_command, "DUST", "DR3")
    before = ask("SELECT * FROM roman.community_product ORDER BY version")
    assert run(publish_command, "DUST", "DR1").startswith("DUST DR1 is superseded: ")
    assert ask("SELECT * FROM roman.community_product ORDER BY version") == before


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "Dust"}, "the collection is called DUST, as DUST DR1 is"),
        ({"name": "Dust", "data_release_id": "DR2"}, "the collection is called DUST, as DUST DR1 is"),
        ({"data_release_id": "dr1"}, "DUST DR1 is there, which differs from DUST dr1 in capitals or periods"),
        (
            {"data_release_id": "DR1."},
            "DUST DR1 is there, which differs from DUST DR1. in capitals or periods",
        ),
    ],
)
def test_another_spelling_does_not_take_the_place_of_what_is_published(
    good, products, database, tmp_path, changes, told
):
    run(ingest_command, good.folder)
    run(publish_command, "DUST", "DR1")
    files = {path: path.read_bytes() for path in products.rglob("*") if path.is_file()}
    refused(called(tmp_path / "other", **changes).folder, told)
    assert {path: path.read_bytes() for path in products.rglob("*") if path.is_file()} == files
    assert by_tap(f"SELECT count(*) AS n FROM {TABLE}") == [(2,)]
    assert ask("SELECT name, version FROM roman.community_product") == [("DUST", "DR1")]


def test_a_table_of_another_version_is_not_replaced(good, products, database, tmp_path):
    """Version a.b has a table c, version a one b-c: one name in the database."""
    first = called(tmp_path / "first", "c", data_release_id="a.b")
    run(ingest_command, first.folder)
    refused(
        called(tmp_path / "second", "b-c", data_release_id="a").folder,
        r"community.dust_a_b_c is a table of DUST a.b: give it another",
    )
    assert ask("SELECT count(*) FROM community.dust_a_b_c", Role.OWNER) == [(1,)]


def test_a_collection_is_worked_on_by_one_run_however_it_is_spelled(good, products, database):
    with load._alone("Dust"):
        for command, words in ((ingest_command, [good.folder]), (publish_command, ["DUST", "DR1"])):
            with pytest.raises(LockHeld, match="another run works on collection of the community / dust"):
                run(command, *words)
    assert list(products.glob("dust")) == []


def test_what_an_interrupted_run_left_is_replaced(good, products, database, monkeypatch):
    honest = load._store_rows
    monkeypatch.setattr(load, "_store_rows", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(ingest_command, good.folder)
    assert execute(database, "SELECT count(*) FROM roman.community_product") == [(0,)]
    monkeypatch.setattr(load, "_store_rows", honest)
    assert "2 rows matched" in run(ingest_command, good.folder)
    assert [path.name for path in products.iterdir() if path.name.startswith(".")] == []


def test_its_tables_are_in_every_list_once_they_are_published(good, products):
    """What the VOSI document says is read with the parser of XML, not by our own code."""
    run(ingest_command, good.folder)
    assert TABLE not in vosi.tables(with_columns=False)
    assert vosi.table(TABLE) is None
    assert "community" not in {one["schema"] for one in known_names()["tables"]}
    run(publish_command, "DUST", "DR1")
    schemas = {one.findtext("name"): one for one in ElementTree.fromstring(vosi.tables(True)).iter("schema")}
    assert "roman.community_product says whose" in schemas["community"].findtext("description")
    (table,) = schemas["community"].iter("table")
    units = {column.findtext("name"): column.findtext("unit") for column in table.iter("column")}
    assert table.findtext("name") == TABLE
    assert units == {"row_number": None, "ra": "deg", "dec": "deg", "a_f146": "mag", "note": None}
    (alone,) = [ElementTree.fromstring(vosi.table(TABLE))]
    assert [column.findtext("name") for column in alone.iter("column")] == list(units)
    named = {f"{one['schema']}.{one['name']}": one for one in known_names()["tables"]}
    assert [column["unit"] for column in named[TABLE]["columns"]] == ["", "deg", "deg", "mag", ""]
