"""The notebooks of docs/notebooks run in a kernel, on a running service, and come to what is stored."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from nbclient import NotebookClient
from nbformat import NotebookNode

from tests.docs.pages import ROOT
from tests.queries.filling import LENSED
from tests.roman_db.client.periodic import ELEMENT, N_POINT, PERIOD, PERIODIC

_FOLDER = ROOT / "docs" / "notebooks"
NOTEBOOKS = sorted(_FOLDER.glob("*.ipynb"))
#: What is looked at when a notebook is done, as an expression of its variables.
SHOWN = {
    "light_curve": "[curve['object_id'][0], len(curve), len(frame), str(curve['flux'].unit)]",
    "event": "[event.row['object_id'], dict(event.parameters['name', 'value'].iterrows()), len(left)]",
    "bulk_periodogram": "[object_id, element, period, downloaded.n_object, downloaded.n_point]",
    "spatial_join": "[matched['target'].tolist(), matched['object_id'].tolist(), len(curves)]",
}
_PRINT = "import json; print(json.dumps({}, default=lambda one: one.item()))"


def read(path: Path) -> NotebookNode:
    """A notebook, which must be valid."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_results(path):
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert cells
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_of_notebooks_lead_somewhere(path):
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\(([^)#]+)", text)
    assert [link for link in links if not (_FOLDER / link).is_file()] == []
    assert text.startswith("# ")


def run_all(address: str, folder: Path) -> dict[str, object]:
    """What the notebooks come to, one after the other in one kernel, which forgets between them."""
    cells = []
    for path in NOTEBOOKS:
        shown = nbformat.v4.new_code_cell(_PRINT.format(SHOWN[path.stem]), metadata={"of": path.stem})
        cells += [*read(path).cells, shown, nbformat.v4.new_code_cell("%reset -f")]
    variables = {
        "ROMAN_TAP_URL": address,
        "ROMAN_TAP_TOKEN": "",
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(folder),
    }
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": folder}}
    )
    client.execute(env=os.environ | variables)
    return {cell.metadata["of"]: _printed(cell) for cell in notebook.cells if "of" in cell.metadata}


def _printed(cell: NotebookNode) -> object:
    text = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    return json.loads(text)


@pytest.mark.heavy
def test_the_notebooks_come_to_what_is_stored(address, truth, tmp_path):
    assert {path.stem for path in NOTEBOOKS} == set(SHOWN)
    results = run_all(address, tmp_path)
    brightest = truth.object_id[truth.flux["F146"].argmax()]
    assert results["light_curve"] == [brightest, 108, 108, "nJy"]
    number, parameters, n_point = results["event"]
    assert (number, parameters) == (truth.object_id[LENSED], {"t_0": 2461461.702, "u_0": 0.3, "t_E": 0.7})
    assert 50 < n_point <= 108
    number, element, period, n_object, n_point = results["bulk_periodogram"]
    assert (number, element) == (truth.object_id[PERIODIC], ELEMENT)
    assert period == pytest.approx(PERIOD, rel=0.01)
    assert (n_object, n_point) == (60, 60 * 108 + N_POINT)
    pairs = pairs_of(truth)
    matched_targets, matched_objects, n_point = results["spatial_join"]
    assert set(zip(matched_targets, matched_objects, strict=True)) == pairs
    assert n_point == 96 * len({number for _, number in pairs})


def pairs_of(truth) -> set[tuple[int, int]]:
    """Targets of the notebook and the objects within 3 arcsec, as astropy finds them."""
    step = np.arange(-10, 11, 5) / 3600
    east, north = (one.ravel() for one in np.meshgrid(step, step))
    targets = SkyCoord(267.5336 + east, -30.0176 + north, unit="deg")
    catalog = SkyCoord(truth.ra, truth.dec, unit="deg")
    target, found, _, _ = catalog.search_around_sky(targets, 3 * u.arcsec)
    return set(zip(target.tolist(), truth.object_id[found].tolist(), strict=True))
