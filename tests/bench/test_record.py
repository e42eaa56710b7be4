"""What an interrupted measurement leaves of the figures that were there."""

import json

from bench.record import Figure, print_table, write_json


def kept(path):
    return sorted((row["area"], row["name"], row["value"]) for row in json.loads(path.read_text()))


def test_figures_are_kept_as_they_come_and_old_ones_go_at_the_end(tmp_path):
    path = tmp_path / "results.json"
    write_json(
        [Figure("tap", "rows", 1, ""), Figure("season", "old", 2, ""), Figure("season", "both", 3, "")], path
    )
    new = [Figure("season", "both", 4, ""), Figure("season", "new", 5, "")]
    write_json(new, path, {"both", "new"})
    assert kept(path) == [
        ("season", "both", 4),
        ("season", "new", 5),
        ("season", "old", 2),
        ("tap", "rows", 1),
    ]
    write_json(new, path)
    assert kept(path) == [("season", "both", 4), ("season", "new", 5), ("tap", "rows", 1)]


def test_a_figure_of_another_number_of_events_takes_the_place_of_that_before(tmp_path):
    path = tmp_path / "results.json"
    write_json([Figure("season", "t_0 of 228 within 68 %", 1, ""), Figure("season", "others", 2, "")], path)
    write_json([Figure("season", "t_0 of 1,230 within 68 %", 3, "")], path, {"t_0 of 1,230 within 68 %"})
    assert kept(path) == [("season", "others", 2), ("season", "t_0 of 1,230 within 68 %", 3)]


def test_no_number_of_a_table_is_cut(capsys):
    """A table is read in logs, too, where there is no terminal."""
    name = "place of the truth in the quantiles of 2560 spectra: Kolmogorov-Smirnov distance"
    print_table([Figure("spectra", name, 0.05020123, "", 0.03, "min", "a peer of a long name " * 5, 12345.6)])
    said = capsys.readouterr().out
    assert all(number in said for number in ("0.0502", "≤ 0.03", "missed", "1.235e+04"))
