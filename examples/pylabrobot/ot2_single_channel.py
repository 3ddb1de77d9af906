"""Three transfers with a pipette of an OT-2."""

import asyncio

from pylabrobot.liquid_handling import LiquidHandler
from pylabrobot.liquid_handling.backends import OpentronsOT2Backend
from pylabrobot.resources import cor_96_wellplate_360uL_Fb
from pylabrobot.resources.opentrons import OTDeck, opentrons_96_tiprack_300ul


async def main() -> None:
    """Everything, from setting up to switching off."""
    lh = LiquidHandler(backend=OpentronsOT2Backend(host="192.0.2.7", port=31950), deck=OTDeck())
    await lh.setup()

    tips = opentrons_96_tiprack_300ul(name="tips")
    plate = cor_96_wellplate_360uL_Fb(name="plate")
    lh.deck.assign_child_at_slot(tips, slot=1)
    lh.deck.assign_child_at_slot(plate, slot=2)

    for row in "ABC":
        await lh.pick_up_tips(tips[f"{row}1"])
        await lh.aspirate(plate[f"{row}1"], vols=[100], liquid_height=[1])
        await lh.dispense(plate[f"{row}12"], vols=[100], liquid_height=[1])
        await lh.return_tips()
    await lh.stop()


asyncio.run(main())
