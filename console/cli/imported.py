"""Planning an imported Opentrons protocol: its workcell, its set-up, and what was not carried over."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from protocols.errors import FileProblemsError, InputError, Problem
from protocols.formats.protocol_file import Input
from protocols.opentrons import Imported, Lost, SetUp, import_analysis, infer_contents, set_up_in_words
from protocols.program import PickUpTips
from protocols.specs import WorkcellSpec
from protocols.verify import Finding, Verification
from robots.execution.home import Home
from robots.importing import missing_from, workcell_for
from robots.sources.pylabrobot_script import Script
from robots.workcell import Workcell, load_workcell

_REFUSED = "D16"
"""A script's call was refused; where verification says why, that is enough."""
DEFAULT_WORKCELL = "starlet"
"""What a protocol that brings no workcell runs on, unless one is named."""


@dataclass(frozen=True)
class Scripted(Input):
    """A script for pylabrobot, which brings its program and its deck."""

    script: Script | None = None


@dataclass(frozen=True)
class Brought:
    """What an imported protocol brings along.

    Attributes:
        findings: what is wrong with the file itself, or with its equipment.
    """

    imported: Imported
    findings: tuple[Finding, ...]

    def settle(self, spec: WorkcellSpec) -> Settled:
        """Say what must stand in its wells on a workcell."""
        return Settled(self, infer_contents(self.imported, spec))


@dataclass(frozen=True)
class Settled:
    """An imported protocol with all that must be on the deck at the start."""

    brought: Brought
    set_up: SetUp

    @property
    def lost(self) -> tuple[Lost, ...]:
        """The commands that are not carried over."""
        return self.brought.imported.lost

    @property
    def setup(self) -> tuple[str, ...]:
        """What a person must put where."""
        return set_up_in_words(self.brought.imported, self.set_up)

    @property
    def notes(self) -> tuple[str, ...]:
        """Guesses, and what is not carried over."""
        lost = (f"not carried over: {item}" for item in self.lost)
        return (*self.brought.imported.notes, *self.set_up.notes, *lost)

    @property
    def tips(self) -> int:
        """How many tips are picked up, each time counted."""
        picked = (item for item in self.set_up.program.instructions if isinstance(item, PickUpTips))
        return sum(len(item.channels) for item in picked)

    def as_json(self) -> list[dict[str, Any]]:
        """The commands that are not carried over, for machines."""
        return [
            {"command": item.kind, "count": item.count, "reason": item.reason, "first": item.first}
            for item in self.lost
        ]

    def judged(self, verification: Verification) -> Verification:
        """``verification`` with what the file itself has wrong, each thing said once."""
        said = {(finding.code, finding.place) for finding in verification.findings}
        failing = {finding.instruction for finding in verification.findings if finding.severity == "error"}
        own = [
            finding
            for finding in self.brought.findings
            if (finding.code, finding.place) not in said
            and not (finding.code == _REFUSED and finding.instruction in failing)
        ]
        return replace(verification, findings=_gravest_first((*own, *verification.findings)))


def _gravest_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    grave = {"error": 0, "warning": 1, "note": 2}
    return tuple(sorted(findings, key=lambda finding: grave[finding.severity]))


def bring(given: Input, file: Path, name: str | None, home: Home) -> tuple[Workcell, Brought | None]:
    """The workcell that ``given`` is planned for, and what it brings if it is imported.

    Args:
        file: what the person named.
        name: the workcell that the person named, if any.

    Raises:
        InputError: the analysis, or a definition in it, cannot be used, or there is no such workcell.
        FileProblemsError: the workcell that was named lacks what the protocol needs; each thing is listed.
    """
    if isinstance(given, Scripted) and given.script is not None:
        if name is not None:
            mend = "Leave out --workcell, and unset LABWRIGHT_WORKCELL"
            raise InputError("a script for pylabrobot builds its own deck", where=str(file), mend=mend)
        return given.script.workcell, Brought(given.script.imported, given.script.imported.findings)
    if given.analysis is None:
        return load_workcell(DEFAULT_WORKCELL if name is None else name), None
    imported = import_analysis(given.analysis, title=file.stem)
    if name is None:
        found = workcell_for(imported, file.stem, home.path)
        return found.workcell, Brought(imported, (*imported.findings, *found.findings))
    workcell = load_workcell(name)
    missing = missing_from(imported, workcell.spec)
    if missing and name == os.environ.get("LABWRIGHT_WORKCELL"):  # named for all files, not for this one
        return bring(given, file, None, home)
    if missing:
        mend = "Leave out --workcell, and one is written for it"
        problems = [Problem(str(workcell.path), f"it needs {what}") for what in missing]
        raise FileProblemsError(str(workcell.path), problems, mend=mend)
    return workcell, Brought(imported, imported.findings)
