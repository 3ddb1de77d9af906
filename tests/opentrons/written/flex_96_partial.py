"""A 96-channel head, whole and in parts; labware carried by the gripper, also into the waste chute."""

from opentrons import protocol_api
from opentrons.protocol_api import ALL, COLUMN, ROW, SINGLE

requirements = {"robotType": "Flex", "apiLevel": "2.24"}


def run(p):
    ad = p.load_adapter("opentrons_flex_96_tiprack_adapter", "A2")
    t = ad.load_labware("opentrons_flex_96_tiprack_200ul")
    tc = p.load_labware("opentrons_flex_96_tiprack_200ul", "C2")
    tr = p.load_labware("opentrons_flex_96_tiprack_200ul", "D1")
    ch = p.load_waste_chute()
    r = p.load_labware("nest_1_reservoir_290ml", "B3")
    pl = p.load_labware("nest_96_wellplate_2ml_deep", "B2")
    pl2 = p.load_labware("nest_96_wellplate_2ml_deep", "C4")
    m = p.load_module("magneticBlockV1", "C1")
    pip = p.load_instrument("flex_96channel_1000", tip_racks=[t])
    pip.pick_up_tip()
    pip.aspirate(100, r["A1"])
    pip.dispense(100, pl["A1"])
    pip.mix(2, 50, pl["A1"])
    pip.drop_tip()
    pip.configure_nozzle_layout(style=COLUMN, start="A12", tip_racks=[tc])
    pip.pick_up_tip()
    pip.aspirate(50, pl["A3"])
    pip.dispense(50, pl["A4"])
    pip.drop_tip()
    pip.configure_nozzle_layout(style=SINGLE, start="H12", tip_racks=[tr])
    pip.pick_up_tip()
    pip.drop_tip()
    pip.configure_nozzle_layout(style=ROW, start="H1", tip_racks=[tr])
    pip.configure_nozzle_layout(style=ALL, tip_racks=[t])
    p.move_labware(pl, m, use_gripper=True)
    p.move_labware(pl2, "B2", use_gripper=True)
    p.move_labware(pl2, ch, use_gripper=True)
    p.move_labware(tc, protocol_api.OFF_DECK)
    p.move_labware(t, ch, use_gripper=True)
