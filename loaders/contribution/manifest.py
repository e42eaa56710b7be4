"""The manifest of a submission: what the collection is, whose, under which licence, and its files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from loaders.contribution.refusal import Refused

NAME = "manifest.yaml"
#: Schema of contributed tables in the database.
SCHEMA = "community"
#: Licences under which anybody may use, change and pass on the data.
LICENSES = ("CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "PDDL-1.0", "ODC-By-1.0")
#: What a file is; all but tables of what is measured are pictures of it.
Kind = Literal["table", "mask", "window_function", "psf_kernel", "template_image", "calibration"]
_MOST_BYTES = 10 * 1024**2
_Text = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]
_IDENTIFIER = r"^[a-z][a-z0-9_]{0,62}$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Match(_Strict):
    """How rows of a table are matched with objects: columns with ICRS positions in degrees, and a radius."""

    ra: Annotated[str, Field(pattern=_IDENTIFIER)]
    dec: Annotated[str, Field(pattern=_IDENTIFIER)]
    radius_arcsec: Annotated[float, Field(gt=0, le=30, strict=False)]


class File(_Strict):
    """A file of a submission."""

    filename: Annotated[str, Field(max_length=255)]
    kind: Kind
    description: _Text
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    match: Match | None = None


class Manifest(_Strict):
    """What a submission says of itself; the names are those of RAD's ``ccsp`` but for title and files."""

    name: Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9]{1,9}$")]
    data_release_id: Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9.]{0,19}$")]
    title: _Text
    investigator: _Text
    doi: Annotated[str, Field(pattern=r"^10\.\d{4,9}/\S+$")]
    license: Literal[LICENSES]  # type: ignore[valid-type]
    license_url: Annotated[str, Field(pattern=r"^https://\S+$")]
    target_name: _Text
    files: Annotated[list[File], Field(min_length=1)]

    @property
    def label(self) -> str:
        """Name and version, for people."""
        return f"{self.name} {self.data_release_id}"


@dataclass(frozen=True)
class Draft:
    """A manifest as far as it can be read, so that all else is judged, too.

    Parameters
    ----------
    manifest
        The manifest; words of it that are wrong are empty, and entries of files that are wrong left out.
    faults
        What is wrong with it.
    named
        Files that it names, also in entries that are wrong.
    """

    manifest: Manifest
    faults: tuple[str, ...]
    named: frozenset[str]


def read(folder: Path, submission: str) -> Draft:
    """Read the manifest of a submission.

    Raises
    ------
    Refused
        If nothing of it can be read.
    """
    content = _content(folder, submission)
    entries = content.get("files")
    entries = entries if isinstance(entries, list) else []
    named = frozenset(
        one["filename"]
        for one in entries
        if isinstance(one, Mapping) and isinstance(one.get("filename"), str)
    )
    try:
        return Draft(Manifest.model_validate(content), (), named)
    except ValidationError as error:
        faults = error.errors()
    wrong = {one["loc"][0] for one in faults}
    blank = dict.fromkeys(Manifest.model_fields, "")
    right = {word: content[word] for word in blank if word in content and word not in wrong}
    files = [file for one in entries if (file := _file(one)) is not None]
    partial = Manifest.model_construct(**{**blank, **right, "files": files})
    return Draft(partial, tuple(_words(one) for one in faults), named)


def _content(folder: Path, submission: str) -> Mapping[str, Any]:
    """Content of the manifest, whatever it is."""
    path = folder / NAME
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise Refused(submission, [f"{NAME} has more than {_MOST_BYTES} bytes"])
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refused(submission, [f"it has no {NAME}"]) from None
    except (OSError, UnicodeError, yaml.YAMLError, RecursionError) as error:
        raise Refused(submission, [f"{NAME} cannot be read ({error})"]) from error
    if not isinstance(content, Mapping):
        raise Refused(submission, [f"{NAME} is no mapping of words to values"])
    return content


def _file(entry: object) -> File | None:
    """Entry of a file; None if something is wrong with it."""
    try:
        return File.model_validate(entry)
    except ValidationError:
        return None


def table_name(manifest: Manifest, file: File) -> str:
    """Name that a contributed table has in the database, without its schema."""
    product = Path(file.filename).stem.rsplit("_", 1)[-1]
    return (_prefix(manifest.name, manifest.data_release_id) + _plain(product))[:63]


def full_table_name(manifest: Manifest, file: File) -> str:
    """Name of a contributed table with its schema."""
    return f"{SCHEMA}.{table_name(manifest, file)}"


def clashes(manifest: Manifest, name: str, version: str, table: str | None) -> Iterator[str]:
    """Yield why a submission cannot stand beside another version of a collection, and a table of that.

    Folders and tables are named in lower case, tables with one underscore for whatever is no letter or digit.
    """
    label = f"{name} {version}"
    if name != manifest.name:
        yield f"the collection is called {name}, as {label} is: spell the name so"
    if _prefix(name, version) == _prefix(manifest.name, manifest.data_release_id):
        yield (
            f"{label} is there, which differs from {manifest.label} in capitals or periods alone: "
            "give this one a data_release_id of its own"
        )
    elif table in {full_table_name(manifest, file) for file in manifest.files if file.kind == "table"}:
        yield f"{table} is a table of {label}: give it another data_release_id or product type"


def _prefix(name: str, version: str) -> str:
    """Beginning of the names of all tables of a version: what differs in it is another to the database."""
    return _plain(f"{name}_{version}_")


def _plain(words: str) -> str:
    """Words as they may stand in the name of a table."""
    return re.sub(r"[^a-z0-9]+", "_", words.lower())


def _words(error: Mapping[str, object]) -> str:
    """One fault of a manifest in words."""
    place = error["loc"]
    where = ".".join(map(str, place)) if isinstance(place, tuple) else str(place)
    return f"{NAME}: {where}: {error['msg']}"
