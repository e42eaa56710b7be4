"""References of grism and prism into the database: one file is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import sqlalchemy as sa

from loaders.input_file import LoadedFile, fingerprint
from loaders.rejection import Rejected, unexpected
from loaders.spectral_reference.describe import Description, describe
from roman_db import session
from roman_db.load_run import Counts, InputFile, LoadRun, load_run
from roman_db.schema.metadata import table

_Row: TypeAlias = sa.Row[Any]

KIND = "spectral_reference"
"""Kind of the files in ``ops.input_file``."""

_ALONE = "LOCK TABLE roman.calibration_reference IN SHARE ROW EXCLUSIVE MODE"

_FILE = """
SELECT f.path, f.sha256, f.size_bytes FROM roman.calibration_reference AS r
JOIN ops.input_file AS f USING (file_id)
WHERE r.calibration_reference_id = CAST(:calibration_reference_id AS bigint)
"""
#: Current references of a kind, element and detector, and whether they have this content.
_KNOWN = """
SELECT r.calibration_reference_id, r.version, r.valid_from_mjd, r.valid_to_mjd, r.pedigree, f.filename,
       f.sha256 = CAST(:sha256 AS text) AS is_same
FROM roman.calibration_reference AS r JOIN ops.input_file AS f USING (file_id)
WHERE r.reftype = :reftype AND r.optical_element = :optical_element
  AND r.detector IS NOT DISTINCT FROM CAST(:detector AS text) AND r.superseded_at IS NULL
ORDER BY r.version
"""
_SUPERSEDE = """
UPDATE roman.calibration_reference SET superseded_at = now()
WHERE calibration_reference_id = CAST(:calibration_reference_id AS bigint)
"""


@dataclass(frozen=True)
class ReferenceOptions:
    """What people say of references.

    Parameters
    ----------
    version
        Version; None for the one after the newest that is there, 0 for the first.
    detector
        Detector that they are of; None where the files say it, or for all.
    valid_from_mjd, valid_to_mjd
        Midpoints (MJD TDB) of exposures for which they are valid; None for no end.
    pedigree
        Where they come from, in RAD's words.
    description
        Anything.
    replace
        Whether they take the place of others of the same version.
    """

    version: int | None = None
    detector: str | None = None
    valid_from_mjd: float = 0.0
    valid_to_mjd: float | None = None
    pedigree: str = "GROUND"
    description: str | None = None
    replace: bool = False


def load_references(
    paths: Sequence[Path], options: ReferenceOptions, progress: Callable[[int], None]
) -> tuple[Counts, int]:
    """Load references; what can't be loaded is recorded and leaves the others alone. With the run."""
    arguments = {"files": [str(path) for path in paths]} | asdict(options)
    with load_run("load spectral-reference", arguments, len(paths)) as run:
        for done, path in enumerate(paths, 1):
            _load(run, path, options)
            progress(done)
        return run.counts(), run.load_run_id


def _load(run: LoadRun, path: Path, options: ReferenceOptions) -> None:
    """Store a reference, or record why not."""
    given = InputFile(KIND, str(path.absolute()), *fingerprint(path))
    try:
        description = describe(path, options.detector)
        with session.transaction() as connection:
            store_reference(connection, run, given, description, options)
        return
    except Rejected as rejected:
        refused = rejected
    except (ArithmeticError, LookupError, TypeError, ValueError, sa.exc.IntegrityError) as error:
        refused = unexpected(path, error)
    with session.transaction() as connection:
        run.record_inputs(connection, [given])
        run.reject(connection, refused)


def wait_for_others(connection: sa.Connection) -> None:
    """Keep other loaders of references waiting until the transaction ends, so that versions stay the next."""
    connection.execute(sa.text(_ALONE))


def store_reference(
    connection: sa.Connection, run: LoadRun, given: InputFile, what: Description, options: ReferenceOptions
) -> int:
    """Store and count a reference; of one that is there already only where its file lies now is noted.

    Returns
    -------
    Its row in ``roman.calibration_reference``.

    Raises
    ------
    Rejected
        Codes ``unknown_detector`` and ``reference_version_taken``.
    """
    wait_for_others(connection)
    _check_detector(connection, given, what)
    known = connection.execute(sa.text(_KNOWN), asdict(what) | {"sha256": given.sha256}).all()
    same = next((row for row in known if row.is_same), None)
    version = _version(known, same, options)
    if same is not None and _said(same) == (version, *_said(options)[1:]):
        run.register_file(connection, given)
        run.count(connection, loaded=1, unchanged=1)
        return int(same.calibration_reference_id)
    for row in known:
        if row.version == version or row.is_same:
            _make_room(connection, given, row, options)
    new = {
        **asdict(what),
        **{name: getattr(options, name) for name in _SAID},
        "version": version,
        "description": options.description,
        "file_id": run.register_file(connection, given),
        "load_run_id": run.load_run_id,
    }
    references = table("roman.calibration_reference")
    insert = references.insert().returning(references.c.calibration_reference_id)
    key = int(connection.execute(insert, new).scalar_one())
    run.count(connection, loaded=1)
    return key


_SAID = ("version", "valid_from_mjd", "valid_to_mjd", "pedigree")


def _said(of: object) -> tuple[object, ...]:
    """What decides whether a reference is the same one with the same use."""
    return tuple(getattr(of, name) for name in _SAID)


def _version(known: Sequence[_Row], same: _Row | None, options: ReferenceOptions) -> int:
    """Version of a reference: as people say, else that of the same content, else the next."""
    if options.version is not None:
        return options.version
    if same is not None:
        return int(same.version)
    return 1 + max((int(row.version) for row in known), default=-1)


def _check_detector(connection: sa.Connection, given: InputFile, what: Description) -> None:
    """Refuse a reference of a detector that is not registered.

    Raises
    ------
    Rejected
        Code ``unknown_detector``.
    """
    detectors = table("roman.detector").c.detector
    known = set(connection.execute(sa.select(detectors)).scalars())
    if what.detector is not None and what.detector not in known:
        said = f"it is of {what.detector!r}, which is not among the registered ones"
        raise Rejected(given.path, said, "Correct the file or --detector", "unknown_detector")


def _make_room(connection: sa.Connection, given: InputFile, row: _Row, options: ReferenceOptions) -> None:
    """Supersede a reference, if another may take its place."""
    if not options.replace:
        what = f"version {row.version} is {row.filename}, which is loaded"
        remedy = "Give it another --version, or let it take that place with --replace"
        if row.is_same:
            what = f"is version {row.version}, which is loaded with other words (--version, --valid-from …)"
            remedy = "Leave these options out, or let it take that place with --replace"
        raise Rejected(given.path, what, remedy, "reference_version_taken")
    values = {"calibration_reference_id": row.calibration_reference_id}
    connection.execute(sa.text(_SUPERSEDE), values)


def reference_file(calibration_reference_id: int) -> Path:
    """Find the file of a reference.

    Raises
    ------
    Rejected
        Codes ``missing_file`` and ``changed_file``, if it is not the one that was loaded.
    """
    with session.reading() as connection:
        values = {"calibration_reference_id": calibration_reference_id}
        row = connection.execute(sa.text(_FILE), values).one()
    path = Path(row.path)
    LoadedFile(path, row.sha256, row.size_bytes, "spectral-reference").require_unchanged()
    return path
