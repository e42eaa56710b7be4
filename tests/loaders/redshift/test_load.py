"""``roman-db load spectra``: files of several telescopes into the database, and back."""

import asdf
import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import Table

from loaders.redshift import load
from loaders.redshift.simulate import simulated
from tests.faults.command_line import roman_db, succeed
from tests.roman_db.conftest import execute

ECSV = b"# %ECSV 1.0\n# ---\n# datatype:\n# - {name: wave, datatype: float64}\nwave\n1.0\n"
FLUX_UNIT = u.erg / u.s / u.cm**2 / u.AA
REDSHIFTS = """
SELECT s.spectrum_name, r.z, r.class_name, r.warning, r.reason FROM roman.spectrum AS s
JOIN roman.redshift AS r USING (spectrum_id) WHERE s.superseded_at IS NULL ORDER BY 1
"""
COUNTS = """
SELECT (SELECT count(*) FROM roman.spectrum),
       (SELECT count(*) FROM roman.spectrum WHERE superseded_at IS NULL),
       (SELECT count(*) FROM roman.redshift)
"""


@pytest.fixture(scope="module")
def galaxies():
    """Three galaxies with strong lines, and their truth."""
    return simulated("grism", "GALAXY", 3, 30.0, np.random.default_rng(5))


def table_of(spectrum):
    """As a slitless pipeline writes it."""
    table = Table(
        {
            "wave": spectrum.wavelength * u.AA,
            "flux": spectrum.flux * 1e-19 * FLUX_UNIT,
            "err": spectrum.flux_err * 1e-19 * FLUX_UNIT,
            "resolution": spectrum.resolution,
        }
    )
    table.meta = {"RA": 150.1, "DEC": 2.2, "OBJECT": spectrum.name}
    return table


def write_sdss(path, spectrum):
    """As SDSS has it: logarithms, inverse variances, a primary header with the position."""
    columns = {
        "flux": spectrum.flux,
        "loglam": np.log10(spectrum.wavelength),
        "ivar": spectrum.flux_err**-2,
        "and_mask": np.zeros(spectrum.flux.size, np.int32),
        "wdisp": np.full(spectrum.flux.size, 1.0),
    }
    primary = fits.PrimaryHDU()
    primary.header.update({"PLUG_RA": 150.1, "PLUG_DEC": 2.2})
    coadd = fits.BinTableHDU(Table(columns), name="COADD")
    other = fits.BinTableHDU(Table({"Z": [0.5], "PLATE": [1]}), name="SPECOBJ")
    fits.HDUList([primary, coadd, other]).writeto(path)


def write_euclid(path, spectra):
    """As Euclid has it: an extension a source, variances, a mask, and a scale in the header."""
    hdus = [fits.PrimaryHDU()]
    for number, one in enumerate(spectra):
        columns = {
            "WAVELENGTH": one.wavelength * u.AA,
            "SIGNAL": one.flux * FLUX_UNIT,
            "MASK": np.zeros(one.flux.size, np.int32),
            "VAR": one.flux_err**2,
        }
        hdu = fits.BinTableHDU(Table(columns), name=f"{1000 + number}")
        hdu.header["FSCALE"] = 1e-18
        hdus.append(hdu)
    fits.HDUList(hdus).writeto(path)


def write_asdf(path, one):
    """Wavelengths in µm, and their units beside the arrays."""
    tree = {"roman": {"data": {"42": {
        "wl": one.wavelength / 1e4, "flux": one.flux, "var": one.flux_err**2,
        "unit_wl": "um", "unit_flux": "1e-19 erg / (s cm2 Angstrom)",
    }}}}  # fmt: skip
    asdf.AsdfFile(tree).write_to(path)


def test_files_of_several_telescopes_give_the_true_redshifts(new_database, tmp_path, galaxies):
    spectra, truth = galaxies
    table_of(spectra[0]).write(tmp_path / "a.ecsv", format="ascii.ecsv")
    other = table_of(spectra[1])["wave", "flux", "err"]
    other["wave"], other["flux"] = other["wave"].to(u.nm), other["flux"].to(u.W / u.m**2 / u.nm)
    other["err"] = other["err"].to(u.W / u.m**2 / u.nm)
    other.write(tmp_path / "b.vot", format="votable")
    write_sdss(tmp_path / "spec-1-2-3.fits", spectra[2])
    write_euclid(tmp_path / "sir.fits", spectra)
    write_asdf(tmp_path / "c.asdf", spectra[0])
    files = [tmp_path / name for name in ("a.ecsv", "b.vot", "spec-1-2-3.fits", "sir.fits", "c.asdf")]
    outcome = succeed("load", "spectra", *files)
    assert "7 spectra read: 7 loaded (0 of them were there already), 0 rejected." in outcome.out
    found = {name: (z, kind) for name, z, kind, _, _ in execute(new_database, REDSHIFTS)}
    wanted = {"1000": 0, "1001": 1, "1002": 2, "42": 0, "galaxy-0": 0, "b": 1, "spec-1-2-3": 2}
    assert set(found) == set(wanted)
    for name, k in wanted.items():
        assert found[name][1] == "GALAXY"
        assert found[name][0] == pytest.approx(truth[k].z, abs=0.001 * (1 + truth[k].z))
    scales = execute(
        new_database,
        "SELECT spectrum_name, flux_err[400] "
        "FROM roman.spectrum WHERE spectrum_name IN ('galaxy-0', '1000', 'spec-1-2-3')",
    )
    # 1 erg/s/cm2/Angstrom is 1e21 of 1e-20 W/m2/um.
    assert dict(scales) == pytest.approx({"galaxy-0": 100, "1000": 1000, "spec-1-2-3": 1e4}, rel=1e-5)
    lines = execute(
        new_database,
        "SELECT avg(snr) FROM roman.line_measurement WHERE line_name = 'Halpha'",
    )
    assert lines[0][0] > 15


def test_the_nearest_object_is_linked(new_database, tmp_path, galaxies):
    path = tmp_path / "a.ecsv"
    table_of(galaxies[0][0]).write(path, format="ascii.ecsv")
    catalog = Table({"source_id": ["x", "y"], "ra": [150.1, 150.1001] * u.deg, "dec": [2.2, 2.2] * u.deg})
    catalog.write(tmp_path / "objects.ecsv", format="ascii.ecsv")
    succeed("load", "catalog", tmp_path / "objects.ecsv")
    succeed("load", "spectra", path)
    rows = execute(
        new_database,
        "SELECT o.ra FROM roman.spectrum AS s JOIN roman.object AS o USING (object_id)",
    )
    assert [row[0] for row in rows] == pytest.approx([150.1], abs=1e-7)


def test_loading_again_changes_nothing_and_another_version_supersedes(new_database, tmp_path, galaxies):
    path = tmp_path / "a.ecsv"
    table_of(galaxies[0][0]).write(path, format="ascii.ecsv")
    succeed("load", "spectra", path)
    before = execute(new_database, REDSHIFTS)
    outcome = succeed("load", "spectra", path)
    assert "1 spectra read: 1 loaded (1 of them were there already)" in outcome.out
    assert execute(new_database, COUNTS) == [(1, 1, 1)]
    table_of(galaxies[0][1]).write(path, format="ascii.ecsv", overwrite=True)
    succeed("load", "spectra", path)
    assert execute(new_database, COUNTS) == [(2, 1, 2)]
    assert execute(new_database, REDSHIFTS) != before
    succeed("load", "spectra", path, "--refit")
    assert execute(new_database, COUNTS) == [(3, 1, 3)]
    files = "SELECT count(*), count(superseded_at) FROM ops.input_file WHERE kind = 'spectrum'"
    assert execute(new_database, files) == [(2, 1)]


def test_a_run_that_was_cut_off_is_taken_up(new_database, tmp_path, galaxies, monkeypatch):
    path = tmp_path / "sir.fits"
    write_euclid(path, galaxies[0])
    monkeypatch.setattr(load, "AT_ONCE", 1)
    once, calls = load.fit_spectra, []

    def dies(spectra):
        calls.append(spectra)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return once(spectra)

    monkeypatch.setattr(load, "fit_spectra", dies)
    assert roman_db("load", "spectra", path).code != 0
    assert execute(new_database, COUNTS) == [(1, 1, 1)]
    monkeypatch.setattr(load, "fit_spectra", once)
    outcome = succeed("load", "spectra", path)
    assert "3 spectra read: 3 loaded (1 of them were there already), 0 rejected." in outcome.out
    assert execute(new_database, COUNTS) == [(3, 3, 3)]


def test_spectra_that_cannot_be_fitted_have_a_row_and_a_reason(new_database, tmp_path, galaxies):
    one = galaxies[0][0]
    n = one.flux.size
    flux = np.array([one.flux, one.flux, np.full(n, np.nan), np.zeros(n), one.flux])
    error = np.array([np.ones(n), np.zeros(n), np.ones(n), np.ones(n), -np.ones(n)])
    mask = np.zeros((5, n), np.int16)
    mask[0] = 1
    rows = Table({"NAME": list("abcde"), "flux": flux, "err": error, "mask": mask})
    rows["wave"] = np.tile(one.wavelength, (5, 1)) * u.AA
    rows.write(tmp_path / "bad.fits")
    outcome = succeed("load", "spectra", tmp_path / "bad.fits")
    assert "5 spectra read: 5 loaded" in outcome.out
    found = execute(new_database, REDSHIFTS)
    assert [row[0] for row in found] == list("abcde")
    assert all(row[1] is None and row[4] for row in found)
    assert [row[3] & 0b1111 for row in found] == [1, 1, 1, 4, 1]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.fits", b"SIMPLE  = rubbish", "unreadable_spectrum"),
        ("x.txt", b"1 2 3", "unknown_format"),
        ("x.ecsv", b"", "empty_file"),
        ("x.ecsv", ECSV, "missing_column"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read_are_refused(new_database, tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    outcome = roman_db("load", "spectra", tmp_path / name)
    assert outcome.code == 1
    assert "1 rejected" in outcome.out
    assert execute(new_database, "SELECT code FROM ops.load_rejection") == [(said,)]
