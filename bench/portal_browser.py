"""How long somebody waits before a browser: until a curve of 45,000 points is drawn, and zoomed."""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from collections.abc import Iterator

from playwright.sync_api import Browser, Page, sync_playwright

from bench.record import Figure
from tests.roman_db.tap.service.conftest import served

#: Names that distributions give the browser.
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_TURNS, _ZOOMS = 7, 4

#: Notes when the light curves were drawn, two frames after their data came.
_DRAWN = """
new MutationObserver((_, observer) => {
  if (!document.querySelector('#curves')?.dataset.shown) return;
  observer.disconnect();
  requestAnimationFrame(() => requestAnimationFrame(() => {
    document.documentElement.dataset.painted = performance.now();
  }));
}).observe(document, { subtree: true, attributes: true, attributeFilter: ['data-shown'] });
"""

#: Zooms in by a key; until the points that are there are drawn again, and until those of the server are, ms.
_ZOOM = """
() => new Promise((done) => {
  const began = performance.now(), host = document.querySelector('#curves');
  let redrawn = 0;
  new MutationObserver((_, observer) => {
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => done([redrawn, performance.now() - began])));
  }).observe(host, { attributes: true, attributeFilter: ['data-points'] });
  document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: '+', bubbles: true }));
  redrawn = performance.now() - began;
})
"""


def browser_figures(star: int, element: str) -> Iterator[Figure]:
    """Medians over several visits of the page of an object; none where there is no browser.

    Parameters
    ----------
    star
        Object with a curve of many points, in the database that ``roman_db`` uses.
    element
        Its optical element.
    """
    program = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        return
    paths = os.pathsep.join(sys.path)
    with served(os.environ["ROMAN_DB_URL"], PYTHONPATH=paths) as tap, sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        address = f"{tap.removesuffix('/tap')}/object/{star}"
        visits = [_visit(started, address, element) for _ in range(_TURNS)][1:]
        started.close()
    times = {
        "drawn": [first for first, _ in visits],
        "zoomed, points at hand": [at_hand for _, zooms in visits for at_hand, _ in zooms],
        "zoomed, all points": [exact for _, zooms in visits for _, exact in zooms],
    }
    targets = {"drawn": 1000.0, "zoomed, points at hand": 16.0, "zoomed, all points": 200.0}
    for name, found in times.items():
        value = statistics.median(found)
        yield Figure("portal", f"45,000 points in a browser, {name}", value, "ms", targets[name], "min")


def _visit(browser: Browser, address: str, element: str) -> tuple[float, list[tuple[float, float]]]:
    """Milliseconds until the curves are drawn, and of each zoom."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page: Page = context.new_page()
    page.add_init_script(_DRAWN)
    page.goto(address, wait_until="commit")
    page.wait_for_selector("html[data-painted]")
    first = float(page.locator("html").get_attribute("data-painted") or "nan")
    page.wait_for_load_state("networkidle")
    page.locator("#curves .plot").filter(has_text=element).focus()
    zooms = [page.evaluate(_ZOOM) for _ in range(_ZOOMS)]
    context.close()
    return first, zooms
