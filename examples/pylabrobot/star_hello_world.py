"""100 µL from one column of a plate to another with eight channels of a Hamilton STARlet."""

import asyncio

from pylabrobot.liquid_handling import LiquidHandler
from pylabrobot.liquid_handling.backends import STARBackend
from pylabrobot.resources import (
    PLT_CAR_L5AC_A00,
    TIP_CAR_480_A00,
    cor_96_wellplate_360uL_Fb,
    hamilton_96_tiprack_1000uL_filter,
)
from pylabrobot.resources.hamilton import STARLetDeck


async def main() -> None:
    """Everything, from setting up to switching off."""
    lh = LiquidHandler(backend=STARBackend(), deck=STARLetDeck())
    await lh.setup()

    tip_car = TIP_CAR_480_A00(name="tip carrier")
    tip_car[0] = tip_rack = hamilton_96_tiprack_1000uL_filter(name="tips_01")
    lh.deck.assign_child_resource(tip_car, rails=3)

    plt_car = PLT_CAR_L5AC_A00(name="plate carrier")
    plt_car[0] = plate = cor_96_wellplate_360uL_Fb(name="plate_01")
    lh.deck.assign_child_resource(plt_car, rails=15)

    await lh.pick_up_tips(tip_rack["A1:H1"])
    await lh.aspirate(plate["A1:H1"], vols=[100.0] * 8)
    await lh.dispense(plate["A2:H2"], vols=[100.0] * 8)
    await lh.discard_tips()
    await lh.stop()


asyncio.run(main())
