"""Lids on a plate and in a stack."""

requirements = {"robotType": "Flex", "apiLevel": "2.24"}


def run(p):
    p.load_trash_bin("A3")
    riser = p.load_adapter("opentrons_flex_deck_riser", "D2")
    lids = riser.load_lid_stack("opentrons_tough_pcr_auto_sealing_lid", 3)
    pl = p.load_labware("opentrons_96_wellplate_200ul_pcr_full_skirt", "C2", lid="opentrons_tough_pcr_auto_sealing_lid")
    tips = p.load_labware("opentrons_flex_96_tiprack_200ul", "B2")
    pip = p.load_instrument("flex_8channel_1000", "left", tip_racks=[tips])
    p.move_lid(pl, "C3", use_gripper=True)
    pip.pick_up_tip()
    pip.aspirate(20, pl["A1"])
    pip.dispense(20, pl["A2"])
    pip.drop_tip()
    p.move_lid(lids, pl, use_gripper=True)
