"""The ledger of a running run: its journal and the progress folded from it, kept in step."""

from __future__ import annotations

import threading
import time as wall
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from protocols.events import Event, EventKind
from protocols.ports import EventListener
from robots.execution.journal import Journal
from robots.execution.progress import Progress


class Clock(Protocol):
    """The lab's clock."""

    def now(self, reached: float) -> float:
        """The time, s since the run's start, where the outcomes so far add up to ``reached`` s."""
        ...


class VirtualClock:
    """The simulated lab's clock: it stands still unless an instruction takes time."""

    def now(self, reached: float) -> float:
        """``reached``."""
        return reached


class WallClock:
    """The real lab's clock: it goes on while a run is paused, stopped or crashed."""

    def __init__(self, started: str) -> None:
        """``started``: when the run began, UTC, ISO 8601."""
        passed = (datetime.now(UTC) - datetime.fromisoformat(started)).total_seconds()
        self._start = wall.monotonic() - max(0.0, passed)

    def now(self, reached: float) -> float:
        """Time since the run's start; never less than ``reached``."""
        return max(reached, wall.monotonic() - self._start)


class Ledger:
    """Appends events, folds them and tells the listeners, one event at a time, from any thread."""

    def __init__(
        self, journal: Journal, progress: Progress, clock: Clock, listeners: Sequence[EventListener] = ()
    ) -> None:
        self.journal = journal
        self.progress = progress.take_all(journal.events)
        self.clock = clock
        self._listeners = listeners
        self.lock = threading.RLock()

    def now(self) -> float:
        """The lab's clock, s since the run's start."""
        return self.clock.now(self.progress.state.clock)

    def append(
        self, kind: EventKind, *, instruction: str | None = None, payload: dict[str, Any] | None = None
    ) -> Event:
        """Store an event, then fold it, then tell the listeners. An outcome is stamped with the time at its end.

        Raises:
            RecordError: it could not be stored; then nothing happened.
        """
        with self.lock:
            took = payload["outcome"].get("seconds", 0.0) if kind == "outcome" and payload else 0.0
            time = self.clock.now(self.progress.state.clock + took)
            event = self.journal.append(kind, virtual_time=time, instruction=instruction, payload=payload)
            self.progress.take(event)
            for listener in self._listeners:
                listener(event)
            return event

    def append_stop(self, reason: str, *, safe: bool) -> None:
        """Write down that the run stopped, unless it is over, or somebody else wrote that down already.

        Raises:
            RecordError: it could not be stored.
        """
        with self.lock:
            if self.progress.phase not in ("stopped", "done"):
                self.append("stopped", payload={"reason": reason, "safe": safe})
