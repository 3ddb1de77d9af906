"""Protocols drawn at random for the compiler's laws: what a person could ask of a shipped workcell."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from protocols.protocol import Protocol

ROWS, COLUMNS = "ABCDEFGH", range(1, 13)
DEEP = {"starlet": "deepwell_96_2ml", "ot2": "nest_96_wellplate_2ml_deep", "ot2 multi": "nest_96_wellplate_2ml_deep"}
BEHAVIOURS: list[list[str]] = [[], [], [], ["foaming"], ["viscous"], ["volatile"]]

wells_of_samples = st.builds("samples/{}{}".format, st.sampled_from(ROWS), st.integers(1, 4))
wells_of_targets = st.builds("targets/{}{}".format, st.sampled_from(ROWS), st.integers(1, 12))
troughs = st.sampled_from(["bath/A1"])
volumes = st.one_of(st.sampled_from([0.0, 1.0, 5.0, 20.0, 50.0]), st.floats(0.5, 120), st.floats(100, 900)).map(
    lambda volume: f"{round(volume, 2)} uL"
)
anywhere = st.one_of(wells_of_samples, wells_of_targets)
filled = st.one_of(wells_of_samples, st.builds("targets/{}{}".format, st.sampled_from(ROWS), st.integers(1, 2)))


@st.composite
def handlings(draw: st.DrawFn) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    if draw(st.booleans()):
        return chosen
    chosen["tips"] = draw(st.sampled_from(["as needed", "as needed", "each transfer", "one"]))
    for name, values in (
        ("mix_before", st.integers(0, 3)),
        ("mix_after", st.integers(0, 3)),
        ("touch", st.booleans()),
        ("air_gap", st.sampled_from(["0 uL", "2 uL", "10 uL"])),
        ("pre_wet", st.integers(0, 2)),
        ("mix_volume", st.sampled_from([None, "5 uL", "40 uL"])),
    ):
        if draw(st.integers(0, 2)) == 0:
            value = draw(values)
            if value is not None:
                chosen[name] = value
    return chosen


@st.composite
def transfers(draw: st.DrawFn) -> dict[str, Any]:
    count = draw(st.integers(1, 9))
    sources = draw(st.lists(st.one_of(filled, troughs), min_size=count, max_size=count))
    destinations = draw(st.lists(anywhere.filter(lambda well: well not in sources), min_size=count, max_size=count))
    asked: Any = draw(volumes)
    if draw(st.booleans()):
        asked = draw(st.lists(volumes, min_size=count, max_size=count))
    if draw(st.integers(0, 3)) == 0:
        sources = sources[:1]
    elif draw(st.integers(0, 3)) == 0:
        destinations = destinations[:1]
    return {
        "do": "transfer",
        "source": sources,
        "destination": destinations,
        "volume": asked,
        "handling": draw(handlings()),
    }


@st.composite
def blocks(draw: st.DrawFn) -> dict[str, Any]:
    """From plate to plate, column by column or all 96 wells."""
    columns = draw(st.sampled_from([1, 2, 4]))
    first = draw(st.integers(1, 9))
    return {
        "do": "transfer",
        "source": [f"samples/A1:H{columns}"],
        "destination": [f"targets/A{first}:H{first + columns - 1}"],
        "volume": draw(volumes),
        "handling": draw(handlings()),
    }


@st.composite
def distributions(draw: st.DrawFn) -> dict[str, Any]:
    source = draw(st.one_of(troughs, filled))
    destinations = draw(st.lists(anywhere.filter(lambda well: well != source), min_size=1, max_size=12))
    asked: Any = draw(volumes)
    if draw(st.booleans()):
        asked = draw(st.lists(volumes, min_size=len(destinations), max_size=len(destinations)))
    return {
        "do": "distribute",
        "source": source,
        "destination": destinations,
        "volume": asked,
        "handling": draw(handlings()),
    }


@st.composite
def consolidations(draw: st.DrawFn) -> dict[str, Any]:
    sources = draw(st.lists(filled, min_size=1, max_size=8))
    return {
        "do": "consolidate",
        "source": sources,
        "destination": draw(anywhere.filter(lambda well: well not in sources)),
        "volume": draw(volumes),
        "handling": draw(handlings()),
    }


@st.composite
def dilutions(draw: st.DrawFn) -> dict[str, Any]:
    row = draw(st.sampled_from(ROWS))
    return {
        "do": "serial_dilution",
        "wells": [f"samples/{row}1", *(f"targets/{row}{n}" for n in range(1, draw(st.integers(2, 8))))],
        "diluent": "bath/A1",
        "factor": draw(st.sampled_from([2, 3, 10, 1.5])),
        "volume": draw(st.sampled_from(["100 uL", "200 uL", "37.5 uL", "900 uL"])),
        "discard": draw(st.booleans()),
        "mix_cycles": draw(st.integers(1, 5)),
    }


mixes = st.fixed_dictionaries(
    {
        "do": st.just("mix"),
        "wells": st.lists(filled, min_size=1, max_size=9, unique=True),
        "volume": st.sampled_from(["5 uL", "30 uL", "100 uL"]),
        "cycles": st.integers(1, 4),
    }
)
waits = st.fixed_dictionaries({"do": st.just("wait"), "duration": st.sampled_from(["1 s", "10 min", "2 h"])})
asks = st.just({"do": "ask", "message": "Is all well?"})
carries = st.builds(
    lambda labware, site: {"do": "move", "labware": labware, "site": site},
    st.sampled_from(["samples", "targets"]),
    st.sampled_from(["plates-b-3", "plates-b-4", "plates-b-5"]),
)
steps = st.one_of(
    transfers(), transfers(), blocks(), distributions(), consolidations(), dilutions(), mixes, waits, asks
)


@st.composite
def protocols(draw: st.DrawFn, lab: str) -> Protocol:
    """A protocol on two plates and a trough; most of them can be carried out."""
    deep, arm = DEEP[lab], lab == "starlet"
    kinds = draw(st.sampled_from([(deep, deep), (deep, None), (None, None)]))
    chosen = draw(st.lists(st.one_of(steps, steps, steps, carries) if arm else steps, min_size=1, max_size=5))
    liquids = {
        name: {"name": name, "behaviours": draw(st.sampled_from(BEHAVIOURS))}
        for name in ("red", "blue", "green", "salt")
    }
    fill = draw(st.sampled_from(["60 uL", "180 uL", "900 uL"]))
    return Protocol.model_validate(
        {
            "title": "drawn at random",
            "labware": {
                "samples": {"category": "plate"} | ({"kind": kinds[0]} if kinds[0] else {}),
                "targets": {"category": "plate"} | ({"kind": kinds[1]} if kinds[1] else {}),
                "bath": {"category": "trough"},
            },
            "liquids": liquids,
            "materials": [
                {"liquid": "red", "wells": "samples/A1:H1", "volume": fill},
                {"liquid": "blue", "wells": "samples/A2:H3", "volume": fill},
                {"liquid": "green", "wells": "samples/A4:H4", "volume": fill},
                {"liquid": "green", "wells": "targets/A1:H2", "volume": fill},
                {"liquid": "salt", "wells": "bath/A1", "volume": "13 mL"},
            ],
            "steps": [{"id": f"step {n}", **step} for n, step in enumerate(chosen, 1)],
        }
    )
