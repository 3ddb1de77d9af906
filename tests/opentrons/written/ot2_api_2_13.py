"""The last of the old API, with a heater-shaker."""

metadata = {"apiLevel": "2.13"}


def run(p):
    t = p.load_labware("opentrons_96_tiprack_1000ul", "1")
    hs = p.load_module("heaterShakerModuleV1", "10")
    pl = hs.load_labware("opentrons_96_deep_well_adapter_nest_wellplate_2ml_deep")
    r = p.load_labware("nest_1_reservoir_195ml", "2")
    s = p.load_instrument("p1000_single_gen2", "right", tip_racks=[t])
    hs.close_labware_latch()
    hs.set_target_temperature(40)
    hs.wait_for_temperature()
    for w in pl.wells()[:4]:
        s.transfer(500, r["A1"], w)
    hs.set_and_wait_for_shake_speed(1000)
    p.delay(minutes=1)
    hs.deactivate_shaker()
    hs.deactivate_heater()
    hs.open_labware_latch()
