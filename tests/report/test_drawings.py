"""Colours, numbers and shapes of the drawings."""

from __future__ import annotations

import itertools
from functools import cache
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.killing import modules_that
from protocols.liquids import Liquid
from protocols.specs import OFF_DECK, LabwareSpec
from protocols.wording import show_mixture
from robots.report import Report
from robots.report.colours import CATEGORIES, CONCENTRATION, OTHER, SAMPLES, VOLUME, contrast, ink_on, shade
from robots.report.deck import draw_deck
from robots.report.figures import in_column, in_few_characters, show_clock, show_wall_time
from robots.report.model import InstructionLine, LabwareLine, ReagentLine, WellLine
from robots.report.palette import choose_palette
from robots.report.platemap import plate_maps
from robots.report.timeline import LEFT, WIDTH, draw_timeline
from robots.workcell import load_workcell
from tests.report import runs

# -- colours ----------------------------------------------------------------------------------------------------------


@given(st.integers(0, 0xFFFFFF))
def test_numbers_on_any_colour_reach_the_contrast_for_small_text(rgb: int) -> None:
    colour = f"#{rgb:06x}"
    assert contrast(ink_on(colour), colour) >= 4.5


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("sequence", [VOLUME, CONCENTRATION])
def test_sequences_grow_darker_all_the_way(sequence: tuple[str, ...]) -> None:
    shades = [contrast("#ffffff", shade(sequence, step / 20)) for step in range(21)]
    assert all(light < dark for light, dark in itertools.pairwise(shades))


# -- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ([50.0, 40.6, 2.403], ["50.00", "40.60", "2.40"]),
        ([8.58, 10.0], ["8.58", "10.00"]),
        ([12000.0, 2622.0], ["12,000", "2,622"]),
        ([1000.0, 0.0001], ["1,000", "0.0001"]),
        ([0.0, 0.5], ["0.0000", "0.5000"]),
        ([0.0], ["0"]),
    ],
)
def test_numbers_of_a_column_keep_in_step(values: list[float], written: list[str]) -> None:
    write = in_column(values)
    assert [write(value) for value in values] == written


@given(st.floats(1e-9, 9999))
def test_numbers_on_wells_are_short_and_true(value: float) -> None:
    written = in_few_characters(value)
    assert len(written) <= 5
    assert float(written) == pytest.approx(value, rel=0.51 if value < 0.01 else 0.06)


@pytest.mark.parametrize(
    ("seconds", "written"), [(None, ""), (0.0, "0.0 s"), (59.94, "59.9 s"), (59.97, "1 min"), (3725.0, "1 h 2 min")]
)
def test_clock_times(seconds: float | None, written: str) -> None:
    assert show_clock(seconds) == written


def test_wall_times_lose_their_fractions() -> None:
    assert show_wall_time("2026-03-01T10:15:07.031769+00:00") == "2026-03-01 10:15:07 UTC"
    assert show_wall_time("yesterday") == "yesterday"


def test_mixtures_name_what_matters_and_count_the_rest() -> None:
    assert show_mixture({"S1": 21.4, "water": 28.6}) == "28.6 µL water + 21.4 µL S1"
    assert show_mixture({"water": 50.0, "dye": 0.01}) == "50 µL water and traces of 1 more"
    pooled = {f"S{index}": 1.0 for index in range(12)}
    assert show_mixture(pooled).endswith("and 4 more")
    assert show_mixture({}) == ""


# -- plate maps -------------------------------------------------------------------------------------------------------


@cache
def plate() -> LabwareSpec:
    return load_workcell("starlet").spec.kinds["flat_96_360ul"]


def line(wells: list[WellLine], name: str = "plate") -> LabwareLine:
    return LabwareLine(
        name=name, kind="flat_96_360ul", category="plate", site=None, started_at=None, wells=tuple(wells)
    )


def reagent(liquid: str, well: str) -> ReagentLine:
    return ReagentLine(liquid=liquid, sample=None, lot=None, wells=1, first_well=well, start=1.0, left=1.0)


def test_few_liquids_have_a_colour_each() -> None:
    held = line([WellLine(well="A1", volume=3, liquids={"water": 2.0, "dye": 1.0})])
    palette = choose_palette([held], [], {})
    assert list(palette.colour_of) == ["water", "dye"]
    assert palette.shares({"dye": 1.0, "water": 3.0}) == {"water": 0.75, "dye": 0.25}


def test_many_liquids_share_the_colour_of_the_plate_they_came_from() -> None:
    names = [f"{library}/A{number}" for library in ("lib_01", "lib_02") for number in range(1, 13)]
    held = line([WellLine(well=f"A{number}", volume=1, liquids={names[number]: 1.0}) for number in range(1, 13)])
    palette = choose_palette([held], [reagent(name, name) for name in names], {})
    assert set(palette.colour_of) == {"11 liquids from lib_01", "lib_02/A1"}
    assert len({palette.colour_of[palette.group_of[name]] for name in names[1:12]}) == 1


def test_samples_are_orange_and_the_least_of_too_many_reagents_grey() -> None:
    reagents = {f"reagent {index:02}": float(20 - index) for index in range(12)}
    samples = {f"S{index}": 1.0 for index in range(8)}
    held = line([WellLine(well="A1", volume=300, liquids={**reagents, **samples})])
    liquids = {name: Liquid(name=name, sample=name) for name in samples}
    palette = choose_palette([held], [reagent(name, f"stock/A{i}") for i, name in enumerate(samples, 1)], liquids)
    assert palette.colour_of["8 samples from stock"] == SAMPLES
    assert palette.colour_of["other liquids"] == OTHER
    assert palette.colour_of["reagent 00"] == CATEGORIES[0]
    assert palette.group_of["reagent 11"] == "other liquids"


def test_a_solute_over_decades_is_coloured_by_its_logarithm() -> None:
    wells = [WellLine(well=f"A{n}", volume=10, concentrations={"dye": 1000 / 10**n}) for n in range(1, 6)]
    volume, dye = plate_maps(line(wells), plate(), choose_palette([], [], {}))
    assert "logarithm" in dye.title
    assert "logarithm" not in volume.title
    colours = [disc.slices[0].colour for disc in dye.discs[:5]]
    shades = [contrast("#ffffff", colour) for colour in colours]
    gaps = [dark - light for dark, light in itertools.pairwise(shades)]
    assert min(gaps) > 0.05
    assert [swatch.text for swatch in dye.legend] == ["0.01", "0.1", "1", "10", "100"]


def test_a_map_draws_each_well_at_its_place_and_says_what_it_holds() -> None:
    held = WellLine(well="B3", volume=42.5, liquids={"water": 42.5}, concentrations={})
    palette = choose_palette([line([held])], [], {})
    volume, composition = plate_maps(line([held]), plate(), palette, {"B3"})
    assert len(volume.discs) == 96
    (disc,) = [disc for disc in volume.discs if disc.slices]
    assert (disc.text, disc.flagged) == ("42.5", True)
    assert disc.title.splitlines() == ["B3: 42.5 µL", "water: 42.5 µL", "not what was asked for"]
    assert (disc.x, disc.y) == (volume.columns[2][0], volume.rows[1][0])
    assert volume.summary == "1 well holds liquid: 42.5 µL in B3."
    assert composition.legend[0].text == "water"


# -- deck and timeline ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workcell", ["starlet", "ot2"])
def test_the_deck_picture_has_every_piece_where_the_deck_has_it(workcell: str) -> None:
    work = runs.normalisation(workcell)
    spec = work.workcell.spec
    report = runs.report(work, (), "planned")
    picture = draw_deck(report.labware, spec)
    assert len(picture.pieces) == len(spec.sites)
    drawn = dict(zip(spec.sites.values(), picture.pieces, strict=True))
    for (one, first), (other, second) in itertools.combinations(drawn.items(), 2):
        assert first.x - second.x == pytest.approx(one.x - other.x, abs=0.11)
        front = (first.y + first.depth) - (second.y + second.depth)
        assert front == pytest.approx(other.y - one.y, abs=0.11)
        apart = (
            first.x + first.width <= second.x + 0.2
            or second.x + second.width <= first.x + 0.2
            or first.y + first.depth <= second.y + 0.2
            or second.y + second.depth <= first.y + 0.2
        )
        assert apart, f"{first.title} lies on {second.title}"
    for piece in picture.pieces:
        assert piece.x >= 0
        assert piece.x + piece.width <= picture.width
        assert piece.y >= 0
        assert piece.y + piece.depth <= picture.height


def test_a_reservoir_shows_how_full_each_of_its_basins_is() -> None:
    work = runs.normalisation("ot2")
    picture = draw_deck(runs.report(work, (), "planned").labware, work.workcell.spec)
    (reservoir,) = [piece for piece in picture.pieces if piece.name == "reservoir"]
    assert [level.full for level in reservoir.levels] == [0.8, 0.8, *[0.0] * 10]
    assert all(a.x + a.width < b.x for a, b in itertools.pairwise(reservoir.levels))


@cache
def diluted() -> Report:
    work = runs.serial_dilution()
    return runs.report(work, runs.run(work))


def test_the_timeline_covers_the_run_and_lanes_do_not_overlap_in_time() -> None:
    report = diluted()
    timeline = draw_timeline(report)
    assert timeline is not None
    bars = sorted((bar.x, bar.x + bar.width) for lane in timeline.lanes for bar in lane.bars)
    assert bars[0][0] == LEFT
    assert bars[-1][1] == pytest.approx(LEFT + WIDTH, abs=0.1)
    assert all(end <= start + 0.7 for (_, end), (start, _) in itertools.pairwise(bars))
    assert sum(end - start for start, end in bars) == pytest.approx(WIDTH, rel=0.01)


def test_a_run_that_took_no_time_has_no_timeline() -> None:
    assert draw_timeline(runs.report(runs.serial_dilution(), (), "planned")) is None


def test_devices_are_named_and_labware_beside_the_deck_stands_before_it(tmp_path):
    spec = load_workcell(modules_that(tmp_path, answers=True)).spec
    shared = {"kind": "corning_96_wellplate_360ul_flat", "category": "plate", "started_at": "slot-3"}
    away = LabwareLine(name="away", site=OFF_DECK, **shared)
    held = LabwareLine(name="held", site="slot-4", **shared)
    picture = draw_deck((away, held), spec)
    by_title = {piece.title.partition("\n")[0]: piece for piece in picture.pieces}
    assert by_title["slot-3 · heater_shaker: free"].note == "slot-3 · heater_shaker"
    on_device = by_title["held (corning_96_wellplate_360ul_flat) on slot-4 · magnetic_module"]
    beside = by_title["away (corning_96_wellplate_360ul_flat) beside the deck"]
    assert beside.y > max(piece.y for piece in picture.pieces if piece is not beside)
    assert beside.y + beside.depth < picture.height
    assert on_device.note.startswith("slot-4")


def test_the_timeline_has_a_lane_for_devices_and_knows_what_was_carried_by_hand():
    line = {"step": "", "text": "…", "start": 0.0, "end": 5.0, "status": "done"}
    lines = (
        InstructionLine(id="a", kind="run_profile", **line),
        InstructionLine(id="b", kind="move_labware", by_hand=True, **line),
        InstructionLine(id="c", kind="move_labware", **line),
        InstructionLine(id="d", kind="blow_out", **line),
    )
    report = SimpleNamespace(facts=SimpleNamespace(seconds=5.0), instructions=lines, deviations=())
    lanes = {lane.name: lane.summary for lane in draw_timeline(report).lanes}
    assert list(lanes) == ["Pipetting", "Labware", "Devices", "Person"]
    assert all(summary.startswith("1 instruction,") for summary in lanes.values())
