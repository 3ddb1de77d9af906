"""A plate out of a stacker and back."""

requirements = {"robotType": "Flex", "apiLevel": "2.25"}


def run(p):
    p.load_trash_bin("A3")
    st = p.load_module("flexStackerModuleV1", "D4")
    st.set_stored_labware(load_name="nest_96_wellplate_200ul_flat", count=3)
    tips = p.load_labware("opentrons_flex_96_tiprack_200ul", "B2")
    res = p.load_labware("nest_12_reservoir_15ml", "C2")
    pip = p.load_instrument("flex_8channel_1000", "left", tip_racks=[tips])
    a = st.retrieve()
    p.move_labware(a, "D2", use_gripper=True)
    pip.pick_up_tip()
    pip.aspirate(50, res["A1"])
    pip.dispense(50, a["A1"])
    pip.drop_tip()
    p.move_labware(a, st, use_gripper=True)
    st.store()
