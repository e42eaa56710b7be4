"""Progress where there is no terminal."""

import structlog

from roman_db.console import progress_bar, progress_lines


def test_a_line_now_and_then_says_how_far_it_is_and_how_long_it_takes():
    now = iter([0.0, 0.0, 10.0, 31.0, 40.0, 70.0])
    with structlog.testing.capture_logs() as lines:
        step = progress_lines(30.0, lambda: next(now))
        for done in range(5):
            step("photometer", done, 10)
    # At 31 s two of ten are done, at 70 s four.
    assert [(line["done"], line["seconds_left"]) for line in lines] == [(2, 124), (4, 105)]
    assert lines[0]["step"] == "photometer"


def test_each_task_has_a_pace_of_its_own():
    now = iter([0.0, 0.0, 100.0, 131.0, 160.0])
    with structlog.testing.capture_logs() as lines:
        step = progress_lines(30.0, lambda: next(now))
        step("load", 0, 5)
        step("psf", 0, 8)
        step("psf", 2, 8)
        step("psf", 3, 8)
    assert [(line["done"], line["seconds_left"]) for line in lines] == [(0, None), (2, 93)]


def test_what_was_done_before_the_first_word_is_not_counted():
    now = iter([0.0, 0.0, 40.0])
    with structlog.testing.capture_logs() as lines:
        step = progress_lines(30.0, lambda: next(now))
        step("load", 8, 12)
        step("load", 10, 12)
    assert [(line["done"], line["seconds_left"]) for line in lines] == [(10, 40)]


def test_tasks_of_as_many_steps_are_told_apart():
    now = iter([0.0, 0.0, 10.0, 100.0, 140.0])
    with structlog.testing.capture_logs() as lines:
        step = progress_lines(30.0, lambda: next(now))
        step("read", 0, 5)
        step("read", 5, 5)
        step("photometer", 0, 5)
        step("photometer", 1, 5)
    assert [(line["step"], line["seconds_left"]) for line in lines] == [
        ("photometer", None),
        ("photometer", 160),
    ]


def test_a_task_that_begins_anew_has_a_new_pace():
    now = iter([0.0, 0.0, 100.0, 1000.0, 1010.0, 1040.0])
    with structlog.testing.capture_logs() as lines:
        step = progress_lines(30.0, lambda: next(now))
        for done in (0, 10, 0, 1, 4):
            step("catalog", done, 10)
    assert [line["seconds_left"] for line in lines] == [0, None, 60]


def test_nothing_is_drawn_without_a_terminal(capfd):
    with progress_bar() as step:
        step("load", 1, 2)
    assert capfd.readouterr().err == ""
