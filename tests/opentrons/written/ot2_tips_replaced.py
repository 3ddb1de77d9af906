"""A rack that a person replaces, tips put back, air drawn above a well."""

requirements = {"robotType": "OT-2", "apiLevel": "2.20"}


def run(p):
    t = p.load_labware("opentrons_96_tiprack_300ul", "1")
    r = p.load_labware("nest_12_reservoir_15ml", "2")
    pl = p.load_labware("corning_96_wellplate_360ul_flat", "3")
    m = p.load_instrument("p300_multi_gen2", "left", tip_racks=[t])
    s = p.load_instrument("p300_single_gen2", "right", tip_racks=[t])
    for k in range(13):
        if k == 12:
            p.pause("replace")
            m.reset_tipracks()
        m.pick_up_tip()
        m.aspirate(50, r["A1"].bottom(1))
        m.dispense(50, pl.columns()[k % 12][0].top(-2))
        m.blow_out(r["A12"])
        m.drop_tip()
    s.pick_up_tip(t["A5"])
    s.aspirate(100, r["A2"])
    s.move_to(pl["A1"].top(10))
    s.aspirate(20)
    s.dispense(120, pl["A1"].top())
    s.drop_tip()
    p.move_labware(pl, "5")
    p.set_rail_lights(True)
    p.home()
    m.pick_up_tip(t["A6"])
    m.aspirate(50, pl["A1"])
    m.dispense(50, r["A12"])
    m.drop_tip(t["A6"])
    m.pick_up_tip(t["A6"])
    m.drop_tip()
