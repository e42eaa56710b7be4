"""What an exposure is compared with: an earlier reference image, or its own without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from loaders.difference.exposure import template_of
from loaders.difference.matching import Template
from loaders.input_file import LoadedFile
from loaders.photometry.parallel import Workers
from loaders.reference.exposures import ExposureStore, read_exposure
from loaders.reference.members import ExposureImage
from loaders.reference.others import FineImage, KnownPlace, OtherExposures, base_of_image, place_on_reference
from loaders.reference.product import StoredReference
from loaders.reference.stored_sums import Parts
from loaders.wfi.placement import Placement


@dataclass(frozen=True)
class Prepared:
    """An exposure, where it lies on the frame of the reference, and its template."""

    exposure: ExposureImage
    place: Placement
    template: Template


class Templates(Protocol):
    """Gives each exposure its template."""

    n_template: int
    """Exposures in a template."""

    def prepare(self, file: LoadedFile) -> Prepared:
        """Read an exposure and prepare its comparison.

        Raises
        ------
        Rejected
            Codes ``missing_file``, ``changed_file``, ``misfit`` and ``no_overlap``, and those of
            `read_exposure`.
        """


class EarlierReference:
    """The template of exposures that are not in the reference: the reference as it is.

    Parameters
    ----------
    reference
        The reference.
    n_exposure
        Exposures in it.
    workers
        Threads.
    """

    def __init__(self, reference: StoredReference, n_exposure: int, workers: Workers) -> None:
        self.n_template = n_exposure
        self._frame, self._workers = reference.frame, workers
        image = FineImage(reference.coefficient, reference.image.noise, reference.frame.oversampling)
        self._base, self._template = base_of_image(image, workers), template_of(image)

    def prepare(self, file: LoadedFile) -> Prepared:
        """See `Templates`."""
        file.require_unchanged()
        image = read_exposure(file.path)
        member = place_on_reference(image, self._frame, self._base, self._workers)
        assert member.place is not None
        return Prepared(image, member.place, self._template)


class ReferenceWithout:
    """The templates of the exposures of a reference: what it is without each of them.

    Parameters
    ----------
    reference
        The reference.
    known
        What is stored of each exposure in it, by its file; files that cannot be read are passed over.
    workers
        Threads.
    folder
        Where sums wait that memory has no room for; see `loaders.reference.stored_sums`.
    """

    def __init__(
        self,
        reference: StoredReference,
        known: Mapping[LoadedFile, KnownPlace],
        workers: Workers,
        folder: Path,
    ) -> None:
        files = list(known)
        store = ExposureStore(files)
        usable, unusable = store.sort_out()
        self._unusable = {files[number]: why for number, why in unusable.items()}
        there = [files[number] for number in usable]
        self._number = {file: number for number, file in enumerate(there)}
        self._load = store.only(usable)
        places = [known[file] for file in there]
        image = FineImage(reference.coefficient, reference.image.noise, reference.frame.oversampling)
        of_reference = reference.frame, image
        self._others = OtherExposures(self._load, places, *of_reference, workers, Parts(folder=folder))
        self.n_template = sum(member.refused is None for member in self._others.members) - 1

    def prepare(self, file: LoadedFile) -> Prepared:
        """See `Templates`."""
        if file in self._unusable:
            raise self._unusable[file]
        number = self._number[file]
        template = template_of(self._others.without(number))
        place = self._others.members[number].place
        assert place is not None
        return Prepared(self._load(number), place, template)
