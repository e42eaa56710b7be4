"""Databases with the exposures, the catalog and the references of a field, and with its spectra."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.command_line import succeed
from tests.faults.databases import copied_from
from tests.loaders.spectra.field import load_references, load_sky
from tests.roman_db.conftest import execute, made_once, upgraded


@pytest.fixture(scope="session")
def loaded_template(cluster_url: str, prism_field: Path) -> str:
    """Name of a database with exposures and catalog, without references."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROMAN_DB_WORKERS", "1")
        return made_once(cluster_url, "prism_loaded", lambda: load_sky(prism_field), upgraded(cluster_url))


@pytest.fixture(scope="session")
def spectra_template(cluster_url: str, prism_field: Path, loaded_template: str) -> str:
    """Name of a database in which the mode has run."""

    def fill() -> None:
        load_references(prism_field)
        succeed("run", "spectra")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROMAN_DB_WORKERS", "1")
        patch.setenv("ROMAN_DB_PRODUCTS", str(prism_field.with_name("products")))
        return made_once(cluster_url, "prism_spectra", fill, loaded_template)


@pytest.fixture
def product_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of the products of a test."""
    folder = tmp_path_factory.mktemp("products")
    monkeypatch.setenv("ROMAN_DB_PRODUCTS", str(folder))
    return folder


@pytest.fixture
def sky(
    cluster_url: str, loaded_template: str, product_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """URL of a database with exposures and catalog, without references."""
    with copied_from(cluster_url, loaded_template, monkeypatch) as url:
        yield url


@pytest.fixture
def spectra(
    cluster_url: str, spectra_template: str, product_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """URL of a database in which the mode has run, with files of its own."""
    with copied_from(cluster_url, spectra_template, monkeypatch) as url:
        for (path,) in execute(url, "SELECT cutout_path FROM roman.spectral_extraction"):
            own = product_folder / "spectra" / Path(path).name
            own.parent.mkdir(exist_ok=True)
            shutil.copy(path, own)
            moved = f"SET cutout_path = '{own}' WHERE cutout_path = '{path}'"
            execute(url, f"UPDATE roman.spectral_extraction {moved}")
        yield url
