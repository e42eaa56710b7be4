"""kill -9 in the middle of a compaction: everything is as it was, and the next one does the work."""

import pytest

from roman_db.retired_partitions import drop_retired
from tests.loaders.compaction.runs import WINDOW, ask, compact, generations, in_small_chunks, pending
from tests.loaders.light_curve import killed
from tests.loaders.light_curve.synthetic import points, write_days


class _Patch:
    @staticmethod
    def setattr(target, name, value):
        setattr(target, name, value)


def compact_and_die() -> None:
    in_small_chunks(_Patch)
    compact(progress=lambda done, total: killed.kill_me() if 0 < done < total else None)


def stored() -> tuple:
    """Points as they are seen, blocks and numbers of rows."""
    blocks = ask("SELECT * FROM roman.light_curve_block ORDER BY block_id")
    tables = ("light_curve_segment", "astrometry_segment", "shape_segment", "light_curve_summary")
    return points(), blocks, [ask(f"SELECT count(*) FROM roman.{table}") for table in tables]


@pytest.mark.heavy
def test_a_killed_compaction_leaves_everything_as_it_was(database):
    write_days(4, objects=30)
    before = stored()
    assert killed.in_process(compact_and_die) == -9
    assert stored() == before
    assert pending() == [WINDOW]
    compact()
    assert points() == before[0]
    assert pending() == []
    assert drop_retired(5) == 1
    assert generations() == ["light_curve_segment_61520_61528_g1"]
