"""Injections: images with artificial sources on disk, what was put into them in the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import sqlalchemy as sa

from loaders.injection.given import Layout, drawable, lay_out
from loaders.injection.image import ImageFacts, read_facts
from loaders.injection.level2 import Job, inject_level2
from loaders.injection.level3 import inject_level3
from loaders.injection.light import PreparedPsf
from loaders.injection.names import output_path
from loaders.injection.rows import sources_of_rows, stored_columns
from loaders.injection.sources import ArtificialSources, Refusal
from loaders.input_file import fingerprint
from loaders.psf.load import psf_for
from loaders.psf.model import EffectivePsf
from loaders.rejection import Rejected, unexpected
from roman_db import session
from roman_db.bulk import copy_rows
from roman_db.load_run import Counts, InputFile, LoadRun, load_run
from roman_db.schema.metadata import table

_Written: TypeAlias = tuple[ImageFacts, Path, int]


@dataclass(frozen=True)
class InjectionOptions:
    """An injection: its name, what is injected, the seed of its random numbers, and where the images go."""

    name: str
    layout: Layout
    seed: int
    output: Path


def inject_files(
    files: Sequence[Path], options: InjectionOptions, progress: Callable[[int, int], None]
) -> Counts:
    """Write images with artificial sources, and store these, in place of an earlier injection of that name.

    Counted are the images and the rows of sources, each written and stored or rejected.
    """
    arguments = {"name": options.name, "seed": options.seed, "output": str(options.output)}
    arguments |= options.layout.said()
    with load_run("inject", arguments, expected=len(files)) as run:
        images = _usable(run, files)
        if images:
            _inject(run, images, options, (len(files), progress))
        return run.counts()


def _usable(run: LoadRun, files: Sequence[Path]) -> list[ImageFacts]:
    """What is known of the images; those that can't be used, or are of another element, are rejected."""
    images: list[ImageFacts] = []
    for path in files:
        try:
            facts = read_facts(path)
            _check_fits(facts, images)
        except Rejected as rejected:
            with session.transaction() as connection:
                run.record_inputs(connection, [_input_file(path)])
                run.reject(connection, rejected)
        else:
            images.append(facts)
    return images


def _check_fits(facts: ImageFacts, images: Sequence[ImageFacts]) -> None:
    """Refuse an image of another optical element than the first, or of the name of one of the others."""
    if images and facts.optical_element != images[0].optical_element:
        what = f"optical element {facts.optical_element}, but {images[0].optical_element} before it"
        raise Rejected(str(facts.path), what, "Give it an injection of its own", "other_optical_element")
    if any(facts.path.name == one.path.name for one in images):
        what = "another image of its name is in the injection"
        raise Rejected(str(facts.path), what, "Give each image once", "repeated_name")


def _input_file(path: Path, role: str = "exposure") -> InputFile:
    return InputFile(role, str(path.absolute()), *fingerprint(path))


def _inject(
    run: LoadRun,
    images: Sequence[ImageFacts],
    options: InjectionOptions,
    told: tuple[int, Callable[[int, int], None]],
) -> None:
    """Lay the sources out, write the images, and store both."""
    n_file, progress = told
    if options.layout.catalog is not None:
        with session.transaction() as connection:
            run.record_inputs(connection, [_input_file(options.layout.catalog, "catalog")])
    given = lay_out(options.layout, options.seed, images[0].projection)
    with session.transaction() as connection:
        run.expect(connection, n_file + len(given))
    good, refused = drawable(given, [one.projection for one in images])
    sources = given.take(good)
    options.output.mkdir(parents=True, exist_ok=True)
    written: list[_Written] = []
    failed: list[Rejected] = []
    for number, facts in enumerate(images):
        try:
            written.append((facts, *_write(facts, sources, options, number)))
        except Rejected as rejection:
            failed.append(rejection)
        except Exception as error:  # noqa: BLE001 - a fault of ours costs this image, not the others
            failed.append(unexpected(facts.path, error))
        progress(number + 1, len(images))
    if not written:
        rows = np.flatnonzero(good)
        refused = [*refused, *(Refusal(int(row), "no_image", "no image was written") for row in rows)]
    with session.transaction() as connection:
        run.record_inputs(connection, [_input_file(one.path) for one in images])
        for one in failed:
            run.reject(connection, one)
        run.reject_rows(connection, [row.row_of(options.layout.source) for row in refused])
        if written:
            _store(connection, run, (sources, written), options)
            run.count(connection, loaded=len(sources) + len(written))
        run.check_accounts(connection)


def _write(
    facts: ImageFacts, sources: ArtificialSources, options: InjectionOptions, number: int
) -> tuple[Path, int]:
    """Write an image with sources; its path, and how many are on its pixels."""
    output = output_path(facts.path, options.output).absolute()
    _check_free(output, options.name)
    seed = int(np.random.SeedSequence([options.seed, 1, number]).generate_state(1)[0])
    job = Job(facts.path, output, sources, None, seed, options.name)
    psf = image_psf(facts)
    if facts.level == 2:
        return output, int(inject_level2(job, PreparedPsf.of(psf)).sum())
    return output, int(inject_level3(job, psf, facts.roll, facts.detector_place).sum())


def _check_free(output: Path, name: str) -> None:
    """Refuse to write over an image of another injection."""
    images, runs = table("roman.injection_image"), table("roman.injection_run")
    query = (
        sa.select(runs.c.name)
        .join(images, images.c.injection_run_id == runs.c.injection_run_id)
        .where(images.c.path == str(output), runs.c.name != name)
    )
    with session.reading() as connection:
        other = connection.execute(query).scalar()
    if other is not None:
        what = f"is an image of the injection {other}"
        raise Rejected(str(output), what, "Name another folder", "other_injection")


def image_psf(facts: ImageFacts) -> EffectivePsf:
    """PSF that serves an image: that of the library, or of the optics."""
    with session.reading() as connection:
        return psf_for(connection, facts.detector, facts.optical_element, facts.mjd_tdb).psf


def _store(
    connection: sa.Connection,
    run: LoadRun,
    made: tuple[ArtificialSources, Sequence[_Written]],
    options: InjectionOptions,
) -> None:
    """Store an injection in place of an earlier one of its name."""
    sources, written = made
    runs = table("roman.injection_run")
    old = connection.execute(sa.select(runs.c.injection_run_id).where(runs.c.name == options.name)).scalar()
    if old is not None:
        _forget(connection, int(old))
    row = {
        "name": options.name,
        "inject_medium": "images",
        "optical_element": written[0][0].optical_element,
        "seed": options.seed,
        "n_source": len(sources),
        "parameters": options.layout.said(),
        "load_run_id": run.load_run_id,
    }
    key = int(connection.execute(runs.insert().returning(runs.c.injection_run_id), row).scalar_one())
    constant = {"injection_run_id": key, "load_run_id": run.load_run_id}
    images = [
        {
            "image_number": number,
            "level": facts.level,
            "exposure_id": facts.exposure_id,
            "source_path": str(facts.path.absolute()),
            "path": str(path),
            "n_inside": inside,
            **constant,
        }
        for number, (facts, path, inside) in enumerate(written)
    ]
    connection.execute(table("roman.injection_image").insert(), images)
    copy_rows(connection, "roman.injected_source", stored_columns(sources) | repeated(constant, len(sources)))


def _forget(connection: sa.Connection, injection_run_id: int) -> None:
    """Delete an injection with all that was found of it."""
    for name in (*_RESULTS, "injected_source", "injection_image", "injection_run"):
        rows = table(f"roman.{name}")
        connection.execute(rows.delete().where(rows.c.injection_run_id == injection_run_id))


_RESULTS = ("detection_efficiency", "spurious_detection", "injection_recovery")


def repeated(constant: dict[str, Any], size: int) -> dict[str, Any]:
    """Columns that have one value."""
    return {
        name: [value] * size if isinstance(value, str) else np.full(size, value)
        for name, value in constant.items()
    }


@dataclass(frozen=True)
class StoredInjection:
    """An injection as the database has it; images are rows of ``roman.injection_image``."""

    injection_run_id: int
    images: Sequence[sa.Row[Any]]
    sources: ArtificialSources


def read_injection(name: str) -> StoredInjection:
    """Read an injection.

    Raises
    ------
    Rejected
        Code ``unknown_injection``.
    """
    runs, images, sources = (
        table(f"roman.{one}") for one in ("injection_run", "injection_image", "injected_source")
    )
    with session.reading() as connection:
        key = connection.execute(sa.select(runs.c.injection_run_id).where(runs.c.name == name)).scalar()
        if key is None:
            known = connection.execute(sa.select(runs.c.name).order_by(runs.c.name)).scalars()
            what = f"there is none of that name, but: {', '.join(known) or 'none'}"
            raise Rejected(
                f"injection {name}", what, "Name one of these, or inject first", "unknown_injection"
            )
        found = [
            connection.execute(
                sa.select(one).where(one.c.injection_run_id == key).order_by(*one.primary_key)
            ).all()
            for one in (images, sources)
        ]
    return StoredInjection(int(key), found[0], sources_of_rows([row._asdict() for row in found[1]]))
