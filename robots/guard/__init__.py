"""The guard: stands in front of every pylabrobot call that moves something, and refuses what must not happen.

pylabrobot 0.2.2 lets the following through. What closes each:

 1. Tip and volume tracking are off by default and process-global: every guarded call switches both on.
 2. A failed multi-channel aspirate leaves pending volume behind: :class:`~robots.guard.books.Books` puts every
    tracker back to what it was before the call.
 3. One spot picked twice leaves a ghost tip on a channel: refused.
 4. After an error a pick-up counts what the backend *says* of tips, and believes in all tips when it says nothing:
    the books are put back first, the backend is asked after that, and without an answer
    :class:`~robots.guard.refusal.TipsUnknown` is raised.
 5. After an error in a stroke, channels not named are committed and named ones rolled back: as 2; the driver then
    brings the trackers in step with what really moved (:mod:`robots.driver.mirror`).
 6. ``aspirate96``, ``dispense96`` and ``stamp`` work without tips: refused without all 96; ``stamp``, which also
    dispenses into its source, is refused always.
 7. NaN, negative volumes and flow rates, heights above the well, labware that is not on the deck: refused.
 8. Moving labware onto an occupied site fails only after the pick-up: a pick-up must say where it will end, and
    that place is looked at first.
 9. Saved state does not restore: LabState is the record, and the driver sets pylabrobot's trackers, mounted tips and
    labware places from it (:mod:`robots.driver.mirror`).
10. ``stop()`` is accepted with tips or liquid mounted: refused, unless the caller says that the record knows of them.
11. Opentrons tip racks are fetched from the web: :mod:`robots.workcell.opentrons` reads the installed definitions.
12. The Visualizer loads scripts from elsewhere and has no login: it is not used; :mod:`robots.report` draws the deck.

13 to 18, of the devices on the deck, are in :mod:`robots.guard.modules`.
"""

from robots.guard.handler import GuardedLiquidHandler
from robots.guard.modules import (
    GuardedHeaterShaker,
    GuardedMagneticModule,
    GuardedTemperatureController,
    GuardedThermocycler,
)
from robots.guard.refusal import Limit, Refused, TipsUnknown

__all__ = [
    "GuardedHeaterShaker",
    "GuardedLiquidHandler",
    "GuardedMagneticModule",
    "GuardedTemperatureController",
    "GuardedThermocycler",
    "Limit",
    "Refused",
    "TipsUnknown",
]
