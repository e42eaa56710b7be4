"""Events as a project of microlens-submit: the folder that this tool reads, checks and hands in.

The names are those of microlens-submit 0.17 (github.com/AmberLee2427/microlens-submit). It writes sources
before lenses, so that our ``2L1S`` is its ``1S2L``, and takes alpha in radians.
"""

from __future__ import annotations

import json
import platform
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from loaders.lens_physics.model import MAIN, StoredModel, flux_name
from loaders.lens_physics.quantity import ASSUMED, INTERVAL, MEASURED, PRIOR, Quantity
from loaders.lens_physics.submission_notes import notes_of
from loaders.output_folder import writing
from loaders.rejection import Rejected

#: Numbers by which the tool knows optical elements.
BANDS = {"F146": "0", "F087": "1", "F213": "2"}

#: Names of parameters there; of two sources the first is ``t_0_1``.
_NAMES = {
    "t_0": "t0",
    "t_0_1": "t0",
    "u_0": "u0",
    "u_0_1": "u0",
    "t_0_2": "t0_source2",
    "u_0_2": "u0_source2",
    "t_E": "tE",
    "rho": "rho",
    "s": "s",
    "q": "q",
    "alpha": "alpha",
    "pi_E_N": "piEN",
    "pi_E_E": "piEE",
    "ds_dt": "dsdt",
    "dalpha_dt": "dadt",
    "xi_period": "P_xi",
    "xi_inclination": "i_xi",
}

_UNITS = dict.fromkeys(("alpha", "dalpha_dt"), float(np.radians(1.0)))
"""What parameters are multiplied by for the tool."""

#: What the tool calls physical parameters, of those that we have.
_PHYSICAL = (
    *("Mtot", "M1", "M2", "D_L", "D_S", "thetaE", "piE", "piE_N", "piE_E"),
    *("mu_rel", "mu_rel_N", "mu_rel_E"),
)

_LEVELS = ((1 - INTERVAL) / 2, (1 + INTERVAL) / 2)
"""Percentiles at the ends of intervals."""

_AGREE = 0.01
"""Relative difference up to which the tool takes a sum, or a length, to agree with its parts."""


@dataclass(frozen=True)
class Team:
    """Who submits.

    Parameters
    ----------
    name
        Of the team.
    repository
        URL of its code.
    tier
        Of the challenge; ``None`` for none, so that names of events are free.
    """

    name: str
    repository: str
    tier: str = "None"


@dataclass(frozen=True)
class Solution:
    """A model of an event.

    Parameters
    ----------
    event_model_id, rank
        Its identifier, and its place among the models of the event.
    model
        Its parameters and fluxes.
    flux_err
        Errors of the fluxes, nJy; None where they are not known.
    quantities
        What follows from it.
    chi2, n_point, bic
        Of all points.
    score
        What models are ranked by.
    twin_of, degeneracy
        Identifier of the better one of two models that are twins, and by what; None without.
    """

    event_model_id: int
    rank: int
    model: StoredModel
    flux_err: Mapping[tuple[str, int], float | None]
    quantities: Sequence[Quantity]
    chi2: float
    n_point: int
    bic: float
    score: float
    twin_of: int | None = None
    degeneracy: str | None = None


@dataclass(frozen=True)
class Event:
    """An event with its models.

    Parameters
    ----------
    event_id, object_id
        Of the event, and of the star that shows it.
    ra, dec
        Degrees ICRS.
    solutions
        One at least.
    """

    event_id: int
    object_id: int
    ra: float
    dec: float
    solutions: list[Solution] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Name of the event there."""
        return f"roman_{self.event_id}"


def write_submission(directory: Path, team: Team, events: Sequence[Event]) -> None:
    """Write a project.

    Parameters
    ----------
    directory
        Where; it must not be there yet, or be empty.
    team
        Who submits.
    events
        The events.

    Raises
    ------
    Rejected
        Code ``folder_not_empty`` or ``unwritable_folder``.
    """
    with writing(directory):
        if directory.exists() and any(directory.iterdir()):
            what, remedy = "is not empty", "Name another folder: what is in a project is not overwritten"
            raise Rejected(str(directory), what, remedy, "folder_not_empty")
        (directory / "events").mkdir(parents=True, exist_ok=True)
        _write(directory / "submission.json", _head(team))
        aliases = {f"{e.name} {_alias(s)}": _identifier(s) for e in events for s in e.solutions}
        _write(directory / "aliases.json", aliases)
        for event in events:
            _write_event(directory, event)


def _write_event(directory: Path, event: Event) -> None:
    """Write an event with its solutions and their notes."""
    folder = directory / "events" / event.name
    (folder / "solutions").mkdir(parents=True)
    _write(folder / "event.json", {"event_id": event.name})
    chances = probabilities([one.score for one in event.solutions])
    for one, chance in zip(event.solutions, chances, strict=True):
        notes = folder / "solutions" / f"{_identifier(one)}.md"
        place = f"object {event.object_id} at {event.ra:.7f} {event.dec:+.7f} (ICRS)"
        said = notes_of(place, one.model, one.quantities, BANDS, _twins(one, event))
        notes.write_text(said, encoding="utf-8")
        content = solution_of(one, chance) | {"notes_path": str(notes.relative_to(directory))}
        _write(notes.with_suffix(".json"), content)


def _twins(one: Solution, event: Event) -> list[tuple[str, str]]:
    """Names of the solutions of an event that are twins of one, better or worse, and the degeneracy."""
    return [
        (_alias(other), str(worse.degeneracy))
        for other in event.solutions
        for better, worse in ((other, one), (one, other))
        if worse.twin_of == better.event_model_id
    ]


def probabilities(scores: Sequence[float]) -> list[float]:
    """Relative probabilities of models by their information criteria; of sum 1."""
    weight = np.exp(-0.5 * (np.array(scores) - min(scores)))
    return [float(one) for one in weight / weight.sum()]


def solution_of(one: Solution, chance: float) -> dict[str, Any]:
    """A solution as the tool stores it.

    Parameters
    ----------
    one
        The solution.
    chance
        Its relative probability.
    """
    model = one.model
    kind = f"{model.n_source}S{model.n_lens}L"
    values, errors = _parameters(model)
    fluxes, flux_errors = _fluxes(model, one.flux_err)
    uncertainty = intervals(model, values | fluxes) if model.sample else errors | flux_errors
    physical, uncertainties = _physical(one.quantities)
    if kind == "2S1L" and "flux_ratio" not in values:
        kind = "other"
    return {
        "solution_id": _identifier(one),
        "model_type": kind,
        "bands": [BANDS[element] for element in model.elements if element in BANDS],
        "higher_order_effects": _effects(model),
        **_limb(model),
        "t_ref": model.t_0_par if model.has_parallax else None,
        "parameters": values | fluxes,
        "parameter_uncertainties": uncertainty,
        "uncertainty_method": "mcmc_posterior" if model.sample else "fisher_matrix",
        "confidence_level": INTERVAL,
        "physical_parameters": physical or None,
        "physical_parameter_uncertainties": uncertainties or None,
        "log_likelihood": -0.5 * one.chi2,
        "relative_probability": chance,
        "n_data_points": one.n_point,
        "alias": _alias(one),
        "creation_timestamp": datetime.now(UTC).isoformat(),
    }


def _parameters(model: StoredModel) -> tuple[dict[str, float], dict[str, float]]:
    """Parameters by the names there, and their errors."""
    known = {name: _UNITS.get(name, 1.0) for name in model.value if name in _NAMES}
    values = {_NAMES[name]: model.value[name] * unit for name, unit in known.items()}
    errors = {
        _NAMES[name]: model.error[name] * unit
        for name, unit in known.items()
        if np.isfinite(model.error[name])
    }
    if "xi_period" in model.value:
        values |= _node(model.value)
    if model.n_source > 1 and (first := model.flux.get((MAIN, 1), 0.0)) > 0:
        values["flux_ratio"] = model.flux[MAIN, 2] / first
    return values, errors


def intervals(model: StoredModel, values: Mapping[str, float]) -> dict[str, float | list[float]]:
    """How far the posterior of a model goes down and up from the values that the tool gets.

    Parameters
    ----------
    model
        A model with a sample of its posterior.
    values
        Parameters and fluxes by the names there.

    Returns
    -------
    dict
        Distances to the 16th and 84th percentile. The tool takes no pair that goes farther down than up, and
        none below zero: then it is half the distance between the percentiles, one number.
    """
    of_tool = {one: (there, _UNITS.get(one, 1.0)) for one, there in _NAMES.items()}
    of_tool |= {flux_name(*key): (_flux_name(model, *key), 1.0) for key in model.flux if key[0] in BANDS}
    out: dict[str, float | list[float]] = {}
    for name, draws in model.sample.items():
        there, unit = of_tool.get(name, ("", 1.0))
        known = draws[np.isfinite(draws)]
        if there in values and known.size:
            low, high = (unit * float(one) for one in np.quantile(known, _LEVELS))
            down, up = values[there] - low, high - values[there]
            out[there] = [down, up] if 0 <= down <= up else (high - low) / 2
    return out


def _node(value: Mapping[str, float]) -> dict[str, float]:
    """Semimajor axis of the orbit of a source, towards its node on the sky.

    The node is known from the direction in which u grows, which is that of the parallax.
    """
    angle = np.arctan2(value["pi_E_E"], value["pi_E_N"]) + np.radians(value["xi_Omega_node"])
    axis = value["xi_semimajor_axis"]
    return {"xiEN": float(axis * np.cos(angle)), "xiEE": float(axis * np.sin(angle))}


def _fluxes(
    model: StoredModel, flux_err: Mapping[tuple[str, int], float | None]
) -> tuple[dict[str, float], dict[str, float]]:
    """Fluxes of sources and blend by the names there, and their errors; nJy."""
    values, errors = {}, {}
    for (element, number), flux in model.flux.items():
        if element not in BANDS:
            continue
        name = _flux_name(model, element, number)
        values[name] = flux
        if (error := flux_err.get((element, number))) is not None:
            errors[name] = error
    return values, errors


def _flux_name(model: StoredModel, element: str, number: int) -> str:
    """Name there of the flux of a source, or of the blend, 0."""
    source = f"S{number}" if model.n_source > 1 else "S"
    return f"F{BANDS[element]}_{source if number else 'B'}"


def _physical(quantities: Sequence[Quantity]) -> tuple[dict[str, float], dict[str, list[float]]]:
    """What follows, by the best way in which it was found, and how far it goes down and up."""
    values: dict[str, float] = {}
    errors: dict[str, list[float]] = {}
    for method in (PRIOR, ASSUMED, MEASURED):
        for one in quantities:
            known = one.value is not None and one.lower is not None and one.upper is not None
            if one.method == method and one.name in _PHYSICAL and known:
                values[one.name] = float(one.value)  # type: ignore[arg-type]
                errors[one.name] = [one.value - one.lower, one.upper - one.value]  # type: ignore[operator]
    for name in _disagreeing(values):
        values.pop(name, None)
        errors.pop(name, None)
    return values, errors


def _disagreeing(values: Mapping[str, float]) -> list[str]:
    """Medians that the tool would refuse: no median of a sum, or of a length, is that of its parts."""
    out: list[str] = []
    parts = [values[name] for name in ("M1", "M2") if name in values]
    if parts and "Mtot" in values and abs(sum(parts) / values["Mtot"] - 1) > _AGREE:
        out.append("Mtot")
    for name in ("piE", "mu_rel"):
        both = [f"{name}_N", f"{name}_E"]
        if {name, *both} <= values.keys():
            length = np.hypot(values[both[0]], values[both[1]])
            out += both if abs(length / values[name] - 1) > _AGREE else []
    return out


def _limb(model: StoredModel) -> dict[str, Any]:
    """How dark limbs are, in all elements or not at all."""
    known = {BANDS[element]: [u] for element, u in model.limb.items() if element in BANDS}
    return {"limb_darkening_model": "linear", "limb_darkening_coeffs": known} if known else {}


def _effects(model: StoredModel) -> list[str]:
    """Effects of higher order by the names there."""
    shown = {
        "parallax": model.has_parallax,
        "finite-source": "rho" in model.value,
        "limb-darkening": any(model.limb.values()),
        "lens-orbital-motion": "ds_dt" in model.value,
        "xallarap": "xi_period" in model.value,
    }
    return [effect for effect, is_there in shown.items() if is_there]


def _alias(one: Solution) -> str:
    """Name of a solution for people."""
    return f"{one.rank}_{one.model.name}"


def _identifier(one: Solution) -> str:
    """Identifier of a solution: the same for the same model."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"roman.event_model/{one.event_model_id}"))


def _head(team: Team) -> dict[str, Any]:
    """What the tool wants to know of a submission."""
    return {
        "team_name": team.name,
        "tier": team.tier,
        "repo_url": team.repository,
        "hardware_info": {"platform": platform.platform(), "os": platform.system()},
        "git_dir": None,
    }


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON."""
    path.write_text(json.dumps(content, indent=2, allow_nan=False), encoding="utf-8")
