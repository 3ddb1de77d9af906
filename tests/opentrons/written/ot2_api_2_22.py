"""A heater-shaker, a magnet, tubes and a 384-well plate on an OT-2."""

from opentrons.protocol_api import ALL

requirements = {"robotType": "OT-2", "apiLevel": "2.22"}


def run(p):
    t = p.load_labware("opentrons_96_tiprack_300ul", "8")
    t2 = p.load_labware("opentrons_96_tiprack_20ul", "3")
    hs = p.load_module("heaterShakerModuleV1", "1")
    hp = hs.load_labware("opentrons_96_flat_bottom_adapter_nest_wellplate_200ul_flat")
    mag = p.load_module("magnetic module gen2", "7")
    mag.load_labware("nest_96_wellplate_2ml_deep")
    res = p.load_labware("nest_12_reservoir_15ml", "5")
    tubes = p.load_labware("opentrons_10_tuberack_falcon_4x50ml_6x15ml_conical", "6")
    pl384 = p.load_labware("corning_384_wellplate_112ul_flat", "9")
    m = p.load_instrument("p300_multi_gen2", "left", tip_racks=[t])
    s = p.load_instrument("p20_single_gen2", "right", tip_racks=[t2])
    liq = p.define_liquid("Buffer", "", "#00FF00")
    tubes["A3"].load_liquid(liq, 20000)
    res["A1"].load_liquid(liq, 5000)
    hs.close_labware_latch()
    m.configure_nozzle_layout(style=ALL)
    m.pick_up_tip(t["A6"])
    m.aspirate(100, res["A1"])
    m.dispense(30, pl384["A1"])
    m.dispense(30, pl384["B1"])
    m.dispense(40, res["A2"])
    m.return_tip()
    s.transfer(10, tubes["A3"], hp.wells()[:5], new_tip="always", mix_before=(1, 10))
    mag.engage(height_from_base=4)
    p.delay(seconds=3)
    mag.disengage()
    hs.set_and_wait_for_shake_speed(300)
    p.delay(5)
    hs.deactivate_shaker()
    m.pick_up_tip(t["A7"])
    m.aspirate(50, res["A1"])
    m.dispense(50, p.fixed_trash)
    m.blow_out(p.fixed_trash)
    m.drop_tip()
