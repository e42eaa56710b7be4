"""The pages in a browser: what they draw and do, by pointer and by keys, and what it may not do."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from roman_db.portal import page as portal_page
from roman_db.portal.picture import png
from roman_db.portal.sign_in import COOKIE
from tests.queries.filling import LENSED, N_OBJECT
from tests.roman_db import spectra
from tests.roman_db.portal import filling

AXE = Path(portal_page.__file__).parent / "browser/node_modules/axe-core/axe.min.js"
PHONE = {"width": 390, "height": 844}
#: Milliseconds that a busy machine may take.
SLOW = 60_000
expect.set_options(timeout=SLOW)


class Tab:
    """A page with all that it asked for and complained of."""

    def __init__(self, browser: Browser, portal: str, **options) -> None:
        self.portal = portal
        self.context = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(SLOW)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)

    def _heard(self, message) -> None:
        # A picture that is not there is answered with 404, which the page tells.
        if message.type == "error" and "404" not in message.text:
            self.complaints.append(message.text)

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.portal}{path}")
        return self.page

    @property
    def strangers(self) -> list[str]:
        """What was asked of anybody else."""
        return [one for one in self.asked if not one.startswith((f"{self.portal}/", "data:", "blob:"))]


@pytest.fixture
def tab(browser, portal) -> Iterator[Tab]:
    made = Tab(browser, portal)
    yield made
    made.context.close()
    assert made.complaints == []
    assert made.strangers == []


def points(page: Page) -> tuple[int, int]:
    """Points that the light curves show, and those that there are in that time."""
    host = page.locator("#curves")
    expect(host).to_have_attribute("data-shown", re.compile(r"\d+"))
    return int(host.get_attribute("data-shown")), int(host.get_attribute("data-points"))


def ink(page: Page, plot: str) -> int:
    """Pixels of a plot that are drawn on."""
    return page.locator(f"{plot} canvas").first.evaluate(
        """(canvas) => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let count = 0;
            for (let i = 3; i < data.length; i += 4) count += data[i] > 60;
            return count;
        }"""
    )


def test_the_front_page_leads_to_an_event_by_the_keyboard(tab, objects):
    page = tab.open("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.locator("body").press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("event 1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/event/1")
    expect(page.locator("h1")).to_contain_text("single lens")
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("#facts + .scroll a").first.click()
    page.wait_for_url(f"**/object/{objects[LENSED]}")
    assert str(objects[LENSED]) in page.locator("h1").inner_text()


@pytest.mark.heavy
def test_a_curve_of_many_points_zooms_to_single_ones(tab, objects):
    page = tab.open(f"/object/{objects[filling.MANY]}")
    shown, whole = points(page)
    assert shown < 0.5 * whole
    assert whole >= filling.N_MANY
    plot = page.locator("#curves .plot").filter(has_text=filling.ELEMENT)
    expect(page.locator("#curves")).to_have_attribute("aria-busy", "false")
    assert ink(page, f"#curves .plot:has-text('{filling.ELEMENT}')") > 2000
    plot.scroll_into_view_if_needed()
    # A drag over the days of its points, the fifth to the twelfth of 181.
    box = plot.locator(".u-over").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 4.5 / 180, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 11.5 / 180, y, steps=4)
    page.mouse.up()
    expect(page.locator("#curves")).not_to_have_attribute("data-points", str(whole))
    plot.focus()
    for _ in range(4):
        before = page.locator("#curves").get_attribute("data-points")
        page.keyboard.press("+")
        expect(page.locator("#curves")).not_to_have_attribute("data-points", before)
    page.keyboard.press("n")
    expect(page.locator("#point")).to_contain_text("nJy")
    page.keyboard.press("0")
    expect(page.locator("#curves")).to_have_attribute("data-points", str(whole))


@pytest.mark.heavy
def test_a_point_is_read_with_its_flags_and_leads_to_its_exposure(tab, objects):
    page = tab.open(f"/object/{objects[LENSED]}")
    assert points(page) == (108, 108)
    page.locator("#curves .plot").filter(has_text="F146").focus()
    page.keyboard.press("n")
    expect(page.locator("#point")).to_contain_text(re.compile(r"F146 at BJD .* nJy; .* mag; flags: none"))
    page.get_by_role("button", name="flux").click()
    expect(page.get_by_role("button", name="flux")).to_have_attribute("aria-pressed", "true")
    assert ink(page, "#curves .plot") > 200
    page.locator("#point a").click()
    page.wait_for_url("**/exposure/*")
    expect(page.locator("h1")).to_contain_text("Exposure")
    expect(page.locator("table")).to_contain_text("zero point drift")


@pytest.mark.heavy
def test_a_period_is_computed_and_folded_by(tab, portal, objects):
    # Of few points, which takes less; that the period is right is tested without a browser.
    page = tab.open(f"/object/{objects[LENSED]}")
    page.get_by_role("button", name="Compute a periodogram").click()
    expect(page.locator("#period-message")).to_contain_text("Best period")
    period = float(page.locator("[name=period]").input_value())
    said = requests.get(
        f"{portal}/portal/data/object/{objects[LENSED]}/periodogram", params={"kind": "psf"}, timeout=60
    )
    assert period == pytest.approx(said.json()["period"])
    expect(page.locator("#fold")).to_have_attribute("data-period", str(period))
    assert ink(page, "#periodogram") > 200
    page.get_by_role("button", name="twice").click()
    expect(page.locator("#fold-message")).to_contain_text(f"{2 * period}"[:6])
    assert float(page.locator("#fold").get_attribute("data-period")) == pytest.approx(2 * period)


def test_the_page_of_an_object_without_an_image_says_so_and_lists_neighbours(tab, objects):
    page = tab.open(f"/object/{objects[LENSED]}")
    expect(page.get_by_text("No reference image shows this place.")).to_be_visible()
    assert not page.locator(".finder").is_visible()
    assert not page.locator("figcaption").first.is_visible()
    expect(page.locator("#near tbody tr")).not_to_have_count(0)
    listed = [float(one) for one in page.locator("#near tbody td:nth-child(2)").all_inner_texts()]
    assert listed == sorted(listed)
    nearest = page.locator("#near tbody a").first.inner_text()
    page.locator("#near tbody a").first.click()
    page.wait_for_url(f"**/object/{nearest}")
    assert int(nearest) in objects


@pytest.mark.heavy
def test_the_finder_names_its_image_and_marks_what_is_near(tab, objects):
    grey = png(np.full((401, 401), 90, np.uint8))
    said = {"X-Image": "WFI07 F146 from MJD 61460; 0.0250 arcsec a pixel"}
    tab.page.route("**/finder.png*", lambda route: route.fulfill(body=grey, headers=said))
    page = tab.open(f"/object/{objects[LENSED]}")
    expect(page.locator("#finder-image")).to_have_text("WFI07 F146 from MJD 61460")
    expect(page.locator(".finder .near").first).to_be_attached()
    assert set(page.locator(".finder text").all_text_contents()) == {"N", "E", "1″"}
    # The bar of an arcsec is a tenth of the picture, of 400 units.
    bar = page.locator(".finder path").last.get_attribute("d")
    assert bar == "M12 386h40"


@pytest.mark.heavy
def test_light_curves_are_drawn_in_one_plot_and_by_season(tab, objects):
    page = tab.open(f"/object/{objects[LENSED]}")
    assert points(page) == (108, 108)
    expect(page.locator("#curves .plot")).to_have_count(2)
    page.get_by_role("button", name="in one plot").click()
    expect(page.locator("#curves .plot")).to_have_count(1)
    both = ink(page, "#curves .plot")
    # A day of the second season has a third of what the first has.
    page.get_by_role("button", name="Season 2").click()
    expect(page.locator("#curves")).to_have_attribute("data-points", "27")
    page.get_by_role("button", name="All times").click()
    expect(page.locator("#curves")).to_have_attribute("data-points", "108")
    page.locator("#legend label").filter(has_text="F146").click()
    expect(page.locator("#curves")).to_have_attribute("data-points", "12")
    assert 0 < ink(page, "#curves .plot") < both


@pytest.mark.heavy
def test_places_are_drawn_over_time_and_on_the_sky(tab, objects):
    # The five brightest have places, in each of 108 exposures.
    page = tab.open(f"/object/{objects[0]}")
    expect(page.locator("#track-message")).to_have_text("108 places.")
    expect(page.locator("#track .plot")).to_have_count(3)
    page.wait_for_load_state("networkidle")
    for number in (1, 2, 3):
        assert ink(page, f"#track .plot:nth-child({number})") > 300


def test_an_event_is_drawn_with_its_model(tab):
    page = tab.open("/event/1")
    shown, whole = points(page)
    assert shown == whole > 20
    expect(page.locator("#models-shown")).to_contain_text("model 1: 1L1S")
    expect(page.locator("#curves .plot")).to_have_count(4)
    assert ink(page, "#curves .plot") > 500
    assert ink(page, "#geometry") > 200
    page.locator("#curves .plot").first.focus()
    page.keyboard.press("+")
    expect(page.locator("#curves")).not_to_have_attribute("data-points", str(whole))
    page.get_by_role("button", name="All times").click()
    expect(page.locator("#curves")).to_have_attribute("data-points", str(whole))


def test_a_query_is_completed_run_saved_and_downloaded(tab, objects):
    page = tab.open("/query")
    expect(page.locator("#editor")).to_have_attribute("data-ready", "yes")
    page.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.type("SELECT TOP 70 object_id, ra FROM roman.cur")
    completion = page.locator(".cm-tooltip-autocomplete li[aria-selected]")
    expect(completion).to_contain_text("current_object")
    page.wait_for_timeout(100)  # the editor takes no completion in its first moments
    page.keyboard.press("Enter")
    expect(page.locator(".cm-content")).to_contain_text("roman.current_object")
    page.keyboard.type(" ORDER BY object_id")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#message")).to_contain_text(f"{N_OBJECT} rows")
    expect(page.locator("#result th").nth(1)).to_have_text("ra [deg]")
    expect(page.locator("#result tbody tr").first).to_contain_text(str(objects[0]))
    page.locator("#name").fill("first")
    page.get_by_role("button", name="Save the query").click()
    expect(page.locator("#message")).to_contain_text("in this browser")
    page.locator("#format").select_option("csv")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all rows").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert len(lines) == N_OBJECT + 1
    assert lines[1].startswith(str(objects[0]))
    page.reload()
    page.locator("#saved").select_option("first")
    expect(page.locator(".cm-content")).to_contain_text("current_object ORDER BY object_id")
    page.locator("#result a").first.wait_for(state="detached")


def test_a_wrong_query_is_answered_with_the_place(tab):
    page = tab.open(f"/query?q={quote('SELECT object_ix FROM roman.object')}")
    tab.complaints.clear()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#message")).to_contain_text("object_id")
    expect(page.locator("#message")).to_have_class(re.compile("failure"))
    assert page.locator(".cm-wrong").inner_text() == "object_ix"
    page.locator(".cm-content").press("x")
    expect(page.locator(".cm-wrong")).to_have_count(0)
    tab.complaints[:] = [one for one in tab.complaints if "400" not in one]


def test_the_sky_shows_objects_without_asking_anybody_else(tab, objects):
    page = tab.open("/sky")
    expect(page.locator("#sky")).to_have_attribute("data-ready", "yes")
    expect(page.locator("#sky")).to_have_attribute("data-objects", str(N_OBJECT))
    expect(page.locator("#coverage-key")).to_contain_text("F146")
    expect(page.locator("#in-view tbody tr")).to_have_count(50)
    page.locator("#place").fill("10 10")
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page.locator("#sky")).to_have_attribute("data-objects", "0")
    assert page.locator("#in-view tbody tr").count() == 0
    # The images of this survey have no files.
    tab.complaints[:] = [one for one in tab.complaints if "404" not in one]


@pytest.mark.heavy
def test_a_result_is_sorted_turned_over_and_plotted(tab, objects):
    asked = "SELECT object_id, optical_element, psf_flux FROM roman.object_flux ORDER BY object_id"
    page = tab.open(f"/query?q={quote(asked)}")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#shown")).to_have_text(re.compile(r"^1–50 of \d+$"))
    flux = [float(one) for one in page.locator("#result tbody td:nth-child(3)").all_inner_texts()]
    assert flux != sorted(flux)
    page.get_by_role("button", name="psf_flux [nJy]").click()
    expect(page.locator("#result th").nth(2)).to_have_attribute("aria-sort", "ascending")
    first = [float(one) for one in page.locator("#result tbody td:nth-child(3)").all_inner_texts()]
    page.get_by_role("button", name="Later rows").click()
    expect(page.locator("#shown")).to_have_text(re.compile("^51–100 of"))
    second = [float(one) for one in page.locator("#result tbody td:nth-child(3)").all_inner_texts()]
    assert first + second == sorted(first + second)
    page.get_by_role("button", name="psf_flux [nJy]").click()
    assert float(page.locator("#result tbody td:nth-child(3)").first.inner_text()) > second[-1]
    page.get_by_role("button", name="object_id").click()
    page.get_by_role("button", name="object_id").click()
    last = page.locator("#result tbody td:first-child").first.inner_text()
    assert int(last) == max(objects)
    page.get_by_text("Plot two columns").click()
    expect(page.locator("#plot-point")).to_contain_text("rows have both")
    assert ink(page, "#plot .plot") > 200
    page.locator("#plot .plot").focus()
    page.keyboard.press("n")
    expect(page.locator("#plot-point a")).to_have_attribute("href", re.compile(r"/object/\d+$"))


def test_a_job_is_followed_to_its_result(tab):
    page = tab.open(f"/query?q={quote('SELECT COUNT(*) AS n FROM roman.object')}")
    page.locator("#format").select_option("csv")
    page.get_by_role("button", name="Run as a job").click()
    expect(page.locator("#message")).to_contain_text("The job is done.")
    with page.expect_download() as download:
        page.locator("#message a").evaluate("(link) => { link.download = 'result.csv'; link.click(); }")
    assert Path(download.value.path()).read_text().split() == ['"n"', str(N_OBJECT)]


def test_an_account_keeps_queries_jobs_and_tables(tab, people):
    ada, _ = people
    page = tab.open("/query")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("Token", exact=True).fill(ada.token)
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/query")
    expect(page.locator(".who")).to_have_text(ada.account.name)
    # No script can read the cookie.
    assert ada.token not in page.evaluate("document.cookie + JSON.stringify(localStorage)")
    expect(page.locator("#editor")).to_have_attribute("data-ready", "yes")
    page.locator("#name").fill("kept")
    page.get_by_role("button", name="Save the query").click()
    expect(page.locator("#message")).to_contain_text("with your account")
    page.get_by_role("button", name="Keep as a scratch table").click()
    expect(page.locator("#message")).to_contain_text(f"kept as mydb_{ada.account.name}.kept")
    page.get_by_role("button", name="Run as a job").click()
    expect(page.locator("#message")).to_contain_text("The job is done.")
    page.evaluate("localStorage.clear()")
    page.goto(f"{tab.portal}/me")
    expect(page.locator("#job-table tbody tr").first).to_contain_text("completed")
    assert page.locator("#scratch-used").evaluate("(meter) => meter.value") > 0
    page.get_by_role("link", name="kept", exact=True).click()
    expect(page.locator("#saved")).to_have_value("kept")
    page.goto(f"{tab.portal}/me")
    page.on("dialog", lambda dialog: dialog.accept())
    for button in ("Delete", "Forget", "Remove"):
        page.locator("main").get_by_role("button", name=button).first.click()
        expect(page.locator("main").get_by_role("button", name=button)).to_have_count(0)
    assert ada.ask("/portal/data/saved_queries").json() == []
    assert ada.ask("/account/scratch").json() == []
    page.get_by_text("Ask for more").click()
    page.get_by_label("Of what").select_option("concurrent")
    page.get_by_label("How much").fill("9")
    page.get_by_label("What for").fill("a survey <of> stars")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("Asked for 9 concurrent")).to_contain_text("not decided yet")
    (asked,) = ada.ask("/account/requests").json()
    assert (asked["resource"], asked["amount"], asked["reason"]) == ("concurrent", 9, "a survey <of> stars")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    assert tab.context.cookies() == []


def test_operations_show_deadlines(tab):
    page = tab.open("/operations")
    rows = page.locator("#deadlines tbody tr")
    assert rows.filter(has_text="daily photometry").count() == 4
    assert rows.filter(has_text="27 of 27 exposures").count() == 4
    assert "products of the survey" in rows.filter(has_text="gbtds").last.inner_text()
    deliveries = page.locator("#deliveries tbody tr")
    assert deliveries.count() == 4 + 2 + 3 * 2 + 1
    assert deliveries.filter(has_text="nothing was made yet").count() > 0


@pytest.mark.heavy
def test_operations_show_a_trend(tab):
    page = tab.open("/operations")
    page.locator("#metric").select_option("zero_point_drift")
    page.wait_for_load_state("networkidle")  # it is drawn when the page opens, and again when it is chosen
    expect(page.locator("#trend-message")).to_contain_text("1 is beyond")
    assert ink(page, "#trend") > 200
    page.locator("#trend .plot").focus()
    page.keyboard.press("n")
    expect(page.locator("#trend-point a")).to_contain_text("exposure")


def test_a_spectrum_is_read_and_its_lines_move_with_the_redshift(tab, objects):
    page = tab.open(f"/object/{objects[filling.OBSERVED]}")
    page.locator(".spectra a").first.click()
    page.wait_for_url(f"**/spectrum/{filling.SPECTRUM}")
    plot = page.locator("#spectrum")
    good = spectra.N_PIXEL - 10 - 1
    expect(plot).to_have_attribute("data-shown", str(good))
    expect(plot).to_have_attribute("data-masked", "10")
    expect(plot).to_have_attribute("data-marks", re.compile("Hα"))
    assert ink(page, "#spectrum") > 2000
    assert ink(page, "#density") > 200
    page.get_by_role("button", name="Mark lines at the redshift of rank 2").click()
    expect(page.locator("#z")).to_have_value(str(spectra.Z_OTHER))
    expect(plot).to_have_attribute("data-marks", re.compile("Hα"))
    page.locator("#z").fill("6")
    expect(plot).not_to_have_attribute("data-marks", re.compile("Hα"))
    expect(page.locator("[data-z][aria-pressed=true]")).to_have_count(0)
    whole = plot.get_attribute("data-span")
    page.get_by_role("button", name="Mark lines at the redshift of rank 1").click()
    page.get_by_role("button", name="Look at Halpha").click()
    expect(plot).to_be_focused()
    expect(plot).not_to_have_attribute("data-span", whole)
    page.keyboard.press("n")
    said = re.compile(r"1\.4\d+ µm \(0\.6\d+ µm at rest\): .* ± 2\.00\.")
    expect(page.locator("#point")).to_have_text(said)
    page.keyboard.press("0")
    expect(plot).to_have_attribute("data-span", whole)


#: The first three are looked at each time.
PATHS = (
    "/object/{}",
    "/operations",
    "/me",
    "/",
    "/search?q=267.5336 -30.0176 r=30",
    "/events",
    "/event/1",
    "/query",
    "/sky",
    f"/spectrum/{filling.SPECTRUM}",
    "/sign-in",
)


#: What is looked at: in the dark the colours alone are others.
CHECKS = {
    "light": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]},
    "dark": {"type": "rule", "values": ["color-contrast"]},
}


def violations(page: Page, scheme: str) -> list[tuple]:
    """What axe-core finds on a page in light or dark."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    # The view of the sky is a program of others; what it shows stands in the table below it.
    result = page.evaluate(
        "(runOnly) => axe.run({ exclude: ['#sky'] }, { runOnly, resultTypes: ['violations'] })",
        CHECKS[scheme],
    )
    return [
        (scheme, one["id"], node["target"], node["failureSummary"])
        for one in result["violations"]
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("paths", [PATHS[:3], pytest.param(PATHS[3:], marks=pytest.mark.heavy)])
def test_everything_is_accessible_and_fits_a_phone(browser, portal, people, objects, paths):
    tab = Tab(browser, portal, viewport=PHONE, has_touch=True)
    tab.context.add_cookies([{"name": COOKIE, "value": people[0].token, "url": portal}])
    pages = {path: tab.context.new_page() for path in paths}
    # All load before one is waited for.
    for path, page in pages.items():
        page.goto(f"{portal}{path.format(objects[LENSED])}", wait_until="commit", timeout=SLOW)
    found = []
    for path, page in pages.items():
        page.wait_for_load_state("networkidle")
        page.evaluate(AXE.read_text())
        found += [(path, *one) for scheme in CHECKS for one in violations(page, scheme)]
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
    tab.context.close()
    assert found == []
    assert tab.strangers == []


@pytest.mark.heavy
def test_the_colours_are_those_that_were_chosen(tab):
    page = tab.open("/")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Dark").click()
    dark = page.evaluate(ground)
    assert light == "rgb(255, 255, 255)" != dark
    page.reload()
    assert page.evaluate(ground) == dark
