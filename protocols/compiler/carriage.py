"""Carrying labware from site to site while a protocol is compiled."""

from __future__ import annotations

from typing import Any

from protocols.compiler.geometry import Deck, nearest
from protocols.errors import CompileError, UnknownNameError
from protocols.protocol import Move
from protocols.specs import OFF_DECK, SiteSpec


class Carriage:
    """What stands where; ``sites`` says so at the start."""

    def __init__(self, deck: Deck, sites: dict[str, str]) -> None:
        self._deck = deck
        self._sites = sites

    def carry(self, step: Move) -> dict[str, Any]:
        """The fields of the instruction that carries a step's labware; it stands there from now on.

        Raises:
            UnknownNameError: there is no such labware or site.
            CompileError: it cannot be carried there.
        """
        where = f"step '{step.id}'"
        workcell = self._deck.workcell
        site = workcell.sites.get(step.site)
        off = step.by == "person" and step.site == OFF_DECK
        if site is None and not off:
            raise UnknownNameError(
                f"there is no site '{step.site}'", where=where, mend=nearest(step.site, list(workcell.sites))
            )
        category = self._deck.spec(step.labware, where).category
        if step.by == "arm" and workcell.arm is None:
            raise CompileError(
                f"nothing on this workcell carries {step.labware}: it has no arm",
                where=where,
                mend="Have a person carry it (by: person), or use an ask step and declare the labware where it "
                "will stand",
            )
        reason = None if site is None else self._hindrance(step, site, category)
        if reason:
            raise CompileError(f"'{step.labware}' cannot be carried to '{step.site}': {reason}", where=where)
        self.stand(step.labware, step.site)
        fields = {"labware": step.labware, "site": step.site}
        return fields if step.by == "arm" else {**fields, "by": step.by}

    def _hindrance(self, step: Move, site: SiteSpec, category: str) -> str | None:
        standing = self._sites.get(step.site)
        if standing is not None:
            return f"'{standing}' stands there"
        if category not in site.accepts:
            return f"it takes no {category}"
        if step.by == "person":
            return None
        away = self._site_of(step.labware)
        origin = self._deck.workcell.sites.get(away)
        if not site.gripper:
            return "the arm does not reach it"
        return None if origin is not None and origin.gripper else f"the arm does not reach '{away}'"

    def _site_of(self, labware: str) -> str:
        return next((site for site, name in self._sites.items() if name == labware), OFF_DECK)

    def stand(self, labware: str, site: str) -> None:
        """``labware`` stands on ``site`` from now on."""
        self._sites.pop(self._site_of(labware), None)
        if site != OFF_DECK:
            self._sites[site] = labware
