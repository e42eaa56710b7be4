"""Spectra of files into the database, with their redshifts: some at a time, each time in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from loaders.input_file import fingerprint
from loaders.redshift.fit import AT_ONCE, fit_spectra
from loaders.redshift.read import Stated, read_spectra
from loaders.redshift.rows import Columns, alternative_rows, line_rows, redshift_rows, spectrum_rows
from loaders.redshift.solution import Fit
from loaders.redshift.spectrum import Spectrum
from loaders.rejection import Rejected, unexpected
from roman_db import session
from roman_db.bulk import copy_rows
from roman_db.load_run import Counts, InputFile, LoadRun, load_run

Step = Callable[[str, int, int], None]

KIND = "spectrum"
"""Kind of the files in ``ops.input_file``."""

#: Keeps another loader of the same spectra waiting.
_ALONE = "LOCK TABLE roman.spectrum IN SHARE ROW EXCLUSIVE MODE"

_IDENTIFIERS = """
SELECT nextval(pg_get_serial_sequence('roman.spectrum', 'spectrum_id'))
FROM generate_series(1, CAST(:n AS integer))
"""
_MATCH = """
SELECT DISTINCT ON (g.n) g.n, o.object_id
FROM unnest(CAST(:ra AS double precision[]), CAST(:dec AS double precision[]))
    WITH ORDINALITY AS g (ra, dec, n)
JOIN roman.object AS o ON q3c_join(g.ra, g.dec, o.ra, o.dec, CAST(:radius AS double precision))
ORDER BY g.n, q3c_dist(g.ra, g.dec, o.ra, o.dec), o.object_id
"""
_PRESENT = """
SELECT s.spectrum_name FROM roman.spectrum AS s JOIN roman.redshift AS r USING (spectrum_id)
WHERE s.file_id = CAST(:file_id AS bigint) AND s.superseded_at IS NULL
"""
#: Current spectra of a file and of earlier versions of it, which stand at the same place.
_SUPERSEDE = """
UPDATE roman.spectrum AS s SET superseded_at = now()
FROM ops.input_file AS f
WHERE f.file_id = s.file_id AND s.superseded_at IS NULL AND f.kind = 'spectrum'
  AND f.path = CAST(:path AS text) AND s.spectrum_name = ANY(CAST(:names AS text[]))
"""
_SUPERSEDE_OTHERS = """
WITH other AS (
    UPDATE ops.input_file SET superseded_at = now()
    WHERE kind = 'spectrum' AND path = CAST(:path AS text) AND file_id <> CAST(:file_id AS bigint)
      AND superseded_at IS NULL
    RETURNING file_id
)

UPDATE roman.spectrum AS s SET superseded_at = now()
FROM other WHERE other.file_id = s.file_id AND s.superseded_at IS NULL
"""


@dataclass(frozen=True)
class LoadOptions:
    """How spectra are loaded.

    Parameters
    ----------
    stated
        What the files do not say.
    match_radius
        Distance in arcsec within which a spectrum is of an object.
    refit
        Whether spectra that are there already are fitted again; the earlier are superseded.
    """

    stated: Stated
    match_radius: float = 1.0
    refit: bool = False


def load_spectra(path: Path, options: LoadOptions, step: Step) -> tuple[Counts, int]:
    """Load the spectra of a file and fit them; those that are there already are left as they are.

    A run that was cut off is taken up where it ended: what it stored is there already.

    Returns
    -------
    counts
        Of spectra; if the file as a whole is refused, of files.
    load_run_id
        The run.
    """
    arguments = {"file": str(path), "refit": options.refit, "match_radius": options.match_radius}
    with load_run("load spectra", arguments, expected=1) as run:
        given = InputFile(KIND, str(path.absolute()), *fingerprint(path))
        with session.transaction() as connection:
            run.record_inputs(connection, [given])
        try:
            spectra = read_spectra(path, options.stated)
        except Rejected as rejected:
            _reject(run, rejected)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            _reject(run, unexpected(path, error))
        else:
            _load(run, given, spectra, options, step)
        counts = run.counts()
    return counts, run.load_run_id


def _reject(run: LoadRun, rejected: Rejected) -> None:
    """Record that the file is refused."""
    with session.transaction() as connection:
        run.reject(connection, rejected)


def _load(run: LoadRun, given: InputFile, spectra: list[Spectrum], options: LoadOptions, step: Step) -> None:
    """Fit and store what is not there yet."""
    with session.transaction() as connection:
        run.expect(connection, len(spectra))
        file_id = run.register_file(connection, given)
        present = set() if options.refit else _present(connection, file_id)
        todo = [one for one in spectra if one.name not in present]
        there = len(spectra) - len(todo)
        run.count(connection, loaded=there, unchanged=there)
    for first in range(0, len(todo), AT_ONCE):
        _fit_and_store(run, given.path, file_id, todo[first : first + AT_ONCE], options)
        step(Path(given.path).name, there + min(first + AT_ONCE, len(todo)), len(spectra))
    with session.transaction() as connection:
        connection.execute(sa.text(_SUPERSEDE_OTHERS), {"path": given.path, "file_id": file_id})


def _present(connection: sa.Connection, file_id: int) -> set[str]:
    """Names of the spectra of a file that are stored with their redshifts."""
    return set(connection.execute(sa.text(_PRESENT), {"file_id": file_id}).scalars())


def _fit_and_store(
    run: LoadRun, path: str, file_id: int, spectra: Sequence[Spectrum], options: LoadOptions
) -> None:
    """Fit some spectra and store them with all that was found, or nothing of it."""
    fits = fit_spectra(spectra)
    with session.transaction() as connection:
        connection.execute(sa.text(_ALONE))
        names = [one.name for one in spectra]
        connection.execute(sa.text(_SUPERSEDE), {"path": path, "names": names})
        objects = _objects(connection, spectra, options.match_radius)
        origin: Columns = {"object_id": list(objects), "file_id": [file_id] * len(spectra)}
        store_spectra(connection, run, spectra, fits, origin)
        run.count(connection, loaded=len(spectra))


def store_spectra(
    connection: sa.Connection,
    run: LoadRun,
    spectra: Sequence[Spectrum],
    fits: Sequence[Fit],
    origin: Columns,
) -> list[int]:
    """Store spectra with what was fitted to them.

    Parameters
    ----------
    connection
        Open transaction, in which those before them are superseded.
    run
        The run.
    spectra, fits
        The spectra and their fits.
    origin
        Columns of roman.spectrum that say whence each is, and of which object.

    Returns
    -------
    Identifiers of the spectra.
    """
    ids = list(connection.execute(sa.text(_IDENTIFIERS), {"n": len(spectra)}).scalars())
    copy_columns(connection, run, "roman.spectrum", {"spectrum_id": ids} | spectrum_rows(spectra) | origin)
    copy_columns(connection, run, "roman.redshift", redshift_rows(fits, ids))
    copy_columns(connection, run, "roman.redshift_alternative", alternative_rows(fits, ids))
    copy_columns(connection, run, "roman.line_measurement", line_rows(fits, ids))
    return ids


def copy_columns(connection: sa.Connection, run: LoadRun, table: str, columns: Columns) -> None:
    """Store rows of a run; numbers become arrays, in which NaN is NULL."""
    number = len(next(iter(columns.values())))
    if number:
        typed = {name: _typed(values) for name, values in columns.items()}
        copy_rows(connection, table, typed | {"load_run_id": [run.load_run_id] * number})


def _typed(values: list[object]) -> object:
    """Numbers in an array, what else there is as it was."""
    if all(isinstance(value, float | np.floating) for value in values):
        return np.array(values, np.float64)
    return values


def _objects(connection: sa.Connection, spectra: Sequence[Spectrum], radius: float) -> list[int | None]:
    """The nearest object of each spectrum, None where there is none within the radius or no position."""
    placed = [k for k, one in enumerate(spectra) if one.ra is not None and one.dec is not None]
    found: list[int | None] = [None] * len(spectra)
    if placed:
        values = {
            "ra": [spectra[k].ra for k in placed],
            "dec": [spectra[k].dec for k in placed],
            "radius": radius / 3600,
        }
        for n, object_id in connection.execute(sa.text(_MATCH), values):
            found[placed[n - 1]] = int(object_id)
    return found
