"""An Opentrons protocol in Python, analysed by the genuine ``opentrons`` package in an isolated process.

What comes back is Opentrons' analysis, a JSON file that lists every command the protocol gives to the robot.
"""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from protocols.errors import InputError
from protocols.formats.protocol_file import write_whole
from robots.execution.home import Home
from robots.sources.baggage import LABWARE, MODULES, Baggage, SourceOptions, pack
from robots.sources.environment import OPENTRONS, find_opentrons
from robots.sources.isolation import Limits, folders_of, plain, read_left, require_end, run_isolated, workspace
from robots.sources.kinds import parse, read_source
from robots.sources.supervisor import Verdict

_RESULT = "analysis.json"
_LARGEST_RESULT = 200 << 20
"""Bytes; ten thousand commands take about 10 MB."""
_LONGEST_NAME = 80
_CHATTER = re.compile(r"Loading defaults|calibration not found")
"""What the software says of a computer that is no robot."""


def analyse(path: Path, home: Home, options: SourceOptions | None = None) -> Path:
    """Opentrons' analysis of the protocol at ``path``: a JSON file in ``home``, made once for each content.

    Where the protocol gave the robot a command that Opentrons' own software refuses, the analysis ends with that
    command, marked as failed.

    Raises:
        InputError: the protocol's own Python fails or does not end, a file that it needs cannot be read, or
            opentrons is not installed.
    """
    given = options or SourceOptions()
    source = read_source(path)
    parse(source, path)
    baggage = pack(path, source, given, labware=True)
    folder = home.path / "imports" / "analyses" / _digest(path, source, baggage, given)
    kept = folder / f"{path.stem[:_LONGEST_NAME]}.analysis.json"
    if kept.is_file():
        return kept
    analysis = _analysed(path, source, baggage, find_opentrons(home.path), given)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(kept, analysis)
    return kept


def _analysed(path: Path, source: bytes, baggage: Baggage, python: Path, options: SourceOptions) -> bytes:
    limits = Limits(seconds=options.seconds)
    with workspace() as folder:
        baggage.unpack(folder)
        main = folder / "protocol" / path.name
        main.parent.mkdir()
        main.write_bytes(source)
        command = [str(python), "-m", "opentrons.cli", "analyze", "--json-output", _RESULT]
        command += [*_parameters(options, folder), str(main.relative_to(folder))]
        command += [str(item.relative_to(folder)) for item in sorted((folder / LABWARE).glob("*.json"))]
        verdict = run_isolated(
            command,
            folder,
            readable=folders_of(str(python)),
            environment={"OT_API_CONFIG_DIR": str(folder), "PYTHONPATH": str(folder / MODULES)},
            limits=limits,
            trusted=options.trusted,
        )
        result = read_left(folder, _RESULT, most=_LARGEST_RESULT)
    require_end(verdict, path, limits)
    if result is None or verdict.code != 0:
        raise _not_analysed(verdict, path)
    _require_own_python(result, path)
    return result


def _parameters(options: SourceOptions, folder: Path) -> list[str]:
    """The runtime parameters as the analysis takes them: values, and files where a file of this name was given."""
    values: dict[str, Any] = {}
    files: dict[str, str] = {}
    for name, text in options.parameters.items():
        if text and (folder / Path(text).name).is_file():
            files[name] = Path(text).name
        else:
            values[name] = _value(text)
    return ["--rtp-values", json.dumps(values), "--rtp-files", json.dumps(files)]


def _value(text: str) -> bool | int | float | str:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def _digest(path: Path, source: bytes, baggage: Baggage, options: SourceOptions) -> str:
    """Of everything that the analysis depends on."""
    parts = [OPENTRONS.encode(), path.name.encode(), source, repr(sorted(options.parameters.items())).encode()]
    for name, content in sorted(baggage.files.items()):
        parts += [name.encode(), content]
    joined = hashlib.sha256()
    for part in parts:
        joined.update(len(part).to_bytes(8, "big") + part)
    return joined.hexdigest()[:32]


def _not_analysed(verdict: Verdict, path: Path) -> InputError:
    """Opentrons' software refused the file, or its Python left without a word."""
    said = plain(verdict.said).strip()
    refusal = re.search(r"^Error: (.+)", said, re.MULTILINE | re.DOTALL)
    if refusal:
        what = " ".join(refusal[1].split())[:600]
        return InputError(f"Opentrons' software refuses this protocol: {what}", where=str(path))
    own = [line for line in said.splitlines() if not _CHATTER.search(line)]
    last = (own or ["it said nothing"])[-1][:300]
    return InputError(
        f"the protocol's Python ended the analysis itself (exit status {verdict.code}): {last}",
        where=str(path),
        mend="A protocol must not end Python",
    )


def _require_own_python(result: bytes, path: Path) -> None:
    """Refuse an analysis that was cut off by an error in the protocol's Python, or written by it.

    Raises:
        InputError: with the line.
    """
    try:
        analysis = json.loads(result)
        errors = analysis["errors"]
        if not errors or any(command["status"] == "failed" for command in analysis["commands"]):
            return
        detail, trace = str(errors[0]["detail"]), json.dumps(errors)
    except (ValueError, TypeError, LookupError, RecursionError):
        raise InputError("the analysis is damaged: the protocol's Python wrote into it", where=str(path)) from None
    named = re.search(r"\[line (\d+)\]", detail)
    lines = re.findall(rf'{re.escape(path.name)}\\+", line (\d+)', trace)
    line = named[1] if named else lines[-1] if lines else None
    what = plain(re.sub(r" ?\[line \d+\]", "", detail)).strip().rstrip(":.")
    raise InputError(
        f"the protocol's Python fails: {what[:600]}",
        where=f"{path}:{line}" if line else str(path),
        mend="Correct the protocol at this line" if line else "",
    )
