"""The reference says what the code says, and names all that there is."""

from __future__ import annotations

import re

import yaml

from loaders.catalog.check import RULES
from loaders.photometry.flags import DESCRIPTION, PhotometryFlag
from roman_db.reference import stale_files
from roman_db.resources import folder
from roman_db.schema.model import read_table, read_tables
from roman_db.schema.view import read_view
from roman_db.settings import Settings
from tests.docs.pages import ROOT, blocks
from tests.sources import facts, files

OPERATOR = ROOT / "docs" / "operator"

#: Codes of commands that load nothing: they are said, and not recorded.
NOT_RECORDED = {
    *("no_exposure", "other_simulation", "unknown_survey", "no_psf", "not_epsf", "no_report", "no_map"),
    *("not_dispersed", "not_source_list"),
    *("folder_not_empty", "bad_configuration"),
    *("no_constant_stars", "no_efficiency", "no_events_injected", "no_event_images"),
}
#: Pages that explain metrics.
_WITH_METRICS = ("daily.md", "eight_day.md", "season.md", "spectra.md", "spectral_calibration.md")
#: Codes that the code puts together from a part that is fixed and one that is not.
COMPOSED = {"unknown_detector", "unknown_optical_element"}


def literals(folder_name: str) -> set[str]:
    """All texts in the code of a folder."""
    return {text for path in files(folder_name) for text in facts(path).texts}


def codes_raised() -> set[str]:
    """Codes of rejections that stand in the code as texts."""
    return {code for path in files("loaders") for code in facts(path).codes} | {rule.code for rule in RULES}


def test_nothing_generated_is_stale():
    assert list(stale_files(ROOT / "docs" / "reference")) == []


def test_every_reason_for_a_rejection_is_explained():
    section = (OPERATOR / "daily.md").read_text().split("## Rejections")[1].split("## Late")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    explained = {code for cell in rows for code in re.findall(r"`(\w+)`", cell)}
    assert codes_raised() - explained == NOT_RECORDED
    assert explained - COMPOSED <= literals("loaders") | literals("roman_db")


def test_every_metric_with_a_limit_is_explained():
    page = "".join((OPERATOR / name).read_text() for name in _WITH_METRICS)
    limits = (folder("schema") / "rows" / "ops.quality_limit.csv").read_text().splitlines()[1:]
    # One row explains a metric of all magnitudes.
    names = {re.sub(r"_\d+$", "_18", line.split(",")[0]) for line in limits}
    assert [name for name in names if f"| `{name}` " not in page] == []


def test_every_flag_is_explained():
    page = (ROOT / "docs" / "scientist" / "first_light_curve.md").read_text()
    for bit, flag in enumerate(DESCRIPTION):
        assert f"| {bit} | {int(flag)} | {PhotometryFlag(flag).name} |" in page


def test_every_setting_is_in_the_installation_guide():
    page = (OPERATOR / "install.md").read_text()
    assert [name for name in Settings.model_fields if f"`ROMAN_DB_{name.upper()}`" not in page] == []


def test_the_descriptions_of_a_table_and_a_view_are_some(tmp_path):
    page = ROOT / "docs" / "developer" / "adding_a_table.md"
    paths = []
    for text in (block.body for block in blocks(page) if block.language == "yaml"):
        paths.append(tmp_path / f"{yaml.safe_load(text)['name']}.yaml")
        paths[-1].write_text(text)
    table = read_table(paths[0])
    assert [column.name for column in table.columns] == ["sky_patch_id", "ra", "load_run_id"]
    view = read_view(paths[1], {**read_tables(), table.full_name: table})
    assert [column.unit for column in view.columns] == [None, "nJy", None]
