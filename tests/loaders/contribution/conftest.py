"""A submission that is right in every respect, which tests spoil in one."""

import dataclasses
import hashlib
from pathlib import Path

import asdf
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from astropy.time import Time

from tests.roman_db.conftest import database, new_database, upgraded_template

__all__ = ["database", "new_database", "upgraded_template"]

CCSP = {
    "name": "DUST",
    "investigator": "A. Astronomer",
    "doi": "10.17909/abcd-1234",
    "file_version": "v1",
    "data_release_id": "DR1",
    "license": "CC-BY-4.0",
    "license_url": "https://creativecommons.org/licenses/by/4.0/",
    "target_name": "Galactic bulge",
}
README = "# Dust in front of the bulge\n\n" + "What was measured, how, and what not to use it for. " * 4


def name_of(product, extension="asdf", **changes):
    fields = {"project": "dust", "version": "v1"} | changes
    return f"hlsp_{fields['project']}_roman_wfi_bulge_f146_{fields['version']}_{product}.{extension}"


@dataclasses.dataclass
class Submission:
    """A folder with its manifest, written anew by `seal`."""

    folder: Path
    manifest: dict

    def seal(self):
        """Write the manifest with the checksums of the files as they are."""
        for file in self.manifest["files"]:
            path = self.folder / file["filename"]
            if path.is_file():
                file["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        (self.folder / "manifest.yaml").write_text(yaml.safe_dump(self.manifest))

    def path(self, kind):
        [file] = [one for one in self.manifest["files"] if one["kind"] == kind]
        return self.folder / file["filename"]


def catalog(ra, dec, **metadata):
    """Table of sources with magnitudes, as Parquet wants it."""
    described = {
        "ra": ("deg", "pos.eq.ra", "Right ascension (ICRS)."),
        "dec": ("deg", "pos.eq.dec", "Declination (ICRS)."),
        "a_f146": ("mag", "phys.absorption", "Extinction in F146."),
        "note": (None, None, "Remark."),
    }
    fields = []
    for name, (unit, ucd, description) in described.items():
        words = {"unit": unit, "ucd": ucd, "description": description}
        kind = pa.string() if name == "note" else pa.float64()
        fields.append(pa.field(name, kind, metadata={k: v for k, v in words.items() if v is not None}))
    meta = {f"roman.meta.ccsp.{key}": value for key, value in (CCSP | metadata).items()}
    columns = [np.asarray(ra, float), np.asarray(dec, float), np.full(len(ra), 1.5), ["fine"] * len(ra)]
    return pa.table(columns, schema=pa.schema(fields, metadata=meta))


def windows():
    columns = {"start_mjd": [61520.0, 61702.0], "end_mjd": [61592.0, 61774.0]}
    fields = [
        pa.field(name, pa.float64(), metadata={"unit": "d", "description": "Edge of a season, TDB."})
        for name in columns
    ]
    meta = {f"roman.meta.ccsp.{key}": value for key, value in CCSP.items()}
    return pa.table(list(columns.values()), schema=pa.schema(fields, metadata=meta))


def write_asdf(path, data, meta=None, **others):
    own = {"ccsp": CCSP, "file_date": Time("2027-06-01T00:00:00")}
    asdf.AsdfFile({"roman": {"meta": own | (meta or {}), "data": data, **others}}).write_to(path)


def kernel():
    y, x = np.mgrid[-5:6, -5:6]
    made = np.exp(-(x**2 + y**2) / 4.0)
    return made / made.sum()


def make(folder, ra=(268.0, 268.001), dec=(-29.0, -29.001)):
    """Write a submission with a file of each kind."""
    folder.mkdir()
    (folder / "README.md").write_text(README)
    pq.write_table(catalog(ra, dec), folder / name_of("catalog", "parquet"))
    pq.write_table(windows(), folder / name_of("window", "parquet"))
    write_asdf(folder / name_of("mask"), np.zeros((8, 9), np.uint8))
    write_asdf(folder / name_of("kernel"), kernel())
    where = {"s_region": "POLYGON ICRS 268 -29 268.1 -29 268.1 -28.9"}
    write_asdf(folder / name_of("template"), np.ones((8, 9), np.float32), where, unit="nJy")
    write_asdf(folder / name_of("gain"), np.ones(18), unit="none")
    kinds = {
        name_of("catalog", "parquet"): "table",
        name_of("window", "parquet"): "window_function",
        name_of("mask"): "mask",
        name_of("kernel"): "psf_kernel",
        name_of("template"): "template_image",
        name_of("gain"): "calibration",
    }
    files = [{"filename": name, "kind": kind, "description": f"A {kind}."} for name, kind in kinds.items()]
    files[0]["match"] = {"ra": "ra", "dec": "dec", "radius_arcsec": 1.0}
    said = {key: value for key, value in CCSP.items() if key != "file_version"}
    made = Submission(folder, said | {"title": "Dust", "files": files})
    made.seal()
    return made


@pytest.fixture
def good(tmp_path):
    """A submission that is right."""
    return make(tmp_path / "dust")
