"""A serial dilution 1:2 down a column, one channel at a time, written as in a notebook: without main()."""

import asyncio

from pylabrobot.liquid_handling import LiquidHandler
from pylabrobot.liquid_handling.backends import LiquidHandlerChatterboxBackend
from pylabrobot.liquid_handling.standard import Mix
from pylabrobot.resources import (
    PLT_CAR_L5AC_A00,
    TIP_CAR_480_A00,
    Trough_CAR_4R200_A00,
    cor_96_wellplate_360uL_Fb,
    hamilton_1_trough_200mL_Vb,
    hamilton_96_tiprack_300uL_filter,
)
from pylabrobot.resources.hamilton import STARLetDeck

deck = STARLetDeck()
tip_car = TIP_CAR_480_A00(name="tip_car")
tip_car[0] = tips = hamilton_96_tiprack_300uL_filter(name="tips")
deck.assign_child_resource(tip_car, rails=1)
plt_car = PLT_CAR_L5AC_A00(name="plt_car")
plt_car[0] = plate = cor_96_wellplate_360uL_Fb(name="dilutions")
deck.assign_child_resource(plt_car, rails=10)
trough_car = Trough_CAR_4R200_A00(name="trough_car")
trough_car[0] = buffer = hamilton_1_trough_200mL_Vb(name="buffer")
deck.assign_child_resource(trough_car, rails=20)

loop = asyncio.new_event_loop()
do = loop.run_until_complete
lh = LiquidHandler(backend=LiquidHandlerChatterboxBackend(), deck=deck)
do(lh.setup())

do(lh.pick_up_tips(tips["A1"]))
for row in "BCDEFGH":
    do(lh.aspirate([buffer], vols=[100]))
    do(lh.dispense(plate[f"{row}1"], vols=[100]))
do(lh.drop_tips(tips["A1"]))

rows = "ABCDEFGH"
for source, target, spot in zip(rows, rows[1:], rows[1:], strict=False):
    do(lh.pick_up_tips(tips[f"{spot}1"]))
    do(lh.aspirate(plate[f"{source}1"], vols=[100], liquid_height=[0.5]))
    do(lh.dispense(plate[f"{target}1"], vols=[100], liquid_height=[0.5], mix=[Mix(80, 3, 100)]))
    do(lh.discard_tips())
do(lh.stop())
