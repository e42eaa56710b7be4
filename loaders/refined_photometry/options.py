"""What may be chosen of the refined photometry."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RefineOptions:
    """Options; the defaults suit exposures of the Wide Field Instrument.

    Parameters
    ----------
    radius
        Radius in pixels of the disc of pixels that are fitted.
    margin
        Pixels beyond the disc within which stars are fitted too; those farther away are held.
    fewest_exposures
        Exposures that a scene needs.
    most_exposures
        Exposures that the scene is solved from: those with most of the event's light, others spread in time.
    least_steady
        How far the steady light of the source may be off at least, nJy.
    least_snr
        Significance of the event's light below which it has no place of its own.
    position_snr
        Signal-to-noise ratio, of all exposures together, from which places of neighbours are fitted too.
    flux_error
        Error of catalogued fluxes of neighbours, as a share of them.
    target_err
        Error of the place of the object's constant light, mas: a blend is where it is.
    shift_err
        Error of where the WCS has an exposure, pixels.
    psf_error
        Error of the light of constant stars in a pixel, as a share of it.
    outlier
        Deviation, in errors, from which a pixel is taken to be hit or bad.
    outlier_psf_error
        Share of the light in a pixel that is no outlier.
    farthest
        Distance in mas from the catalogued place beyond which the light is not that of the object.
    longest_step
        Longest step of a place in an iteration, mas.
    most_rounds
        Iterations.
    still
        Step of the event's place in its errors at which it is said to be found.
    """

    radius: float = 9.0
    margin: float = 2.0
    fewest_exposures: int = 10
    most_exposures: int = 1500
    least_steady: float = 100.0
    least_snr: float = 10.0
    position_snr: float = 50.0
    flux_error: float = 0.3
    target_err: float = 50.0
    shift_err: float = 0.05
    psf_error: float = 0.002
    outlier: float = 6.0
    outlier_psf_error: float = 0.05
    farthest: float = 250.0
    longest_step: float = 30.0
    most_rounds: int = 14
    still: float = 0.05
