"""``roman-db spectral-geometry``, as people use it."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from loaders.spectral_geometry.commands import spectral_geometry
from tests.loaders.spectral_geometry.conftest import GRISMCONF


def run(*arguments):
    return CliRunner().invoke(spectral_geometry, [str(argument) for argument in arguments])


def test_a_trace_and_back(tmp_path):
    path = tmp_path / "own.conf"
    path.write_text(GRISMCONF)
    written = run("convert", path, tmp_path / "own.asdf")
    assert written.exit_code == 0, written.output
    assert "G150 with orders 0, 1" in written.output
    rows = run("trace", tmp_path / "own.asdf", 100, 200, "--points", 3).output.splitlines()
    wavelength, x, y = rows[2].split()
    back = run("locate", path, x, y, wavelength)
    assert back.exit_code == 0, back.output
    _, x, _, y = back.output.split()
    assert (float(x), float(y)) == pytest.approx((100, 200), abs=0.1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("trace", "missing.asdf", 1, 1), "missing.asdf: no such file"),
        (("trace", "nominal-grism", 1, 1, "--detector", "WFI19"), "not 'WFI19'"),
        (("trace", "nominal-prism", 1, 1, "--order", 2), "has orders [1], not 2"),
        (("locate", "nominal-prism", 1, 1, 1.2, "--order", 2), "has orders [1], not 2"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(arguments, said):
    result = run(*arguments)
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    result = run("convert", "nominal-prism", tmp_path / "none" / "out.asdf")
    assert result.exit_code == 1
    assert "cannot be written" in result.output
