"""Files of cut-outs: what is written, what of earlier runs goes, and what stays."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from loaders.exposure_spectrum.cutouts import AT_ONCE, cutout_file
from loaders.rejection import Rejected
from loaders.spectral_extraction.spectrum import Decontaminated

IMAGES = ("rate", "variance", "other_rate", "profile")


def measured(number):
    """Stand-in of what an exposure gives: cut-outs of three columns, the number of which is that of rows."""

    def cutout(n):
        image = np.arange(3.0 * (n % 5 + 1)).reshape(-1, 3) + n
        return Decontaminated(
            (n, 2 * n), np.linspace(1.0, 1.2, len(image)), image, image + 1, -image, image / 7
        )

    return SimpleNamespace(
        object_id=np.arange(number)[::-1] + 100,
        spectra=dict.fromkeys(range(number)),
        extraction=SimpleNamespace(cutout=cutout),
    )


def test_all_cutouts_are_written_by_object_some_at_a_time(tmp_path):
    given = measured(AT_ONCE + 3)
    row = cutout_file(given, tmp_path / "new" / "e_run2_cutouts.parquet", ())
    file = pq.ParquetFile(row["cutout_path"])
    assert file.metadata.num_row_groups == 2
    for found, n in zip(file.read().to_pylist(), reversed(range(AT_ONCE + 3)), strict=True):
        expected = given.extraction.cutout(n)
        assert (found["object_id"], found["x_corner"], found["y_corner"]) == (given.object_id[n], n, 2 * n)
        assert found["row_wavelength"] == expected.wavelength.tolist()
        for name, image in zip(
            IMAGES, (expected.rate, expected.variance, expected.other, expected.profile), strict=True
        ):
            shape = len(found["row_wavelength"]), found["n_x"]
            assert np.array_equal(np.reshape(found[name], shape), image.astype(np.float32))


def test_what_a_killed_run_left_goes_and_what_is_referred_to_stays(tmp_path):
    names = (
        "e_run1_cutouts.parquet",
        "e_run3_cutouts.parquet",
        "e2_run1_cutouts.parquet",
        "e_run1_other.parquet",
    )
    for name in names:
        (tmp_path / name).write_bytes(b"")
    path = tmp_path / "e_run4_cutouts.parquet"
    assert cutout_file(measured(1), path, [tmp_path / names[0]])["cutout_path"] == str(path)
    assert {one.name for one in tmp_path.iterdir()} == {names[0], *names[2:], path.name}


def test_without_a_spectrum_there_is_no_file(tmp_path):
    assert cutout_file(measured(0), tmp_path / "e_run1_cutouts.parquet", ()) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_none_is_said(tmp_path):
    (tmp_path / "spectra").write_bytes(b"")
    with pytest.raises(Rejected) as raised:
        cutout_file(measured(1), tmp_path / "spectra" / "e_run1_cutouts.parquet", ())
    assert raised.value.code == "unwritable_folder"
