"""Positions are those of the published formula, summed here term by term, on all detectors and orders."""

from __future__ import annotations

import math

import numpy as np
import pytest
import yaml

from loaders.rejection import Rejected
from loaders.spectral_geometry.direct import DirectMap
from loaders.spectral_geometry.inverse import direct_position, wavelength_at
from loaders.spectral_geometry.optical_model import read_optical_model
from tests.loaders.spectral_geometry.conftest import made_up_model


def summed(coefficients, *variables) -> float:
    """A polynomial by its definition: the sum over all of its terms."""
    array = np.array(coefficients, dtype=float)
    return math.fsum(
        value * math.prod(v**k for v, k in zip(variables, powers, strict=True))
        for powers, value in np.ndenumerate(array)
    )


def in_plane(tree, order, u, v, wavelength):
    """Millimetres in the focal plane as SOURCE.md of the models has them."""
    model, entry = tree["optical_model"], tree["optical_model"]["orders"][order]
    reference = model["wl_reference"]
    t = wavelength - reference if model["wl_transform"] == "linear" else math.log10(wavelength / reference)
    dy = summed(entry["ids_ijk_coeff"], t, u, v)
    x = summed(entry["xmap_ij_coeff"], u, v) + summed(entry["crv_ijk_coeff"], dy, u, v)
    return x, summed(entry["ymap_ij_coeff"], u, v) + dy


def check(path, detectors):
    tree = yaml.safe_load(path.read_text())
    reference = read_optical_model(path)
    low, high = reference.wavelength_range
    wavelength = np.array([low, 0.3 * low + 0.7 * high, high])
    rng = np.random.default_rng(3)
    for number in detectors:
        name = f"WFI{number:02d}"
        dispersion, direct = reference.on(name), DirectMap.of_detector(name)
        centre = tree["detector_model"]["xy_centers"][number]
        sign = -1 if direct.turned else 1
        x, y = rng.uniform(0, 4087, (2, 2))
        u, v = direct.to_angle(x, y)
        for order in dispersion.orders:
            pixels = np.stack(dispersion.disperse(order, x, y, wavelength), axis=-1)
            for source in range(2):
                for step, one in enumerate(wavelength):
                    place = in_plane(tree, str(order), u[source], v[source], one)
                    expected = [2043.5 + sign * 100 * (p - c) for p, c in zip(place, centre, strict=True)]
                    np.testing.assert_allclose(pixels[source, step], expected, atol=1e-6)
            yield dispersion, order, (x, y), wavelength, pixels


def test_a_made_up_model_is_its_formula_on_two_detectors(model_file):
    assert len(list(check(model_file, [1, 7]))) == 2


def test_published_models_are_their_formula_and_can_be_inverted_on_all_detectors(published_model):
    worst = 0.0
    for dispersion, order, direct, wavelength, pixels in check(published_model, range(1, 19)):
        found = wavelength_at(dispersion, order, direct, (pixels[..., 0], pixels[..., 1]))
        assert np.isfinite(found).all()
        again = np.stack(dispersion.disperse(order, *direct, found), axis=-1)
        back = direct_position(
            dispersion, order, (pixels[:, 1, 0], pixels[:, 1, 1]), np.full(2, wavelength[1])
        )
        worst = max(worst, np.abs(again - pixels).max(), np.abs(np.stack(back) - np.stack(direct)).max())
    assert worst < 1e-4


def test_detectors_of_every_third_number_lie_the_other_way_round():
    upright = [n for n in range(1, 19) if not DirectMap.of_detector(f"WFI{n:02d}").turned]
    assert upright == [3, 6, 9, 12, 15, 18]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tree: tree.pop("detector_model"), "lacks the key 'detector_model'"),
        (lambda tree: tree["meta"].update(unit_wl="nm"), "unit_wl must be micron, got 'nm'"),
        (lambda tree: tree["optical_model"].update(wl_transform="cubic"), "linear or log, got 'cubic'"),
        (
            lambda tree: tree["optical_model"]["orders"]["1"].update(ids_ijk_coeff=[1.0]),
            "order 1: ids_ijk_coeff must be 3-dimensional",
        ),
        (
            lambda tree: tree["optical_model"]["orders"]["1"]["xmap_ij_coeff"][0].__setitem__(0, math.nan),
            "xmap_ij_coeff must be 2-dimensional and finite",
        ),
    ],
)
def test_what_is_wrong_with_a_model_is_said(tmp_path, change, said):
    tree, path = made_up_model(), tmp_path / "model.yaml"
    change(tree)
    path.write_text(yaml.safe_dump(tree))
    with pytest.raises(Rejected, match=r"model\.yaml") as caught:
        read_optical_model(path)
    assert said in str(caught.value)
    assert caught.value.code == "not_dispersion"


@pytest.mark.parametrize("text", ["", "[1, 2", "just words", "- 1"])
def test_a_file_that_is_no_model_is_refused(tmp_path, text):
    path = tmp_path / "model.yaml"
    path.write_text(text)
    with pytest.raises(Rejected, match="no optical model"):
        read_optical_model(path)
