"""Simulated light curves and their truth as Arrow tables, for Parquet files."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from loaders.light_curve_simulation.simulate import SimulatedCurve

POINTS = pa.schema(
    [
        pa.field("object", pa.string(), metadata={"description": "Name of the light curve"}),
        pa.field("ra", pa.float64(), metadata={"unit": "deg"}),
        pa.field("dec", pa.float64(), metadata={"unit": "deg"}),
        pa.field("optical_element", pa.string()),
        pa.field("bjd_tdb", pa.float64(), metadata={"unit": "d"}),
        pa.field("flux", pa.float32(), metadata={"unit": "nJy"}),
        pa.field("flux_err", pa.float32(), metadata={"unit": "nJy"}),
        pa.field("flags", pa.uint16()),
    ]
)

TRUTH = pa.schema(
    [
        pa.field("object", pa.string()),
        pa.field("number", pa.int64()),
        pa.field("kind", pa.string()),
        pa.field("split", pa.string(), metadata={"description": "tune or test"}),
        pa.field("ra", pa.float64(), metadata={"unit": "deg"}),
        pa.field("dec", pa.float64(), metadata={"unit": "deg"}),
        pa.field("mag_f146", pa.float64(), metadata={"unit": "mag", "description": "AB, out of any event"}),
        pa.field(
            "truth",
            pa.string(),
            metadata={"description": "As JSON: flux_F146 and so on (nJy) out of any event, and the class's"},
        ),
    ]
)

_AB_ZERO = 3631e9


def name_of(seed: int, number: int) -> str:
    """Name of a light curve."""
    return f"sim-{seed}-{number:06d}"


def points_table(seed: int, curves: Sequence[SimulatedCurve]) -> pa.Table:
    """All points of some light curves, in the order of light curve, optical element and time."""
    parts = [(c, e, p) for c in curves for e, p in sorted(c.points.items())]
    size = [p.bjd_tdb.size for _, _, p in parts]
    columns = [
        np.repeat(np.array([name_of(seed, c.number) for c, _, _ in parts], object), size),
        np.repeat([c.ra for c, _, _ in parts], size),
        np.repeat([c.dec for c, _, _ in parts], size),
        np.repeat(np.array([element for _, element, _ in parts], object), size),
        *(
            np.concatenate([getattr(p, column) for _, _, p in parts])
            for column in ("bjd_tdb", "flux", "flux_err", "flags")
        ),
    ]
    return pa.table([pa.array(c).cast(f.type) for c, f in zip(columns, POINTS, strict=True)], schema=POINTS)


def truth_table(seed: int, curves: Sequence[SimulatedCurve]) -> pa.Table:
    """What is true of some light curves, a row each."""
    rows = [
        {
            "object": name_of(seed, c.number),
            "number": c.number,
            "kind": c.kind,
            "split": c.split,
            "ra": c.ra,
            "dec": c.dec,
            "mag_f146": float(-2.5 * np.log10(c.baseline["F146"] / _AB_ZERO)),
            "truth": json.dumps({f"flux_{e}": f for e, f in c.baseline.items()} | dict(c.truth)),
        }
        for c in curves
    ]
    return pa.Table.from_pylist(rows, schema=TRUTH)


def truth_rows(truth: pa.Table) -> list[dict[str, float]]:
    """The column ``truth`` of a table, read: a dictionary for each light curve."""
    return [json.loads(row) for row in truth["truth"].to_pylist()]
