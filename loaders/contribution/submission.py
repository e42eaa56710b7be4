"""A submission as a whole: is it what we ask for? All reasons against it are found before it is refused."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import asdf
import pyarrow as pa

from loaders.contribution import arrays, file_name, manifest, metadata, tables
from loaders.contribution.manifest import Draft, File, Manifest
from loaders.contribution.refusal import Refused

READMES = ("README.md", "README.txt")
_LEAST_README = 100
_MOST_README = 1 << 20
_FORMAT = {"table": "parquet", "window_function": "parquet"}


def judge(folder: Path, submission: str) -> Manifest:
    """Return the manifest of a submission that is right in every respect.

    Raises
    ------
    Refused
        With every reason against it.
    """
    try:
        draft = manifest.read(folder, submission)
    except Refused as error:
        raise Refused(submission, [*error.reasons, *_readme_faults(folder)]) from error
    said = draft.manifest
    reasons = [*draft.faults, *_readme_faults(folder), *_list_faults(folder, draft)]
    for file in said.files:
        if (folder / file.filename).is_file() and Path(file.filename).name == file.filename:
            reasons += [f"{file.filename}: {words}" for words in _file_faults(folder, file, said)]
    reasons += [words for file in said.files for words in _name_faults(file, said)]
    if reasons:
        raise Refused(submission, reasons)
    return said


def readme(folder: Path) -> str:
    """Text of the README."""
    return next(path.read_text(encoding="utf-8") for name in READMES if (path := folder / name).is_file())


def sha256(path: Path) -> str:
    """Checksum of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _readme_faults(folder: Path) -> Iterator[str]:
    """Yield what is wrong with the README."""
    found = [folder / name for name in READMES if (folder / name).is_file()]
    if not found:
        yield f"it has no {' or '.join(READMES)}"
        return
    try:
        text = found[0].read_text(encoding="utf-8") if found[0].stat().st_size <= _MOST_README else None
    except UnicodeError:
        yield f"{found[0].name} is no text in UTF-8"
        return
    if text is None or len(text.strip()) < _LEAST_README:
        yield f"{found[0].name} says too little or too much: {_LEAST_README} to {_MOST_README} characters"


def _list_faults(folder: Path, draft: Draft) -> Iterator[str]:
    """Yield what differs between the files that are there and those of the manifest."""
    said = draft.manifest
    listed = Counter(file.filename for file in said.files)
    repeated = {name: count for name, count in listed.items() if count > 1}
    yield from (f"{name}: the manifest lists it {count} times" for name, count in repeated.items())
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    yield from (f"{name}: the manifest lists it, and it is not there" for name in sorted(set(listed) - there))
    known = {*draft.named, manifest.NAME, *READMES}
    yield from (f"{name}: the manifest does not list it" for name in sorted(there - known))
    names = Counter(manifest.table_name(said, file) for file in said.files if file.kind == "table")
    for name, count in names.items():
        if count > 1:
            yield f"{count} tables would be called {name}: give them product types of their own"


def _name_faults(file: File, said: Manifest) -> Iterator[str]:
    """Yield what is wrong with the name of a file."""
    name, reasons = file_name.parse(file.filename)
    yield from reasons
    if name is not None and said.name and name.project != said.name.lower():
        yield f"{file.filename}: is of {name.project!r}, and the collection of {said.name.lower()!r}"
    if name is not None and name.extension != (expected := _FORMAT.get(file.kind, "asdf")):
        yield f"{file.filename}: a {file.kind} is a file .{expected}"
    if file.match is not None and file.kind != "table":
        yield f"{file.filename}: only a table can be matched with objects"


def _file_faults(folder: Path, file: File, said: Manifest) -> Iterator[str]:
    """Yield what is wrong with the content of a file."""
    path = folder / file.filename
    found = sha256(path)
    if found != file.sha256:
        yield f"its SHA-256 is {found}, and {file.sha256} in the manifest"
    name, _ = file_name.parse(file.filename)
    version = None if name is None else name.version
    try:
        if file.kind in _FORMAT:
            yield from _parquet_faults(path, file, said, version)
        else:
            yield from _asdf_faults(path, file, said, version)
    # Whatever libraries of formats say of a file that was made to break them, that file is at fault.
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        MemoryError,
        RecursionError,
        pa.ArrowException,
    ) as error:
        words = next(iter(str(error).splitlines()), type(error).__name__)
        yield f"it cannot be read as .{_FORMAT.get(file.kind, 'asdf')} ({words})"
    except asdf.exceptions.AsdfError as error:
        yield f"it cannot be read as .asdf ({error})"


def _parquet_faults(path: Path, file: File, said: Manifest, version: str | None) -> Iterator[str]:
    """Yield what is wrong with a table or a window function."""
    meta = metadata.of_parquet(path)
    yield from metadata.faults(meta, metadata.MINIMAL)
    yield from metadata.contradictions(meta, said, version)
    judged = (
        tables.window_faults(path)
        if file.kind == "window_function"
        else tables.table_faults(path, file.match)
    )
    yield from judged


def _asdf_faults(path: Path, file: File, said: Manifest, version: str | None) -> Iterator[str]:
    """Yield what is wrong with an array."""
    tree = arrays.raw_tree(path)
    meta = metadata.of_asdf(tree)
    yield from metadata.faults(meta, metadata.CUSTOM)
    yield from metadata.contradictions(meta, said, version)
    if file.kind == "template_image" and not meta.get("s_region"):
        yield "roman.meta.s_region: a template says where on the sky it is"
    yield from arrays.faults(path, tree, file.kind)
