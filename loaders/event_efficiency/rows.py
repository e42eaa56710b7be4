"""Columns of ``roman.injected_event`` and ``roman.event_recovery``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loaders.event_efficiency.trial import NULLS, Attempt

#: Columns of the truth, by the names of parameters.
_TRUTH = {
    "baseline_flux": "baseline_flux",
    "source_fraction": "source_fraction",
    "t_0": "t_0",
    "u_0": "u_0",
    "einstein_time": "t_E",
    "rho": "rho",
    "pi_e_n": "pi_E_N",
    "pi_e_e": "pi_E_E",
    "s": "s",
    "q": "q",
    "alpha": "alpha",
    "expected_delta_chi2": "expected_delta_chi2",
}

#: Columns of what was measured, likewise.
_MEASURED = {
    "t_0": "t_0",
    "u_0": "u_0",
    "einstein_time": "t_E",
    "delta_chi2": "delta_chi2",
    "s": "s",
    "q": "q",
}


def truth_of(row: Mapping[str, Any]) -> dict[str, float]:
    """Parameters of an event as `loaders.event_efficiency.trial.Attempt` has them, of its stored row."""
    truth = {name: float(row[column]) for column, name in _TRUTH.items() if row[column] is not None}
    return truth | {"t_0_par": truth["t_0"]}


LIGHT_CURVES_A_TRIAL = 1 + len(NULLS)
"""Numbers that a trial takes."""


@dataclass(frozen=True)
class Tried:
    """What became of the light curves of a trial: its number, the star and its field, and each attempt."""

    number: int
    object_id: int
    field_id: int | None
    attempts: Sequence[Attempt]


def columns_of(tried: Sequence[Tried], constant: Mapping[str, Any]) -> dict[str, dict[str, list[Any]]]:
    """Columns of both tables, by the names of the tables.

    Parameters
    ----------
    tried
        The trials; a light curve without an event follows its trial's number.
    constant
        ``injection_run_id`` and ``load_run_id``, and ``season`` and ``photometry_kind`` of the truth.
    """
    truth = [_truth(one, place, attempt, constant) for one in tried for place, attempt in _placed(one)]
    found = [_recovery(one, place, attempt, constant) for one in tried for place, attempt in _placed(one)]
    return {"injected_event": _as_columns(truth), "event_recovery": _as_columns(found)}


def _placed(one: Tried) -> list[tuple[int, Attempt]]:
    return list(enumerate(one.attempts))


def _truth(one: Tried, place: int, attempt: Attempt, constant: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **constant,
        "injected_event_id": LIGHT_CURVES_A_TRIAL * one.number + place,
        "object_id": one.object_id,
        "field_id": one.field_id,
        "kind": attempt.kind,
        **{column: attempt.truth.get(name) for column, name in _TRUTH.items()},
    }


def _recovery(one: Tried, place: int, attempt: Attempt, constant: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "injection_run_id": constant["injection_run_id"],
        "injected_event_id": LIGHT_CURVES_A_TRIAL * one.number + place,
        "binary_class": binary_class(attempt),
        "is_failed": attempt.is_failed,
        "classification": attempt.classification,
        "is_selected": attempt.selection.is_selected,
        "variability_index": attempt.selection.variability_index,
        "longest_run": attempt.selection.longest_run,
        "model_name": attempt.model,
        "has_planet": attempt.has_planet,
        **{column: attempt.measured.get(name) for column, name in _MEASURED.items()},
        "load_run_id": constant["load_run_id"],
    }


def binary_class(attempt: Attempt) -> str:
    """TP, FN, FP or TN, in the words of the archive."""
    if attempt.kind in NULLS:
        return "FP" if attempt.is_found else "TN"
    return "TP" if attempt.is_found else "FN"


def _as_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}
