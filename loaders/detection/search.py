"""Search, fit all that is found, search what is left, until hardly anything more is found.

Iterative detection with a joint fit of all sources to all images, as the programs for crowded fields do it
(Stetson 1987, PASP 99, 191; Schlafly et al. 2018, ApJS 234, 39, for the joint fit), here over several images
at once and down to separations below a pixel.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from loaders.detection.fit_conditions import FitConditions
from loaders.detection.known import Known, begin_with, recognise
from loaders.detection.layer import Layer, SearchOptions
from loaders.detection.measure import Detections, measure
from loaders.detection.peaks import find_peaks
from loaders.detection.refine import Refinement, Sources
from loaders.detection.significance import Sums, add_image, excess_noise
from loaders.photometry.options import FitOptions
from loaders.photometry.parallel import Workers
from loaders.photometry.psf_table import PsfTable
from loaders.psf.model import FloatArray

Progress = Callable[[int, int], None]
"""Told after each round which one it was, and how many sources there are."""

_MOVES, _LAST_MOVES = 2, 3
"""Times that positions are moved in each round, and in the last."""

_ROUGHLY, _EXACTLY = 0.2, 0.01
"""Convergence of the fits of each round, and of the last: see `Refinement`."""

_KEPT = 0.6
"""Share of the threshold that a source must keep to stay for another round."""

_RUNAWAY = 30.0
"""Signal-to-noise ratio, without neighbours, from which a source that is not confirmed has run away."""

_TOGETHER = 1.5
"""Distance in detector pixels within which sources may share light so closely that none stands out."""

_FEW = 0.01
"""Share of new sources at which the search ends: most of them then are those that the last fit dropped."""

_LAST_ROUNDS = 6
"""Most fits after the search, each without the weak sources of the one before, and with what it left."""

_FEW_LAST = 0.0005
"""Share of sources dropped and added at which these fits end."""

_AHEAD = 3.0
"""`stars_beyond` before any star is modelled: by what factor they must be more significant."""

_CELL = 6
"""Side in detector pixels of the cells in which the noise is measured."""

_SETTLED_ROUNDS = 3
"""Most fits of one round of the search."""


def search(
    layers: list[Layer],
    shape: tuple[int, int],
    options: SearchOptions | None = None,
    known: Known | None = None,
    progress: Progress | None = None,
) -> Detections:
    """Find all stars that stand out of the noise, and measure them.

    Parameters
    ----------
    layers
        The images, at least one.
    shape
        Shape (ny, nx) in pixels of the frame in which sources are listed.
    options
        Options; the defaults if None.
    known
        Positions (pixels of the frame) and fluxes of sources that are known, shape (m,) each; None for none.
        The search begins with those far from the edges, and holds them to the same threshold as what is
        found; the others are known again by their places.
    progress
        Told of each round.

    Returns
    -------
    Detections
        Sources above the threshold, in no order.

    Raises
    ------
    Rejected
        If an image has no pixel that can be used; with the code ``poor_search`` if the fluxes run away.
    """
    options = options or SearchOptions()
    tables = [(layer, PsfTable.of(layer.psf)) for layer in layers]
    sources, before = begin_with(layers, known, options.oversampling), 0
    beyond = [np.empty((3, 0)) for _ in layers]
    with Workers(FitOptions(threads=options.threads).thread_count) as workers:
        for number in range(options.max_rounds):
            refinement, kept = _settled(tables, (sources, beyond), options, workers)
            refinement.look_beyond(_AHEAD if number == 0 else 0.0)
            beyond = refinement.beyond
            new = _left_over(refinement, shape, options, workers)
            sources = kept.and_also(new)
            sources = sources.take(_apart(sources, options.separation * options.oversampling))
            if progress is not None:
                progress(number + 1, sources.x.size)
            if new.x.size <= _FEW * sources.x.size or (number > 1 and new.x.size > before):
                break
            before = new.x.size
        found = _conclude(tables, (sources, beyond), shape, options, workers)
    return recognise(found, known, options.prior * options.oversampling)


def _settled(
    tables: list[tuple[Layer, PsfTable]],
    stars: tuple[Sources, list[FloatArray]],
    options: SearchOptions,
    workers: Workers,
) -> tuple[Refinement, Sources]:
    """The fit of the sources, and those that it confirms.

    Where sources share their light so closely that their fluxes run away from one another, the search would
    find what they spoil: the fit is made again without those that it does not confirm.
    """
    sources, beyond = stars
    for _ in range(_SETTLED_ROUNDS):
        refinement = Refinement(tables, sources, FitConditions(options, _ROUGHLY, workers), beyond)
        refinement.improve(_MOVES if sources.x.size else 0)
        evidence = refinement.evidence()
        chosen = _significant(refinement, evidence, _KEPT * options.threshold, options.oversampling)
        strength = np.abs(refinement.signal_to_noise_alone())
        if not (strength[~chosen] > _RUNAWAY).any():
            break
        sources = refinement.sources.take(chosen)
    return refinement, refinement.sources.take(chosen)


def _left_over(
    refinement: Refinement, shape: tuple[int, int], options: SearchOptions, workers: Workers
) -> Sources:
    """Sources found in what the fit of the others leaves of all images, at places that these show."""
    found = Sources.found(*find_peaks(_sums(refinement, shape, options, workers), options))
    return found.take(refinement.shows(found.x, found.y))


def _sums(refinement: Refinement, shape: tuple[int, int], options: SearchOptions, workers: Workers) -> Sums:
    """What all images say of a star at every node, the modelled ones being taken off."""
    sums = Sums.over(shape, options.nodes)
    for fit in refinement.fits:
        psf = (fit.field.table, fit.field.origin)
        add_image(sums, fit.residual(), psf, fit.place, workers)
    return sums


def _roughness(
    refinement: Refinement, shape: tuple[int, int], options: SearchOptions, workers: Workers
) -> FloatArray:
    """By how much noise is larger than it should be at each source, shape (n,)."""
    sums, scale = _sums(refinement, shape, options, workers), options.oversampling
    significance = sums.signal_to_noise(options.psf_error, options.halo_error, options.halo * scale)
    excess = excess_noise(significance, sums.information > 0, _CELL * scale * options.nodes)
    sources = refinement.sources
    row, column = (
        np.clip(((at + 0.5) * options.nodes).astype(np.int64), 0, length - 1)
        for at, length in zip((sources.y, sources.x), excess.shape, strict=True)
    )
    return np.asarray(excess[row, column], dtype=np.float64)


def _significant(
    refinement: Refinement, evidence: FloatArray, threshold: float, oversampling: int
) -> npt.NDArray[np.bool_]:
    """Sources without which the images would not be explained, shape (n,).

    Of sources that share their light so closely that none is needed, the brightest stays.
    """
    sources = refinement.sources
    significant = evidence >= threshold
    alone = refinement.evidence_alone() >= threshold
    kept = significant | (alone & _brightest(sources, ~significant, _TOGETHER * oversampling))
    return kept & refinement.seen() & refinement.believable()


def _brightest(sources: Sources, candidate: npt.NDArray[np.bool_], radius: float) -> npt.NDArray[np.bool_]:
    """Candidates that have no brighter source within a radius."""
    top = candidate.copy()
    if candidate.any():
        pairs = cKDTree(np.column_stack([sources.x, sources.y])).query_pairs(radius, output_type="ndarray")
        top[_fainter(sources, pairs)] = False
    return top


def _fainter(sources: Sources, pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The fainter source of each pair, shape (n, 2)."""
    a, b = pairs[:, 0], pairs[:, 1]
    return np.where(sources.flux[a] < sources.flux[b], a, b)


def _apart(sources: Sources, separation: float) -> npt.NDArray[np.bool_]:
    """Mark the sources that remain when of every close pair the fainter one goes."""
    kept = np.ones(sources.x.size, dtype=bool)
    if sources.x.size > 1:
        tree = cKDTree(np.column_stack([sources.x, sources.y]))
        pairs = tree.query_pairs(separation, output_type="ndarray")
        kept[_fainter(sources, pairs)] = False
    return kept


def _conclude(
    tables: list[tuple[Layer, PsfTable]],
    stars: tuple[Sources, list[FloatArray]],
    shape: tuple[int, int],
    options: SearchOptions,
    workers: Workers,
) -> Detections:
    """Drop what is below the threshold after all, add what that leaves, and measure all in the end."""
    scale = options.oversampling
    sources, beyond = stars
    for number in range(_LAST_ROUNDS):
        refinement = Refinement(tables, sources, FitConditions(options, _EXACTLY, workers), beyond)
        refinement.improve(_LAST_MOVES if sources.x.size else 0)
        refinement.look_beyond()
        beyond = refinement.beyond
        if number == _LAST_ROUNDS - 1:
            break
        kept = refinement.sources.take(~_hopeless(refinement, options))
        kept = kept.take(_apart(kept, options.separation * scale))
        new = _left_over(refinement, shape, options, workers)
        changed = sources.x.size - kept.x.size + new.x.size
        if changed <= _FEW_LAST * sources.x.size:
            break
        sources = kept.and_also(new)
        sources = sources.take(_apart(sources, options.separation * scale))
    measured = measure(refinement, options.blend_radius * scale)
    evidence = refinement.evidence() / _roughness(refinement, shape, options, workers)
    return measured.take(_significant(refinement, evidence, options.threshold, scale))


def _hopeless(refinement: Refinement, options: SearchOptions) -> npt.NDArray[np.bool_]:
    """Sources to drop, shape (n,): of those that share their light only the weakest, the others may rise."""
    sources, scale = refinement.sources, options.oversampling
    strength = refinement.evidence()
    weak = ~_significant(refinement, strength, options.threshold, scale)
    out = weak & ~(refinement.seen() & refinement.believable())
    rows = np.flatnonzero(weak & ~out)
    order = rows[np.argsort(strength[rows], kind="stable")]
    if order.size:
        spared = np.zeros(order.size, dtype=bool)
        places = np.column_stack([sources.x, sources.y])[order]
        for a, b in cKDTree(places).query_pairs(_TOGETHER * scale, output_type="ndarray"):
            spared[max(a, b)] = True
        out[order[~spared]] = True
    return out
