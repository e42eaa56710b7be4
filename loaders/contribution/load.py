"""Collections of the community: files into the folder of products, tables and rows into the database."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from loaders.contribution import manifest, submission, tables
from loaders.contribution.bundle import write_bundle
from loaders.contribution.manifest import SCHEMA, File, Manifest
from loaders.contribution.refusal import Refused
from loaders.output_folder import writable_folder, writing
from roman_db import session, sqlfile
from roman_db.load_run import InputFile, LoadRun, load_run
from roman_db.locks import Hold, touching
from roman_db.schema.metadata import table
from roman_db.session import Role
from roman_db.settings import settings

_DOCUMENT = "document"
#: Who runs an upgrade may be another; what is granted is granted by the owner of the schema.
_HANDED_OVER = """
    DO $$ BEGIN
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'roman_owner') THEN
            ALTER TABLE community."{name}" OWNER TO roman_owner;
        END IF;
    END $$
"""


def ingest(folder: Path, said: Manifest, name: str) -> int:
    """Store a submission that was judged, not published yet; return the number of rows that matched.

    Again, it is the same. What an interrupted run left is replaced: only a finished one has its row.

    Raises
    ------
    Refused
        If that version is there with other content, or another one has its folder or a table of its name.
    LockHeld
        If another run works on that collection.
    """
    arguments = {"submission": name}
    expected = len(said.files)
    with _alone(said.name) as hold, load_run("ingest contribution", arguments, expected, hold) as run:
        _refuse_taken(said, name)
        if _is_there(said, name):
            with session.transaction() as connection:
                run.count(connection, loaded=len(said.files), unchanged=len(said.files))
            return 0
        _store_files(folder, said)
        loaded = {
            file.filename: _store_table(folder, said, file) for file in said.files if file.kind == "table"
        }
        with session.transaction(Role.OWNER) as connection:
            n_match = _store_rows(connection, run, folder, said, loaded)
            run.record_inputs(connection, _inputs(folder, said))
            run.count(connection, loaded=len(said.files))
    return n_match


def publish(name: str, version: str) -> tuple[str, Path, list[str]]:
    """Let everybody see a version of a collection, and return its state, its bundle and its tables.

    The version before is superseded, and stays. Again, nothing changes: what was superseded stays so.

    Raises
    ------
    Refused
        If it was not ingested.
    LockHeld
        If another run works on that collection.
    """
    arguments = {"name": name, "version": version}
    with _alone(name) as hold, load_run("publish contribution", arguments, 1, hold) as run:
        products = table("roman.community_product")
        mine = (products.c.name == name) & (products.c.version == version)
        with session.reading(Role.LOADER) as connection:
            product = connection.execute(sa.select(products).where(mine)).one_or_none()
        if product is None:
            raise Refused(f"{name} {version}", ["it was not ingested: roman-db contribute ingest"])
        path = write_bundle(_folder_of(name, version), f"{name}_{version}".lower())
        is_new = product.state == "ingested"
        with session.transaction(Role.OWNER) as connection:
            if is_new:
                _show(connection, name, version)
            run.count(connection, loaded=1, unchanged=int(not is_new))
    return "published" if is_new else product.state, path, _tables_of(int(product.community_product_id))


def _show(connection: sa.Connection, name: str, version: str) -> None:
    """Let everybody see a version of a collection, which takes the place of the one before."""
    products = table("roman.community_product")
    of_name = products.update().where(products.c.name == name)
    connection.execute(of_name.where(products.c.state == "published").values(state="superseded"))
    now = {"state": "published", "published_at": sa.func.now()}
    connection.execute(of_name.where(products.c.version == version).values(now))
    connection.exec_driver_sql("SELECT ops.show_community_tables()")


def _alone(name: str) -> AbstractContextManager[Hold]:
    """Hold a collection against other runs, however its name is spelled: folder and tables are the same."""
    return touching("collection of the community", (name.lower(),))


def _refuse_taken(said: Manifest, name: str) -> None:
    """Refuse a submission whose folder or tables are those of another version, which would be replaced."""
    products, files = table("roman.community_product"), table("roman.community_file")
    others = (
        sa.select(products.c.name, products.c.version, files.c.table_name)
        .outerjoin(files, files.c.community_product_id == products.c.community_product_id)
        .where(sa.func.lower(products.c.name) == said.name.lower())
        .where((products.c.name != said.name) | (products.c.version != said.data_release_id))
    )
    with session.reading(Role.LOADER) as connection:
        reasons = {
            reason
            for row in connection.execute(others)
            for reason in manifest.clashes(said, row.name, row.version, row.table_name)
        }
    if reasons:
        raise Refused(name, sorted(reasons))


def _is_there(said: Manifest, name: str) -> bool:
    """Whether a version is stored with the same files."""
    products, files = table("roman.community_product"), table("roman.community_file")
    wanted = sa.select(files.c.filename, files.c.sha256).join(
        products, products.c.community_product_id == files.c.community_product_id
    )
    mine = (products.c.name == said.name) & (products.c.version == said.data_release_id)
    with session.reading(Role.LOADER) as connection:
        rows = connection.execute(wanted.where(mine, files.c.kind != _DOCUMENT)).all()
    there = {row.filename: row.sha256 for row in rows}
    if there and there != {file.filename: file.sha256 for file in said.files}:
        reason = f"{said.label} is there already with other files: give this one a data_release_id of its own"
        raise Refused(name, [reason])
    return bool(there)


def _folder_of(name: str, version: str) -> Path:
    """Folder of a version of a collection."""
    return settings().product_folder / "community" / name.lower() / version.lower()


def _store_files(folder: Path, said: Manifest) -> None:
    """Copy a submission beside its place, and let the copy take that when it is whole."""
    target = _folder_of(said.name, said.data_release_id)
    writable_folder(target.parent)
    draft = target.with_name(f".{target.name}.draft")
    with writing(target):
        for left in (draft, target):
            if left.exists():
                shutil.rmtree(left)
        draft.mkdir()
        for path in _content(folder, said):
            shutil.copyfile(path, draft / path.name)
        draft.replace(target)


def _content(folder: Path, said: Manifest) -> Iterator[Path]:
    """Yield the files of a submission: documents, then those of the manifest."""
    documents = (manifest.NAME, *submission.READMES)
    yield from (path for name in documents if (path := folder / name).is_file())
    yield from (folder / file.filename for file in said.files)


def _store_table(folder: Path, said: Manifest, file: File) -> int:
    """Load a table into one of its own in the schema of the community, and return its rows."""
    name, path = manifest.table_name(said, file), folder / file.filename
    columns = tables.columns_of(path)
    definitions = ", ".join(f'"{one.name}" {one.postgresql}' for one in columns)
    with session.transaction(Role.OWNER) as connection:
        connection.exec_driver_sql(f'DROP TABLE IF EXISTS {SCHEMA}."{name}"')
        connection.exec_driver_sql(
            f'CREATE TABLE {SCHEMA}."{name}" (row_number bigint PRIMARY KEY, {definitions})'
        )
        connection.exec_driver_sql(_HANDED_OVER.format(name=name))
        _describe(connection, f'{SCHEMA}."{name}"', file.description)
        for one in columns:
            _describe(connection, f'{SCHEMA}."{name}"."{one.name}"', _as_comment(one), "COLUMN")
        _describe(connection, f'{SCHEMA}."{name}".row_number', _as_comment(_NUMBER), "COLUMN")
        if file.match is not None:
            place = f'"{file.match.ra}", "{file.match.dec}"'
            connection.exec_driver_sql(f'CREATE INDEX ON {SCHEMA}."{name}" (q3c_ang2ipix({place}))')
    return session.ingest(SCHEMA, name, tables.rows(path), Role.OWNER)


_NUMBER = tables.ColumnOf(
    "row_number", "bigint", "long", None, None, "meta.id;meta.main", "Row of the table."
)


def _as_comment(column: tables.ColumnOf) -> str:
    """What is kept beside a column, as of scratch tables: the words of TAP_SCHEMA."""
    words = ("datatype", "arraysize", "unit", "ucd", "description")
    return json.dumps({word: getattr(column, word) for word in words} | {"xtype": None})


def _describe(connection: sa.Connection, what: str, words: str, kind: str = "TABLE") -> None:
    """Comment on a table or column."""
    quoted = connection.execute(sa.select(sa.func.quote_literal(words))).scalar_one()
    connection.exec_driver_sql(
        f"COMMENT ON {kind} {what} IS {quoted}", execution_options={"no_parameters": True}
    )


def _store_rows(
    connection: sa.Connection, run: LoadRun, folder: Path, said: Manifest, loaded: dict[str, int]
) -> int:
    """Store what is known of a collection and its files, match its tables; return the number of matches."""
    origin = {"load_run_id": run.load_run_id}
    product = table("roman.community_product")
    row = {
        "name": said.name,
        "version": said.data_release_id,
        "title": said.title,
        "description": submission.readme(folder),
        "investigator": said.investigator,
        "publication_doi": said.doi,
        "license": said.license,
        "license_url": said.license_url,
        "target_name": said.target_name,
        "state": "ingested",
    }
    insert = product.insert().values(row | origin).returning(product.c.community_product_id)
    origin |= {"community_product_id": connection.execute(insert).scalar_one()}
    files = table("roman.community_file")
    rows = [values | origin for values in _file_rows(folder, said, loaded)]
    insert = files.insert().returning(files.c.filename, files.c.community_file_id)
    file_ids = {row.filename: row.community_file_id for row in connection.execute(insert, rows)}
    return sum(_match(connection, run, said, file, file_ids[file.filename]) for file in said.files)


def _file_rows(folder: Path, said: Manifest, loaded: dict[str, int]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the files of a collection."""
    listed = {file.filename: file for file in said.files}
    for path in _content(folder, said):
        file = listed.get(path.name)
        is_table = path.name in loaded
        yield {
            "filename": path.name,
            "kind": _DOCUMENT if file is None else file.kind,
            "description": "What belongs to the collection." if file is None else file.description,
            "sha256": submission.sha256(path) if file is None else file.sha256,
            "size_bytes": path.stat().st_size,
            "n_row": loaded.get(path.name),
            "table_name": manifest.full_table_name(said, file) if file and is_table else None,
        }


def _match(connection: sa.Connection, run: LoadRun, said: Manifest, file: File, file_id: int) -> int:
    """Match the rows of a table with the nearest objects, and return how many have one."""
    if file.match is None:
        return 0
    job = sqlfile.find("jobs", "community_match")
    values: dict[str, object] = {"community_file_id": file_id, "load_run_id": run.load_run_id}
    values["radius_deg"] = file.match.radius_arcsec / 3600
    name = manifest.table_name(said, file)
    source = f'SELECT row_number, "{file.match.ra}" AS ra, "{file.match.dec}" AS dec FROM {SCHEMA}."{name}"'
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE contributed ON COMMIT DROP AS {source}")
    n_match = int(str(sqlfile.run(connection, job, values).scalar_one()))
    connection.exec_driver_sql("DROP TABLE contributed")
    return n_match


def _inputs(folder: Path, said: Manifest) -> list[InputFile]:
    """Files of a submission, for the record."""
    return [
        InputFile("contribution", file.filename, file.sha256, (folder / file.filename).stat().st_size)
        for file in said.files
    ]


def _tables_of(product_id: int) -> list[str]:
    """Tables of a collection that queries may name."""
    files = table("roman.community_file")
    mine = (files.c.community_product_id == product_id) & files.c.table_name.is_not(None)
    with session.reading(Role.LOADER) as connection:
        found = connection.execute(sa.select(files.c.table_name).where(mine).order_by(files.c.table_name))
        return list(found.scalars())


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Empty folder in that of products, to unpack a submission into; it is removed at the end."""
    parent = writable_folder(settings().product_folder / "community")
    with tempfile.TemporaryDirectory(prefix=".submission-", dir=parent) as name:
        yield Path(name)
