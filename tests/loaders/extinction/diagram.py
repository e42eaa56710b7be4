"""Colour-magnitude diagrams of which all is known: giants, clump, bumps and stars in front, drawn one by one.

Nothing here is that of the code under test: the clump's magnitudes and the law are given as numbers.
"""

from dataclasses import dataclass

import numpy as np

#: Intrinsic magnitudes at the distance of the clump, and extinction by element over that in F146.
CLUMP = {"F087": 14.85, "F146": 14.61, "F213": 14.80}
RATIO = {"F087": 2.2, "F146": 1.0, "F213": 0.48}


@dataclass(frozen=True)
class Recipe:
    """Stars by group, scatter of the clump in magnitude and of all in colour, and stars in front."""

    clump: int = 300
    giants: int = 900
    front: int = 60
    sigma: float = 0.22
    scatter: float = 0.05
    slope: float = 0.68
    span: tuple[float, float] = (-2.0, 2.5)


def draw(recipe: Recipe, extinction, rng, clump=None) -> dict[str, np.ndarray]:
    """Magnitudes by element of stars behind dust; ``extinction(n)`` gives that in F146 of n stars.

    The clump has the magnitudes of `CLUMP`, or those that are given.
    """
    place = CLUMP if clump is None else clump
    bump, agb = int(0.201 * recipe.clump), int(0.028 * recipe.clump)
    rise = np.exp(recipe.slope * np.array(recipe.span))
    on_branch = np.log(rng.uniform(*rise, recipe.giants)) / recipe.slope
    groups = [
        recipe.sigma * rng.standard_normal(recipe.clump),
        0.737 + recipe.sigma * rng.standard_normal(bump),
        -1.07 + recipe.sigma * rng.standard_normal(agb),
        on_branch,
    ]
    is_clump = np.arange(sum(map(len, groups))) < recipe.clump
    up = np.concatenate(groups)
    dust = extinction(up.size)
    # Giants that are brighter are cooler, and redder; the clump is bluer than the branch at its magnitude.
    blue = np.where(is_clump, 0.0, 0.04 - 0.06 * up) + recipe.scatter * rng.standard_normal(up.size)
    red = np.where(is_clump, 0.0, 0.02 - 0.02 * up) + 0.5 * recipe.scatter * rng.standard_normal(up.size)
    extra = {"F087": blue, "F146": np.zeros(up.size), "F213": -red}
    stars = {name: place[name] + up + extra[name] + RATIO[name] * dust for name in CLUMP}
    return _with_front(stars, recipe, rng)


def _with_front(stars, recipe, rng):
    """Add stars in front of the dust: bluer, of all magnitudes."""
    magnitude = rng.uniform(14.0, 18.5, recipe.front)
    front = {
        "F087": magnitude + rng.uniform(-0.2, 1.0, recipe.front),
        "F146": magnitude,
        "F213": magnitude + rng.uniform(-0.3, 0.4, recipe.front),
    }
    return {name: np.concatenate([stars[name], front[name]]) for name in stars}
