"""An analysis, imported onto a workcell of its own, inferred and verified: what each test looks at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocols.formats.documents import load_document
from protocols.opentrons import Imported, import_analysis
from protocols.opentrons.inference import SetUp, infer_contents
from protocols.verify import Finding, Verification, verify
from robots.importing import workcell_for
from robots.workcell import Workcell


@dataclass(frozen=True)
class Bench:
    """All that came of one file."""

    imported: Imported
    workcell: Workcell
    set_up: SetUp
    verification: Verification
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> set[str]:
        """The codes of the errors."""
        return {finding.code for finding in self.findings if finding.severity == "error"}


def imported(data: dict[str, Any], folder: Path) -> Imported:
    path = folder / "it.analysis.json"
    path.write_text(json.dumps(data))
    return import_analysis(load_document(path))


def carried_through(data: dict[str, Any], folder: Path) -> Bench:
    """Import ``data`` and verify it."""
    result = imported(data, folder)
    found = workcell_for(result, "it", folder)
    set_up = infer_contents(result, found.workcell.spec)
    verification = verify(set_up.program, found.workcell.spec)
    findings = (*result.findings, *found.findings, *verification.findings)
    return Bench(result, found.workcell, set_up, verification, findings)
