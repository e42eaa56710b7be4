"""References of the geometry of a grism or prism, and their orders on one detector, in its pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from loaders.spectral_geometry.direct import DirectMap
from loaders.spectral_geometry.orders import FocalPlaneOrder, TraceOrder
from loaders.spectral_geometry.polynomial import FloatArray


@dataclass(frozen=True)
class DetectorFrame:
    """Where a detector lies in the focal plane.

    Parameters
    ----------
    centre
        x, y in mm of its centre.
    pixels_per_mm
        Scale.
    central_pixel
        x, y of the pixel (0-based) at the centre.
    angle
        By which its pixel axes are turned from those of the focal plane, deg.
    """

    centre: tuple[float, float]
    pixels_per_mm: float
    central_pixel: tuple[float, float]
    angle: float = 0.0

    def to_pixel(self, x: FloatArray, y: FloatArray, turned: bool) -> tuple[FloatArray, FloatArray]:
        """Pixels of places in mm, any shape; with ``turned`` of a detector turned by 180 deg more."""
        angle = np.radians(self.angle + (180.0 if turned else 0.0))
        cosine, sine = np.cos(angle), np.sin(angle)
        dx, dy = (x - self.centre[0]) * self.pixels_per_mm, (y - self.centre[1]) * self.pixels_per_mm
        return (
            cosine * dx + sine * dy + self.central_pixel[0],
            cosine * dy - sine * dx + self.central_pixel[1],
        )


class Order(Protocol):
    """An order on a detector."""

    def displaced(
        self, x: FloatArray, y: FloatArray, wavelength: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Pixels x, y of shape (m, l) of wavelengths (µm) of that shape, for direct pixels of shape (m,)."""


@dataclass(frozen=True)
class OrderOnDetector:
    """An order of the focal plane on a detector whose direct pixels are known; an `Order`.

    ``reference_wavelength`` (µm) has t = 0; with ``logarithmic`` t is the decadic logarithm of the ratio to
    it, else the difference.
    """

    order: FocalPlaneOrder
    frame: DetectorFrame
    direct: DirectMap
    reference_wavelength: float
    logarithmic: bool

    def displaced(
        self, x: FloatArray, y: FloatArray, wavelength: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """See `Order`."""
        u, v = self.direct.to_angle(x, y)
        t = transformed(wavelength, self.reference_wavelength, self.logarithmic)
        return self.frame.to_pixel(*self.order.in_plane(u, v, t), self.direct.turned)


def transformed(wavelength: FloatArray, reference: float, logarithmic: bool) -> FloatArray:
    """Difference of wavelengths from the reference (µm), or the decadic logarithm of their ratio to it."""
    return np.log10(wavelength / reference) if logarithmic else wavelength - reference


@dataclass(frozen=True)
class Dispersion:
    """The orders of a grism or prism on one detector.

    Parameters
    ----------
    detector, optical_element
        ``WFI01`` … ``WFI18``; ``GRISM`` or ``PRISM`` (or another instrument's names).
    orders
        By their numbers.
    wavelength_range
        Shortest and longest wavelength (µm) for which it holds, by the number of the order.
    """

    detector: str
    optical_element: str
    orders: Mapping[int, Order]
    wavelength_range: Mapping[int, tuple[float, float]]

    def disperse(
        self, order: int, x: FloatArray, y: FloatArray, wavelength: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Where light of sources falls.

        Parameters
        ----------
        order
            Number of the order.
        x, y
            Shape (m,): direct pixels, 0-based, centres at integers; also off the detector.
        wavelength
            µm; shape (l,) for all sources, or (m, l).

        Returns
        -------
        x, y
            Pixels, each of shape (m, l); NaN where an input is.

        Raises
        ------
        ValueError
            If the order is not there, or the shapes do not fit.
        """
        if order not in self.orders:
            raise ValueError(f"{self.optical_element} has orders {sorted(self.orders)}, not {order}")
        x, y, wavelength = (np.asarray(a, dtype=np.float64) for a in (x, y, wavelength))
        if x.shape != y.shape or x.ndim != 1:
            raise ValueError(f"x and y must be of one shape (m,), got {x.shape} and {y.shape}")
        if wavelength.ndim == 1:
            wavelength = np.broadcast_to(wavelength, (x.size, wavelength.size))
        if wavelength.ndim != 2 or wavelength.shape[0] != x.size:
            raise ValueError(f"wavelength must be (l,) or ({x.size}, l), got {wavelength.shape}")
        return self.orders[order].displaced(x, y, wavelength)

    def in_window(self, x: int, y: int) -> Dispersion:
        """The same in pixels of a window whose first pixel is x, y of the detector."""
        orders = {number: OrderInWindow(order, x, y) for number, order in self.orders.items()}
        return Dispersion(self.detector, self.optical_element, orders, self.wavelength_range)


@dataclass(frozen=True)
class OrderInWindow:
    """An order in the pixels of a window of a detector, whose first pixel is x, y; an `Order`."""

    order: Order
    x: int
    y: int

    def displaced(
        self, x: FloatArray, y: FloatArray, wavelength: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """See `Order`."""
        there = self.order.displaced(x + self.x, y + self.y, wavelength)
        return there[0] - self.x, there[1] - self.y


@dataclass(frozen=True)
class FocalPlaneReference:
    """A reference for all detectors, as the optical model of Roman has it.

    Parameters
    ----------
    optical_element
        ``GRISM`` or ``PRISM``.
    orders
        By their numbers.
    frames
        Detectors by their names.
    reference_wavelength, logarithmic
        See `OrderOnDetector`.
    wavelength_range
        Shortest and longest wavelength for which it holds, µm.
    direct
        Direct maps by detector; for those that are missing the design is taken.
    """

    optical_element: str
    orders: Mapping[int, FocalPlaneOrder]
    frames: Mapping[str, DetectorFrame]
    reference_wavelength: float
    logarithmic: bool
    wavelength_range: tuple[float, float]
    direct: Mapping[str, DirectMap] = field(default_factory=dict)

    def on(self, detector: str) -> Dispersion:
        """The orders on a detector.

        Raises
        ------
        ValueError
            If the reference does not have it.
        """
        if detector not in self.frames:
            raise ValueError(f"the reference has detectors {sorted(self.frames)}, not {detector!r}")
        direct = self.direct.get(detector) or DirectMap.of_detector(detector)
        frame, wavelength, logarithmic = self.frames[detector], self.reference_wavelength, self.logarithmic
        orders = {
            number: OrderOnDetector(order, frame, direct, wavelength, logarithmic)
            for number, order in self.orders.items()
        }
        ranges = dict.fromkeys(orders, self.wavelength_range)
        return Dispersion(detector, self.optical_element, orders, ranges)


@dataclass(frozen=True)
class TraceReference:
    """A reference of one detector, as aXe and GRISMCONF have it; ``orders`` by their numbers."""

    optical_element: str
    orders: Mapping[int, TraceOrder]
    wavelength_range: Mapping[int, tuple[float, float]]

    def on(self, detector: str) -> Dispersion:
        """The orders on the detector, whose name the file does not know."""
        return Dispersion(detector, self.optical_element, self.orders, self.wavelength_range)


Reference = FocalPlaneReference | TraceReference
