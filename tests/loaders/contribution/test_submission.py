"""Submissions judged: what is right passes, and all that is wrong with one is said at once."""

import io
import tarfile
import zipfile

import asdf
import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner

from loaders.contribution.commands import validate_command
from loaders.contribution.refusal import Refused
from loaders.contribution.submission import judge
from loaders.contribution.unpack import opened
from tests.faults.command_line import roman_db
from tests.loaders.contribution.conftest import catalog, kernel, name_of, write_asdf


def reasons(folder):
    with pytest.raises(Refused) as refused:
        judge(folder, "submission")
    return refused.value.reasons


def unpacked(path, scratch):
    scratch.mkdir(exist_ok=True)
    with opened(path, scratch) as folder:
        return folder


def test_a_right_submission_passes_as_folder_zip_and_tar(good, tmp_path):
    assert judge(good.folder, "it").label == "DUST DR1"
    with (
        zipfile.ZipFile(tmp_path / "dust.zip", "w") as packed,
        tarfile.open(tmp_path / "dust.tar.gz", "w:gz") as tar,
    ):
        for path in good.folder.iterdir():
            packed.write(path, path.name)
            tar.add(path, path.name)
    done = CliRunner().invoke(
        validate_command, [str(good.folder), str(tmp_path / "dust.zip"), str(tmp_path / "dust.tar.gz")]
    )
    assert done.output.count("DUST DR1 is right, 6 files") == 3, done.output


def test_all_that_is_wrong_is_said_at_once(good):
    (good.folder / "README.md").write_text("see paper")
    write_asdf(good.path("psf_kernel"), kernel()[:, :-1] * 2)
    write_asdf(good.path("mask"), np.zeros((2, 2)), {"ccsp": {"name": "DUST"}})
    pq.write_table(catalog([268.0], [-99.0], doi="10.1/other"), good.path("table"))
    (good.folder / "notes.doc").write_text("x")
    good.seal()
    with good.path("calibration").open("ab") as stream:
        stream.write(b" ")
    found = "\n".join(reasons(good.folder))
    for words in (
        "README.md says too little",
        "notes.doc: the manifest does not list it",
        "a PSF kernel has odd sides",
        "a PSF kernel sums to 1",
        "a mask is an image of integers",
        "'investigator' is a required property",
        "'license_url' is a required property",
        "1 values are not from -90 to 90",
        "roman.meta.ccsp.doi is '10.1/other', and '10.17909/abcd-1234' in the manifest",
        "its SHA-256 is",
    ):
        assert words in found, found


def test_what_is_wrong_with_the_manifest_hides_nothing_else(good):
    """Also where an entry of a file is wrong: what it names is not said to be unlisted."""
    good.manifest |= {"license": "mine", "name": "DUST", "surprise": 1}
    (good.folder / "README.md").unlink()
    (good.folder / "notes.doc").write_text("x")
    good.seal()
    good.manifest["files"][0] |= {"sha256": "0" * 64, "kind": "table"}
    good.manifest["files"][1]["kind"] = "painting"
    painted = good.manifest["files"][1]["filename"]
    (good.folder / "manifest.yaml").write_text(yaml.safe_dump(good.manifest))
    found = "\n".join(reasons(good.folder))
    for words in (
        "license: Input should be", "surprise: Extra inputs", "files.1.kind: Input should be",
        "it has no README",
        "notes.doc: the manifest does not list it", f"{'0' * 64} in the manifest",
    ):  # fmt: skip
        assert words in found, found
    assert f"{painted}: the manifest does not list it" not in found
    assert "in the manifest\nroman" not in found
    (good.folder / "manifest.yaml").unlink()
    assert [one.split()[:3] for one in reasons(good.folder)] == [["it", "has", "no"]] * 2


@pytest.mark.parametrize(
    ("word", "value", "words"),
    [
        ("license", "all rights reserved", "license: Input should be 'CC0-1.0'"),
        ("license", None, "license: Field required"),
        ("license_url", "ftp://x", "license_url"),
        ("doi", "doi:abc", "doi"),
        ("name", "../../etc", "name"),
        ("surprise", 1, "surprise: Extra inputs are not permitted"),
        ("files", [], "files: List should have at least 1 item"),
    ],
)
def test_a_manifest_says_what_it_must(good, word, value, words):
    good.manifest = {key: one for key, one in good.manifest.items() if key != word}
    if value is not None:
        good.manifest[word] = value
    if word == "files":
        (good.folder / "manifest.yaml").write_text(str(good.manifest).replace("'files'", "files"))
    else:
        good.seal()
    assert any(words in one for one in reasons(good.folder))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("catalog.parquet", "has 1 fields between underscores"),
        ("hlsp_dust_roman_wfi_bulge_f146_v1_Catalog.parquet", "'Catalog' will not do as product-type"),
        (name_of("catalog", "parquet", project="other"), "is of 'other', and the collection of 'dust'"),
        (name_of("catalog", "parquet", version="v2"), "file_version is 'v1', and 'v2' in the file's name"),
        (name_of("catalog", "fits"), "ends with 'fits'"),
        (name_of("c" * 60, "parquet"), "characters, and 90 are the most"),
    ],
)
def test_names_are_those_of_the_archive(good, name, words):
    good.path("table").rename(good.folder / name)
    good.manifest["files"][0]["filename"] = name
    good.seal()
    assert any(words in one for one in reasons(good.folder))


@pytest.mark.parametrize(
    ("field", "metadata", "words"),
    [
        ("a_f146", {"unit": "furlong/fortnight", "description": "d"}, "is no unit of VOUnits"),
        ("a_f146", {"description": "d"}, "a number says its unit"),
        ("a_f146", {"unit": "mag"}, "says no description"),
        ("ra", {"unit": "rad", "description": "d"}, "its unit is deg"),
    ],
)
def test_columns_say_what_they_are(good, field, metadata, words):
    table = catalog([268.0], [-29.0])
    place = table.schema.get_field_index(field)
    changed = table.cast(table.schema.set(place, table.schema.field(place).with_metadata(metadata)))
    pq.write_table(changed, good.path("table"))
    good.seal()
    assert any(words in one for one in reasons(good.folder))


def _zip(path, name, content=b"x", mode=None, times=1):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for _ in range(times):
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (mode or 0o100644) << 16
            packed.writestr(entry, content)


def _tar(path, name, kind=tarfile.REGTYPE, link=""):
    with tarfile.open(path, "w") as packed:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, link
        packed.addfile(entry, io.BytesIO())


HOSTILE = {
    "zip slip": (lambda path: _zip(path, "../../escaped"), "leads out of the submission"),
    "absolute": (lambda path: _tar(path, "/tmp/escaped"), "leads out of the submission"),
    "backslash": (lambda path: _zip(path, "..\\escaped"), "leads out of the submission"),
    "link in zip": (lambda path: _zip(path, "a", b"/etc/passwd", 0o120777), "is a link"),
    "link in tar": (lambda path: _tar(path, "a", tarfile.SYMTYPE, "/etc/passwd"), "is a link"),
    "hard link": (lambda path: _tar(path, "a", tarfile.LNKTYPE, "/etc/passwd"), "is a link"),
    "device": (lambda path: _tar(path, "a", tarfile.CHRTYPE), "is no plain file"),
    "bomb": (lambda path: _zip(path, "a", bytes(50_000_000)), "more than 200 times as many"),
    "no archive": (lambda path: path.write_bytes(b"PK\3\4 not really"), "it is not a folder"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_refused_before_anything_is_written(tmp_path, kind):
    attack, words = HOSTILE[kind]
    attack(tmp_path / "submission")
    before = set(tmp_path.parent.rglob("escaped"))
    with pytest.raises(Refused, match=words):
        unpacked(tmp_path / "submission", tmp_path / "scratch")
    assert list((tmp_path / "scratch").iterdir()) == []
    assert set(tmp_path.parent.rglob("escaped")) == before


def test_what_is_twice_in_an_archive_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        _zip(tmp_path / "submission", "a", times=2)
    with pytest.raises(Refused, match="'a' is there 2 times"):
        unpacked(tmp_path / "submission", tmp_path / "scratch")


def test_an_archive_that_is_cut_off_is_refused(good, tmp_path):
    with tarfile.open(tmp_path / "whole.tar.gz", "w:gz") as tar:
        tar.add(good.path("table"), "a")
    content = (tmp_path / "whole.tar.gz").read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(content[: len(content) // 2])
    with pytest.raises(Refused, match="cannot be unpacked"):
        unpacked(tmp_path / "cut.tar.gz", tmp_path / "scratch")


def test_a_zip_file_whose_content_is_damaged_is_refused(tmp_path):
    """The list of its entries is whole; the bytes between are not what unpacks."""
    _zip(tmp_path / "submission", "a", np.random.default_rng(1).bytes(1000) + bytes(5000))
    content = bytearray((tmp_path / "submission").read_bytes())
    content[40:60] = b"\xff" * 20
    (tmp_path / "submission").write_bytes(content)
    with pytest.raises(Refused, match="cannot be unpacked"):
        unpacked(tmp_path / "submission", tmp_path / "scratch")


def test_one_that_is_refused_keeps_no_other_from_being_judged(good, tmp_path):
    (tmp_path / "empty.zip").write_bytes(b"")
    done = CliRunner().invoke(validate_command, [str(tmp_path / "empty.zip"), str(good.folder)])
    assert done.exit_code == 1
    assert "it is not a folder" in done.output
    assert "DUST DR1 is right" in done.output


def test_links_in_a_folder_are_not_followed(good):
    (good.folder / "secret").symlink_to("/etc/passwd")
    (good.folder / "folder").symlink_to("/etc")
    with pytest.raises(Refused, match="is refused for 2 reasons"), opened(good.folder, good.folder):
        pass


def test_files_made_to_break_their_readers_are_refused(good):
    """Garbage, what is in other files, what says it is larger than memory, and trees nested without end."""
    good.path("table").write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    good.path("mask").write_bytes(b"#ASDF 1.0.0\n#ASDF_STANDARD 1.5.0\n%YAML 1.1\n---\n" + b"[" * 5000)
    asdf.AsdfFile({"roman": {"meta": {"$ref": "file:///etc/passwd#"}, "data": np.ones(3)}}).write_to(
        good.path("calibration")
    )
    write_asdf(good.path("psf_kernel"), kernel())
    content = good.path("psf_kernel").read_bytes().replace(b"shape: [11, 11]", b"shape: [11111111, 11111111]")
    good.path("psf_kernel").write_bytes(content)
    good.seal()
    found = "\n".join(reasons(good.folder))
    for words in ("catalog.parquet: it cannot be read", "mask.asdf: it cannot be read",
                  "is in another file, and must be in this one", "more than 8589934592 bytes"):  # fmt: skip
        assert words in found, found


def test_a_refusal_is_an_exit_code(tmp_path):
    """That of the process: scripts go on by it."""
    outcome = roman_db("contribute", "validate", tmp_path)
    assert (outcome.code, "is refused" in outcome.err) == (1, True)
