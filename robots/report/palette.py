"""Which liquids share a colour in the composition maps: the same on every plate of a report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from protocols.liquids import Liquid
from robots.report.colours import CATEGORIES, OTHER, SAMPLES
from robots.report.model import LabwareLine, ReagentLine

_OTHER = "other liquids"


@dataclass(frozen=True, slots=True)
class Palette:
    """Each liquid's group, and each group's colour; groups stand in the order of the legend."""

    group_of: Mapping[str, str]
    colour_of: Mapping[str, str]

    def shares(self, liquids: Mapping[str, float]) -> dict[str, float]:
        """The fraction of each group in a mixture of ``liquids`` (µL), in the order of the legend."""
        parts: dict[str, float] = defaultdict(float)
        for name, amount in liquids.items():
            parts[self.group_of[name]] += amount
        total = sum(parts.values())
        return {group: parts[group] / total for group in self.colour_of if group in parts} if total > 0 else {}


def choose_palette(
    labware: Iterable[LabwareLine], origins: Iterable[ReagentLine], liquids: Mapping[str, Liquid]
) -> Palette:
    """Colours for all that the wells hold.

    Few liquids have a colour each. Many are put together by the labware that they came in; if that leaves more
    groups than there are colours, the smallest are grey, reagents before samples.
    """
    totals: dict[str, float] = defaultdict(float)
    for line in labware:
        for well in line.wells:
            for name, amount in well.liquids.items():
                totals[name] += amount
    group_of = {name: name for name in totals}
    if len(totals) > len(CATEGORIES) + 1:
        group_of |= _by_origin(totals, origins, liquids)
    sizes: dict[str, float] = defaultdict(float)
    for name, amount in totals.items():
        sizes[group_of[name]] += amount
    of_samples = {group_of[name] for name in totals if _is_sample(name, liquids)}
    ranked = sorted(sizes, key=lambda group: (group not in of_samples, -sizes[group], group))
    colours = (SAMPLES, *CATEGORIES) if of_samples else (*CATEGORIES, SAMPLES)
    colour_of = dict(zip(ranked, colours, strict=False))
    if len(colour_of) < len(ranked):
        group_of = {name: group if group in colour_of else _OTHER for name, group in group_of.items()}
        colour_of[_OTHER] = OTHER
    return Palette(group_of, colour_of)


def _by_origin(names: Iterable[str], origins: Iterable[ReagentLine], liquids: Mapping[str, Liquid]) -> dict[str, str]:
    """Liquids that came in the same labware as others, by what to call them together."""
    stood_in = {line.liquid: line.first_well.rpartition("/")[0] for line in origins}
    companions: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if name in stood_in:
            companions[stood_in[name]].append(name)
    groups: dict[str, str] = {}
    for labware, together in companions.items():
        if len(together) > 1:
            what = "samples" if all(_is_sample(name, liquids) for name in together) else "liquids"
            groups |= dict.fromkeys(together, f"{len(together)} {what} from {labware}")
    return groups


def _is_sample(name: str, liquids: Mapping[str, Liquid]) -> bool:
    return name in liquids and liquids[name].sample is not None
