"""Functions of the sphere agree with computations by vectors and with other implementations, everywhere on
it."""

from __future__ import annotations

import cdshealpix
import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Angle, Latitude, Longitude, SkyCoord, angular_separation
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from roman_db.tap.adql.geometry import box_corners
from roman_db.tap.adql.sky_predicate import LARGEST_RADIUS, SMALLEST_RADIUS

from .conftest import translation
from .test_corpus import inside_at, vector

_SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def fine(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers to 1e-12: PostgreSQL takes it for an error where a product is less than the least number."""
    return st.floats(low, high).map(lambda x: round(x, 12))


LON = fine(0, 359.999999)
LAT = st.one_of(fine(-90, 90), fine(89.99, 90), fine(-90, -89.99), st.just(0.0))
PLACE = st.tuples(LON, LAT)


def numbers(values) -> str:
    return f"ARRAY[{', '.join(repr(float(v)) for v in np.ravel(values))}]::float8[]"


def place_near(lon, lat, angle, bearing) -> tuple[float, float]:
    there = SkyCoord(lon * u.deg, lat * u.deg).directional_offset_by(
        Angle(bearing, "deg"), Angle(angle, "deg")
    )
    return float(there.ra.deg), float(there.dec.deg)


@_SETTINGS
@given(PLACE, PLACE)
@example((0, 90), (180, 90))
@example((10, 20), (190, -20))
@example((359.9999999, 1), (0, 1))
def test_distances(rows_of, one, other):
    ((got,),) = rows_of(f"SELECT adql.distance({one[0]!r}, {one[1]!r}, {other[0]!r}, {other[1]!r})")
    assert got == pytest.approx(float(np.degrees(angular_separation(*np.radians([*one, *other])))), abs=1e-12)


@_SETTINGS
@given(
    PLACE,
    st.one_of(st.floats(SMALLEST_RADIUS, 1e-3), st.floats(1e-3, LARGEST_RADIUS)),
    fine(0, 360),
    st.floats(0.5, 1.5),
)
def test_cones_of_q3c(rows_of, centre, radius, bearing, share):
    assume(abs(share - 1) > 1e-6)
    lon, lat = place_near(*centre, radius * share, bearing)
    sql = (
        f"SELECT q3c_radial_query({lon!r}::float8, {lat!r}::float8, {centre[0]!r}::float8, "
        f"{centre[1]!r}::float8, {radius!r})"
    )
    assert rows_of(sql) == [(share < 1,)]


@_SETTINGS
@given(PLACE, st.floats(1e-7, LARGEST_RADIUS), fine(0, 360), st.floats(0.5, 1.5))
@example((10, 20), 1e-7, 0, 0.5)
def test_joins_of_q3c(rows_of, centre, radius, bearing, share):
    """Which are asked for small circles, too."""
    assume(abs(share - 1) > 1e-3)
    lon, lat = place_near(*centre, radius * share, bearing)
    sql = (
        f"SELECT q3c_join({centre[0]!r}::float8, {centre[1]!r}::float8, {lon!r}::float8, "
        f"{lat!r}::float8, {radius!r})"
    )
    assert rows_of(sql) == [(share < 1,)]


@pytest.mark.heavy
@_SETTINGS
@given(PLACE, st.lists(fine(0, 359), min_size=3, max_size=7, unique=True), st.floats(0.01, 9), st.data())
def test_polygons(rows_of, middle, bearings, size, data):
    """Corners on a circle: convex. A place is in it or not by half spaces, by our function and by q3c
    alike."""
    bearings = sorted(bearings)
    gaps = np.diff([*bearings, bearings[0] + 360])
    assume(gaps.min() > 5 and gaps.max() < 175)
    corners = [place_near(*middle, size, bearing) for bearing in bearings]
    places = [
        place_near(*middle, size * data.draw(fine(0, 1.3)), data.draw(fine(0, 360))) for _ in range(4)
    ] + [((middle[0] + 180) % 360, -middle[1])]
    for lon, lat in places:
        sides = [
            np.cross(vector(*a), vector(*b)) for a, b in zip(corners, corners[1:] + corners[:1], strict=True)
        ]
        heights = [side @ vector(lon, lat) / np.linalg.norm(side) for side in sides]
        if min(map(abs, heights)) < 1e-9:
            continue  # on a side
        sql = (
            f"SELECT adql.polygon_contains({{0}}, {lon!r}, {lat!r}), q3c_poly_query({lon!r}, {lat!r}, {{0}})"
        )
        for order in (corners, corners[::-1]):
            expected = inside_at(lon, lat, corners)
            assert rows_of(sql.format(numbers(order))) == [(expected, expected)]


@_SETTINGS
@given(PLACE, st.floats(0.1, 80))
def test_areas_and_centroids_of_regular_polygons(rows_of, middle, size):
    """Of n corners on a circle: the excess of n equal triangles (Girard)."""
    n = 5
    corners = numbers([place_near(*middle, size, 10 + 360 / n * k) for k in range(n)])
    ((area, centroid),) = rows_of(f"SELECT adql.polygon_area({corners}), adql.polygon_centroid({corners})")
    r, half = np.radians(size), np.pi / n
    base_angle = np.arctan2(1, np.cos(r) * np.tan(half))
    excess = n * (2 * half + 2 * base_angle - np.pi)
    assert area == pytest.approx(np.degrees(np.degrees(excess)), rel=1e-7)
    assert np.degrees(angular_separation(*np.radians([*centroid, *middle]))) < 1e-6


@_SETTINGS
@given(PLACE, st.floats(0.01, 80), st.floats(0.01, 80))
def test_boxes(rows_of, middle, width, height):
    """The ends of the arms lie on the sides, and SQL has the same corners as Python."""
    corners = box_corners(*middle, width, height)
    ((stored,),) = rows_of(f"SELECT adql.box({middle[0]!r}, {middle[1]!r}, {width!r}, {height!r})")
    for ours, theirs in zip(corners, np.reshape(stored, (-1, 2)), strict=True):
        assert np.degrees(angular_separation(*np.radians([*ours, *theirs]))) < 1e-9
    sides = list(zip(corners, corners[1:] + corners[:1], strict=True))
    for (a, b), bearing, arm in zip(sides, (180, 90, 0, 270), (height, width, height, width), strict=True):
        end = vector(*place_near(*middle, arm / 2, bearing))
        pole = np.cross(vector(*a), vector(*b))
        assert abs(pole @ end) / np.linalg.norm(pole) < 1e-9


@_SETTINGS
@given(PLACE, st.floats(0.1, 30), fine(0, 360), fine(0, 2), st.floats(0.05, 20))
def test_circles_and_polygons(rows_of, middle, size, bearing, share, radius):
    """Distances to sides by many points on them."""
    corners = [place_near(*middle, size, angle) for angle in (0, 100, 220)]
    centre = place_near(*middle, size * share, bearing)
    sides = []
    for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
        steps = np.linspace(0, 1, 4001)[:, None]
        sides.append(vector(*a) * (1 - steps) + vector(*b) * steps)
    points = np.concatenate(sides)
    points /= np.linalg.norm(points, axis=1)[:, None]
    nearest = np.degrees(2 * np.arcsin(np.min(np.linalg.norm(points - vector(*centre), axis=1)) / 2))
    assume(abs(nearest - radius) > 0.02)
    within = inside_at(*centre, corners)
    polygon = "POLYGON(" + ", ".join(repr(x) for corner in corners for x in corner) + ")"
    circle = f"CIRCLE({centre[0]!r}, {centre[1]!r}, {radius!r})"
    query = (
        f"SELECT CONTAINS({circle}, {polygon}), INTERSECTS({circle}, {polygon}), "
        f"CONTAINS({polygon}, {circle}) FROM sky.one"
    )
    farthest = max(
        float(np.degrees(angular_separation(*np.radians([*centre, *corner])))) for corner in corners
    )
    assume(abs(farthest - radius) > 1e-9)
    ((circle_in, meets, polygon_in),) = rows_of(translation(query).sql)
    assert circle_in == int(within and nearest >= radius)
    assert meets == int(within or nearest <= radius)
    assert polygon_in == int(farthest <= radius)


@pytest.mark.parametrize("order", range(30))
def test_healpix(rows_of, order):
    """Index and centre agree with cdshealpix at each order, near the poles and across longitude 0 as well."""
    rng = np.random.default_rng(order)
    lon, lat = rng.uniform(0, 360, 400), np.degrees(np.arcsin(rng.uniform(-1, 1, 400)))
    lat[:60] = 90 - 10 ** rng.uniform(-9, 0, 60)
    lat[60:120] = -90 + 10 ** rng.uniform(-9, 0, 60)
    lon[120:160] = rng.uniform(-1e-3, 1e-3, 40) % 360
    pixels = cdshealpix.lonlat_to_healpix(Longitude(lon, "deg"), Latitude(lat, "deg"), order)
    rows = rows_of(
        f"SELECT adql.healpix_index({order}, lon, lat), adql.healpix_center({order}, pixel) "
        f"FROM unnest({numbers(lon)}, {numbers(lat)}, ARRAY{pixels.tolist()}::bigint[]) AS t (lon, lat, "
        f"pixel)"
    )
    assert [row[0] for row in rows] == pixels.tolist()
    expected = SkyCoord(*cdshealpix.healpix_to_lonlat(pixels, order))
    got = np.array([row[1] for row in rows])
    assert expected.separation(SkyCoord(got[:, 0], got[:, 1], unit="deg")).max() < 1e-9 * u.arcsec


def test_other_longitudes_and_no_places(rows_of):
    assert rows_of("SELECT adql.healpix_index(8, -350.0, 5.0) = adql.healpix_index(8, 10.0, 5.0)") == [
        (True,)
    ]
    assert rows_of(
        "SELECT adql.healpix_index(8, 'NaN', 5.0), adql.healpix_index(8, 5, 91), adql.healpix_index(-1, 5, 5)"
    ) == [(None, None, None)]
    assert rows_of("SELECT adql.healpix_index(3, 0.0, 90.0), adql.healpix_index(3, 0.0, -90.0)") == [
        (63, 512)
    ]


@_SETTINGS
@given(PLACE, fine(0.1, 800), fine(-5000, 5000), fine(-5000, 5000), fine(-500, 500), fine(-200, 200))
def test_motion(rows_of, place, parallax, pm_lon, pm_lat, velocity, years):
    """Against astropy, which goes a straight line through space as well."""
    assume(abs(place[1]) < 89.9)
    start = SkyCoord(
        place[0] * u.deg, place[1] * u.deg, distance=(1000 / parallax) * u.pc,
        pm_ra_cosdec=pm_lon * u.mas / u.yr,
        pm_dec=pm_lat * u.mas / u.yr, radial_velocity=velocity * u.km / u.s,
    )  # fmt: skip
    line = start.cartesian.xyz.to_value(u.pc) + start.velocity.d_xyz.to_value(u.pc / u.yr) * years
    distance = np.linalg.norm(line)
    ((got,),) = rows_of(
        f"SELECT adql.epoch_prop({place[0]!r}, {place[1]!r}, {parallax!r}, {pm_lon!r}, {pm_lat!r}, "
        f"{velocity!r}, 2000, {2000 + years!r})"
    )
    assert np.linalg.norm(vector(*got[:2]) - line / distance) < 1e-10
    assert got[2] == pytest.approx(1000 / distance, rel=1e-9)


@pytest.mark.parametrize(
    ("condition", "with_itself"),
    [
        ("CONTAINS(POINT(a.ra, a.dec), CIRCLE(b.ra, b.dec, 0 * b.kind)) = 1", True),
        ("DISTANCE(a.ra, a.dec, b.ra, b.dec) <= 0 * b.kind", True),
        ("DISTANCE(a.ra, a.dec, b.ra, b.dec) < 0 * b.kind", False),
        ("CONTAINS(POINT(a.ra, a.dec), CIRCLE(b.ra, b.dec, 0 * b.kind - 1)) = 1", False),
        ("CONTAINS(POINT(a.ra, a.dec), CIRCLE(b.ra, b.dec, 0 * b.kind + 1e-12)) = 1", True),
        ("CONTAINS(POINT(a.ra, a.dec), CIRCLE(b.ra, b.dec, NULLIF(b.kind, b.kind))) = 1", False),
    ],
)
def test_a_computed_radius_of_nothing_holds_its_own_place(ask, condition, with_itself):
    query = f"SELECT a.star_id, b.star_id FROM sky.star a JOIN sky.star b ON {condition}"
    assert "q3c_join" in translation(query).sql
    stars = {(number, number) for (number,) in ask("SELECT star_id FROM sky.star")}
    assert set(ask(query)) == (stars if with_itself else set())
