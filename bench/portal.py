"""How long a page of the portal waits for its data: a light curve of 45,000 points, whole, zoomed, folded."""

from __future__ import annotations

from collections.abc import Iterator

from bench.portal_browser import browser_figures
from bench.record import Figure
from bench.server import bench_server, shortest_seconds
from roman_db.portal import data, kept_curves, reading
from tests.queries import filling as survey
from tests.roman_db.portal import filling

#: Columns of pixels of a plot on a screen of usual width.
_COLUMNS = 1200


def figures() -> Iterator[Figure]:
    """Times and sizes of answers, without the network."""
    with bench_server() as server:
        server.use("portal")
        survey.fill()
        filling.fill()
        star = int(survey.make_survey().object_id[filling.MANY])
        first = filling.FIRST_DAY + 2400001.5

        def whole() -> bytes:
            kept_curves.forget()
            return bytes(data.light_curve(star, "psf", columns=_COLUMNS).body)

        def zoomed() -> bytes:
            return bytes(data.light_curve(star, "psf", first, first + 0.3, _COLUMNS).body)

        def folded() -> bytes:
            return bytes(data.fold(star, "psf", filling.PERIOD, columns=_COLUMNS).body)

        for name, task in (("whole", whole), ("zoomed to single points", zoomed), ("folded", folded)):
            (time,) = shortest_seconds(task)
            yield Figure("portal", f"45,000 points, {name}", 1000 * time, "ms", 200, "min")
            size = len(task()) / 1000
            yield Figure("portal", f"45,000 points, {name}, answer", size, "kB", 1000, "min")
        (time,) = shortest_seconds(lambda: data.periodogram(star, "psf"), turns=2)
        yield Figure("portal", "45,000 points, periodogram", time, "s", 10, "min")
        yield from browser_figures(star, filling.ELEMENT)
        reading.forget()
