"""Measuring the simulated lab as a person would measure a real one: by weighing, assaying and looking.

Nothing here knows of verification, or of what LabState calls an effect of liquids: amounts are read off the wells
and off the log's own record of what moved. So these figures can judge what verification says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from robots.simulator.physics import COLLISIONS
from robots.simulator.record import ActRecord


@dataclass(frozen=True, slots=True)
class Collision:
    """Something solid met something solid: in which act, what, and where."""

    act: str
    kind: str
    place: str
    channel: int | None


def foreign_fraction(composition: Mapping[str, float], declared: Collection[str]) -> float:
    """The part of a well's volume, 0 to 1, that is none of the ``declared`` liquids; 0 for an empty well.

    Args:
        composition: µL of each liquid (:meth:`LabState.composition`).
    """
    total = sum(composition.values())
    foreign = sum(volume for liquid, volume in composition.items() if liquid not in declared)
    return foreign / total if total > 0.0 else 0.0


def lost_volume(acts: Iterable[ActRecord], spilled: Mapping[str, float]) -> float:
    """µL that were lost: run over (``spilled``, µL by liquid), or thrown away with tips beyond the film on their walls.

    The film is that of the liquid class used last on the channel.
    """
    films: dict[tuple[str, int], float] = {}
    lost = sum(spilled.values())
    for act in acts:
        command = act.command
        pipette, channels = command.get("pipette", ""), command.get("channels", ())
        if "liquid_class" in command:
            films.update({(pipette, channel): command["liquid_class"]["film"] for channel in channels})
        elif command["kind"] == "pick_up_tips":
            films.update({(pipette, channel): 0.0 for channel in channels})
        elif command["kind"] == "drop_tips" and command["spots"] is None:
            for channel, held in zip(act.actual["channels"], act.actual["volumes"], strict=True):
                lost += max(0.0, held - films.get((pipette, channel), 0.0))
    return lost


def collisions(acts: Iterable[ActRecord]) -> tuple[Collision, ...]:
    """Every collision in the log."""
    return tuple(
        Collision(act.id, effect["kind"], effect["place"], effect["channel"])
        for act in acts
        for effect in act.effects
        if effect["kind"] in COLLISIONS
    )
