"""What a run of the mode ``spectra`` says of itself when it is done."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from roman_db import session

_SUMMARY = """
SELECT (SELECT count(*) FROM roman.spectral_extraction WHERE load_run_id = m.run) AS n_exposure,
       s.n_extracted, s.n_without,
       (SELECT count(*) FROM roman.spectrum WHERE load_run_id = m.run AND file_id IS NULL) AS n_combined,
       (SELECT count(*) FROM roman.redshift WHERE load_run_id = m.run AND z IS NOT NULL) AS n_redshift
FROM (SELECT CAST(:run AS bigint) AS run) AS m
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE n_pixel > 0) AS n_extracted,
           count(*) FILTER (WHERE n_pixel = 0) AS n_without
    FROM roman.exposure_spectrum WHERE load_run_id = m.run
) AS s
"""
_WITHOUT = """
SELECT reason, count(*) AS n FROM roman.exposure_spectrum
WHERE load_run_id = CAST(:run AS bigint) AND n_pixel = 0 GROUP BY reason ORDER BY n DESC, reason
"""


@dataclass(frozen=True)
class Summary:
    """What a run wrote.

    Parameters
    ----------
    n_exposure
        Exposures.
    n_extracted, n_without
        Objects on them with a spectrum, and without.
    n_combined, n_redshift
        Combined spectra, and those with a redshift.
    without
        Reasons why objects have no spectrum, with their numbers.
    """

    n_exposure: int
    n_extracted: int
    n_without: int
    n_combined: int
    n_redshift: int
    without: tuple[tuple[str, int], ...]


def summary_of(load_run_id: int) -> Summary:
    """Read what a run wrote."""
    with session.reading() as connection:
        row = connection.execute(sa.text(_SUMMARY), {"run": load_run_id}).one()
        reasons = connection.execute(sa.text(_WITHOUT), {"run": load_run_id}).all()
    return Summary(**row._asdict(), without=tuple((str(one.reason), int(one.n)) for one in reasons))
