"""Rules of the house that import-linter cannot say."""

from pathlib import Path

import pytest

from tests.sources import ROOT, facts, files

_SOURCES = [*files("loaders"), *files("roman_db")]
#: In a domain of the loaders these alone touch the database.
_DOORS = {"load.py", "tasks.py", "commands.py", "__init__.py"}
_DATABASE = {"sqlalchemy", "psycopg2", "psycopg", "adbc_driver_postgresql", "roman_db"}


def domain_files() -> list[Path]:
    return [path for path in _SOURCES if path.parts[0] == "loaders" and len(path.parts) > 2]


def test_only_the_doors_of_a_domain_touch_the_database():
    found = {
        f"{path}: {name}"
        for path in domain_files()
        if path.name not in _DOORS
        for name in facts(path).imports
        if name.split(".")[0] in _DATABASE and name != "roman_db.compiled"
    }
    assert found == set()


def test_no_science_file_imports_a_door_of_its_own_or_another_domain():
    """Or it would touch the database after all."""
    found = {
        f"{path}: {name}"
        for path in domain_files()
        if path.name not in _DOORS
        for name in facts(path).imports
        if name.startswith("loaders.") and name.rsplit(".", 1)[1] in ("load", "tasks", "commands")
    }
    assert found == set()


def test_the_environment_is_read_in_settings_alone():
    names = ("os.environ", "os.getenv", "os.environb")
    found = {str(path) for path in _SOURCES if any(name in names for name in facts(path).attributes)}
    assert found <= {"roman_db/settings.py", *_ENVIRONMENT_OF_CHILDREN}


#: These hand the environment to programs that they start, and read no setting from it.
_ENVIRONMENT_OF_CHILDREN = {"roman_db/cluster/binaries.py", "roman_db/cluster/process.py"}


def test_a_connection_is_opened_in_session_alone():
    names = {
        "sa.create_engine",
        "sqlalchemy.create_engine",
        "psycopg2.connect",
        "psycopg.connect",
        "dbapi.connect",
    }
    found = {str(path) for path in _SOURCES if names & set(facts(path).attributes)}
    assert found == {"roman_db/session.py"}


def test_copy_is_spoken_in_bulk_alone_and_read_back_where_segments_are():
    found = {
        str(path)
        for path in _SOURCES
        if any(name.endswith(".copy_expert") for name in facts(path).attributes)
    }
    assert found <= {
        "roman_db/bulk.py",
        "roman_db/copy_read.py",
        "roman_db/schema/rows.py",
        "loaders/compaction/load.py",
    }


@pytest.mark.parametrize("word", ["utils", "util", "helper", "helpers", "manager", "misc", "common"])
def test_files_are_named_for_what_they_hold(word):
    assert [path for path in _SOURCES if path.stem == word] == []


def test_files_are_short():
    assert {
        str(path): n for path in _SOURCES if (n := len((ROOT / path).read_text().splitlines())) > 400
    } == {}


def test_functions_are_short():
    lengths = {f"{path}:{name}": n for path in _SOURCES for name, n in facts(path).lengths.items()}
    assert {name: n for name, n in lengths.items() if n > 50} == {}
    assert sorted(lengths.values())[len(lengths) // 2] <= 15


#: The services, which may use each other.
_SERVICES = tuple(("roman_db", name) for name in ("archive", "delivery", "portal", "release", "tap", "vo"))


def test_nothing_imports_the_services():
    """Not even what stands beside them in the core (which import-linter does not see without an
    ``__init__``)."""
    found = {
        f"{path}: {name}"
        for path in _SOURCES
        if path.parts[:2] not in _SERVICES
        for name in facts(path).imports
        if name.startswith(tuple(map(".".join, _SERVICES)))
    }
    assert found == set()
