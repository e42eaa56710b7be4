"""Which inputs a run refused, each counted once whatever was said of it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from roman_db import session

#: The source of a rejection is its input, or a file with the keyword, array or column that is at fault. An
#: exposure whose file the database does not have goes by its number.
_REJECTED = r"""
WITH refused AS (
    SELECT DISTINCT regexp_replace(source, '^(.*\.\w+): [^/]*$', '\1') AS input
    FROM ops.load_rejection WHERE load_run_id = CAST(:load_run_id AS bigint)
)
SELECT count(*) FILTER (WHERE is_exposure), count(*) FILTER (WHERE NOT is_exposure AND NOT is_object),
       count(*) FILTER (WHERE is_object)
FROM refused CROSS JOIN LATERAL (
    SELECT input ~ '^exposure \d+$' OR EXISTS (
        SELECT FROM ops.input_file
        WHERE kind = 'exposure' AND filename = regexp_replace(input, '^.*/', '')
    ) AS is_exposure, input ~ '^object \d+$' AS is_object
) AS kind
"""


@dataclass(frozen=True)
class RejectedInputs:
    """Inputs that a run refused: exposures; objects; and others, such as images and units that failed."""

    n_exposure: int = 0
    n_other: int = 0
    n_object: int = 0

    def __bool__(self) -> bool:
        return self.n_exposure + self.n_object + self.n_other > 0

    def __str__(self) -> str:
        said = []
        if self.n_exposure or not self:
            said.append(f"{self.n_exposure:,} {'exposure' if self.n_exposure == 1 else 'exposures'}")
        if self.n_object:
            said.append(f"{self.n_object:,} {'object' if self.n_object == 1 else 'objects'}")
        if self.n_other:
            said.append(f"{self.n_other:,} {'image or unit' if self.n_other == 1 else 'images or units'}")
        return " and ".join(said)


def rejected_inputs(load_run_id: int) -> RejectedInputs:
    """Count what a run refused."""
    with session.reading() as connection:
        row = connection.execute(sa.text(_REJECTED), {"load_run_id": load_run_id}).one()
    return RejectedInputs(*row)
