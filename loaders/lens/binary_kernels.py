"""Images of a point source behind two lenses, and how the magnification changes over a small disc.

In units of the Einstein radius a source at ζ has its images at the z with

    ζ = z - m1 / (z̄ - z1) - m2 / (z̄ - z2),    m1 = 1 / (1 + q), m2 = q / (1 + q),

which are among the roots of a polynomial of degree five (Witt 1990, A&A 236, 311; its coefficients in the
frame of the lighter lens: Skowron & Gould 2012, arXiv:1203.1034, as MulensModel has them). All five roots are
improved together (Aberth 1973, Math. Comp. 27, 339), beginning with those of the point before, which is near
in a light curve.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from roman_db.compiled import compiled

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]

GOOD, CLOSE = 0, 1
"""What `disc_magnification` says of a point: its value is good; the source is too close to a caustic."""

_ITERATIONS = 60
_STILL = 1e-9
"""Relative step below which a root stands still; steps shrink with the third power of the one before."""

_SOLVED, _ROUNDING = 1e-4, 1e-12
"""Two roots are no images if the lens equation errs for them so many times more than for the third image."""


@compiled(inline="always")
def _over(z: complex) -> complex:
    """1 / z, without the care that Python takes of overflow."""
    size = z.real * z.real + z.imag * z.imag
    return complex(z.real / size, -z.imag / size)


@compiled()
def polynomial(zeta: complex, s: float, m1: float, m2: float, c: ComplexArray) -> None:
    """Coefficients of the lens polynomial, ascending, with the lighter lens m2 at 0 and m1 at -s."""
    bar, z1 = zeta.conjugate(), -s
    mean, half = 0.5 * (m1 + m2), 0.5 * (m2 - m1)
    sum_1 = z1 + 2.0 * zeta
    c[5] = (z1 - bar) * bar
    c[4] = (mean - half) * z1 - (2.0 * mean + z1 * (2.0 * z1 + zeta)) * bar + (2.0 * z1 + zeta) * bar**2
    c[3] = z1 * (half * z1 - mean * sum_1) + bar * (2.0 * half * z1 + (2.0 * mean + z1**2) * sum_1)
    c[3] -= z1 * sum_1 * bar**2
    c[2] = half * z1 * (2.0 * mean + z1 * zeta) + mean * (4.0 * mean * zeta - 2.0 * mean * z1)
    c[2] += 3.0 * mean * z1**2 * zeta + z1**2 * zeta * bar**2
    c[2] -= z1 * bar * (zeta * (6.0 * mean + z1**2) + 2.0 * half * (z1 + zeta))
    last = half * z1 - mean * z1 + 4.0 * mean * zeta + z1**2 * zeta - 2.0 * z1 * zeta * bar
    c[1] = -z1 * m2 * last
    c[0] = m2**2 * z1**2 * zeta


@compiled()
def begin(c: ComplexArray, roots: ComplexArray) -> None:
    """Places to look for roots from, if nothing is known: on circles as wide as the coefficients say."""
    for k in range(5):
        ratio = abs(c[k]) / max(abs(c[k + 1]), 1e-300)
        angle = 2.0 * np.pi * k / 5.0 + 0.7
        roots[k] = max(ratio, 1e-12) * (np.cos(angle) + 1j * np.sin(angle))


@compiled(error_model="numpy")
def improve(c: ComplexArray, roots: ComplexArray) -> bool:
    """Improve all roots until they stand still, in place; False if they do not."""
    for _ in range(_ITERATIONS):
        still = True
        for k in range(5):
            z = roots[k]
            value, slope = c[5], 0j
            for n in range(4, -1, -1):
                slope = slope * z + value
                value = value * z + c[n]
            if value == 0:
                continue
            push = 0j
            for j in range(5):
                gap = z - roots[j]
                if j != k and gap != 0:
                    push += _over(gap)
            below = slope - value * push
            if below == 0:
                below = 1e-8 * (1.0 + 1.0j)
            step = value * _over(below)
            roots[k] = z - step
            if abs(step.real) + abs(step.imag) > _STILL * (abs(z.real) + abs(z.imag)):
                still = False
        if still:
            return True
    return False


@compiled()
def solve(c: ComplexArray, roots: ComplexArray, known: bool) -> bool:
    """Roots of the polynomial, from those that are there if they are known to be near."""
    if known and improve(c, roots):
        return True
    begin(c, roots)
    return bool(improve(c, roots))


@compiled()
def images(zeta: complex, s: float, m1: float, m2: float, roots: ComplexArray, good: FloatArray) -> int:
    """Put the roots that are images first, with their errors in the lens equation; return how many.

    Three or five; 0 if it cannot be told.
    """
    for k in range(5):
        bar = roots[k].conjugate()
        near, far = bar, bar + s
        if near == 0 or far == 0:
            return 0
        one, two = m1 * _over(far), m2 * _over(near)
        size = abs(roots[k]) + abs(one) + abs(two) + abs(zeta)
        good[k] = abs(zeta - roots[k] + one + two) / size
    for k in range(1, 5):
        error, root, j = good[k], roots[k], k - 1
        while j >= 0 and good[j] > error:
            good[j + 1], roots[j + 1] = good[j], roots[j]
            j -= 1
        good[j + 1], roots[j + 1] = error, root
    if _SOLVED * good[3] > good[2] + _ROUNDING:
        return 3
    return 5 if good[4] < _SOLVED else 0


@compiled()
def _image(z: complex, s: float, m1: float, m2: float) -> tuple[float, float, float]:
    """Magnification, its quadrupole and its cusp term of an image (Bozza et al. 2018, MNRAS 479, 5157).

    With f = m1 / (z - z1) + m2 / (z - z2), its derivatives f', f'', f''' and J = 1 - |f'|², the mean of
    ``1 / |J|`` over a uniform disc of radius ρ is it plus ``ρ²`` times the second, to the second order.
    """
    one, two = _over(z + s), _over(z)
    p, r = one * one, two * two
    f1 = -(m1 * p + m2 * r)
    f2 = 2.0 * (m1 * p * one + m2 * r * two)
    f3 = -6.0 * (m1 * p * p + m2 * r * r)
    jacobian = 1.0 - (f1.real**2 + f1.imag**2)
    if jacobian == 0:
        return np.inf, np.inf, np.inf
    bar = f1.conjugate()
    bar2 = bar * bar
    cusp = bar2 * bar * f2 * f2
    square = f2.real**2 + f2.imag**2
    j2 = jacobian * jacobian
    over = 1.0 / (j2 * j2 * jacobian)
    sum_2 = (6.0 - 6.0 * jacobian + j2) * square + 6.0 * cusp.real + 2.0 * jacobian * (f3 * bar2).real
    sign = 1.0 if jacobian > 0 else -1.0
    return abs(1.0 / jacobian), 0.5 * sign * sum_2 * over, 3.0 * abs(cusp.imag * over)


@compiled()
def ghost(z: complex, bar_zeta: complex, s: float, m1: float, m2: float) -> float:
    """Inverse square of a distance to the caustic at which a root that is no image becomes one.

    Bozza et al. (2018), section 5.3.
    """
    one, two = 1.0 / (z + s), 1.0 / z
    f1, f2 = m1 * one * one + m2 * two * two, -2.0 * (m1 * one**3 + m2 * two**3)
    bar = f1.conjugate()
    jacobian = 1.0 - abs(f1) ** 2
    if jacobian < -10.0:
        return 0.0
    other = bar_zeta + m1 * one + m2 * two
    far = other + s
    if far == 0 or other == 0:
        return np.inf
    turned = (m1 / (far * far) + m2 / (other * other)).conjugate()
    both = 1.0 - bar * turned
    if both == 0 or jacobian == 0:
        return np.inf
    term = f2 * bar * both
    value = (term - term.conjugate() * turned) / (both * both * jacobian)
    return float(value.real**2 + value.imag**2)


@compiled()
def _hides(x: float, y: float, s: float, q: float, rho: float) -> bool:
    """Whether a disc may cover a caustic so small that a point in its middle does not know of it.

    Of close lenses those are two triangles, of wide ones that of the lighter lens (Bozza 2000, A&A 355, 423;
    Han 2006, ApJ 638, 1080): where they are, and how wide.
    """
    if s < 1.0:
        size = np.sqrt(q) * s**3
        across = x - (s - 1.0 / s) * (1.0 - q) / (1.0 + q)
        along = abs(y) - 2.0 * np.sqrt(q * (1.0 - s * s)) / ((1.0 + q) * s)
        reach = 4.0 * rho + 6.0 * size
    else:
        size = 4.0 * np.sqrt(q) / (s * s)
        across, along = x - (s - 1.0 / s) / (1.0 + q), y
        reach = 4.0 * rho + 6.0 * np.sqrt(q) / s
    return bool(rho > 0.1 * size and across * across + along * along < reach * reach)


@compiled()
def disc_magnification(
    source: tuple[FloatArray, FloatArray],
    lens: tuple[FloatArray, float],
    rho: float,
    dark: float,
    tolerance: float,
    result: tuple[FloatArray, npt.NDArray[np.uint8]],
) -> None:
    """Magnification of small discs, to the second order in their radius, and where that does not do.

    Parameters
    ----------
    source
        x and y, shape (n,) each: source, Einstein radii, from the centre of mass, the heavier lens at
        negative x.
    lens
        s of each place, shape (n,), and q, at most 1.
    rho
        Radius of the source.
    dark
        Factor of the quadrupole for the darkening of the limb: 1 - Γ / 5 (Gould 2008, ApJ 681, 1593).
    tolerance
        How much of the magnification the quadrupole may be.
    result
        Written, shape (n,) each: the magnification, and `GOOD` or `CLOSE`.
    """
    (x, y), (out, state) = source, result
    apart, q = lens
    m1, m2 = 1.0 / (1.0 + q), q / (1.0 + q)
    c, roots, good = np.empty(6, np.complex128), np.empty(5, np.complex128), np.empty(5)
    known, rho2 = False, rho * rho
    for k in range(x.size):
        s = apart[k]
        zeta = complex(x[k] - s * m1, y[k])
        polynomial(zeta, s, m1, m2, c)
        known = solve(c, roots, known)
        n = images(zeta, s, m1, m2, roots, good) if known else 0
        total, quadrupole, terms = 0.0, 0.0, 0.0
        for j in range(n):
            a, b, cusp = _image(roots[j], s, m1, m2)
            total, quadrupole, terms = total + a, quadrupole + b, terms + abs(b) + cusp
        out[k] = total + dark * rho2 * quadrupole
        fine = n > 0 and terms * rho2 < tolerance * total
        if fine and rho > 0.0 and n == 3:
            for j in range(3, 5):
                fine = fine and 256.0 * rho2 * ghost(roots[j], zeta.conjugate(), s, m1, m2) < 1.0
        fine = fine and not _hides(x[k], y[k], s, q, rho)
        state[k] = GOOD if fine else CLOSE
