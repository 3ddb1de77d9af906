"""What a script for pylabrobot did, call by call, as instructions of a program and the deck they were given on.

Lives in the isolated process. Volumes are µL, heights mm, times s.
"""

from __future__ import annotations

import json
import linecache
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pylabrobot.resources import Carrier, Container, Deck, Resource
from pylabrobot.resources.opentrons import OTDeck

from protocols.outcomes import Outcome
from protocols.specs import OFF_DECK
from robots.workcell.labware import containers_of, reference_of

MOST_INSTRUCTIONS = 100_000
_STROKES = ("aspirate", "dispense", "mix")


class Notebook:
    """Collects what the script does; written down once, at the end."""

    def __init__(self, script: Path) -> None:
        self.script = script
        self.deck: Deck | None = None
        self.begun = False
        self.channels = 0
        self.head96 = False
        self.instructions: list[dict[str, Any]] = []
        self.liquid_classes: dict[str, dict[str, Any]] = {}
        self.steps: dict[str, dict[str, str]] = {}
        self.labware: dict[str, str] = {}
        self.plan: dict[str, Any] | None = None
        self.declared: dict[str, float] = {}
        self.refusals: list[dict[str, Any]] = []
        self.lost: dict[tuple[str, str], dict[str, Any]] = {}
        self.tips: dict[str, float] = {}
        self.error: dict[str, Any] | None = None
        self._sites: dict[str, str] = {}
        self._used: set[str] = set()
        self._met: dict[int, Container] = {}
        self._held: str | None = None

    # -- places -------------------------------------------------------------------------------------

    def line(self) -> int:
        """The line of the script that is being carried out; 0 if none of it is."""
        frame = sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_filename == str(self.script):
                return frame.f_lineno
            frame = frame.f_back  # type: ignore[assignment]
        return 0

    def lose(self, what: str, reason: str) -> None:
        """Something that the script did and that is not carried over."""
        entry = self.lost.setdefault((what, reason), {"what": what, "reason": reason, "line": self.line(), "count": 0})
        entry["count"] += 1

    def refuse(self, error: Exception, mark: int) -> None:
        """A call of the script was refused, before or after it was written down as instruction ``mark``."""
        self.refusals.append(
            {
                "line": self.line(),
                "what": getattr(error, "what", None) or str(error) or type(error).__name__,
                "place": getattr(error, "where", ""),
                "mend": getattr(error, "mend", ""),
                "instruction": self.instructions[mark]["id"] if mark < len(self.instructions) else None,
            }
        )

    # -- instructions -------------------------------------------------------------------------------

    def write(self, kind: str, **fields: Any) -> None:
        """One instruction, from the line that is being carried out."""
        if len(self.instructions) >= MOST_INSTRUCTIONS:
            raise RuntimeError(f"the script gives more than {MOST_INSTRUCTIONS:,} instructions")
        line = self.line()
        step = f"line {line}" if line else "script"
        if step not in self.steps:
            text = linecache.getline(str(self.script), line).strip()
            self.steps[step] = {"text": text[:300] or step, "source": f"{self.script.name}:{line}"}
        self.instructions.append({"id": f"c{len(self.instructions) + 1}", "step": step, "kind": kind, **fields})

    def act(self, command: Mapping[str, Any]) -> Outcome:
        """One act that the backend was told."""
        told = {name: value for name, value in command.items() if name != "kind"}
        kind = command["kind"]
        if kind == "grip":
            self._held = told["labware"]
            return Outcome()
        if kind == "release":
            self._sites[told["labware"]] = told["site"]
            self._held = None
            kind = "move_labware"
        if kind in _STROKES:
            told["liquid_class"] = self.liquid_class(told["liquid_class"])
        if kind == "pick_up_tips":
            self._pick(told["spots"])
        if kind == "drop_tips" and told["spots"] is not None:
            self._used -= set(told["spots"])
        self.write(kind, **told)
        return Outcome()

    def _pick(self, spots: Sequence[str]) -> None:
        refilled = {spot.rpartition("/")[0] for spot in spots if spot in self._used}
        for rack in sorted(refilled):  # the script filled it again
            self.write("replace_tip_rack", rack=rack)
            self._used = {spot for spot in self._used if not spot.startswith(f"{rack}/")}
        self._used |= set(spots)

    def liquid_class(self, liquid_class: Mapping[str, Any]) -> str:
        """The name of a liquid class that says this, written down if it is new."""
        said = {name: value for name, value in liquid_class.items() if name != "name"}
        for name, known in self.liquid_classes.items():
            if {**known, "name": ""} == {**said, "name": ""}:
                return name
        name = f"pylabrobot {len(self.liquid_classes) + 1}"
        self.liquid_classes[name] = {"name": name, **said}
        return name

    # -- deck ---------------------------------------------------------------------------------------

    def look(self) -> None:
        """Look at the deck: labware that is new, and labware that a person must have moved."""
        if self.deck is None:
            return
        standing = self._standing(self.deck)
        if self.plan is None:
            self.plan = self.deck.serialize()
        for name, site in list(self._sites.items()):
            if site != OFF_DECK and name not in standing and name != self._held:
                self._carried(name, OFF_DECK)
        for name, (site, resource) in standing.items():
            if self._sites.get(name) == site or name == self._held:
                continue
            if name in self._sites:
                self._carried(name, site)
            elif site not in self.labware.values():
                self._stand(name, site, resource)
            else:
                self.lose(f"'{name}', put on {site} during the run", "other labware stood there at the start")

    def _carried(self, name: str, site: str) -> None:
        self.write("move_labware", labware=name, site=site, by="person")
        self._sites[name] = site

    def _stand(self, name: str, site: str, resource: Resource) -> None:
        """Labware that stands on a site from the beginning, also if the script puts it there later."""
        self.labware[name] = self._sites[name] = site
        for well, container in containers_of(resource).items():
            if container.tracker.volume > 0:
                self.declared[f"{name}/{well}"] = container.tracker.volume
        holder = resource.parent
        plan = None if holder is None or self.plan is None else _part(self.plan, holder.name)
        if plan is not None and not plan["children"]:
            plan["children"].append(resource.serialize())

    def meet(self, containers: Sequence[Container]) -> None:
        """What a well holds when it is first used, the script has said: it stands there from the beginning."""
        for container in filter(_is_part, containers):
            if id(container) not in self._met and container.tracker.volume > 0:
                self.declared.setdefault(reference_of(container), container.tracker.volume)
            self._met[id(container)] = container

    def provide(self, containers: Sequence[Container], volumes: Sequence[float]) -> None:
        """Let wells of which the script says nothing hold what is drawn; what they must hold is found later."""
        wanted: dict[int, float] = {}
        for container, volume in zip(containers, volumes, strict=True):
            wanted[id(container)] = wanted.get(id(container), 0.0) + volume
        for container in {id(item): item for item in containers if _is_part(item)}.values():
            labware = reference_of(container).rpartition("/")[0]
            if any(well.rpartition("/")[0] == labware for well in self.declared):
                continue
            missing = wanted[id(container)] - container.tracker.volume
            if missing > 0:
                container.tracker.set_volume(container.tracker.volume + missing)

    def site_of(self, holder: Resource) -> str | None:
        """What the workcell calls a place of the deck."""
        if isinstance(holder.parent, Carrier):
            number = next((index for index, site in holder.parent.sites.items() if site is holder), None)
            return None if number is None else f"{holder.parent.name}-{number + 1}"
        if isinstance(holder.parent, OTDeck):
            return f"slot-{holder.parent._slot_holders.index(holder) + 1}"
        return None

    def _standing(self, deck: Deck) -> dict[str, tuple[str, Resource]]:
        if isinstance(deck, OTDeck):
            slots = enumerate(deck.slots[:11], 1)
            return {item.name: (f"slot-{number}", item) for number, item in slots if item is not None}
        found: dict[str, tuple[str, Resource]] = {}
        for carrier in (child for child in deck.children if isinstance(child, Carrier)):
            for number, holder in carrier.sites.items():
                if holder.resource is not None:
                    found[holder.resource.name] = (f"{carrier.name}-{number + 1}", holder.resource)
        return found

    # -- the end ------------------------------------------------------------------------------------

    def save(self, path: Path) -> None:
        """Write it all down."""
        data = {
            name: getattr(self, name)
            for name in (
                *("channels", "head96", "instructions", "liquid_classes", "steps", "labware", "plan"),
                *("declared", "refusals", "tips", "error"),
            )
        }
        data["lost"] = list(self.lost.values())
        path.write_text(json.dumps(data), encoding="utf-8")


def _is_part(container: Any) -> bool:
    """Whether it has a name on the deck; what is none is refused by the guard."""
    try:
        return bool(reference_of(container))
    except (AttributeError, ValueError):
        return False


def _part(plan: dict[str, Any], name: str) -> dict[str, Any] | None:
    """The part of a serialised deck that is called ``name``."""
    waiting = [plan]
    while waiting:
        part = waiting.pop()
        if part["name"] == name:
            return part
        waiting += part["children"]
    return None
