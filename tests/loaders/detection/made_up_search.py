"""Reference images in the database whose search finds what a test says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from loaders.detection import image_search, load
from loaders.detection.measure import Detections
from loaders.eight_day.tasks import CATALOG, arguments
from loaders.photometry.image import PixelImage
from loaders.photometry.noise import NoiseModel
from loaders.reference.frame import ReferenceFrame
from loaders.reference.product import StoredReference
from roman_db.jobs import Mode, ModeReport, run_mode
from tests.loaders.photometry.scenes import gaussian_psf
from tests.roman_db.conftest import execute

FRAME = ReferenceFrame(268.0, -29.2, 0.055 * np.diag([-1.0, 1.0]), (80, 80), 2)
#: Fine pixels of bright stars, far from each other and from the edges; and nJy.
X, Y = np.array([20.3, 40.1, 60.8, 41.6]), np.array([60.2, 39.7, 21.4, 20.5])
FLUX = np.array([5000.0, 8000.0, 3000.0, 6000.0])
FIRST_DAY = 61465

_BEFORE = """
SET session_replication_role = replica;
INSERT INTO ops.load_run (load_run_id, task, arguments, code_version, schema_version, host, pid)
OVERRIDING SYSTEM VALUE VALUES (1000, 'test', '{}', '0', '0', 'nowhere', 1)
"""

_IMAGE = """
SET session_replication_role = replica;
UPDATE roman.reference_image SET superseded_at = now() WHERE start_mjd = {day};
INSERT INTO roman.reference_image (
    field_id, detector, optical_element, start_mjd, end_mjd, epoch_mjd_tdb, n_exposure, n_refused,
    exposure_time, oversampling, n_x, n_y, ra_ref, dec_ref, rotation_matrix, pixel_scale, footprint, path,
    sha256, size_bytes, load_run_id
)
VALUES (1, 'WFI07', 'F146', {day}, {day} + 8, {day} + 4, 20, 0, 1, 2, 80, 80, 268, -29.2, '{{1,0,0,1}}',
        0.055, '{{}}', 'x', 'x', 1, 1000)
RETURNING reference_image_id
"""


class Searches:
    """A database with reference images, and what their searches find."""

    def __init__(self, url: str, patch: pytest.MonkeyPatch) -> None:
        self.url, self.patch = url, patch
        execute(url, _BEFORE)
        noise = NoiseModel(0.01, 0.008)
        image = PixelImage(np.zeros(FRAME.shape, np.float32), noise, np.ones(FRAME.shape, bool))
        stored = StoredReference(FRAME, image, np.zeros(FRAME.shape), gaussian_psf())
        patch.setattr(load, "open_reference", lambda *_: stored)

    def image(self, span: int) -> int:
        """Store an image of a span of eight days, in place of an earlier one; say its identifier."""
        return int(execute(self.url, _IMAGE.format(day=FIRST_DAY + 8 * span))[0][0])

    def search(self, shown: Sequence[int], error: float = 0.02, reduced_chi2: float = 1.0) -> ModeReport:
        """Search the images that were not searched yet; each shows some of the stars, no better than before.

        Parameters
        ----------
        shown
            Rows of the stars.
        error
            Errors of positions (fine pixels), and those of fluxes in units of 1000 nJy.
        reduced_chi2
            Of the stars.
        """

        def found(layer: object, options: object, known: tuple, told: object) -> Detections:
            return detections(np.array(shown, int), error, reduced_chi2, known)

        self.patch.setattr(image_search, "search_in_parts", found)
        return run_mode(Mode("test", "Search", (CATALOG,)), arguments(), lambda *_: None)


def detections(rows: np.ndarray, error: float, reduced_chi2: float, known: tuple) -> Detections:
    """Stars as a search gives them that begins with what is known and knows it again within a pixel."""
    n, unknown = rows.size, np.full(rows.size, np.nan)
    distance = np.hypot(X[rows, None] - known[0], Y[rows, None] - known[1])
    again = [int(np.argmin(row)) if row.size and row.min() < 1 else -1 for row in distance]
    return Detections(
        x=X[rows],
        y=Y[rows],
        x_err=np.full(n, error),
        y_err=np.full(n, error),
        flux=FLUX[rows],
        flux_err=np.full(n, 1000 * error),
        reduced_chi2=np.full(n, reduced_chi2),
        crowding=np.zeros(n),
        size=unknown,
        e1=unknown,
        e2=unknown,
        size_err=unknown,
        e1_err=unknown,
        e2_err=unknown,
        n_image=np.ones(n, np.int64),
        flags=np.zeros(n, np.uint16),
        known=np.array(again, np.int64),
    )
