"""What is assumed can be replaced, and what does not fit is said with its place."""

import pytest
import yaml

from loaders.extinction.configuration import configuration_from_mapping, default_mapping, read_changes


def test_a_file_changes_what_it_names(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("distance: {galactic_centre: 8.0}\nlaw: {form: ccm89, r_v: 2.5}\n")
    made = configuration_from_mapping(read_changes(path))
    plain = configuration_from_mapping({})
    assert (made.distance.galactic_centre, made.law.r_v) == (8.0, 2.5)
    assert made.distance.bar_angle == plain.distance.bar_angle
    assert made.clump == plain.clump


def test_every_group_of_values_has_its_source():
    groups = ("clump", "bumps", "distance", "law", "limits")
    assert all(len(default_mapping()[name]["source"]) > 30 for name in groups)


def test_without_a_file_nothing_changes():
    assert read_changes(None) == {}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"distance": {"galactic_center": 8.0}}, "configuration.distance has unknown keys"),
        ({"law": {"form": "fitzpatrick"}}, "configuration.law.form must be one of"),
        ({"law": {"wavelength": [1.0, 0.9]}}, "configuration.law must have two ascending wavelengths"),
        ({"clump": {"magnitude": [0.1]}}, "configuration.clump must have two ascending wavelengths"),
        ({"cells": {"root_order": 14}}, "orders must ascend between 0 and 29"),
        ({"cells": {"fewest": "many"}}, "configuration.cells.fewest must be int"),
        ({"limits": {"bright": {"H158": 15.0}}}, "configuration.limits.bright must name"),
        ({"limits": {"bright": 15.0}}, "configuration.limits.bright must be a mapping"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(tmp_path, changes, said):
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(changes))
    with pytest.raises(ValueError, match=said) as error:
        read_changes(path)
    assert str(path) in str(error.value)


def test_a_file_that_is_no_mapping_is_refused(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("- 1\n")
    with pytest.raises(ValueError, match="expected a YAML mapping"):
        read_changes(path)
