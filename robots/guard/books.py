"""pylabrobot's books (its trackers) as they stood before a call, to be put back if the call fails."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pylabrobot.resources import Container, Tip
from pylabrobot.resources.tip_tracker import TipTracker
from pylabrobot.resources.volume_tracker import VolumeTracker


@dataclass(frozen=True, slots=True)
class Books:
    """What tip and volume trackers said at one moment."""

    tips: tuple[tuple[TipTracker, Tip | None, object], ...]
    volumes: tuple[tuple[VolumeTracker, float], ...]

    @classmethod
    def of(cls, trackers: Iterable[TipTracker], containers: Iterable[Container]) -> Books:
        """The books of ``trackers``, of the tips that they hold, and of ``containers``."""
        kept = tuple((tracker, tracker._tip, tracker._tip_origin) for tracker in trackers)
        volumes = {id(tracker): tracker for tracker in (container.tracker for container in containers)}
        volumes |= {id(tip.tracker): tip.tracker for _, tip, _ in kept if tip is not None}
        return cls(kept, tuple((tracker, tracker.volume) for tracker in volumes.values()))

    def put_back(self) -> None:
        """Make every tracker say again what it said then, with nothing pending."""
        for tracker, tip, origin in self.tips:
            tracker._tip = tracker._pending_tip = tip
            tracker._tip_origin = origin
        for volume_tracker, volume in self.volumes:
            volume_tracker.volume = volume_tracker.pending_volume = volume
