"""There and back again: wavelengths on traces, direct positions, and references through files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.rejection import Rejected
from loaders.spectral_geometry.configuration import read_configuration
from loaders.spectral_geometry.direct import DirectMap
from loaders.spectral_geometry.inverse import direct_position, wavelength_at
from loaders.spectral_geometry.nominal import nominal_reference
from loaders.spectral_geometry.read import read_geometry
from loaders.spectral_geometry.reference_file import read_reference, write_reference
from tests.loaders.spectral_geometry.conftest import AXE, GRISMCONF

DETECTORS = st.sampled_from([f"WFI{n:02d}" for n in range(1, 19)])
PIXEL = st.floats(0, 4087)
SHARE = st.floats(0, 1)


def round_trip(dispersion, order, x, y, share):
    """How far off, in pixels, the inverse is; both ways."""
    low, high = dispersion.wavelength_range[order]
    wavelength = np.array([low + share * (high - low)])
    direct = np.array([x]), np.array([y])
    pixel = dispersion.disperse(order, *direct, wavelength)
    found = wavelength_at(dispersion, order, direct, pixel)
    again = dispersion.disperse(order, *direct, found)
    back = direct_position(dispersion, order, (pixel[0][:, 0], pixel[1][:, 0]), wavelength)
    return max(
        np.abs(np.stack(again) - np.stack(pixel)).max(), np.abs(np.stack(back) - np.stack(direct)).max()
    )


@settings(max_examples=12)
@given(detector=DETECTORS, order=st.sampled_from([0, 1, 2]), x=PIXEL, y=PIXEL, share=SHARE)
def test_the_nominal_grism_can_be_inverted_everywhere(detector, order, x, y, share):
    assert round_trip(nominal_reference("GRISM").on(detector), order, x, y, share) < 1e-5


@settings(max_examples=12)
@given(detector=DETECTORS, x=PIXEL, y=PIXEL, share=SHARE)
def test_the_nominal_prism_can_be_inverted_everywhere(detector, x, y, share):
    assert round_trip(nominal_reference("PRISM").on(detector), 1, x, y, share) < 1e-5


@pytest.mark.parametrize("text", [GRISMCONF, AXE])
@settings(max_examples=12)
@given(x=PIXEL, y=PIXEL, share=st.floats(0.05, 0.95))
def test_configurations_can_be_inverted_everywhere(tmp_path_factory, text, x, y, share):
    path = tmp_path_factory.getbasetemp() / f"inverse_{len(text)}.conf"
    if not path.exists():
        path.write_text(text)
    assert round_trip(read_configuration(path).on("WFI01"), 1, x, y, share) < 1e-5


@settings(max_examples=12)
@given(detector=DETECTORS, x=PIXEL, y=PIXEL)
def test_field_angles_and_pixels_are_each_others_inverse(detector, x, y):
    direct = DirectMap.of_detector(detector)
    back = direct.to_pixel(*direct.to_angle(np.array([x]), np.array([y])))
    np.testing.assert_allclose(np.ravel(back), [x, y], atol=1e-6)


def test_a_row_is_crossed_where_the_trace_says():
    dispersion = nominal_reference("GRISM").on("WFI18")
    direct = np.array([300.0]), np.array([1500.0])
    rows = np.arange(1300.0, 1700.0)[None]
    wavelength = wavelength_at(dispersion, 1, direct, (np.zeros(rows.shape), rows), weight=(0.0, 1.0))
    _, y = dispersion.disperse(1, *direct, wavelength)
    np.testing.assert_allclose(y, rows, atol=1e-7)


def test_beyond_the_ends_of_a_trace_there_is_no_wavelength():
    dispersion = nominal_reference("GRISM").on("WFI01")
    direct = np.array([2000.0]), np.array([2000.0])
    far = np.array([[2000.0, 2000.0]]), np.array([[-3000.0, 9000.0]])
    assert np.isnan(wavelength_at(dispersion, 1, direct, far)).all()


def test_what_is_not_a_number_stays_so():
    dispersion = nominal_reference("GRISM").on("WFI01")
    x = np.array([np.nan, 100.0])
    found = dispersion.disperse(1, x, np.array([100.0, 100.0]), np.array([1.5]))
    assert np.isnan(found[0][0]).all()
    assert np.isfinite(found[0][1]).all()
    back = direct_position(dispersion, 1, (x, np.array([100.0, 100.0])), np.full(2, 1.5))
    assert np.isfinite(back[0]).tolist() == [False, True]


def test_wrong_shapes_orders_and_detectors_are_named():
    reference = nominal_reference("PRISM")
    dispersion = reference.on("WFI01")
    one = np.array([1.0])
    with pytest.raises(ValueError, match=r"has orders \[1\], not 2"):
        dispersion.disperse(2, one, one, one)
    with pytest.raises(ValueError, match=r"got \(1,\) and \(2,\)"):
        dispersion.disperse(1, one, np.ones(2), one)
    with pytest.raises(ValueError, match=r"\(1, l\), got \(3, 2\)"):
        dispersion.disperse(1, one, one, np.ones((3, 2)))
    with pytest.raises(ValueError, match="not 'WFI19'"):
        reference.on("WFI19")


@pytest.mark.parametrize("name", ["nominal-grism", "nominal-prism", "grismconf", "axe"])
def test_a_reference_comes_back_out_of_a_file(tmp_path, name):
    texts = {"grismconf": GRISMCONF, "axe": AXE}
    given_path = Path(name)
    if name in texts:
        given_path = tmp_path / f"{name}.conf"
        given_path.write_text(texts[name])
    reference = read_geometry(given_path)
    write_reference(tmp_path / "reference.asdf", reference)
    again = read_geometry(tmp_path / "reference.asdf").on("WFI03")
    x, y = np.array([100.0, 3000.0]), np.array([3900.0, 20.0])
    for order, one_range in reference.on("WFI03").wavelength_range.items():
        assert again.wavelength_range[order] == one_range
        wavelength = np.linspace(*one_range, 9)
        expected = reference.on("WFI03").disperse(order, x, y, wavelength)
        np.testing.assert_array_equal(again.disperse(order, x, y, wavelength), expected)


@pytest.mark.parametrize("content", [b"", b"#ASDF 1.0.0\nbroken", b"FITS"])
def test_a_file_of_something_else_is_refused(tmp_path, content):
    path = tmp_path / "other.asdf"
    path.write_bytes(content)
    with pytest.raises(Rejected, match="no reference of a geometry") as caught:
        read_reference(path)
    assert caught.value.code == "not_dispersion"


def test_the_nominal_dispersion_is_that_of_the_instrument():
    """1.08 nm a pixel for the grism at the centre of the field, 2.2 to 9.4 for the prism: the handbook."""
    for element, wavelengths, expected in (
        ("GRISM", (1.05, 1.45, 1.85), (1.08, 1.09, 1.09)),
        ("PRISM", (0.76, 1.78), (2.2, 9.4)),
    ):
        dispersion = nominal_reference(element).on("WFI01")
        direct = DirectMap.of_detector("WFI01").to_pixel(np.zeros(1), np.zeros(1))
        around = np.ravel([(w - 5e-4, w + 5e-4) for w in wavelengths])
        _, y = dispersion.disperse(1, *direct, around)
        nm_per_pixel = 1.0 / np.abs(np.diff(y[0])[::2])
        np.testing.assert_allclose(nm_per_pixel, expected, rtol=0.05)
