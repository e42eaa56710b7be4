from __future__ import annotations

from pathlib import Path

import pytest

from loaders.simulation.parameters import (
    Window,
    default_parameters,
    load_parameters,
    parameters_from_mapping,
)


def test_a_file_replaces_only_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("survey:\n  duration_days: 1\n  start_time: 2028-03-01T12:00:00\nscene: {seed: 4}\n")
    found, default = load_parameters(path), default_parameters()
    assert found.survey.duration_days == 1.0
    assert found.survey.start_time == "2028-03-01T12:00:00"
    assert found.scene.seed == 4
    assert found.survey.cadences == default.survey.cadences
    assert found.scene.stars == default.scene.stars


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("")
    assert load_parameters(path) == default_parameters()


def test_lists_are_replaced_whole() -> None:
    one = {"optical_element": "F146", "interval_minutes": 15, "offset_minutes": 0, "ma_table": "SIM_66_6"}
    assert len(parameters_from_mapping({"survey": {"cadences": [one]}}).survey.cadences) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scene": {"sead": 1}}, r"parameters\.scene has unknown keys \['sead'\]"),
        ({"scene": {"seed": "one"}}, r"parameters\.scene\.seed must be int, got 'one'"),
        ({"scene": {"seed": True}}, r"parameters\.scene\.seed must be int"),
        ({"survey": {"window": 5}}, r"parameters\.survey\.window must be a mapping"),
        ({"survey": {"cadences": "F146"}}, r"parameters\.survey\.cadences must be a list"),
        ({"survey": {"dither_offsets": [[1.0]]}}, r"dither_offsets\[0\] must have 2 values"),
        ({"survey": {"cadences": [{"optical_element": "F146"}]}}, r"cadences\[0\] lacks"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parameters_from_mapping(changes)


@pytest.mark.parametrize("numbers", [(-1, 0, 10, 10), (0, 0, 0, 10), (4000, 0, 89, 10), (0, 1, 10, 4088)])
def test_a_window_lies_on_the_detector(numbers: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="a window lies on the detector"):
        Window(*numbers)


def test_an_unknown_table_is_named() -> None:
    with pytest.raises(ValueError, match="no multi-accumulation table 'X'"):
        default_parameters().survey.ma_table("X")
