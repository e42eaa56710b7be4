"""The main job run once, in a database of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.cramer_rao import cramer_rao
from bench.main_job import CATALOGS, N_EXPOSURE, MainJob, run
from bench.romanisim_psf import romanisim_psf
from bench.sample import read_sample, sample_directory
from tests.roman_db.conftest import databases, upgraded_template  # noqa: F401


@pytest.fixture(scope="module", params=CATALOGS, ids=["exact", "with_errors"])
def main_job(request, cluster_url, upgraded_template) -> Iterator[MainJob]:  # noqa: F811
    """What the four commands made of the romanisim files with each catalog."""
    directory = sample_directory()
    if directory is None:
        pytest.skip("the romanisim files are not there")
    psf = romanisim_psf("WFI07", "F146", half_width=60)
    samples = [read_sample(directory, exposure) for exposure in range(N_EXPOSURE)]
    bounds = [cramer_rao(sample, psf) * sample.njy_per_unit for sample in samples]
    with pytest.MonkeyPatch.context() as patch, databases(cluster_url, upgraded_template, patch) as make:
        make()
        yield run(directory, request.param, samples, bounds)
