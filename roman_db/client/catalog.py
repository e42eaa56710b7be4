"""The catalog as the client sees it: one object, whose methods ask the services."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pyvo
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from numpy.typing import ArrayLike
from pyarrow import parquet
from pyvo.dal.adhoc import DatalinkResults
from pyvo.dal.exceptions import DALOverflowWarning

from roman_db.client import event as of_event
from roman_db.client.binding import BoundQuery, bind
from roman_db.client.download import Downloaded, Pace, Source, download, rows_of_all
from roman_db.client.event import Event
from roman_db.client.failure import BadQuery, NothingFound, RowsWereCut, in_our_words
from roman_db.client.job import run_job
from roman_db.client.light_curves import Wanted, read_object_ids
from roman_db.client.places import angle_in_deg, place_table, polygon, read_place
from roman_db.client.points import table_of, without_mask
from roman_db.client.session import ServiceSession
from roman_db.client.settings import ClientSettings
from roman_db.client.spectrum import OF_SPECTRUM, Spectrum

_NAME = re.compile(r"[A-Za-z_]\w*")
#: Objects a request, where light curves of many are wanted: some gigabytes at most, of a whole survey.
_PER_REQUEST = 100
#: Requests at the same time: what an account of any tier has, and one for a query beside them.
_AT_ONCE = 3


def connect(url: str | None = None, token: str | None = None) -> Catalog:
    """Give the catalog at an address; nothing is sent before something is asked.

    Parameters
    ----------
    url
        Address of TAP, as ``roman-db serve`` prints it; None for ROMAN_TAP_URL, or a service on this machine.
    token
        Token of an account; None for ROMAN_TAP_TOKEN, or for nobody's.

    Raises
    ------
    BadQuery
        If the address is none.
    """
    said = ClientSettings()
    known = said.token.get_secret_value() if said.token is not None else None
    address = (url or said.url).rstrip("/")
    # The token of the surroundings is for the address of the surroundings.
    is_own = url is None or address == said.url.rstrip("/")
    return Catalog(address, token or (known if is_own else None))


class Catalog:
    """Services at an address; make it by `connect`.

    Parameters
    ----------
    url
        Address of TAP.
    token
        Token of an account; None for none.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self.session = ServiceSession(self.url, token)
        self._root = self.url.removesuffix("/tap")

    def __repr__(self) -> str:
        return f"<Catalog at {self.url}>"

    @cached_property
    def tap(self) -> pyvo.dal.TAPService:
        """TAP as pyvo has it, for all that is not here."""
        return pyvo.dal.TAPService(self.url, session=self.session)

    @cached_property
    def ssa(self) -> pyvo.dal.SSAService:
        """Spectra as pyvo has them, for searches by place, wavelength, time or redshift."""
        return pyvo.dal.SSAService(f"{self._root}/ssa", session=self.session)

    def query(
        self,
        adql: str,
        values: Mapping[str, Any] | None = None,
        *,
        maxrec: int | None = None,
        as_job: bool = False,
        timeout: float = 14_400.0,
    ) -> Table:
        """Ask in ADQL.

        Parameters
        ----------
        adql
            The query; ``{name}`` stands for a value.
        values
            Values by name: see `roman_db.client.binding.bind`. Tables are uploaded.
        maxrec
            Most rows; None for what the service gives.
        as_job
            Whether to ask asynchronously: for what takes minutes. The job is removed once its rows are here.
        timeout
            Seconds to wait for a job; it is removed then.

        Returns
        -------
        Table
            With units; floating-point numbers that are missing are NaN, other missing values masked. Where
            there are more rows, ``meta["query_status"]`` is OVERFLOW and `RowsWereCut` is warned of.

        Raises
        ------
        ClientError
            If there is no answer.
        """
        bound = bind(adql, values or {})
        with in_our_words(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DALOverflowWarning)
            results = run_job(self.tap, bound, maxrec, timeout) if as_job else self._at_once(bound, maxrec)
        table = without_mask(results.to_table())
        table.meta |= {"query": bound.text, "query_status": results.query_status}
        if results.query_status == "OVERFLOW":
            advice = "ask for less, or give a larger maxrec (an account may have more rows)"
            warnings.warn(
                f"there are more than these {len(table):,} rows: {advice}", RowsWereCut, stacklevel=2
            )
        return table

    def _at_once(self, bound: BoundQuery, maxrec: int | None) -> pyvo.dal.TAPResults:
        return self.tap.run_sync(bound.text, maxrec=maxrec, uploads=bound.uploads or None)

    def cone(self, place: SkyCoord | str, radius: Any, *, columns: Sequence[str] = ()) -> Table:
        """Objects of the current catalog around a place.

        Parameters
        ----------
        place
            Where, in any frame; a text is read as ICRS, in hours or degrees.
        radius
            As astropy's angles or quantities; a bare number is in deg.
        columns
            Of ``roman.current_object``; none for all.
        """
        condition = "DISTANCE(POINT(ra, dec), {place}) <= {radius}"
        values = {"place": read_place(place), "radius": angle_in_deg(radius)}
        return self._objects(condition, values, columns)

    def region(self, corners: SkyCoord, *, columns: Sequence[str] = ()) -> Table:
        """Objects of the current catalog within a polygon; its corners in order, at least three."""
        return self._objects(f"CONTAINS(POINT(ra, dec), {polygon(corners)}) = 1", {}, columns)

    def _objects(self, condition: str, values: dict[str, Any], columns: Sequence[str]) -> Table:
        wrong = [one for one in columns if not _NAME.fullmatch(one)]
        if wrong:
            raise BadQuery(f"columns must be names of columns, got {wrong}")
        return self.query(
            f"SELECT {', '.join(columns) or '*'} FROM roman.current_object WHERE {condition}", values
        )

    def match(self, places: SkyCoord, radius: Any) -> Table:
        """Objects near each of many places, by uploading these.

        Parameters
        ----------
        places
            Shape (n,).
        radius
            As astropy's angles or quantities; a bare number is in deg.

        Returns
        -------
        Table
            ``place`` (index into ``places``), ``object_id``, ``ra``, ``dec``, ``separation`` (arcsec), the
            nearest first; a place may have several objects, or none.
        """
        found = self.query(
            """
            SELECT p.place, o.object_id, o.ra, o.dec, DISTANCE(p.ra, p.dec, o.ra, o.dec) * 3600 AS separation
            FROM {places} AS p JOIN roman.current_object AS o ON DISTANCE(p.ra, p.dec, o.ra, o.dec) < {radius}
            ORDER BY 1, 5
            """,
            {"places": place_table(places), "radius": angle_in_deg(radius)},
        )
        found["separation"].unit = u.arcsec
        return found

    def light_curve(
        self, object_id: int, optical_element: str | None = None, *, photometry_kind: str | None = None
    ) -> Table:
        """Light curve of an object, in order of time within each element and kind of photometry.

        Parameters
        ----------
        object_id
            Identifier of the object.
        optical_element
            Such as F146; None for all.
        photometry_kind
            Such as psf or dia; None for all.

        Returns
        -------
        Table
            ``midpoint_bjd_tdb`` (d, at the barycentre), ``flux`` and ``flux_err`` (nJy; NaN where the star
            was tried and not measured: ``flags`` say why), ``ab_mag`` (NaN where the flux is not positive),
            and more.

        Raises
        ------
        NothingFound
            If it has no points, or does not exist.
        """
        found = self.light_curves(
            [object_id], optical_element, photometry_kind=photometry_kind, progress=False
        )
        if not len(found):
            in_what = f" in {optical_element}" if optical_element else ""
            of_kind = f" of kind {photometry_kind}" if photometry_kind else ""
            raise NothingFound(
                f"object {object_id} has no points{in_what}{of_kind}, or does not exist "
                f"[{self._root}/timeseries]: links() says what there is of it"
            )
        return found

    def light_curves(
        self,
        object_ids: ArrayLike,
        optical_element: str | None = None,
        *,
        photometry_kind: str | None = None,
        objects_per_request: int = _PER_REQUEST,
        requests_at_once: int = _AT_ONCE,
        progress: bool = True,
    ) -> Table:
        """Light curves of many objects in one table, in order of ``object_id``; columns as in `light_curve`.

        What does not fit into memory is for `download_light_curves`. An object without points has no rows.
        """
        wanted = Wanted(read_object_ids(object_ids), optical_element, photometry_kind)
        pace = Pace(objects_per_request, requests_at_once, progress)
        return table_of(rows_of_all(self._time_series, wanted, pace))

    def download_light_curves(
        self,
        object_ids: ArrayLike,
        folder: str | Path,
        optical_element: str | None = None,
        *,
        photometry_kind: str | None = None,
        objects_per_request: int = _PER_REQUEST,
        requests_at_once: int = _AT_ONCE,
        progress: bool = True,
    ) -> Downloaded:
        """Download light curves into Parquet files of a folder, ``objects_per_request`` objects each.

        ``requests_at_once`` of them are asked for at the same time. Asked again, it goes on with the files
        that are missing. What is there is not asked for again, also where the catalog has newer points: take
        another folder for these.
        """
        wanted = Wanted(read_object_ids(object_ids), optical_element, photometry_kind)
        pace = Pace(objects_per_request, requests_at_once, progress)
        return download(self._time_series, wanted, Path(folder), pace)

    @property
    def _time_series(self) -> Source:
        return Source(self.session, f"{self._root}/timeseries")

    def event(self, event_id: int) -> Event:
        """Event with its light curve and models.

        Raises
        ------
        NothingFound
            If there is none of that number.
        """
        number = {"event_id": event_id}
        rows = self.query("SELECT * FROM roman.event WHERE event_id = {event_id}", number)
        if not len(rows):
            raise NothingFound(
                f"there is no event {event_id} at {self.url}: SELECT event_id FROM roman.event lists them"
            )
        row = rows[0]
        kind = str(row["photometry_kind"])
        models, parameters, fluxes = (
            self.query(one, number) for one in (of_event.MODELS, of_event.PARAMETERS, of_event.FLUXES)
        )
        curve = self.light_curves([int(row["object_id"])], photometry_kind=kind, progress=False)
        return Event(row, curve, models, parameters, fluxes, partial(self._event_curves, event_id))

    def _event_curves(self, event_id: int, what: str, span: tuple[float, float] | None) -> Table:
        parameters = {"ID": f"event/{event_id}", "WHAT": what, "RESPONSEFORMAT": "parquet"}
        if span is not None:
            parameters["SPAN"] = f"{float(span[0])!r} {float(span[1])!r}"
        answer = self.session.get(f"{self._root}/event_curves", params=parameters, timeout=120)
        return table_of(parquet.read_table(io.BytesIO(answer.content)))

    def spectra(self, object_id: int) -> list[Spectrum]:
        """Spectra of an object with their redshifts, the most reliable first; none where it has none."""
        with in_our_words():
            found = self.ssa.search(TARGETNAME=str(object_id)).to_table()
        mine = found[np.ma.filled(found["object_id"], -1) == object_id]
        reliability = np.nan_to_num(np.ma.filled(mine["reliability"], -1.0), nan=-1.0)
        return [self.spectrum(mine["spectrum_id"][k]) for k in np.argsort(-reliability, kind="stable")]

    def spectrum(self, spectrum_id: int) -> Spectrum:
        """Spectrum with its redshift, alternatives and lines.

        Raises
        ------
        NothingFound
            If there is none of that number.
        """
        parameters = {"ID": f"spectrum/{int(spectrum_id)}"}
        answer = self.session.get(f"{self._root}/ssa/data", params=parameters, timeout=120)
        pixels = without_mask(Table.read(io.BytesIO(answer.content), format="votable"))
        number = {"spectrum_id": int(spectrum_id)}
        return Spectrum(int(spectrum_id), pixels, *(self.query(one, number) for one in OF_SPECTRUM))

    def links(self, identifier: int | str) -> Table:
        """What there is of an object, a light curve or an image, and where (DataLink)."""
        address = f"{self._root}/datalink?ID={quote(str(identifier), safe='')}"
        with in_our_words():
            return DatalinkResults.from_result_url(address, session=self.session).to_table()

    def cutout(self, image: str, place: SkyCoord | str, radius: Any) -> fits.HDUList:
        """Part of an image (SODA): SCI, ERR and DQ around a place.

        Parameters
        ----------
        image
            Such as ``exposure/NUMBER``, ``reference_image/NUMBER``, or an ``obs_publisher_did``.
        place, radius
            As of `cone`.

        Raises
        ------
        NothingFound
            If the place lies beside the image, or the image has no file.
        """
        where = read_place(place).icrs
        circle = f"CIRCLE {float(where.ra.deg)!r} {float(where.dec.deg)!r} {angle_in_deg(radius)!r}"
        response = self.session.get(
            f"{self._root}/soda/sync", params={"ID": image, "POS": circle}, timeout=600
        )
        if not response.content:
            raise NothingFound(
                f"{image} does not show {where.to_string()}: ivoa.obscore says which images do"
            )
        return fits.open(io.BytesIO(response.content))
