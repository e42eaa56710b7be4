import numpy as np, json
from roman_db import session
import sqlalchemy as sa
from roman_db.jobs import Mode, run_mode
from loaders.daily.load import DAILY
from tests.faults.rows import stored_rows
from tests.roman_db.conftest import execute
from tests.loaders.daily.test_load import curves, truth, PhotometryFlag


def show(url, survey, title):
    print(title)
    for e in ("F146", "F087"):
        star, flux, error, flags = curves(url, e)
        t = truth(survey, e, star)
        good = (flags & ~PhotometryFlag.CROWDED) == 0
        for lo, hi in ((3, 10), (10, 50), (50, 1e9)):
            m = good & (t >= lo * error) & (t < hi * error)
            p = ((flux - t) / error)[m]
            print(
                e,
                lo,
                hi,
                m.sum(),
                round(np.median(p), 3),
                round(1.4826 * np.median(abs(p - np.median(p))), 3),
                round(np.median((flux / t)[m]), 4),
            )


def test_d(photometered, survey):
    show(photometered, survey, "empirical")
    print(execute(photometered, "select optical_element, n_star, reduced_chi2, origin from roman.psf_model"))
    execute(photometered, "update roman.psf_model set superseded_at=now()")
    a = {"first_day": 0, "last_day": 10**6, "detector": None, "optical_element": None, "redo": True}
    run_mode(Mode("t", "t", (DAILY.tasks[1],)), a, lambda *x: None)
    show(photometered, survey, "optics")
