"""Transfers with liquid classes, small volumes, air gaps, mixing, waiting."""

requirements = {"robotType": "Flex", "apiLevel": "2.24"}


def run(p):
    t = p.load_labware("opentrons_flex_96_tiprack_200ul", "C1")
    t5 = p.load_labware("opentrons_flex_96_tiprack_50ul", "C2")
    p.load_trash_bin("A3")
    r = p.load_labware("nest_12_reservoir_15ml", "D1")
    pl = p.load_labware("nest_96_wellplate_200ul_flat", "D2")
    deep = p.load_labware("nest_96_wellplate_2ml_deep", "D3")
    pip = p.load_instrument("flex_1channel_1000", "left", tip_racks=[t])
    p50 = p.load_instrument("flex_8channel_50", "right", tip_racks=[t5])
    w = p.define_liquid("water", "w", "#0000FF")
    r["A1"].load_liquid(w, 10000)
    water = p.get_liquid_class("water")
    pip.transfer_with_liquid_class(water, 50, [r["A1"]] * 4, pl.wells()[:4], new_tip="always")
    pip.distribute_with_liquid_class(water, 20, r["A1"], pl.wells()[8:12], new_tip="once")
    pip.consolidate_with_liquid_class(water, 20, pl.wells()[:4], deep["A1"], new_tip="once")
    pip.transfer(
        30,
        r["A1"],
        pl["A5"],
        mix_after=(2, 20),
        touch_tip=True,
        air_gap=5,
        blow_out=True,
        blowout_location="destination well",
    )
    p50.configure_for_volume(2)
    p50.pick_up_tip()
    p50.aspirate(2, r["A1"])
    p50.dispense(2, pl["A6"])
    p50.blow_out(pl["A6"].top())
    p50.drop_tip()
    p50.configure_for_volume(50)
    pip.pick_up_tip()
    pip.move_to(r["A1"].top(20))
    pip.air_gap(10)
    pip.aspirate(40, r["A1"].bottom(2))
    pip.air_gap(5, height=10)
    pip.dispense(location=pl["C7"])
    pip.mix(3, 20, pl["C7"])
    pip.touch_tip()
    pip.return_tip()
    p.delay(minutes=1, msg="hello")
    p.pause("look")
    p.comment("bye")
    pip.pick_up_tip()
    pip.aspirate(20, r["A1"])
    pip.dispense(20, pl["D7"])
    pip.drop_tip()
    pip.pick_up_tip()
    pip.aspirate(20, r["A1"])
    pip.dispense(10, pl["D8"], push_out=3)
    pip.dispense(10, pl["D8"].center())
    pip.blow_out()
    pip.drop_tip()
