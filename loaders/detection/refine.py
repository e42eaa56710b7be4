"""Fluxes and positions of all sources in all images: every image has its fluxes, they share the positions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from loaders.detection.area import on_area, seen_area
from loaders.detection.beyond import Wings, stars_beyond
from loaders.detection.estimate import Estimate, combine
from loaders.detection.fit_conditions import FitConditions
from loaders.detection.layer import Layer
from loaders.detection.significance import Residual
from loaders.photometry.joint_fit import FRAME, REACH, Field, JointFit, sort_by_tile
from loaders.photometry.normal_matrix import project
from loaders.photometry.positions import solve_columns
from loaders.photometry.psf_table import Float32Array, IntArray, PsfTable
from loaders.psf.model import FloatArray
from loaders.rejection import Rejected

_WITH_POSITION = 3
"""Columns of a star with flux and position, as `solve_columns` counts them."""

_MOVING = 3.0
"""Signal-to-noise ratio, without neighbours, from which a source is moved; a fainter one stays."""

_LONGEST_STEP = 0.25
"""Longest step in detector pixels along an axis: beyond it the PSF is no longer linear in the position."""

_TOO_BRIGHT = 1.5
"""Flux over that which all the light at its place would make, above which a source is not believed."""

BEYOND_ERROR = 0.03
"""Error of the light of stars beyond the edge, whose places are hardly known, as a fraction of it."""

_LEAST_ERROR = 1e-6
"""Error of the PSF below which it is held to be right."""

_RAN_AWAY = 1e4
"""Flux over all light of the image from which no fit comes back: a thousandth of a star is seen at least."""


@dataclass(frozen=True)
class Sources:
    """Sources in the frame; all arrays have shape (n,).

    Parameters
    ----------
    x, y
        Pixels of the frame.
    flux
        In the unit of the images.
    known
        Row of the source in the list that the search began with; -1 if it was found.
    """

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    known: IntArray

    @classmethod
    def found(cls, x: FloatArray, y: FloatArray, flux: FloatArray) -> Sources:
        """Sources that were not known."""
        return cls(x, y, flux, np.full(x.size, -1, dtype=np.int64))

    def take(self, chosen: npt.NDArray[np.bool_] | IntArray) -> Sources:
        """Some of the sources."""
        return Sources(self.x[chosen], self.y[chosen], self.flux[chosen], self.known[chosen])

    def and_also(self, other: Sources) -> Sources:
        """These sources and then others."""
        names = ("x", "y", "flux", "known")
        return Sources(*(np.concatenate([getattr(self, n), getattr(other, n)]) for n in names))


class LayerFit:
    """The joint fit of the sources in one layer.

    Parameters
    ----------
    layer
        The image.
    table
        Its PSF, laid out.
    sources
        All sources of the frame; those on the image and just beyond take part.
    beyond
        Stars beyond the edge, shape (3, m): x, y (pixels of the image), flux.
    conditions
        As of all layers.
    """

    def __init__(
        self,
        layer: Layer,
        table: PsfTable,
        sources: Sources,
        beyond: FloatArray,
        conditions: FitConditions,
    ) -> None:
        image, options = layer.image, conditions.fit
        self._search = conditions.search
        good = image.good_pixels()
        self.area = seen_area(good)
        data = np.where(good, image.data, np.float32(0)).astype(np.float32)
        self.field = Field(data, good, image.noise, table, image.origin)
        self.image, self.place, self.count = layer.image, layer.place, sources.x.size
        x, y = layer.place(sources.x, sources.y)
        ny, nx = data.shape
        near = (x >= -REACH) & (x <= nx - 1 + REACH) & (y >= -REACH) & (y <= ny - 1 + REACH)
        index = np.flatnonzero(near)
        self.index = index[sort_by_tile(self.field, x[index], y[index], options.tile_size)]
        stars = np.array([x[self.index], y[self.index], sources.flux[self.index]])
        self.beyond = beyond
        self.fit = JointFit(self.field, stars, beyond, options, conditions.workers)
        self.fit.run()
        self._from_beyond = self.fit.light_of(beyond)

    def estimate(self, sources: Sources, pull: FloatArray, information: float) -> tuple[Estimate, FloatArray]:
        """One step of fluxes and positions, and the variances of the fluxes at known places, shape (n,).

        Parameters
        ----------
        sources
            Where the sources are now.
        pull
            Shape (n, 2): how far from there they are expected, pixels of the frame.
        information
            Inverse variance of that expectation, pixels of the frame to the power -2.
        """
        jacobian = self.place.jacobian(sources.x[self.index], sources.y[self.index])
        scale = np.abs(np.linalg.det(jacobian))
        anchor = np.column_stack([information / scale, np.einsum("nij,nj->ni", jacobian, pull[self.index])])
        alone = self.fit.flux * np.sqrt(self.fit.sums.information)
        columns = np.where(alone >= _MOVING, _WITH_POSITION, 1).astype(np.int64)
        step, variance, at_place = solve_columns(self.fit, columns, anchor)
        back = np.linalg.inv(jacobian)
        out = Estimate(np.full((self.count, 3), np.nan), np.full((self.count, 3), np.nan))
        known = np.full(self.count, np.nan)
        # The fluxes fit the present places; the steps would fit those that are one step on.
        out.step[self.index, 0] = np.where(np.isfinite(step[:, 0]), self.fit.flux, np.nan)
        out.variance[self.index, 0] = variance[:, 0]
        known[self.index] = at_place
        out.step[self.index, 1:] = np.einsum("nij,nj->ni", back, step[:, 1:3])
        out.variance[self.index, 1:] = np.einsum("nij,nj->ni", back**2, variance[:, 1:3])
        return out, known

    def move(self, sources: Sources) -> None:
        """Go to new positions and fit the fluxes again."""
        x, y = self.place(sources.x[self.index], sources.y[self.index])
        self.fit.move(x - self.fit.x, y - self.fit.y)
        self.fit.run()

    def require_bounds(self) -> None:
        """Refuse a fit whose fluxes run away, before they are beyond the range of numbers.

        Raises
        ------
        Rejected
            Code ``poor_search``.
        """
        most = float(np.abs(self.field.data).sum(dtype=np.float64))
        away = np.count_nonzero(~(np.abs(self.fit.flux) <= _RAN_AWAY * most))
        if away:
            what = f"the fluxes of {away} of {self.fit.count} sources run away from one another"
            remedy = "Too few exposures or dithers, a trail or a wrong PSF may be why"
            raise Rejected(self.image.name, what, remedy, "poor_search")

    def look_beyond(self, ahead: float) -> None:
        """Look for stars beyond the edge in what the fit leaves, and take their light off."""
        field, search = self.field, self._search
        wings = Wings(
            self.residual(), self.area, field.table, field.origin, search.oversampling, search.psf_error
        )
        self.beyond = stars_beyond(wings, self.beyond, ahead)
        self.fit.hold(self.beyond)
        self._from_beyond = self.fit.light_of(self.beyond)

    def seen(self) -> npt.NDArray[np.bool_]:
        """Sources that lie on the image: on pixels that count or in holes between them, shape (m,)."""
        return on_area(self.area, self.fit.x, self.fit.y)

    def brightest(self) -> FloatArray:
        """Flux that each source would have if all the light at its place were its own, shape (m,)."""
        light = np.zeros_like(self.fit.weight)
        light[FRAME:-FRAME, FRAME:-FRAME] = self.field.data - self.fit.background
        return self._flux_of(light)

    def doubt(self, certain: FloatArray | float = 1.0) -> FloatArray:
        """Error that the light of other stars, here and beyond the edge, brings to each flux, shape (m,).

        ``certain`` is the share of a star's own light that is not in doubt: all but what others could take.
        """
        others = np.maximum(self.brightest() - certain * self.fit.flux, 0)
        return np.asarray(self._search.psf_error * others + self._flux_of(self._doubtful()))

    def _doubtful(self) -> Float32Array:
        """Error of the light that the PSF of the middle of stars does not say: wings, and what is beyond."""
        out = np.float32(BEYOND_ERROR) * self._from_beyond
        if self._search.wing_error > 0:
            out += np.float32(self._search.wing_error) * np.abs(self.fit.wings())
        return out

    def _flux_of(self, light: Float32Array) -> FloatArray:
        """Flux of each source if its place had nothing but that light, shape (m,)."""
        fit = self.fit
        asked = np.zeros(fit.count, dtype=np.float32)
        fit.workers.run(project, fit.count, fit.stamps, fit.weight * light, asked)
        information = np.maximum(fit.sums.information, np.finfo(np.float32).tiny)
        return np.asarray(asked / information, dtype=np.float64)

    def residual(self) -> Residual:
        """What the fit leaves, for the next search; light is counted as often as it is doubtful."""
        fit, weight = self.fit, self.fit.weight
        light = self._doubtful() / np.float32(max(self._search.psf_error, _LEAST_ERROR))
        inner = light[FRAME:-FRAME, FRAME:-FRAME]
        inner += self.field.data - fit.inner_residual - fit.background
        return Residual(weight * fit.residual, weight, weight * light)


class Refinement:
    """Joint fits in all layers, and the positions that they share.

    Parameters
    ----------
    layers
        The images with their PSFs laid out.
    sources
        The sources to begin with.
    conditions
        How all layers are fitted.
    beyond
        Stars beyond the edge of each image, shape (3, m): x, y (its pixels), flux.
    """

    def __init__(
        self,
        layers: list[tuple[Layer, PsfTable]],
        sources: Sources,
        conditions: FitConditions,
        beyond: list[FloatArray] | None = None,
    ) -> None:
        self.sources, self._expected = sources, sources
        search = conditions.search
        self._information = 1 / ((search.prior * search.oversampling) ** 2 * len(layers))
        self._longest = _LONGEST_STEP * search.oversampling
        beyond = [np.empty((3, 0))] * len(layers) if beyond is None else beyond
        self.fits = [
            LayerFit(layer, table, sources, stars, conditions)
            for (layer, table), stars in zip(layers, beyond, strict=True)
        ]

    @property
    def beyond(self) -> list[FloatArray]:
        """Stars beyond the edge of each image."""
        return [fit.beyond for fit in self.fits]

    def look_beyond(self, ahead: float = 0.0) -> None:
        """Look for stars beyond the edge of each image; ``ahead`` as in `stars_beyond`."""
        for fit in self.fits:
            fit.look_beyond(ahead)

    def improve(self, moves: int) -> None:
        """Move all sources some times, each time fitting the fluxes again.

        Raises
        ------
        Rejected
            Code ``poor_search`` if the fluxes run away.
        """
        for _ in range(moves):
            step, _ = self.combined()
            move = np.clip(np.nan_to_num(step[:, 1:]), -self._longest, self._longest)
            flux = np.where(np.isfinite(step[:, 0]), step[:, 0], self.sources.flux)
            now = self.sources
            self.sources = replace(now, x=now.x + move[:, 0], y=now.y + move[:, 1], flux=flux)
            for fit in self.fits:
                fit.move(self.sources)
                fit.require_bounds()

    def combined(self) -> tuple[FloatArray, FloatArray]:
        """Flux and steps of all images together, weighted by inverse variances, and their variances.

        Returns
        -------
        value, variance : ndarray
            Shape (n, 3): flux, and steps in x and y, pixels of the frame; NaN where no image has a source.
        """
        return combine([one for one, _ in self._estimates()])

    def _estimates(self) -> list[tuple[Estimate, FloatArray]]:
        """One step in each image."""
        pull = np.column_stack([self._expected.x - self.sources.x, self._expected.y - self.sources.y])
        return [fit.estimate(self.sources, pull, self._information) for fit in self.fits]

    def evidence(self) -> FloatArray:
        """By how many standard deviations all images together want each source, shape (n,).

        The root of what chi-square grows by without it, all others being fitted again; negative where the
        flux is. The flux may be less certain: that of two close stars can be shared out in many ways. The
        light of others at its place counts as noise in proportion to the error of the PSF: several sources
        on top of one another imitate what a wrong PSF leaves of a bright star. They do so with the part of
        their light that no other star can take over, whose information is that of the flux at a known place;
        what is left of the bright star is as large as if it had the shape of a star, so that its size follows
        from the information of all pixels.
        """
        count = self.sources.x.size
        total, worth, doubt = np.zeros(count), np.zeros(count), np.zeros(count)
        for fit, (one, at_place) in zip(self.fits, self._estimates(), strict=True):
            good = np.isfinite(one.step[:, 0]) & (at_place > 0)
            weight = np.where(good, 1 / np.where(good, at_place, 1.0), 0.0)
            total += weight * np.where(good, one.step[:, 0], 0.0)
            worth += weight
            # What a wrong PSF leaves may look like all that tells two close stars from one.
            every, own = fit.fit.sums.information, weight[fit.index]
            certain = np.minimum(own / np.maximum(every, np.finfo(np.float32).tiny), 1)
            doubt[fit.index] += np.sqrt(own * every) * fit.doubt(certain)
        known = np.where(worth > 0, worth, 1.0)
        return np.asarray(np.where(worth > 0, total / np.sqrt(known + doubt**2), 0.0))

    def evidence_alone(self) -> FloatArray:
        """The same of each source without its neighbours, but for the error of their light, shape (n,)."""
        worth, doubt = np.zeros(self.sources.x.size), np.zeros(self.sources.x.size)
        for fit in self.fits:
            worth[fit.index] += fit.fit.sums.information
            doubt[fit.index] += fit.fit.sums.information * fit.doubt()
        known = np.where(worth > 0, worth, 1.0)
        return np.asarray(self.sources.flux * worth / np.sqrt(known + doubt**2))

    def signal_to_noise_alone(self) -> FloatArray:
        """Flux over the error it would have without neighbours and at a known place, shape (n,)."""
        return np.asarray(self.sources.flux * np.sqrt(self._information_of_pixels()))

    def seen(self) -> npt.NDArray[np.bool_]:
        """Sources that lie on some image, shape (n,): what is known of others by its wings runs away."""
        out = np.zeros(self.sources.x.size, dtype=bool)
        for fit in self.fits:
            out[fit.index] |= fit.seen()
        return out

    def shows(self, x: FloatArray, y: FloatArray) -> npt.NDArray[np.bool_]:
        """Places, pixels of the frame, that some image shows, shape (n,).

        Light beyond the pixels that count is that of `stars_beyond`: taken for sources, which have but their
        wings to say how bright they are, it would send the fluxes of all others astray.
        """
        shown = np.zeros(x.size, dtype=bool)
        for fit in self.fits:
            shown |= on_area(fit.area, *fit.place(x, y))
        return shown

    def believable(self) -> npt.NDArray[np.bool_]:
        """Sources that are not brighter than the light at their place in every image, shape (n,).

        Two that share their light too closely run away from one another, one of them below zero.
        """
        out = np.zeros(self.sources.x.size, dtype=bool)
        for fit in self.fits:
            flux, information = fit.fit.flux, fit.fit.sums.information
            error = 1 / np.sqrt(np.maximum(information, np.finfo(np.float32).tiny))
            out[fit.index] |= flux <= _TOO_BRIGHT * np.maximum(fit.brightest(), 0) + 5 * error
        return out

    def _information_of_pixels(self) -> FloatArray:
        """Information that the pixels of all images give about each flux."""
        total = np.zeros(self.sources.x.size)
        for fit in self.fits:
            total[fit.index] += fit.fit.sums.information
        return total
