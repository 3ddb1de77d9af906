"""A whole plate copied with the 96 head and carried away by the gripper."""

import asyncio

from pylabrobot.liquid_handling import LiquidHandler
from pylabrobot.liquid_handling.backends import STARBackend
from pylabrobot.resources import (
    PLT_CAR_L5AC_A00,
    TIP_CAR_480_A00,
    cor_96_wellplate_360uL_Fb,
    hamilton_96_tiprack_300uL_filter,
)
from pylabrobot.resources.hamilton import STARLetDeck

deck = STARLetDeck()
tip_car = TIP_CAR_480_A00(name="tips")
tip_car[0] = tips = hamilton_96_tiprack_300uL_filter(name="tips_1")
deck.assign_child_resource(tip_car, rails=1)
plt_car = PLT_CAR_L5AC_A00(name="plates")
plt_car[0] = source = cor_96_wellplate_360uL_Fb(name="source")
plt_car[1] = copy = cor_96_wellplate_360uL_Fb(name="copy")
deck.assign_child_resource(plt_car, rails=10)

for well in source.get_all_items():
    well.tracker.set_volume(200)


async def main() -> None:
    """Everything, from setting up to switching off."""
    lh = LiquidHandler(backend=STARBackend(), deck=deck)
    await lh.setup()
    await lh.pick_up_tips96(tips)
    await lh.aspirate96(source, volume=50, liquid_height=1)
    await lh.dispense96(copy, volume=50, liquid_height=1, flow_rate=80)
    await lh.drop_tips96(tips)
    await asyncio.sleep(30)
    await lh.move_plate(copy, plt_car[4])
    await lh.stop()


if __name__ == "__main__":
    asyncio.run(main())
