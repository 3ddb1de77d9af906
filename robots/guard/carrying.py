"""Carrying labware, behind the guard: nothing is gripped before the place where it will end was looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pylabrobot.liquid_handling.backends import LiquidHandlerBackend
from pylabrobot.resources import Deck, Resource, ResourceHolder

from robots.guard.manual import NoManualMoves
from robots.guard.refusal import Refused, check_on_deck


class GuardedArm(NoManualMoves):
    """The calls of pylabrobot's liquid handler that carry labware; each may raise ``Refused``.

    Attributes:
        held_fast: what keeps the gripper from a site, by its holder's name: a closed latch or lid.
    """

    def __init__(self, backend: LiquidHandlerBackend, deck: Deck) -> None:
        super().__init__(backend=backend, deck=deck)
        self.held_fast: Mapping[str, str] = {}
        self._destination: Resource | None = None

    async def pick_up_resource(
        self, resource: Resource, *args: Any, destination: Resource | None = None, **kwargs: Any
    ) -> None:
        """As pylabrobot's; ``destination`` says where it will be put down, and is looked at first.

        Raises:
            Refused: something is held already, or labware or destination will not do.
        """
        target = destination or self._destination
        held = self.get_picked_up_resource()
        if held is not None:
            raise Refused(f"the gripper holds '{held.name}'", place=resource.name, mend="Put it down first")
        check_on_deck(self.deck, [resource])
        if target is None:
            raise Refused("it is not said where the labware will be put down", place=resource.name)
        self._check_free(resource, target)
        await super().pick_up_resource(resource, *args, **kwargs)

    async def drop_resource(self, destination: Resource, *args: Any, **kwargs: Any) -> None:
        """As pylabrobot's; onto a free place of this deck.

        Raises:
            Refused: nothing is held, or it cannot stand there.
        """
        held = self.get_picked_up_resource()
        if held is None:
            raise Refused("the gripper holds nothing", place=getattr(destination, "name", ""))
        self._check_free(held, destination)
        await super().drop_resource(destination, *args, **kwargs)

    async def move_resource(self, resource: Resource, to: Resource, *args: Any, **kwargs: Any) -> None:
        """As pylabrobot's; the destination is looked at before the pick-up."""
        self._destination = to
        try:
            await super().move_resource(resource, to, *args, **kwargs)
        finally:
            self._destination = None

    def _check_free(self, resource: Resource, destination: Resource) -> None:
        if not isinstance(destination, Resource):
            raise Refused(f"{destination} is not a place that holds labware", place=resource.name)
        for place in (resource.parent, destination):
            if place is not None and place.name in self.held_fast:
                raise Refused(self.held_fast[place.name], place=resource.name)
        check_on_deck(self.deck, [destination])
        if not isinstance(destination, ResourceHolder):
            raise Refused(f"'{destination.name}' is not a site", place=resource.name)
        if destination.resource is not None and destination.resource is not resource:
            raise Refused(f"'{destination.resource.name}' stands on '{destination.name}'", place=resource.name)
