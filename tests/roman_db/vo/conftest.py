"""The services over the small survey, in a process of their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from roman_db.vo.identifier import identifier
from tests.queries.conftest import filled_template, own_survey, survey  # noqa: F401  # fixtures
from tests.queries.filling import DEC, RA, Survey
from tests.roman_db.conftest import copy_database, execute, forget, point_at, url_of
from tests.roman_db.spectra import Stored, store_spectra
from tests.roman_db.tap.service.conftest import served
from tests.roman_db.vo.image_file import write_image
from tests.roman_db.vo.vo_lint import lint


@pytest.fixture(scope="session")
def truth(filled_template) -> Survey:  # noqa: F811
    """What is in the database that is served."""
    return filled_template[1]


@pytest.fixture(scope="session")
def image_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image with a WCS, its middle where the survey is."""
    path = tmp_path_factory.mktemp("image") / "image.asdf"
    write_image(path, RA, DEC)
    return path


@pytest.fixture(scope="session")
def database(cluster_url: str, filled_template, image_path: Path) -> str:  # noqa: F811
    """URL of the database that is served; reference image 1 and the first exposure are the image."""
    name = f"vo_{os.getpid()}"
    copy_database(cluster_url, filled_template[0], name)
    url = url_of(cluster_url, name)
    execute(
        url,
        f"UPDATE roman.reference_image SET path = '{image_path}' WHERE reference_image_id = 1",
        f"UPDATE ops.input_file SET path = '{image_path}' "
        "WHERE file_id = (SELECT file_id FROM roman.exposure ORDER BY exposure_id LIMIT 1)",
    )
    return url


@pytest.fixture(scope="session")
def spectra(database: str, truth: Survey, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """Spectra beside the survey; the galaxy is of the fourth object."""
    path = tmp_path_factory.mktemp("spectra") / "spectra.fits"
    path.write_bytes(b"as it was loaded")
    with pytest.MonkeyPatch.context() as patch:
        point_at(database, patch)
        stored = store_spectra(str(path), int(truth.object_id[3]), (truth.ra[3], truth.dec[3]))
    forget()
    return stored


@pytest.fixture(scope="session")
def stored_images(database: str) -> dict[str, str]:
    """Identifiers of the two images whose file is at hand, by kind."""
    ((number,),) = execute(database, "SELECT exposure_id FROM roman.exposure ORDER BY exposure_id LIMIT 1")
    return {
        "exposure": identifier("exposure", number),
        "reference_image": identifier("reference_image", 1),
    }


@pytest.fixture(scope="session")
def address(database: str) -> Iterator[str]:
    """Address of the services."""
    with served(database, ROMAN_DB_TAP_TIMEOUT_S="20", ROMAN_DB_TAP_CONNECTIONS="4") as found:
        yield found.removesuffix("/tap")


@pytest.fixture(scope="session")
def get(address: str) -> Callable[..., requests.Response]:
    """Function that asks a service by GET."""

    def ask(path: str, **parameters: object) -> requests.Response:
        return requests.get(f"{address}/{path}", params=parameters, timeout=60)

    return ask


@pytest.fixture
def valid(tmp_path: Path) -> Callable[..., None]:
    """Function that has STILTS look at a VOTable, where it is installed, and astropy in any case."""

    def check(content: bytes, has_ucd1: bool = False) -> None:
        assert lint(content, tmp_path / "answer.vot", has_ucd1) == []

    return check
