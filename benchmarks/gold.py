"""How often the intervals of blind samples hold the truth, on made-up populations whose truth is known.

    .venv/bin/python -m benchmarks.gold

Strata differ in size and in how often the machine is right; specimens have one to five questions each, which are alike
or not. Samples are drawn and estimated as ``labwright traits gold`` does. Takes about half a minute.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.traits.gold.estimates import Share, share
from pipelines.traits.gold.sampling import drawn, expected, rounded

STRATA, SAMPLES = 25, 600


@dataclass(frozen=True)
class Population:
    """Questions: each one's stratum, specimen, and whether the machine is right."""

    strata: list[int]
    specimens: list[str]
    right: list[bool]

    @classmethod
    def made(cls, base: float, alike: float, seed: int = 0) -> Population:
        """About ``base`` are right; ``alike`` is the correlation within a specimen."""
        rng = np.random.default_rng(seed)
        made = cls([], [], [])
        for stratum in range(STRATA):
            rate = float(np.clip(base + rng.normal(0, 0.08), 0.02, 0.98))
            for number in range(int(rng.integers(2, 120))):
                spread = (1 - alike) / alike if alike else 0.0
                of_one = rng.beta(rate * spread, (1 - rate) * spread) if alike else rate
                for _ in range(int(rng.integers(1, 6))):
                    made.strata.append(stratum)
                    made.specimens.append(f"{stratum} {number}")
                    made.right.append(bool(rng.random() < of_one))
        return made

    def sample(self, size: int, least: int, seed: int) -> Share | None:
        """What one sample shows."""
        rng = np.random.default_rng([seed, 1])
        sizes = np.bincount(self.strata, minlength=STRATA)
        wanted = expected(sizes.tolist(), size, least)
        chosen = drawn(sizes.tolist(), rounded(wanted, rng).tolist(), rng)
        first = np.concatenate([[0], sizes.cumsum()])
        items = [int(first[stratum] + place) for stratum, places in enumerate(chosen) for place in places]
        chances = [float(wanted[self.strata[item]] / sizes[self.strata[item]]) for item in items]
        return share([self.right[item] for item in items], chances, [self.specimens[item] for item in items])


def main() -> None:
    """Print a table."""
    print("precision  alike  items  least   mean of estimates  interval holds it  mean width")
    for base in (0.6, 0.9, 0.97):
        for alike in (0.0, 0.3):
            population = Population.made(base, alike)
            truth = float(np.mean(population.right))
            for size, least in ((40, 0), (100, 1), (100, 3), (300, 2)):
                found = [one for seed in range(SAMPLES) if (one := population.sample(size, least, seed))]
                held = np.mean([one.low <= truth <= one.high for one in found])
                mean, width = np.mean([one.value for one in found]), np.mean([one.high - one.low for one in found])
                print(f"{truth:9.3f}  {alike:5.1f}  {size:5}  {least:5}   {mean:17.3f}  {held:17.1%}  {width:10.3f}")


if __name__ == "__main__":
    main()
