"""A database with exposures of stars, their catalog, and references that are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.databases import copied_from
from tests.loaders.spectral_calibration.field import load_standards, load_stars, make_star_field
from tests.roman_db.conftest import made_once, upgraded


@pytest.fixture(scope="session")
def star_field(tmp_path_factory) -> Path:
    """Folder with exposures, truth.parquet, references and spectra; not to be changed."""
    return make_star_field(tmp_path_factory.mktemp("stars"))


@pytest.fixture(scope="session")
def stars_template(cluster_url: str, star_field: Path) -> str:
    """Name of a database with exposures, catalog, references and spectra of standards."""

    def fill() -> None:
        load_stars(star_field)
        load_standards(star_field)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROMAN_DB_WORKERS", "1")
        return made_once(cluster_url, "stars_loaded", fill, upgraded(cluster_url))


@pytest.fixture
def stars(
    cluster_url: str, stars_template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """URL of a database with all that calibrates, and a folder of products of the test's own."""
    monkeypatch.setenv("ROMAN_DB_PRODUCTS", str(tmp_path / "products"))
    with copied_from(cluster_url, stars_template, monkeypatch) as url:
        yield url
