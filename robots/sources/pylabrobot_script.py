"""A script for pylabrobot, played in an isolated process, as a program on the deck that it builds.

The process is that of :mod:`robots.sources.playing`. What comes back is data that the script could have written
itself: it is checked here like any other file.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import opentrons_shared_data
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from protocols.errors import InputError
from protocols.formats.protocol_file import write_whole
from protocols.liquids import LiquidClass, Name
from protocols.opentrons import Imported, Lost, Rig
from protocols.program import Program, StepNote
from protocols.specs import OFF_DECK, PlacedLabware
from protocols.verify import Finding
from robots.execution.home import Home
from robots.sources.baggage import Baggage, SourceOptions, pack
from robots.sources.isolation import Limits, folders_of, plain, read_left, require_end, run_isolated, workspace
from robots.sources.kinds import parse, read_source
from robots.workcell import Workcell, load_workcell
from robots.workcell.deck_import import import_deck

_RESULT = "played.json"
_LARGEST_RESULT = 100 << 20
_PIPETTES = ((20.0, "p20_single_gen2"), (300.0, "p300_single_gen2"), (1000.0, "p1000_single_gen2"))
"""The largest tip, µL, and the OT-2's pipette that takes it, as pylabrobot's own backend has it."""
_ROOT = Path(__file__).resolve().parents[2]
"""Where Labwright's packages stand."""
Text = Annotated[str, Field(max_length=1000)]


class _Refusal(BaseModel):
    model_config = ConfigDict(extra="forbid")

    line: int
    what: Text
    place: Text
    mend: Text
    instruction: Name | None


class _Lost(BaseModel):
    model_config = ConfigDict(extra="forbid")

    what: Text
    reason: Text
    line: int
    count: int


class _Error(BaseModel):
    model_config = ConfigDict(extra="forbid")

    what: Text
    line: int | None


class _Played(BaseModel):
    """What the isolated process wrote."""

    model_config = ConfigDict(extra="forbid")

    channels: Annotated[int, Field(ge=0, le=16)]
    head96: bool
    instructions: list[dict[str, Any]]
    liquid_classes: dict[str, LiquidClass]
    steps: dict[str, StepNote]
    labware: dict[str, str]
    plan: dict[str, Any] | None
    declared: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]]
    refusals: list[_Refusal]
    tips: dict[str, float]
    error: _Error | None
    lost: list[_Lost]


@dataclass(frozen=True)
class Script:
    """A script as a program.

    Attributes:
        imported: the program, what it needs and what is to be said of it; refused calls are findings with their line.
        workcell: the deck that it builds, kept under ``LABWRIGHT_HOME``.
    """

    imported: Imported
    workcell: Workcell


def import_script(path: Path, home: Home, options: SourceOptions | None = None) -> Script:
    """Play the script at ``path`` and read what it did.

    Raises:
        InputError: its own Python fails, it does not end, it moves nothing, or its deck cannot be used.
    """
    given = options or SourceOptions()
    source = read_source(path)
    parse(source, path)
    played = _played(path, source, pack(path, source, given), given)
    if played.error is not None:
        where = f"{path}:{played.error.line}" if played.error.line else str(path)
        mend = "Correct the script at this line" if played.error.line else ""
        raise InputError(f"the script's Python fails: {plain(played.error.what)}", where=where, mend=mend)
    if played.plan is None or not (played.instructions or played.refusals):
        mend = "A script makes a LiquidHandler and moves with it, at its top level or in 'async def main()'"
        raise InputError("the script moves nothing", where=str(path), mend=mend)
    deck = _deck(path, played, home)
    return Script(_imported(path, played, deck), deck.workcell)


def _played(path: Path, source: bytes, baggage: Baggage, options: SourceOptions) -> _Played:
    limits = Limits(seconds=options.seconds)
    with workspace() as folder:
        baggage.unpack(folder)
        script = folder / "script" / path.name
        script.parent.mkdir()
        script.write_bytes(source)
        packages = [str(_ROOT / name) for name in ("protocols", "robots")]
        verdict = run_isolated(
            [sys.executable, "-I", str(Path(__file__).with_name("launch.py")), str(script), _RESULT, str(_ROOT)],
            folder,
            readable=(*folders_of(sys.executable), *packages, str(Path(opentrons_shared_data.__file__).parent)),
            limits=limits,
            trusted=options.trusted,
        )
        result = read_left(folder, _RESULT, most=_LARGEST_RESULT)
    require_end(verdict, path, limits)
    if result is None:
        said = (plain(verdict.said).strip().splitlines() or ["it said nothing"])[-1][:300]
        raise InputError(f"the script ended Python itself (exit status {verdict.code}): {said}", where=str(path))
    try:
        return _Played.model_validate_json(result)
    except (ValidationError, RecursionError):
        raise InputError("the record is damaged: the script wrote into it", where=str(path)) from None


# -- its deck ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Deck:
    """The script's deck as a workcell.

    Attributes:
        placed: the labware that stands on it at the start.
        notes: what was left out or assumed.
        names: what the script's names of labware are here.
    """

    workcell: Workcell
    placed: dict[str, PlacedLabware]
    notes: tuple[str, ...]
    names: dict[str, str]


def _deck(path: Path, played: _Played, home: Home) -> _Deck:
    asked = json.dumps([played.plan, played.channels, played.head96, played.tips], sort_keys=True)
    mark = hashlib.sha256(asked.encode()).hexdigest()[:8]
    name = f"{re.sub(r'[^A-Za-z0-9_-]+', '-', path.stem).strip('-')[:60] or 'script'}-{mark}"
    folder = home.path / "imports" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".script-", dir=folder.parent))
    try:
        (draft / "deck.json").write_text(json.dumps(played.plan), encoding="utf-8")
        try:
            found = import_deck(draft / "deck.json", draft / "workcell")
        except InputError as error:
            raise InputError(f"the script's deck cannot be used: {error.what}", where=str(path)) from None
        document = yaml.safe_load(found.path.read_text(encoding="utf-8"))
        labware = document.pop("labware")
        assumed = _equip(document, played, name)
        write_whole(found.path, yaml.safe_dump(document, sort_keys=False, allow_unicode=True).encode())
        if not folder.exists():
            (draft / "workcell").rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    at = {item["site"]: own for own, item in labware.items()}
    left_out = [f"of its deck is left out: {text}" for text in found.left_out if not text.startswith("liquids: ")]
    guessed = [text for text in found.guessed if not text.startswith(("pipettes: ", "arm: "))]
    return _Deck(
        load_workcell(folder / found.path.name),
        {own: PlacedLabware(**item) for own, item in labware.items()},
        (*left_out, *guessed, assumed),
        {name: at[_site(site)] for name, site in played.labware.items() if _site(site) in at},
    )


def _equip(document: dict[str, Any], played: _Played, name: str) -> str:
    """Give the workcell what a deck does not say, and the script did; returns what was assumed."""
    document["name"] = name
    if document["deck"]["type"] == "OT-2":
        tips = played.tips or {"left": 300.0}
        pipettes = {mount: next((name for most, name in _PIPETTES if tips[mount] <= most), "") for mount in tips}
        document["pipettes"] = {
            mount: {"device": "handler", "type": model or _PIPETTES[-1][1], "mount": mount}
            for mount, model in pipettes.items()
            if mount in ("left", "right")
        }
        return f"pipettes: {', '.join(f'{model} ({mount})' for mount, model in pipettes.items())}, by the tips it takes"
    device = {"device": "handler"}
    document["pipettes"] = {
        "channels": {**device, "type": "Hamilton 1000 uL channels", "channels": played.channels or 1}
    }
    document["devices"]["gripper"] = {"kind": "arm", "driver": "simulated", "gripper": "iswap"}
    document["arm"] = "gripper"
    if played.head96:
        document["pipettes"]["head96"] = {**device, "type": "Hamilton CO-RE 96 head"}
    head = ", a 96 head" if played.head96 else ""
    return f"pipettes: {played.channels} channels of 1000 µL{head} and a plate gripper are taken to be there"


def _site(name: str) -> str:
    """What the workcell calls a site of the script's deck."""
    return re.sub(r"[/\s]+", "_", name)


# -- what it did ------------------------------------------------------------------------------------


def _imported(path: Path, played: _Played, deck: _Deck) -> Imported:
    try:
        program = Program.model_validate(
            {
                "title": path.stem[:500],
                "liquid_classes": played.liquid_classes,
                "labware": deck.placed,
                "steps": played.steps,
                "carry_over": "warning",
                "overflow": "warning",
                "instructions": [_renamed(item, deck.names) for item in played.instructions],
            }
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"what the script did is no program: {place}: {first['msg']}", where=str(path)) from None
    spec = deck.workcell.spec
    robot: Any = spec.robot
    mounts = ("left", "right")  # where an OT-2 has a pipette; a Hamilton's are its own
    pipettes = {name: item.model for name, item in spec.pipettes.items() if name in mounts and item.model is not None}
    return Imported(
        program=program,
        rig=Rig(
            robot=robot,
            pipettes=pipettes,
            modules=(),
            adapters={},
            kinds={},
            origins={},
            fits={},
            trash=(),
            gripper=False,
            staging=False,
        ),
        declared={
            _reference(well, deck.names): (f"liquid of {_reference(well, deck.names).rpartition('/')[0]}", volume)
            for well, volume in played.declared.items()
        },
        lost=tuple(Lost(f"{item.what}, line {item.line}", item.count, item.reason, item.line) for item in played.lost),
        notes=deck.notes,
        findings=tuple(_finding(refusal, path) for refusal in played.refusals),
    )


def _finding(refusal: _Refusal, path: Path) -> Finding:
    return Finding(
        code="D16",
        severity="error",
        step=f"line {refusal.line}" if refusal.line else None,
        instruction=refusal.instruction,
        place=refusal.place,
        message=f"the call is refused: {plain(refusal.what)}",
        mend=plain(refusal.mend) or f"correct {path.name}",
    )


def _renamed(item: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """An instruction with the workcell's names in place of the script's."""
    named = dict(item)
    for field in ("wells", "spots"):
        if isinstance(item.get(field), list):
            named[field] = [_reference(str(place), names) for place in item[field]]
    for field in ("labware", "rack"):
        if field in item:
            named[field] = names.get(str(item[field]), item[field])
    if "site" in item and item["site"] != OFF_DECK:
        named["site"] = _site(str(item["site"]))
    return named


def _reference(place: str, names: dict[str, str]) -> str:
    labware, _, part = place.rpartition("/")
    return f"{names.get(labware, labware)}/{part}"
