"""The kinds of labware that stand on a deck of pylabrobot's: known by name, or described as they are."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pylabrobot.resources import Lid, Plate, Resource, TipRack, Trough, TubeRack

from protocols.errors import InputError
from protocols.specs import LabwareSpec
from robots.workcell.catalogue import is_fetched, pylabrobot_maker, pylabrobot_names
from robots.workcell.labware import containers_of, describe
from robots.workcell.opentrons import build_opentrons, load_opentrons, opentrons_names
from robots.workcell.resource_definitions import definition_of, measured_of
from robots.workcell.writing import LABWARE_FOLDER, is_file_name

_SAME = 0.05
"""mm, and of volumes a share, up to which two descriptions are of one thing."""


@dataclass(slots=True)
class KindsFound:
    """The kinds found so far.

    Attributes:
        kinds: as a workcell file says them, by name.
        definitions: the labware definitions that belong to them, by kind.
        guessed: what of them had to be guessed, in words.
    """

    kinds: dict[str, dict[str, Any]] = field(default_factory=dict)
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)
    guessed: list[str] = field(default_factory=list)
    _specs: dict[str, LabwareSpec] = field(default_factory=dict)

    def specs(self) -> tuple[LabwareSpec, ...]:
        """What is known of each."""
        return tuple(self._specs.values())

    def kind_of(self, resource: Resource, had_code: frozenset[str]) -> str:
        """The name of the kind that ``resource`` is of, which is added if it is new.

        Raises:
            InputError: it has no wells, tubes or tips, or nothing is known of its tips.
        """
        for container in containers_of(resource).values():
            container.height_volume_data = dict(measured_of(container)) or None
        spec = _spec(resource)
        known = next((name for name, other in self._specs.items() if _alike(spec, other)), None)
        if known is not None:
            return known
        name = self._name(resource)
        self._specs[name] = spec
        self.kinds[name] = _from_library(resource, spec) or self._described(resource, name, spec, had_code)
        return name

    def _described(self, resource: Resource, name: str, spec: LabwareSpec, had_code: frozenset[str]) -> dict[str, Any]:
        try:
            made = definition_of(resource, name)
        except ValueError as error:
            raise InputError(str(error)) from None
        self.definitions[name] = made.definition
        self.guessed += [f"{name}: {guess}" for guess in made.guesses]
        if any(container.name in had_code for container in containers_of(resource).values()):
            self.guessed.append(f"{name}: how high its liquid stands was told by a function, which is not run")
        kind: dict[str, Any] = {"file": f"{LABWARE_FOLDER}/{name}.json"}
        if spec.tip is not None:
            kind |= {"fits": spec.tip.fits, "min_volume": f"{spec.tip.min_volume:g} uL"}
        return kind

    def _name(self, resource: Resource) -> str:
        """A name for a new kind, from its model or from the labware's own name."""
        plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", resource.model or resource.name).strip("._-")[:60] or "labware"
        taken = {name.casefold() for name in self.kinds}
        names = [plain, *(f"{plain}_{number}" for number in range(2, len(taken) + 3))]
        return next(name for name in names if is_file_name(name) and name.casefold() not in taken)


def is_labware(resource: Resource) -> bool:
    """It holds liquid or tips."""
    return isinstance(resource, Plate | TipRack | TubeRack | Trough)


def has_lid(resource: Resource) -> bool:
    """A lid lies on it."""
    return any(isinstance(child, Lid) for child in resource.children)


def _spec(resource: Resource) -> LabwareSpec:
    try:
        return describe("kind", _bounded(resource), source="")
    except ValueError as error:
        raise InputError(f"its geometry cannot be used ({error!s:.120})") from None


def _bounded(resource: Resource) -> Resource:
    """The same; what its wells hold is finite."""
    for container in containers_of(resource).values():
        if not 0 < container.max_volume < math.inf:
            x, y, z = container.get_size_x(), container.get_size_y(), container.get_size_z()
            container.max_volume = container.tracker.max_volume = x * y * z
    return resource


def _alike(a: LabwareSpec, b: LabwareSpec) -> bool:
    """The same wells or tips at the same places, as far as a pipette can tell."""
    if a.category != b.category or set(a.wells) != set(b.wells) or (a.tip is None) != (b.tip is None):
        return False
    if any(abs(one - other) > _SAME for one, other in zip(a.size, b.size, strict=True)):
        return False
    for well, site in a.wells.items():
        other = b.wells[well]
        if max(abs(site.x - other.x), abs(site.y - other.y), abs(site.z - other.z)) > _SAME:
            return False
        if (
            a.tip is None
            and abs(a.shape(well).max_volume - b.shape(well).max_volume) > _SAME * a.shape(well).max_volume
        ):
            return False
    return a.tip is None or b.tip is None or (a.tip.capacity, a.tip.fits) == (b.tip.capacity, b.tip.fits)


def _from_library(resource: Resource, spec: LabwareSpec) -> dict[str, Any] | None:
    """How pylabrobot or Opentrons name it, where their labware of that name is like it."""
    model = resource.model or ""
    if model in pylabrobot_names() and not is_fetched(model) and _alike(spec, _spec(pylabrobot_maker(model)("it"))):
        return {"pylabrobot": model}
    name = model if model in opentrons_names() else _by_display_name().get(model)
    if name is not None:
        definition = load_opentrons(name)
        sample = describe("kind", build_opentrons(definition, "it"), source="", category=spec.category)
        if _alike(spec, sample):
            return {"opentrons": name}
    return None


@cache
def _by_display_name() -> Mapping[str, str]:
    """Load names by what Opentrons shows people, which is what pylabrobot keeps of them."""
    found: dict[str, str] = {}
    for name in opentrons_names():
        try:
            found[load_opentrons(name).metadata.displayName] = name
        except InputError:  # Opentrons' stand-in for a stack of lids
            continue
    return found
