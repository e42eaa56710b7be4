"""Cutouts, the planes that they come from, files and coverage maps."""

from __future__ import annotations

import io
from urllib.parse import quote

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Latitude, Longitude, SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from mocpy import MOC

from roman_db.service_failure import BadRequest
from roman_db.vo.coverage import coverage_of_ranges
from roman_db.vo.cutout import Missing, cutout, open_image, pixel_box
from roman_db.vo.image_plane import SkyToPixel
from roman_db.vo.parameters import Parameters
from roman_db.vo.region import read_region
from roman_db.vo.shapes import Circle, Range, Region
from tests.queries.filling import DEC, RA
from tests.roman_db.conftest import execute
from tests.roman_db.vo.image_file import SCALE, SHAPE, pixels, write_image


@pytest.mark.parametrize("place", [(267.5, -30.0), (0.0005, 10.0), (120.0, 89.99), (10.0, -90.0)])
def test_pixels_of_places_invert_the_wcs(tmp_path, place):
    write_image(tmp_path / "image.asdf", *place)
    with open_image(tmp_path / "image.asdf") as image:
        grid = np.random.default_rng(1).uniform((0, 0), (SHAPE[1] - 1, SHAPE[0] - 1), (500, 2))
        back = SkyToPixel(image.to_sky, image.shape)(image.to_sky(grid))
    assert back == pytest.approx(grid, abs=1e-3)


@pytest.mark.parametrize("place", [(267.5, -30.0), (0.0005, 10.0), (120.0, 89.99)])
def test_a_cutout_has_the_pixels_and_the_wcs_of_its_part(tmp_path, place):
    wcs = write_image(tmp_path / "image.asdf", *place)
    centre = np.array(wcs(60.0, 50.0))
    content = cutout(tmp_path / "image.asdf", Circle(*centre, 10 * SCALE), {"FILTER": "F146"})
    with fits.open(io.BytesIO(content)) as file:
        science = file["SCI"].data
        x, y = file[0].header["XSTART"], file[0].header["YSTART"]
        n_y, n_x = science.shape
        assert np.array_equal(science, pixels()[y : y + n_y, x : x + n_x])
        assert (file["SCI"].header["BUNIT"], file[0].header["FILTER"]) == ("DN / s", "F146")
        assert file["DQ"].data.max() == 3
        assert file["ERR"].data.dtype.itemsize == 4
        found = WCS(file["SCI"].header)
    rows, columns = np.mgrid[0:n_y, 0:n_x]
    ours = SkyCoord(*found.all_pix2world(columns.ravel(), rows.ravel(), 0), unit="deg")
    true = SkyCoord(*wcs(columns.ravel() + x, rows.ravel() + y), unit="deg")
    assert ours.separation(true).deg.max() < 0.01 * SCALE
    # The circle lies in it, and reaches its sides.
    distance = np.hypot(columns + x - 60, rows + y - 50)
    assert distance[rows == 0].min() == pytest.approx(10, abs=1.5)
    assert (x, y) == pytest.approx((50, 40), abs=1)
    assert (n_x, n_y) == pytest.approx((21, 21), abs=1.5)


def test_a_region_over_the_edge_is_cut_and_one_beside_is_empty(tmp_path):
    wcs = write_image(tmp_path / "image.asdf", RA, DEC)
    corner = wcs(0.0, 0.0)
    with fits.open(io.BytesIO(cutout(tmp_path / "image.asdf", Circle(*corner, 10 * SCALE), {}))) as file:
        assert file["SCI"].data[0, 0] == 0
        assert file["SCI"].data.shape == pytest.approx((11, 11), abs=1.5)
    for place in ((RA, DEC + 0.05), (RA + 180, -DEC), (RA + 1, DEC)):
        assert cutout(tmp_path / "image.asdf", Circle(*place, 1e-4), {}) is None


def test_the_whole_image_has_a_wcs_with_distortion(tmp_path):
    wcs = write_image(tmp_path / "image.asdf", RA, DEC)
    with fits.open(io.BytesIO(cutout(tmp_path / "image.asdf", None, {}))) as file:
        assert file["SCI"].data.shape == SHAPE
        header = file["SCI"].header
        assert header["CTYPE1"] == "RA---TAN-SIP"
        places = SkyCoord(*WCS(header).all_pix2world([0, 159, 30], [0, 119, 100], 0), unit="deg")
    true = SkyCoord(*wcs(np.array([0, 159, 30.0]), np.array([0, 119, 100.0])), unit="deg")
    assert places.separation(true).deg.max() < 0.01 * SCALE


def test_what_is_no_image_is_said_without_its_path(tmp_path):
    (tmp_path / "broken.asdf").write_bytes(b"nothing")
    for name in ("broken.asdf", "gone.asdf"):
        with pytest.raises(Missing, match=r"^the file of the image is not at hand$"):
            cutout(tmp_path / name, None, {})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([("CIRCLE", "1 2")], "CIRCLE has 2 numbers"),
        ([("CIRCLE", "1 2 x")], "CIRCLE must be a number from 0 to 10, got 'x'"),
        ([("POLYGON", "1 2 3 4 5")], "POLYGON has 5 numbers"),
        ([("POS", "BOX 1 2 3 4")], "POS must begin with CIRCLE, RANGE or POLYGON, got 'BOX'"),
        ([("POS", "RANGE 1 2 3 -91")], "RANGE must be a number from -90 to 90"),
        ([("POS", "RANGE 1 2 3 nan")], "RANGE must be a number from -90 to 90"),
        ([("POS", "RANGE 1 2 3 -4")], "RANGE must have the smaller declination first, got 3 and -4"),
        (
            [("POLYGON", "0 0 120 0 240 0")],
            "POLYGON: the corners of a polygon must lie on one half of the sky",
        ),
        ([("POLYGON", "1 2 " * 1001)], "POLYGON has 1001 corners: at most 1000 are taken"),
        ([("CIRCLE", "1 2 3"), ("POS", "CIRCLE 1 2 3")], "one of CIRCLE, POLYGON and POS is taken"),
    ],
)
def test_regions_that_make_no_sense_are_refused(given, words):
    with pytest.raises(BadRequest, match=words):
        read_region(Parameters(given))


def region(text: str) -> Region | None:
    return read_region(Parameters([("POS", text)]))


def test_outlines_are_of_the_regions():
    centre = SkyCoord(10, -80, unit="deg")
    ring = SkyCoord(region("CIRCLE 10 -80 0.5").outline(), unit="deg")
    assert ring.separation(centre).deg == pytest.approx(0.5)
    outline = region("POLYGON 359 0 1 0 1 2").outline()
    assert {(359, 0), (1, 0), (1, 2)} <= set(map(tuple, outline.round(9)))
    away = np.cross(*(SkyCoord(ra, dec, unit="deg").cartesian.xyz.value for ra, dec in ((1, 2), (359, 0))))
    sides = (np.abs(outline[:, 1]) < 1e-9, np.abs(outline[:, 0] - 1) < 1e-9)
    slanted = SkyCoord(outline[~sides[0] & ~sides[1]], unit="deg").cartesian.xyz.value
    assert np.abs(away @ slanted).max() < 1e-12
    ra, dec = region("RANGE 350 10 -31 -29").outline().T
    assert set(ra[(dec != -31) & (dec != -29)]) == {350, 10}
    assert ((ra >= 350) | (ra <= 10)).all()
    assert region("RANGE 0 360 89 +Inf") == Range(0, 360, 89, 90)
    assert read_region(Parameters([])) is None


#: Middles of images, and regions that hold them, cut them or pass them by.
_CUT = [
    ((267.5, -30.0), text)
    for text in (
        "CIRCLE 267.5 -30 1", "CIRCLE 268.5 -30.5 1.0", "CIRCLE 267.501 -30 0.002", "CIRCLE 270 -35 5.45",
        "RANGE 0 360 -31 -29", "RANGE 0 360 -30.0003 -30.0001", "RANGE 0 360 -31 -30.0005",
        "RANGE 10 300 -31 -29", "RANGE 0 360 -30.00004 -30",
        "RANGE 300 10 -31 -29", "RANGE 267.4996 267.5 -30.0003 -29.9", "RANGE 267 268 -Inf +Inf",
        "POLYGON 260 -35 275 -35 275 -25 260 -25", "POLYGON 260 -30 275 -30 267.5 -20",
        "POLYGON 267.499 -30 267.5 -30.001 267.501 -30 267.5 -29.999 267.5 -30.0005",
    )
] + [
    ((0.0, 10.0), "RANGE 359.9995 0.0002 9.9997 10.0003"), ((0.0, 10.0), "CIRCLE 359.999 10 0.0011"),
    ((120.0, 89.9995), "RANGE 0 360 89.9997 90"), ((120.0, 89.9995), "RANGE 100 140 89.9 90"),
    ((120.0, 89.9995), "RANGE 0 360 -90 89.9992"), ((120.0, 89.9995), "CIRCLE 0 90 0.0004"),
]  # fmt: skip


def _inside(text: str, places: SkyCoord) -> np.ndarray:
    """Whether places lie in a region, by astropy's separations and angles, and the definition of RANGE."""
    shape, *numbers = text.replace("+Inf", "90").replace("-Inf", "-90").split()
    values = [float(one) for one in numbers]
    if shape == "CIRCLE":
        return places.separation(SkyCoord(*values[:2], unit="deg")).deg <= values[2]
    if shape == "RANGE":
        west, east, south, north = values
        ra, dec = places.ra.deg, places.dec.deg
        between = (west <= ra) & (ra <= east) if west <= east else (west <= ra) | (ra <= east)
        return between & (south <= dec) & (dec <= north)
    # Seen from inside, the corners go once around.
    corners = SkyCoord(np.array(values).reshape(-1, 2), unit="deg")
    angles = np.array([places.position_angle(corner).deg for corner in [*corners, corners[0]]])
    return np.abs(((np.diff(angles, axis=0) + 180) % 360 - 180).sum(axis=0)) > 180


@pytest.mark.parametrize(("middle", "text"), _CUT)
def test_a_cutout_has_all_pixels_in_the_region_and_few_more(tmp_path, middle, text):
    write_image(tmp_path / "image.asdf", *middle)
    with open_image(tmp_path / "image.asdf") as image:
        rows, columns = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
        places = image.to_sky(np.stack([columns.ravel(), rows.ravel()], axis=1).astype(float))
        inside = _inside(text, SkyCoord(places, unit="deg")).reshape(SHAPE)
        box = pixel_box(image, region(text))
    if not inside.any():
        assert box is None
        return
    for axis, part in enumerate(box):
        found = np.flatnonzero(inside.any(axis=1 - axis))
        # Pixels whose middle is not in the region may be touched by it.
        assert 0 <= found[0] - part.start <= 1, text
        assert 0 <= part.stop - 1 - found[-1] <= 1, text


@pytest.fixture(scope="module")
def place() -> str:
    """Circle about the middle of the images that are served, of 10 pixels."""
    return f"{RA} {DEC} {10 * SCALE}"


@pytest.mark.parametrize("kind", ["reference_image", "exposure"])
def test_the_service_cuts_out(get, stored_images, place, kind):
    answer = get("soda/sync", ID=stored_images[kind], CIRCLE=place)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/fits")
    with fits.open(io.BytesIO(answer.content)) as file:
        x, y = WCS(file["SCI"].header).all_world2pix([[RA, DEC]], 0)[0]
        start = file[0].header["XSTART"], file[0].header["YSTART"]
        assert file[0].header["TIMESYS"] == ("UTC" if kind == "exposure" else "TDB")
    assert (x + start[0], y + start[1]) == pytest.approx(((SHAPE[1] - 1) / 2, (SHAPE[0] - 1) / 2), abs=0.01)


@pytest.mark.parametrize("kind", ["reference_image", "exposure"])
def test_an_image_is_given_where_times_and_wavelengths_meet_its_own(
    get, stored_images, place, kind, database
):
    """What it covers is read from ObsCore."""
    query = "SELECT t_min, t_max, em_min, em_max FROM ivoa.obscore WHERE obs_publisher_did = '{}'"
    first, last, shortest, longest = execute(database, query.format(stored_images[kind]))[0]
    asked = {"ID": stored_images[kind], "CIRCLE": place}
    for status, given in (
        (200, {"TIME": f"{first} {last}", "BAND": f"{shortest} {longest}"}),
        (200, {"TIME": f"-Inf {first + 0.01}"}), (204, {"TIME": f"-Inf {first - 0.01}"}),
        (204, {"TIME": f"{last + 0.01} +Inf"}), (200, {"BAND": f"{longest} 1"}),
        (204, {"BAND": f"{longest * 1.01} 1"}), (204, {"BAND": f"0 {shortest * 0.99}"}),
    ):  # fmt: skip
        assert get("soda/sync", **asked, **given).status_code == status, given


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"TIME": "61474"}, "TIME must be two numbers"), ({"TIME": "2 1"}, "TIME must be two numbers"),
        ({"BAND": "nan 1"}, "BAND must be two numbers"), ({"BAND": "a b"}, "got 'a b'"),
        ({"TIME": "1 2"}, "TIME must be between MJD 36934 and 100000"),
        ({"POL": "I"}, "POL is not supported for images: take CIRCLE, POLYGON, POS, BAND, TIME"),
    ],
)  # fmt: skip
def test_intervals_that_make_no_sense_are_refused(get, stored_images, given, words):
    answer = get("soda/sync", ID=stored_images["reference_image"], **given)
    assert (answer.status_code, words in answer.text) == (400, True)


def test_the_service_says_what_it_cannot_do(get, stored_images, place):
    assert get("soda/sync", ID=stored_images["exposure"], CIRCLE="10 10 0.01").status_code == 204
    for given, status, words in (
        ({"CIRCLE": place}, 400, "UsageFault: ID is missing"),
        ({"ID": "difference_image/1"}, 400, "UsageFault: ID must name one of exposure, reference_image"),
        ({"ID": "exposure/1"}, 404, "NotFoundFault: there is no file"),
        ({"ID": "reference_image/2"}, 404, "NotFoundFault: the file of the image is not at hand"),
    ):
        answer = get("soda/sync", **given)
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (status, "text/plain")
        assert answer.text.startswith(words)


def test_a_file_comes_as_it_is_stored(get, stored_images, image_path):
    answer = get("data", ID=stored_images["reference_image"])
    assert answer.content == image_path.read_bytes()
    assert answer.headers["content-type"] == "application/x-asdf"


@pytest.mark.parametrize("form", ["fits", "json", "ascii"])
def test_coverage_is_that_of_the_exposures(get, database, form):
    content = get("coverage", FORMAT=form, ORDER=16).content
    if form == "fits":
        moc = MOC.from_fits(io.BytesIO(content))
    else:
        moc = MOC.from_string(content.decode(), format=form)
    assert moc.max_order == 16
    assert moc.contains_lonlat(np.array([RA]) * u.deg, np.array([DEC]) * u.deg).all()
    assert not moc.contains_lonlat(np.array([RA + 1]) * u.deg, np.array([DEC]) * u.deg).any()
    field = MOC.from_cone(Longitude(RA * u.deg), Latitude(DEC * u.deg), radius=0.2 * u.deg, max_depth=16)
    assert moc.difference(field).empty()


def test_coverage_is_of_one_element(get):
    assert MOC.from_string(
        get("coverage", FORMAT="ascii", OPTICAL_ELEMENT="F213").text, format="ascii"
    ).empty()
    assert get("coverage", OPTICAL_ELEMENT="F1'").status_code == 400
    assert get("coverage", FORMAT="png").status_code == 400


def test_a_coarse_coverage_holds_what_it_touches():
    size = 4 ** (29 - 10)
    moc = coverage_of_ranges(np.array([(5 * size + 7, 5 * size + 8), (9 * size, 10 * size)], np.uint64), 10)
    assert moc.serialize(format="json") == {"10": [5, 9]}
    assert moc.max_order == 10


def test_a_document_leads_to_a_cutout(address, stored_images, place):
    from pyvo.dal.adhoc import DatalinkResults  # noqa: PLC0415

    document = DatalinkResults.from_result_url(f"{address}/datalink?ID={quote(stored_images['exposure'])}")
    (row,) = [one for one in document if one["semantics"] == "#cutout"]
    content = row.process(circle=(RA, DEC, 10 * SCALE)).read()
    with fits.open(io.BytesIO(content)) as file:
        assert file["SCI"].data.shape == pytest.approx((21, 21), abs=8)
