"""Pages and their data over HTTP, beside what was stored."""

import numpy as np
import pytest
import requests

from tests.queries.filling import DEC, LENSED, RA, UNMEASURED, make_survey
from tests.roman_db import spectra
from tests.roman_db.portal import filling

#: A number that no object, event or exposure has.
NOBODY = 2**62


@pytest.fixture(scope="session")
def get(portal):
    """Function that asks for a page or data."""

    def ask(path, **parameters):
        return requests.get(f"{portal}{path}", params=parameters, timeout=60)

    return ask


def curve(get, object_id, **more):
    found = get(f"/portal/data/object/{object_id}/light_curve", kind="psf", **more)
    assert found.status_code == 200, found.text
    document = found.json()
    return document, {one["optical_element"]: one for one in document["series"]}


def test_searches_lead_to_objects_events_and_lists(get, objects):
    survey = make_survey()
    for text in (str(objects[3]), f"{survey.ra[3]:.7f} {survey.dec[3]:.7f} r=0.1"):
        assert get("/search", q=text).url.endswith(f"/object/{objects[3]}")
    near = get("/search", q=f"CIRCLE {RA} {DEC} 0.01").text
    assert sum(str(one) in near for one in objects) == len(objects)
    box = get("/search", q=f"BOX {RA} {DEC} 0.03 0.006").text
    inside = np.abs(survey.dec - DEC) < 0.003
    assert {one for one in objects if f"/object/{one}" in box} == set(survey.object_id[inside].tolist())
    assert get("/search", q="400 0").status_code == 400
    assert get("/search", q=str(NOBODY)).status_code == 404
    assert "Nothing is catalogued" in get("/search", q="<script>").text


def test_what_is_not_there_is_said(get):
    for path in ("object", "event", "exposure", "spectrum"):
        for number in (str(NOBODY), "x", "9" * 30, "-1"):
            assert get(f"/{path}/{number}").status_code == 404
    data = get(f"/portal/data/object/{NOBODY}/light_curve", kind="psf")
    assert (data.status_code, "no light curve" in data.json()["problem"]) == (404, True)
    for path in ("fold", "light_curve"):
        assert get(f"/portal/data/object/1/{path}", kind="psf", period=-1, columns=10**9).status_code == 422


def test_values_that_are_typed_are_escaped(get):
    page = get("/search", q='"><script>alert(1)</script>').text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_pages_may_load_from_here_alone(get, portal):
    policy = get("/").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert portal in get("/").text


def test_a_short_curve_is_what_was_stored(get, objects):
    stored = requests.get(
        get("/tap/sync", LANG="ADQL").url.partition("?")[0],
        params={
            "LANG": "ADQL",
            "RESPONSEFORMAT": "csv",
            "QUERY": "SELECT exposure_id, midpoint_bjd_tdb, flux, flux_err, flags FROM roman.light_curve "
            f"WHERE object_id = {objects[LENSED]} AND optical_element = 'F146' ORDER BY midpoint_bjd_tdb",
        },
        timeout=60,
    ).text.splitlines()[1:]
    document, series = curve(get, objects[LENSED])
    one = series["F146"]
    assert one["is_exact"]
    assert one["n_point"] == len(stored) == 96
    assert one["exposure_id"] == [line.split(",")[0] for line in stored]
    for k, name in enumerate(("x", "flux", "flux_err", "flags"), 1):
        assert one[name] == pytest.approx([float(line.split(",")[k]) for line in stored], rel=1e-6)
    assert document["n_failed"] == 0
    # One point of each of eight blocks has no flux.
    assert curve(get, objects[UNMEASURED])[0]["n_failed"] == 8


def test_a_long_curve_is_thinned_and_exact_on_zoom(get, objects):
    flux, bjd = filling.fluxes(), filling.times() + 2400000.5
    document, series = curve(get, objects[filling.MANY], columns=1000)
    one = series[filling.ELEMENT]
    assert not one["is_exact"]
    assert one["n_point"] == filling.N_MANY
    assert len(one["x"]) < 0.5 * filling.N_MANY
    assert max(one["flux"]) == filling.SPIKE_FLUX
    assert min(one["flux"]) == pytest.approx(float(flux.min()))
    assert sum(flag != 0 for flag in one["flags"]) == 1
    assert document["whole"][1] - document["whole"][0] > filling.N_DAY
    first, last = bjd[12_000] - 1e-6, bjd[13_000] + 1e-6
    near = curve(get, objects[filling.MANY], first=first, last=last)[1][filling.ELEMENT]
    assert near["is_exact"]
    assert near["x"] == pytest.approx(bjd[12_000:13_001].tolist(), abs=1e-9)
    assert near["flux"] == pytest.approx(flux[12_000:13_001].tolist())


def test_phases_are_those_of_the_period(get, objects):
    given = {"kind": "psf", "period": filling.PERIOD, "epoch": 2400000.5}
    folded = get(f"/portal/data/object/{objects[filling.MANY]}/fold", **given).json()
    (one,) = (s for s in folded["series"] if s["optical_element"] == filling.ELEMENT)
    phase, flux = np.array(one["x"]), np.array(one["flux"])
    assert ((phase >= 0) & (phase < 1)).all()
    usual = flux < filling.SPIKE_FLUX
    true = filling.MEAN + filling.AMPLITUDE * np.sin(2 * np.pi * phase)
    assert np.abs(flux - true)[usual].max() < 6 * filling.ERROR


def test_the_period_is_found_on_demand(get, objects):
    found = get(f"/portal/data/object/{objects[filling.MANY]}/periodogram", kind="psf").json()
    assert found["period"] == pytest.approx(filling.PERIOD, rel=2e-3)
    assert len(found["frequency"]) == len(found["power"]) <= 3000
    assert max(found["power"]) == 1.0
    best = found["frequency"][int(np.argmax(found["power"]))]
    assert best == pytest.approx(1 / filling.PERIOD, rel=0.02)


def test_an_event_has_points_models_and_geometry(get, objects):
    listed = get("/events").text
    number = listed.partition('href="/event/')[2].partition('"')[0]
    page = get(f"/event/{number}").text
    assert "2461461.702 ± 0.010" in page
    assert f'href="/object/{objects[LENSED]}"' in page
    document = get(f"/portal/data/event/{number}/curves").json()
    bands = {one["optical_element"]: one for one in document["bands"]}
    assert set(bands) == {"F146", "F087"}
    assert 0.7 < np.std(bands["F146"]["residual"]) < 1.4
    assert min(document["geometry"]["y"]) == max(document["geometry"]["y"]) == pytest.approx(0.3)
    assert get(f"/portal/data/event/{number}/posterior.png").status_code == 404


def test_operations_say_what_failed_and_what_is_beyond_limits(get):
    page = get("/operations").text
    for words in ("ends early", "fetch it again", "partly failed", "interrupted", "photometer"):
        assert words in page
    trend = get("/portal/data/metric/zero_point_drift").json()
    assert max(trend["value"]) == 12.5
    assert trend["verdict"].count("warning") == 1
    exposure = trend["exposure_id"][trend["verdict"].index("warning")]
    assert "zero point drift" in get(f"/exposure/{exposure}").text


def test_neighbours_are_where_the_catalog_has_them(get, objects):
    survey = make_survey()
    found = get(f"/portal/data/object/{objects[0]}/neighbours", radius=20).json()
    east = (survey.ra - survey.ra[0]) * np.cos(np.radians(survey.dec[0])) * 3600
    north = (survey.dec - survey.dec[0]) * 3600
    true = {str(one): (x, y) for one, x, y in zip(objects, east, north, strict=True)}
    near = {one for one, (x, y) in true.items() if 0 < np.hypot(x, y) < 19.9}
    assert near <= {one["object_id"] for one in found} < set(true)
    # The first object has moved since it was first catalogued.
    for one in found:
        assert (one["east"], one["north"]) == pytest.approx(true[one["object_id"]], abs=1.5)
        assert one["distance"] == pytest.approx(np.hypot(one["east"], one["north"]), abs=1e-3)


def test_the_sky_has_its_objects_and_coverage(get, objects):
    found = get("/portal/data/objects", ra=RA, dec=DEC, radius=0.01).json()
    assert {one["object_id"] for one in found["objects"]} == {str(one) for one in objects}
    brightness = [one["ab_mag"] for one in found["objects"]]
    assert brightness == sorted(brightness)
    assert get("/portal/data/objects", ra=RA, dec=DEC, radius=90).json()["objects"] == []
    assert {one["optical_element"] for one in get("/portal/data/coverage").json()} == {"F146", "F087"}
    assert len(get("/portal/data/images", ra=RA, dec=DEC).json()) == 3
    assert get("/portal/data/image/1.png").status_code == 404


def test_the_editor_knows_every_table(get):
    names = get("/portal/data/names").json()
    tables = {f"{one['schema']}.{one['name']}" for one in names["tables"]}
    assert {"roman.object", "roman.light_curve", "roman.event"} <= tables
    assert not any(one.startswith("ops.") for one in tables)
    assert {"CONTAINS", "ivo_healpix_index"} <= {one["name"] for one in names["functions"]}


def test_the_page_of_a_spectrum_says_what_was_fitted(get, objects):
    page = get(f"/spectrum/{filling.SPECTRUM}").text
    for words in (
        "GALAXY at z = 1.30000 ± 0.00200, reliability 0.970",
        "Another redshift of the same class is worse by less than 9 in chi-square",
        "The spectrum was fitted in bins of several pixels",
        f'href="/object/{objects[filling.OBSERVED]}"',
        "Roman, WFI",
        "1.0000 to 1.9300 µm in 861 pixels, R 675",
        "[OIII]5008",
        "10⁻²⁰ W m⁻² µm⁻¹",
    ):
        assert words in page
    assert get("/search", q=f"spectrum {filling.SPECTRUM}").url.endswith(f"/spectrum/{filling.SPECTRUM}")


def test_spectra_without_redshift_place_or_scale_have_pages_that_say_so(get):
    star, unfitted, earlier = (get(f"/spectrum/{filling.SPECTRUM + n}").text for n in (1, 2, -1))
    assert "scale not known" in star
    assert "STAR T5800 at z = 0.00010" in star
    assert "No redshift: No template reaches the wavelengths of the spectrum." in unfitted
    assert "None was fitted." in unfitted
    assert "A later version replaced this spectrum on " in earlier
    for number in range(filling.SPECTRUM - 1, filling.SPECTRUM + 3):
        assert get(f"/portal/data/spectrum/{number}").status_code == 200


def test_the_page_of_an_object_shows_its_current_spectra(get, objects):
    page = get(f"/object/{objects[filling.OBSERVED]}").text
    assert page.count("/spectrum/") == 1
    assert f'href="/spectrum/{filling.SPECTRUM}"' in page
    assert "Roman, WFI: GALAXY, z = 1.30000 ± 0.00200, reliability 0.97" in page
    assert "/spectrum/" not in get(f"/object/{objects[filling.OBSERVED + 1]}").text


def test_pixels_of_a_spectrum_are_those_that_were_stored(get):
    found = get(f"/portal/data/spectrum/{filling.SPECTRUM}").json()
    assert found["is_exact"]
    assert np.array(found["flux"], float) == pytest.approx(spectra.fluxes(), nan_ok=True)
    assert found["flux"][spectra.MISSING] is None
    assert [i for i, one in enumerate(found["mask"]) if one] == list(range(100, 110))
    assert {"name": "Halpha", "wavelength": pytest.approx(0.656461)} in found["lines"]
    part = get(f"/portal/data/spectrum/{filling.SPECTRUM}", first=1.2, last=1.3).json()
    inside = (np.array(found["wavelength"]) >= 1.2) & (np.array(found["wavelength"]) <= 1.3)
    assert len(part["wavelength"]) == inside.sum() + 2
    assert get(f"/portal/data/spectrum/{NOBODY}").status_code == 404
    refused = get(f"/portal/data/spectrum/{filling.SPECTRUM}", first=2, last=1)
    assert (refused.status_code, "before the last" in refused.json()["problem"]) == (400, True)
