"""Bad input: a clear error that names file, line or field and says what to do; never another exception, never long."""

from __future__ import annotations

import json
import re
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocols.compiler import compile_protocol
from protocols.errors import InputError, UnknownNameError
from protocols.formats.protocol_file import read_input, read_program, read_protocol
from protocols.formats.worklist import WorklistOptions
from protocols.program import Program
from protocols.wells import MOST_WELLS, count_wells, expand_wells
from tests.compiler.bench import workcell

EXAMPLES = Path(__file__).parents[2] / "examples"
HEAD = "title: t\nlabware:\n  p: {category: plate}\n"


@contextmanager
def bounded(seconds: float, megabytes: float) -> Iterator[None]:
    """Fail if what happens inside takes longer, or more memory at any moment."""
    tracemalloc.start()
    started = time.monotonic()
    try:
        yield
    finally:
        took, (_, peak) = time.monotonic() - started, tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert took < seconds
    assert peak < megabytes * 1e6


def refusal(folder: Path, text: str | bytes, name: str = "bad.yaml") -> str:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as caught:
        read_input(file)
    said = str(caught.value)
    assert str(file) in said
    assert "Traceback" not in said
    return said.replace(str(folder) + "/", "")


def step(**fields: str) -> str:
    """A protocol whose second step has ``fields`` in place of a transfer's own."""
    own = {"id": "two", "do": "transfer", "source": "p/A1", "destination": "p/B1", "volume": "5 uL"} | fields
    lines = "\n    ".join(f"{name}: {value}" for name, value in own.items())
    return f"{HEAD}steps:\n  - {{id: one, do: ask, message: Ready?}}\n  - {lines}\n"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        pytest.param(
            step(volume="200"), ":10", ["steps, entry 2 ('two'), volume", "200 has no unit", "'200 uL'"], id="no unit"
        ),
        pytest.param(step(volume="200 g"), ":10", ["volume", "'200 g' is not a quantity in uL"], id="wrong dimension"),
        pytest.param(step(volume="200 parsec"), ":10", ["volume", "is not a quantity in uL"], id="unknown unit"),
        pytest.param(step(volume="-5 uL"), ":10", ["volume", "negative"], id="negative"),
        pytest.param(step(volume="nan uL"), ":10", ["volume", "not finite"], id="NaN"),
        pytest.param(step(volume="inf uL"), ":10", ["volume", "not finite"], id="infinite"),
        pytest.param(step(volume=".nan"), ":10", ["not a finite number"], id="YAML's own NaN"),
        pytest.param(step(volume="1e999 uL"), ":10", ["volume", "not finite"], id="overflowing"),
        pytest.param(step(volume="[1 uL, 2]"), ":10", ["volume", "2 has no unit"], id="one of a list"),
        pytest.param(
            step(volume="[1 uL, 2 uL, 3 uL]"), ":6", ["volume has 3 entries where 1 or 1 are needed"], id="count"
        ),
        pytest.param(step(volume="9**9**9 uL"), ":10", ["volume", "is not a quantity"], id="an expression"),
        pytest.param(step(volume="'" + "1" * 5000 + " uL'"), ":10", ["a quantity of 5003 characters"], id="endless"),
        pytest.param(step(source="p/А1"), ":8", ["source", "'А1'", "only looks like a letter"], id="Cyrillic A"),
        pytest.param(step(source="p/A１"), ":8", ["source", "'A１'", "only looks like"], id="full-width 1"),
        pytest.param(step(source="p/A0"), ":8", ["source", "'A0' is not a well name"], id="column 0"),
        pytest.param(step(source="p/AG1"), ":8", ["source", "'AG1' lies outside every plate", "AF48"], id="row AG"),
        pytest.param(step(source="p/A49"), ":8", ["source", "'A49' lies outside every plate"], id="column 49"),
        pytest.param(step(source="A1"), ":8", ["source", "'A1' does not name a well", "'plate/A1'"], id="no labware"),
        pytest.param(step(source="p/H1:A1"), ":8", ["source", "ends before it starts"], id="backwards"),
        pytest.param(
            step(do="tranfer"), ":6", ["'tranfer' is not known here", "Did you mean 'transfer'?"], id="step kind"
        ),
        pytest.param(step(vol="5 uL"), ":11", ["there is no field 'vol' here"], id="unknown field"),
        pytest.param(step(id="one"), ":1", ["two steps have the id 'one'"], id="duplicate step"),
        pytest.param(
            step(handling="{tips: new}"),
            ":11",
            ["handling, tips", "'new' is not known here", "each transfer"],
            id="word",
        ),
        pytest.param(step(handling="{mix_after: 1000000000}"), ":11", ["mix_after", "at most 100"], id="10^9 cycles"),
        pytest.param(
            step(handling="{mix_after: 2.5}"), ":11", ["mix_after", "2.5 is not a whole number"], id="half a cycle"
        ),
        pytest.param(step(handling="{touch: maybe}"), ":11", ["touch", "is not true or false"], id="maybe"),
        pytest.param(HEAD + "steps: 5\n", ":4", ["steps: 5 is not a list"], id="no list"),
        pytest.param(HEAD + "steps: [5]\n", ":4", ["steps, entry 1", "a mapping"], id="no step"),
        pytest.param(HEAD, ":1", ["'steps' is missing"], id="no steps"),
        pytest.param("steps: []\n", ":1", ["'title' is missing"], id="no title"),
        pytest.param(HEAD + "title: u\nsteps: []\n", ":4", ["'title' is written twice", "line 1"], id="key twice"),
        pytest.param(HEAD + "  p: {}\nsteps: []\n", ":4", ["'p' is written twice"], id="labware twice"),
        pytest.param(HEAD + "steps: [\n", ":5", ["not YAML"], id="malformed YAML"),
        pytest.param(
            HEAD + "steps: [{id: a, do: wait, duration: 5 uL}]\n", ":4", ["duration", "'5 uL'"], id="µL of time"
        ),
        pytest.param(
            HEAD + "materials: [{liquid: dye, wells: p/A1, volume: 5 uL}]\nsteps: []\n",
            ":1",
            ["no liquid 'dye' is described under liquids"],
            id="undescribed liquid",
        ),
        pytest.param(
            HEAD + "liquids: {dye: {name: ink}}\nsteps: []\n",
            ":1",
            ["liquids.dye: its name says 'ink'"],
            id="two names",
        ),
        pytest.param(
            "include: [bad.yaml]\n" + HEAD, ":1", ["go in a circle: bad.yaml -> bad.yaml"], id="includes itself"
        ),
        pytest.param("include: [../other.yaml]\n" + HEAD, ":1", ["lies outside the folder"], id="include outside"),
    ],
)
def test_every_mistake_is_told_with_its_place(tmp_path: Path, text: str, place: str, words: list[str]) -> None:
    with bounded(5, 50):
        said = refusal(tmp_path, text)
    assert re.match(rf"bad\.yaml{place}\b", said), said
    for word in words:
        assert word in said


def test_several_mistakes_are_told_at_once(tmp_path: Path) -> None:
    said = refusal(tmp_path, step(volume="5", source="p/Z99", handling="{tips: new}"))
    assert said.startswith("bad.yaml: 3 problems")
    assert [line for line in (8, 10, 11) if f"bad.yaml:{line}: " in said] == [8, 10, 11]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"title": "t", "steps": [}', "not JSON"),
        ('{"title": "t", "steps": [], "title": "u"}', "'title' is written twice"),
        ('{"title": "t", "steps": [{"id": "a", "do": "wait", "duration": NaN}]}', "NaN"),
        ('{"title": "t", "instructions": [{"id": "a", "kind": "wait", "seconds": -1}]}', "at least 0"),
        ('{"title": "t", "instructions": [{"id": "a", "kind": "wait", "seconds": 1e999}]}', "not a finite number"),
        ('{"title": "t", "instructions": [{"id": "a", "kind": "fly"}]}', "'fly' is not known here"),
        (
            '{"title": "t", "instructions": [{"id": "a", "kind": "pick_up_tips", "pipette": "p", "channels": [0, 0],'
            ' "spots": ["r/A1", "r/B1"]}]}',
            "channels must be named, each once",
        ),
        (
            '{"title": "t", "instructions": [{"id": "a", "kind": "wait", "seconds": 1},'
            ' {"id": "a", "kind": "wait", "seconds": 1}]}',
            "two instructions have the id 'a'",
        ),
        ("[" * 100_000, "more than 64 deep"),
    ],
)
def test_bad_json(tmp_path: Path, text: str, words: str) -> None:
    with bounded(5, 100):
        assert words in refusal(tmp_path, text, "bad.json")


def test_includes_that_go_in_a_circle_name_it(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("include: [c.yaml]\n", encoding="utf-8")
    (tmp_path / "c.yaml").write_text("include: [bad.yaml]\n", encoding="utf-8")
    (tmp_path / "bad.yaml").write_text("include: [b.yaml]\ntitle: t\nsteps: []\n", encoding="utf-8")
    with pytest.raises(InputError, match=re.escape("circle: bad.yaml -> b.yaml -> c.yaml -> bad.yaml")):
        read_input(tmp_path / "bad.yaml")


def test_an_unknown_kind_of_labware_is_told_when_the_workcell_is_known(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(step().replace("category: plate", "kind: plate_69"), encoding="utf-8")
    protocol = read_protocol(tmp_path / "a.yaml")
    with pytest.raises(UnknownNameError, match=r"labware\.p\.kind: .*'plate_69'"):
        compile_protocol(protocol, workcell("starlet").spec)


# -- too much -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["huge.yaml", "huge.json", "huge.csv", "huge"])
def test_a_file_of_100_mb_is_refused_without_being_read(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    with file.open("wb") as stream:
        stream.write(
            b"SourcePlate,SourceWell,DestinationPlate,DestinationWell,Volume (uL)\n" if ".csv" in name else b"{"
        )
        stream.truncate(100_000_000)
    with bounded(3, 5), pytest.raises(InputError, match=r"100\.0 MB, more than the [0-9.]+ MB that are read"):
        read_input(file)


def test_a_line_of_60_mb_is_refused_without_being_read(tmp_path: Path) -> None:
    file = tmp_path / "line.csv"
    with file.open("wb") as stream:
        for _ in range(60):
            stream.write(b"x" * 1_000_000)
    with bounded(3, 5), pytest.raises(InputError, match="longer than 10,000 bytes"):
        read_input(file)


def test_an_alias_bomb_is_refused(tmp_path: Path) -> None:
    """Ten aliases of ten of ten …: 10^9 steps in 700 bytes."""
    lines = ["x0: &x0 {id: a, do: wait, duration: 1 s}"]
    lines += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 10)]
    with bounded(10, 100):
        assert "more than 2,000,000 values" in refusal(tmp_path, HEAD + "\n".join([*lines, "steps: *x9"]))


@pytest.mark.slow
def test_more_steps_than_are_read(tmp_path: Path) -> None:
    steps = [{"id": f"s{n}", "do": "wait", "duration": "1 s"} for n in range(100_001)]
    said = refusal(tmp_path, json.dumps({"title": "t", "steps": steps}))
    assert said == "bad.yaml:1: steps: a list of 100001 is not short enough: it may have at most 100000 entries"


def test_one_list_of_very_many_wells(tmp_path: Path) -> None:
    """100 blocks of a whole 1536-well plate in 1 kB."""
    wells = ", ".join(["'p/A1:AF48'"] * 100)
    with bounded(5, 60):
        said = refusal(tmp_path, f"{HEAD}steps:\n- {{id: a, do: mix, volume: 5 uL, wells: [{wells}]}}\n")
    assert "bad.yaml:5: steps, entry 1 ('a'), wells: the list names more than 100,000 wells. Split the step" in said


def test_many_steps_of_many_wells(tmp_path: Path) -> None:
    """200 steps of 60 plates are 18 million wells in 0.2 MB: refused before any is written out."""
    wells = ", ".join(["'p/A1:AF48'"] * 60)
    lines = "".join(f"- {{id: s{n}, do: mix, volume: 5 uL, wells: [{wells}]}}\n" for n in range(200))
    with bounded(60, 150):
        said = refusal(tmp_path, f"{HEAD}steps:\n{lines}")
    assert "bad.yaml:15: steps, entry 11: more than 1,000,000 wells are named in all. Split the protocol" in said


@given(st.sampled_from(["p/A1", "p/a01:H12", "p/A1:AF48", "x/y/C3:D4"]))
def test_wells_are_counted_as_they_are_written_out(reference: str) -> None:
    assert count_wells(reference) == len(expand_wells(reference)) <= MOST_WELLS


# -- any mutation of a valid file -----------------------------------------------------------------------

PROGRAM = "program.json"


def valid_inputs() -> dict[str, bytes]:
    files = [*(EXAMPLES / "protocols").glob("*.yaml"), *(EXAMPLES / "worklists").glob("*.csv")]
    contents = {file.name: file.read_bytes() for file in sorted(files)}
    protocol = read_protocol(EXAMPLES / "protocols" / "stain_column.yaml")
    program = compile_protocol(protocol, workcell("starlet").spec).program
    return contents | {PROGRAM: program.model_dump_json(indent=1).encode()}


VALID = valid_inputs()
SPLINTERS = [
    b"\x00",
    b"\xff",
    b"{",
    b"[",
    b"&a ",
    b"*a",
    b"<<: ",
    b"- ",
    b": ",
    b"\n",
    b"\t",
    b"'",
    b'"',
    b"NaN",
    b"1e999",
]
SPLINTERS += [
    b"-",
    b"!!python/object:x ",
    b"\xd0\x90",
    b"include: [.]\n",
    b"9" * 400,
    b",",
    b";",
    b"~",
    b"#",
    b"\\u",
    b"/",
]


@st.composite
def mutants(draw: st.DrawFn) -> tuple[str, bytes]:
    """The name of a valid file, and its bytes after a few flips, insertions, deletions and cuts."""
    name = draw(st.sampled_from(sorted(VALID)))
    content = bytearray(VALID[name])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        how = draw(st.sampled_from(["flip", "insert", "delete", "truncate", "swap lines", "repeat"]))
        if how == "flip" and content:
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif how == "insert":
            content[at:at] = draw(st.sampled_from(SPLINTERS))
        elif how == "delete":
            del content[at : at + draw(st.integers(1, 40))]
        elif how == "truncate":
            del content[at:]
        elif how == "repeat":
            content[at:at] = content[at : at + draw(st.integers(1, 200))]
        else:
            lines = content.split(b"\n")
            lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(draw(st.integers(0, len(lines) - 1))))
            content = bytearray(b"\n".join(lines))
    return name, bytes(content)


def assert_read_or_refused(mutant: tuple[str, bytes], folder: Path) -> None:
    name, content = mutant
    file = folder / name
    file.write_bytes(content)
    for stock in (EXAMPLES / "protocols" / "stock").iterdir():
        (folder / "stock").mkdir(exist_ok=True)
        (folder / "stock" / stock.name).write_bytes(stock.read_bytes())
    try:
        found = read_input(file, WorklistOptions(shortfall="skip"))
    except InputError as error:
        said = str(error)
        if str(folder) not in said:
            pytest.fail(f"the file is not named: {said}")
        return
    assert (found.protocol is None) != (found.program is None)


@settings(max_examples=250, deadline=None)
@given(mutant=mutants())
@example(mutant=(PROGRAM, b'{"instructions": null}'))
@example(mutant=("fill_plate.yaml", b"instructions: {a: *b}"))
def test_a_mutated_file_is_read_or_refused(mutant: tuple[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    assert_read_or_refused(mutant, tmp_path_factory.getbasetemp())


@pytest.mark.slow
@settings(max_examples=2000, deadline=None)
@given(mutant=mutants())
def test_a_mutated_file_is_read_or_refused_many_times(
    mutant: tuple[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert_read_or_refused(mutant, tmp_path_factory.getbasetemp())


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=120), ending=st.sampled_from(["", ".csv", ".yaml", ".json"]))
def test_any_bytes_are_read_or_refused(content: bytes, ending: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert_read_or_refused((f"bytes{ending}", content), tmp_path_factory.getbasetemp())


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 2**60)
    | st.floats()
    | st.sampled_from(["p/A1", "5 uL", "", "а", "tips"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "do", "x"]), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_value_in_any_field_is_read_or_refused(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """One value of a valid program, at any depth, becomes something else."""
    program = json.loads(VALID[PROGRAM])
    here: object = program
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))  # type: ignore[arg-type]
        key = data.draw(st.sampled_from(keys))
        inner = here[key]  # type: ignore[index]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.integers(0, 3)) == 0:
            break
        here = inner
    here[key] = data.draw(json_values)  # type: ignore[index]
    file = tmp_path_factory.getbasetemp() / "any.json"
    file.write_text(json.dumps(program), encoding="utf-8")
    try:
        assert isinstance(read_program(file), Program)
    except InputError as error:
        if not str(error).startswith(str(file)):
            pytest.fail(f"the file is not named: {error}")
