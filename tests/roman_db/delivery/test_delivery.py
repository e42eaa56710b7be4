"""Deliveries from the database to the archive and back, read there by others' libraries alone."""

from __future__ import annotations

import ast
import hashlib
import json
import os
from pathlib import Path

import asdf
import pyarrow.parquet as pq
import pytest

import roman_db.delivery
import roman_db.release

from ...queries.filling import DAYS, N_OBJECT
from .conftest import ask, change

DAY = DAYS[1]
DAILY = ("daily", "--season", 1, "--day", DAY)
SERIES = f"gbtds_s01_daily_{DAY}"
CURVES = "r00001_p_s01_e02_f01_wfi07_f146_light_curve_catalog"
STATE = "SELECT state, message FROM ops.delivery ORDER BY delivery_id"
PRODUCTS = "SELECT state, count(*) FROM ops.product GROUP BY state ORDER BY state"
RECONCILED = """
    SELECT n_read = n_loaded + n_rejected AND n_read = n_expected FROM ops.load_run
    WHERE task = 'deliveries make' ORDER BY load_run_id DESC LIMIT 1
"""


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def answer(outbox, name: str, **said: object) -> Path:
    """What the archive writes of a delivery."""
    known = {"delivery": name, "manifest_sha256": digest(outbox.published(name) / "manifest.json")}
    path = outbox.answers / f"{name}.json"
    path.write_text(json.dumps(known | {"accepted": True} | said))
    return path


def status(rule: str = "daily", day: int = DAY) -> tuple:
    query = "SELECT status, state, reason FROM ops.delivery_due WHERE rule = :rule AND start_mjd = :day"
    (row,) = ask(query, rule=rule, day=day)
    return row


def test_a_day_goes_to_the_archive_and_is_accepted(outbox, run):
    assert status() == ("due", None, "nothing was made yet")
    done = run("make", *DAILY)
    assert done.output == "Delivery 1 is made: roman-db deliveries publish 1\n"
    name, folder = f"{SERIES}_v1", outbox.published(f"{SERIES}_v1")
    assert [path.name for path in outbox.root.iterdir()] == [".staging"]
    assert run("publish", 1).output == f"{folder} is published.\n"
    assert (outbox.root / SERIES).resolve() == folder
    assert list(outbox.staging("x").parent.iterdir()) == []
    manifest = json.loads((folder / "manifest.json").read_text())
    files = {file["filename"]: file for file in manifest["files"]}
    assert {path.name for path in folder.iterdir()} == {*files, "manifest.json"}
    for file in files.values():
        path = folder / file["filename"]
        assert (file["sha256"], file["size_bytes"]) == (digest(path), path.stat().st_size)
    assert pq.read_table(folder / f"{CURVES}.parquet").num_rows == N_OBJECT
    assert files[f"{CURVES}.asdf"]["n_row"] == N_OBJECT
    with asdf.open(folder / f"{CURVES}.asdf") as file:
        assert len(file["roman"]["light_curve_catalog"]) == N_OBJECT
    inputs = (folder / "inputs.sha256").read_text().splitlines()
    used = "SELECT i.sha256 || '  ' || i.filename FROM roman.exposure JOIN ops.input_file i USING (file_id)"
    assert sorted(inputs) == sorted(row[0] for row in ask(f"{used} WHERE day_mjd = {DAY}"))
    notice = json.loads((outbox.root / "notices" / f"{name}.json").read_text())
    assert notice["manifest_sha256"] == digest(folder / "manifest.json")
    assert status() == ("due", "published", "the archive has not answered yet")
    told = [{"filename": f"{CURVES}.asdf", "accepted": True, "archive_identifier": "mast:1"}]
    answer(outbox, name, files=[*told, {"filename": "inputs.sha256", "accepted": True}])
    assert run("acknowledge").output == f"{name} is accepted\n"
    assert run("acknowledge").output == ""
    assert status() == ("done", "accepted", None)
    assert ask("SELECT archive_identifier FROM ops.delivery_file WHERE is_accepted") == [("mast:1",)]
    assert ask("SELECT margin > '23 hours' FROM ops.delivery_due WHERE status = 'done'") == [(True,)]
    events = ("begun", "made", "published", "notified", "accepted")
    assert ask("SELECT kind FROM ops.delivery_event ORDER BY 1") == [(kind,) for kind in sorted(events)]
    shown = run("show", 1).output
    assert all(word in shown for word in (name, CURVES, "mast:1", *events))
    assert name in run("list", "--state", "accepted").output
    assert f" {DAY} " in run("due", "--all").output
    assert f" {DAY} " not in run("due").output


@pytest.mark.heavy
def test_reprocessing_takes_the_place_of_what_was_delivered(outbox, run):
    for command in (("make", *DAILY), ("publish", 1)):
        assert run(*command).exit_code == 0
    answer(outbox, f"{SERIES}_v1")
    run("acknowledge")
    first = digest(outbox.published(f"{SERIES}_v1") / "manifest.json")
    (exposure,) = ask(f"SELECT min(exposure_id) FROM roman.exposure WHERE day_mjd = {DAY}")[0]
    change(
        "INSERT INTO ops.load_run (task, arguments, code_version, schema_version, host, pid) "
        "VALUES ('load exposure', '{}', '1', '1', 'h', 1)",
        "INSERT INTO ops.input_file (kind, filename, path, sha256, size_bytes, load_run_id) "
        "SELECT 'exposure', 'again.asdf', '/', repeat('a', 64), 1, max(load_run_id) FROM ops.load_run",
        "UPDATE roman.exposure SET file_id = (SELECT max(file_id) FROM ops.input_file) "
        f"WHERE exposure_id = {exposure}",
    )
    assert status() == ("due", "accepted", "input was received since: deliver again")
    refused = run("make", *DAILY)
    assert refused.exit_code == 1
    assert f"{SERIES}: 1 of its exposures are in no light curve as they are now" in refused.output
    change(
        f"UPDATE roman.light_curve_block SET file_id[array_position(exposure_id, {exposure}::bigint)] = "
        f"(SELECT max(file_id) FROM ops.input_file) WHERE {exposure} = ANY (exposure_id)"
    )
    assert run("make", *DAILY).exit_code == 0
    assert run("publish", 2).exit_code == 0
    assert (outbox.root / SERIES).readlink() == Path(f"{SERIES}_v2")
    assert digest(outbox.published(f"{SERIES}_v1") / "manifest.json") == first
    superseded = "SELECT version FROM ops.delivery WHERE superseded_at IS NOT NULL"
    assert ask(superseded) == [(1,)]
    assert ask("SELECT kind, message FROM ops.delivery_event WHERE kind = 'superseded'") == [
        ("superseded", f"{SERIES}_v2")
    ]
    of = "JOIN ops.delivery_file USING (product_id) WHERE superseded_at IS NOT NULL GROUP BY delivery_id"
    assert ask(f"SELECT delivery_id FROM ops.product {of}") == [(1,)]
    assert "again.asdf" in (outbox.root / SERIES / "inputs.sha256").read_text()
    assert status() == ("due", "published", "the archive has not answered yet")


@pytest.mark.heavy
def test_what_is_delivered_without_some_exposures_is_not_done(outbox, run):
    change(f"UPDATE roman.light_curve_block SET superseded_at = now() WHERE start_mjd = {DAYS[2]}")
    words = ("daily", "--season", 1, "--day", DAYS[2])
    assert "27 of its exposures are in no light curve" in run("make", *words).output
    assert run("make", *words, "--partial").exit_code == 0
    run("publish", 1)
    answer(outbox, f"gbtds_s01_daily_{DAYS[2]}_v1")
    run("acknowledge")
    found = status(day=DAYS[2])
    assert found[:2] == ("due", "accepted")
    assert "in no light curve" in found[2]


def test_a_product_that_is_not_valid_is_never_published_and_its_row_says_why(outbox, run):
    change("UPDATE roman.program SET program_category = 'CATEGORY'")
    done = run("make", *DAILY)
    assert done.exit_code == 1
    assert f"{SERIES}_v1 is refused:" in done.output
    assert "light_curve_catalog season 1 field gbtds-1 detector WFI07 element F146: " in done.output
    assert list(outbox.staging("x").parent.iterdir()) == []
    problems = ask("SELECT product, problem FROM ops.product WHERE state = 'refused' ORDER BY product_id")
    assert {product for product, _ in problems} == {"light_curve_catalog"}
    assert all("CATEGORY" in problem for _, problem in problems)
    assert ask("SELECT DISTINCT code FROM ops.load_rejection WHERE code = 'product_refused'")
    (row,) = ask(STATE)
    assert row[0] == "refused"
    assert ask(RECONCILED) == [(True,)]
    assert ask("SELECT count(*) FROM archive.WFIMSOSCatalog") == [(0,)]
    assert status()[0] == "failed"
    assert "is refused and cannot be published" in run("publish", 1).output
    change("UPDATE roman.program SET program_category = 'CCS'")
    assert run("retry", 1).output == f"{SERIES}_v2 is published as delivery 2.\n"
    assert ask("SELECT state, n_read - n_loaded - n_rejected FROM ops.load_run ORDER BY 1")[-1][1] == 0


@pytest.mark.heavy
def test_files_of_what_is_not_published_are_no_products(outbox, run):
    """Two products are valid beside one that is not: none of them is a product of the archive."""
    change("INSERT INTO ops.delivery_content VALUES ('daily', 'dqa_events_level_4', true)")
    refused = run("make", *DAILY)
    assert refused.exit_code == 1
    assert "dqa_events_level_4 season 1: there is nothing of season 1" in refused.output
    assert ask(PRODUCTS) == [("dropped", 4), ("refused", 1)]
    assert ask(RECONCILED) == [(True,)]
    assert ask("SELECT n_loaded, n_rejected FROM ops.load_run WHERE task = 'deliveries make'") == [(2, 1)]
    assert ask("SELECT count(*) FROM archive.WFIMSOSCatalog") == [(0,)]
    assert "dropped" in run("show", 1).output
    change("UPDATE ops.delivery_content SET is_required = false WHERE product = 'dqa_events_level_4'")
    assert run("make", *DAILY).exit_code == 0
    assert ask(PRODUCTS) == [("dropped", 4), ("refused", 1), ("staged", 4)]
    assert ask("SELECT count(*) FROM archive.WFIMSOSCatalog") == [(0,)]
    assert run("publish", 2).exit_code == 0
    assert ask(PRODUCTS) == [("dropped", 4), ("refused", 1), ("valid", 4)]
    files = {path.name for path in (outbox.root / SERIES).iterdir()}
    named = {row[0] for row in ask("SELECT filename FROM archive.WFIMSOSCatalog")}
    assert named == files - {"manifest.json", "inputs.sha256"}


@pytest.mark.heavy
def test_the_archive_refuses_and_a_further_version_is_made(outbox, run):
    run("make", *DAILY)
    run("publish", 1)
    refused = {"filename": f"{CURVES}.asdf", "accepted": False, "message": "no such column"}
    answer(outbox, f"{SERIES}_v1", accepted=False, message="not ingested", files=[refused])
    assert "is rejected: not ingested" in run("acknowledge").output
    assert ask(STATE) == [("rejected", f"not ingested; {CURVES}.asdf: no such column")]
    assert status() == ("failed", "rejected", f"not ingested; {CURVES}.asdf: no such column")
    assert ask("SELECT message FROM ops.delivery_file WHERE NOT is_accepted") == [("no such column",)]
    assert run("retry", 1).exit_code == 0
    assert "nothing is to be done again" not in run("retry", 2).output
    answer(outbox, f"{SERIES}_v2")
    assert f"{SERIES}_v2 is accepted" in run("acknowledge").output
    assert "is accepted: nothing is to be done again" in run("retry", 2).output
    assert f"{SERIES}_v2 has been published since: nothing is to be done again" in run("retry", 1).output
    # What is known is read again and changes nothing; another answer takes its place.
    assert run("acknowledge").output == ""
    answer(outbox, f"{SERIES}_v2", accepted=False, message="no, after all")
    assert "is rejected: no, after all" in run("acknowledge").output


@pytest.mark.heavy
def test_an_archive_that_changes_its_answer_keeps_nobody_from_the_next_round(outbox, run):
    """Of two files the later counts whenever they are read; what it does not say again is forgotten."""
    run("make", *DAILY)
    run("publish", 1)
    name = f"{SERIES}_v1"
    told = {"filename": f"{CURVES}.asdf", "accepted": False, "message": "no such column"}
    path = answer(outbox, name, accepted=False, message="not ingested", files=[told])
    assert run("acknowledge").exit_code == 0
    earlier = path.rename(outbox.answers / "first.json")
    os.utime(earlier, (0, 0))
    answer(outbox, name)
    assert run("acknowledge").output == f"{name} is accepted\n"
    assert (run("acknowledge").output, ask(STATE)) == ("", [("accepted", None)])
    assert ask("SELECT count(*) FROM ops.delivery_file WHERE message IS NOT NULL") == [(0,)]
    answer(outbox, name, accepted=False, message="not what we hold")
    assert run("acknowledge").output == f"{name} is rejected: not what we hold\n"
    assert status() == ("failed", "rejected", "not what we hold")


@pytest.mark.heavy
def test_answers_that_are_none_keep_no_other_from_being_read(outbox, run):
    run("make", *DAILY)
    run("publish", 1)
    name = f"{SERIES}_v1"
    good = answer(outbox, name)
    said = json.loads(good.read_text())
    wrong = {
        "a": ("{", "is no answer"),
        "b": (json.dumps(said | {"delivery": "x"}), "there is no delivery 'x'"),
        "c": (json.dumps(said | {"manifest_sha256": "0"}), "a manifest with another checksum than ours"),
        "d": (json.dumps(said | {"accepted": False}), "a refusal says why"),
        "e": (
            json.dumps(said | {"files": [{"filename": "x", "accepted": True}]}),
            "not a product of this delivery",
        ),
        "f": (json.dumps(said | {"files": [{"filename": "x", "accepted": False}]}), "is not accepted"),
        "g": (json.dumps(said | {"more": 1}), "more: Extra inputs"),
    }
    for letter, (text, _) in wrong.items():
        (outbox.answers / f"{letter}.json").write_text(text)
    done = run("acknowledge")
    assert done.exit_code == 1
    assert [words for _, words in wrong.values() if words not in done.output] == []
    assert ask(STATE) == [("accepted", None)]


@pytest.mark.heavy
def test_what_is_not_what_was_made_is_not_published(outbox, run):
    run("make", *DAILY)
    path = outbox.staging(f"{SERIES}_v1") / f"{CURVES}.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    done = run("publish", 1)
    assert done.exit_code == 1
    assert not outbox.published(f"{SERIES}_v1").exists()
    assert not (outbox.root / SERIES).is_symlink()
    (row,) = ask(STATE)
    assert row[0] == "failed"
    assert f"{path} has " in row[1]
    assert row[1] in done.output
    # What is made meanwhile is published, and nothing older takes its place afterwards.
    run("make", *DAILY)
    run("make", *DAILY)
    run("publish", 3)
    assert f"{SERIES}_v3, which replaces it, is" in run("publish", 2).output
    assert ask(PRODUCTS) == [("dropped", 8), ("valid", 4)]
    assert (outbox.root / SERIES).readlink() == Path(f"{SERIES}_v3")


def test_what_is_asked_for_wrongly_is_told(outbox, run):
    wrong = {
        ("daily", "--season", 1): "there are 3 of it: say of which --day",
        ("daily", "--season", 1, "--day", 61470): "no exposure of it was received",
        ("weekly", "--season", 1): "no such delivery is due",
        ("season", "--season", 7): "season 7: no such delivery is due",
    }
    for words, said in wrong.items():
        done = run("make", *words)
        assert done.exit_code == 1
        assert said in done.output
    assert ask(STATE) == []


def test_a_delivery_that_is_not_there_is_told(outbox, run):
    for command in ("show", "publish", "retry"):
        done = run(command, 99)
        assert done.exit_code == 1
        assert "there is no delivery 99" in done.output


def test_no_clock_but_that_of_the_database_is_asked():
    """A machine with a wrong clock makes no delivery early or late: none of its clocks is read."""
    for package in (roman_db.delivery, roman_db.release):
        for path in Path(package.__path__[0]).glob("*.py"):
            names = set()
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom):
                    names.add(node.module)
                elif isinstance(node, ast.Import):
                    names |= {alias.name for alias in node.names}
            assert not names & {"time", "datetime"}, path
