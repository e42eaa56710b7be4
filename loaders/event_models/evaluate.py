"""The flux that a model says at any time, from its parameters as they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from loaders.event_models.kinds import ANGLES, KINDS, Kind, View, curves_of, displacement_of, place_of_source
from loaders.event_models.lens_fit import Points
from loaders.event_models.limb import LIMB_DARKENING, coefficients
from loaders.stored_curve.band import FloatArray

_PARALLAX = "_parallax"

_ACCURACY = 3e-4
"""Relative error of magnifications near caustics: the best that fits ask for."""


@dataclass(frozen=True)
class ModelCurve:
    """A model of an event that can be asked for its flux.

    Parameters
    ----------
    kind
        Lenses and sources.
    value
        Parameters by the names of MulensModel, days and degrees, as ``roman.event_model_parameter`` has them.
    flux
        Fluxes in nJy by optical element and number of the source, from 1; 0 is the blend.
    place
        Right ascension and declination, degrees ICRS.
    t_0_par
        Reference time of parallax, and of lenses and sources that move, BJD (TDB); None without.
    limb
        Linear limb darkening by optical element; None: as it usually is.
    """

    kind: Kind
    value: Mapping[str, float]
    flux: Mapping[tuple[str, int], float]
    place: tuple[float, float]
    t_0_par: float | None = None
    limb: Mapping[str, float] | None = None

    @property
    def elements(self) -> list[str]:
        """Optical elements in which it has fluxes."""
        return sorted({element for element, _ in self.flux})

    def magnification_at(self, element: str, time: FloatArray) -> FloatArray:
        """Magnification of each source at times (BJD TDB, shape (n,)), shape (n_source, n)."""
        return curves_of(self.kind, self._view(element, time))(self._parameter(), time)

    def source_at(self, time: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The (first) source from the centre of mass at times (BJD TDB, shape (n,)), Einstein radii.

        The lenses lie along x, as `loaders.lens.binary_lens` has them; of one lens x is that along the path.
        """
        return place_of_source(self.kind, self._view(self.elements[0], time), self._parameter())

    def _view(self, element: str, time: FloatArray) -> View:
        """Times as a light curve without points, seen in an optical element."""
        zero = np.zeros(time.size)
        points = Points((element,), time, zero, zero + 1, np.array([0, time.size]))
        moved = None if self.t_0_par is None else displacement_of(points, *self.place, self.t_0_par)
        limb = coefficients([element], LIMB_DARKENING if self.limb is None else self.limb)
        return View(points, moved, limb, _ACCURACY, reference=self.t_0_par or 0.0)

    def flux_at(self, element: str, time: FloatArray) -> FloatArray:
        """Flux in an optical element at times (BJD TDB, shape (n,)), nJy, shape (n,).

        Raises
        ------
        LookupError
            If the model has no fluxes in that element.
        """
        if (element, 1) not in self.flux:
            raise LookupError(f"the model has no flux in {element!r}, only in {', '.join(self.elements)}")
        source = np.array([self.flux[element, k] for k in range(1, self.kind.n_source + 1)])
        return np.asarray(source @ self.magnification_at(element, time) + self.flux[element, 0])

    def _parameter(self) -> FloatArray:
        """Parameters as fits take them."""
        return np.array([self._one(name) for name in self.kind.names(self.t_0_par is not None)])

    def _one(self, name: str) -> float:
        """A parameter by its name in fits: logarithms, radians, and the first of two sources."""
        if name.startswith("ln "):
            return float(np.log(self.value[name[3:]]))
        if name in ANGLES:
            return float(np.radians(self.value[name]))
        return float(self.value[name] if name in self.value else self.value[f"{name}_1"])


def kind_named(name: str) -> Kind:
    """Kind of a model by its name, such as ``2L1S_parallax``.

    Raises
    ------
    LookupError
        If there is no such kind.
    """
    kind = KINDS.get(name.removesuffix(_PARALLAX))
    if kind is None:
        raise LookupError(f"no kind of model is called {name!r}: there are {', '.join(KINDS)}")
    return kind
