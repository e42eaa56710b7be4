"""What is said of exposures that were not compared as they have no template."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

_WAITS_FOR = {
    "image": "no reference image has them or ended before them; run eight-day makes it once its span ended",
    "search": "their reference image was not searched; give run eight-day again, and see why if that fails",
    "others": "fewer than {fewest} others are in their reference image, and none ended before them",
    "misfit": "they do not fit their reference image, and are left out",
}
"""By what they wait for, in the words of ``queries/jobs/difference_exposure.sql``."""


def waiting_lines(waits: Iterable[tuple[str, str, int]], fewest: int) -> list[str]:
    """Say how many exposures wait, and for what.

    Parameters
    ----------
    waits
        What some exposures wait for, their detector and optical element, and how many they are.
    fewest
        Exposures that must remain in a reference image when one is left out.

    Returns
    -------
    list of str
        A line for each reason and element.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for reason, instrument, number in waits:
        counts[reason, instrument] += number
    return [
        f"Not compared: {number:,} {'exposure' if number == 1 else 'exposures'} of {instrument}: "
        f"{_WAITS_FOR[reason].format(fewest=fewest)}."
        for (reason, instrument), number in sorted(counts.items())
    ]
