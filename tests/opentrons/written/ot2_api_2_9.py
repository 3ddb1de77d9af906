"""The old API: modules that speak in sentences, and a rack of tips that is used twice."""

metadata = {"apiLevel": "2.9"}


def run(p):
    tr = [p.load_labware("opentrons_96_tiprack_300ul", s) for s in ("1",)]
    tc = p.load_module("thermocycler")
    mag = p.load_module("magdeck", "4")
    td = p.load_module("tempdeck", "6")
    tcp = tc.load_labware("nest_96_wellplate_100ul_pcr_full_skirt")
    mp = mag.load_labware("nest_96_wellplate_2ml_deep")
    tp = td.load_labware("opentrons_24_aluminumblock_nest_2ml_snapcap")
    res = p.load_labware("nest_12_reservoir_15ml", "2")
    pip = p.load_instrument("p300_multi", "left", tip_racks=tr)
    s = p.load_instrument("p300_single_gen2", "right", tip_racks=tr)
    tc.open_lid()
    tc.set_lid_temperature(100)
    tc.set_block_temperature(20)
    td.set_temperature(4)
    for i in range(2):
        pip.transfer(100, res["A1"], mp.columns()[i], air_gap=10, mix_after=(2, 80))
    mag.engage(height=5)
    p.delay(minutes=2)
    mag.disengage()
    mag.engage(height_from_base=6)
    for i in range(3):
        s.transfer(50, tp["A1"], mp.wells()[i + 20], new_tip="always", touch_tip=True, blow_out=True)
    s.distribute(20, res["A2"], tcp.wells()[:8])
    tc.close_lid()
    tc.execute_profile(steps=[{"temperature": 90, "hold_time_seconds": 10}], repetitions=5, block_max_volume=30)
    tc.open_lid()
    tc.deactivate()
    p.pause("replace tips")
    for r in tr:
        r.reset()
    s.reset_tipracks()
    s.pick_up_tip(tr[0]["A1"])
    s.aspirate(50, res["A3"])
    s.air_gap(20)
    s.dispense(70, res["A4"])
    s.blow_out()
    s.drop_tip()
