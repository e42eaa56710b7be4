"""Events put together from what is stored of them: whose models say how their light goes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from loaders.event_models.setting import NUMERIC
from loaders.psf.model import FloatArray
from loaders.refined_photometry.refine import EventCourse
from loaders.refined_photometry.rows import Target
from loaders.refined_photometry.stored_event import EventModel
from loaders.refined_photometry.template import light_course


@dataclass(frozen=True)
class EventObject:
    """An object with events.

    Parameters
    ----------
    target
        The object.
    event_id
        Its events of the season.
    model
        The model that says how its light goes; None without any.
    """

    target: Target
    event_id: list[int]
    model: EventModel | None = field(repr=False)

    def course(self, element: str, bjd: FloatArray) -> EventCourse | None:
        """How its light goes in an element at some times (BJD in TDB); None if no model can say."""
        if self.model is None:
            return None
        try:
            light = light_course(self.model, (self.target.ra, self.target.dec), element, bjd)
        except (KeyError, *NUMERIC):
            return None
        known = {name for name, number in self.model.flux if number > 0}
        steady = self.model.source_flux(element, 1).sum() if element in known else np.nan
        return EventCourse(light, float(steady))


def objects_of(rows: Iterable[Any], of_models: Iterable[Any]) -> list[EventObject]:
    """Put the rows of ``refinement_event`` together, by object.

    Parameters
    ----------
    rows
        In order of objects, those that count more first.
    of_models
        Rows of ``refinement_model``: parameters and fluxes of the models.
    """
    values: dict[int, dict[str, float]] = {}
    fluxes: dict[int, dict[tuple[str, int], float]] = {}
    for one in of_models:
        if one.number is None:
            values.setdefault(one.event_model_id, {})[one.name] = one.value
        else:
            fluxes.setdefault(one.event_model_id, {})[one.name, one.number] = one.value
    found = []
    for object_id, several in groupby(rows, key=lambda row: row.object_id):
        events = list(several)
        first = events[0]
        target = Target(int(object_id), first.ra, first.dec, first.ref_epoch)
        modelled = [row for row in events if row.event_model_id is not None]
        model = None
        if modelled:
            row, key = modelled[0], modelled[0].event_model_id
            model = EventModel(key, row.name, values.get(key, {}), fluxes.get(key, {}), row.t_0_par)
        found.append(EventObject(target, [row.event_id for row in events if row.is_asked], model))
    return found
