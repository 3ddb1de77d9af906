"""The workcell that an imported Opentrons protocol needs: in a folder of its own, or compared with a lab's own."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from opentrons_shared_data.load import get_shared_data_root

from protocols.errors import FileProblemsError
from protocols.opentrons import Imported, Rig, RigModule
from protocols.program import MoveLabware
from protocols.specs import OFF_DECK, WorkcellSpec
from protocols.verify import Finding
from robots.workcell import Workcell, load_workcell
from robots.workcell.equipment import Equipment, Module, write_workcell

FOLDER = "imports"
"""Under ``LABWRIGHT_HOME``: the workcells of imported files."""
_MODULES = ("temperatureModule", "heaterShakerModule", "thermocyclerModule", "magneticModule", "magneticBlock")


@dataclass(frozen=True, slots=True)
class Found:
    """A workcell for an imported protocol, and what of the protocol's equipment it cannot have."""

    workcell: Workcell
    findings: tuple[Finding, ...] = ()


def workcell_for(imported: Imported, name: str, home: Path) -> Found:
    """The workcell that ``imported`` needs, under ``home``; one that was written before for the same is used again.

    Raises:
        InputError: it cannot be written, or a labware definition cannot be used.
    """
    kept: list[Module] = []
    findings: list[Finding] = []
    for module in equipment_of(imported, name).modules:
        if not module.model.startswith(_MODULES):
            findings.append(_cannot_stand(module.name, "modules of this kind are not followed", severity="warning"))
        elif any(other.slot == module.slot for other in kept):
            findings.append(_cannot_stand(module.name, f"another module stands on {module.slot}"))
        else:
            kept.append(module)
    equipment = equipment_of(imported, name, kept)
    while True:
        try:
            return Found(_written(equipment, home), tuple(findings))
        except FileProblemsError as error:
            lighter, finding = _without_misplaced(equipment, error)
            if lighter is equipment:
                raise
            equipment = lighter
            findings.append(finding)


def _without_misplaced(equipment: Equipment, error: FileProblemsError) -> tuple[Equipment, Finding]:
    """``equipment`` without the module or adapter that the first problem is about; itself if it is about neither."""
    problem = error.problems[0]
    finding = _cannot_stand("", problem.what)
    for module in reversed(equipment.modules):
        if module.name in problem.what:
            modules = tuple(other for other in equipment.modules if other is not module)
            return replace(equipment, modules=modules), finding.model_copy(update={"place": module.name})
    for site in equipment.adapters:
        if f"adapters, {site}" in problem.what:
            adapters = {other: kind for other, kind in equipment.adapters.items() if other != site}
            place = equipment.adapters[site]
            return replace(equipment, adapters=adapters), finding.model_copy(update={"place": place})
    return equipment, finding


def _written(equipment: Equipment, home: Path) -> Workcell:
    folder = home / FOLDER / equipment.name
    file = folder / "workcell.yaml"
    return load_workcell(file if file.exists() else write_workcell(equipment, folder))


def _cannot_stand(place: str, why: str, severity: Literal["error", "warning"] = "error") -> Finding:
    return Finding(
        code="P05" if severity == "error" else "P10",
        severity=severity,
        place=place,
        message=f"it cannot stand where the file puts it: {why}",
        mend="choose a slot that takes it" if severity == "error" else "watch it yourself",
    )


def equipment_of(imported: Imported, name: str, modules: list[Module] | None = None) -> Equipment:
    """What a workcell called ``name`` and a mark of its content must have for ``imported``."""
    rig = imported.rig
    kinds = {kind: found for kind in rig.kinds if (found := _definition(rig, kind)) is not None}
    said = {
        "robot": rig.robot,
        "pipettes": dict(rig.pipettes),
        "modules": tuple(_module(item) for item in rig.modules) if modules is None else tuple(modules),
        "adapters": {site: kind for site, kind in rig.adapters.items() if kind in kinds and site != OFF_DECK},
        "kinds": kinds,
        "fits": dict(rig.fits),
        "trash": rig.trash,
        "gripper": rig.gripper,
        "staging": rig.staging,
    }
    mark = hashlib.sha256(json.dumps(said, default=_plain, sort_keys=True).encode()).hexdigest()[:8]
    return Equipment(name=f"{_file_name(name)}-{mark}", **said)  # type: ignore[arg-type]


def _module(module: RigModule) -> Module:
    return Module(module.name, module.model, module.site, module.starts_open)


def _plain(value: Any) -> Any:
    return [value.name, value.model, value.slot, value.starts_open]


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name.removesuffix(".analysis")).strip("-_")[:60] or "protocol"


def _definition(rig: Rig, kind: str) -> Mapping[str, Any] | None:
    """A kind's definition: the analysis's own, else that of Opentrons' library."""
    carried = rig.kinds[kind]
    if carried is not None:
        return carried
    namespace, load_name, version = rig.origins[kind]
    file = get_shared_data_root() / "labware" / "definitions" / "2" / load_name / f"{version}.json"
    if namespace != "opentrons" or not re.fullmatch(r"[a-z0-9._-]+", load_name) or not file.is_file():
        return None
    definition: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return definition


def missing_from(imported: Imported, spec: WorkcellSpec) -> tuple[str, ...]:
    """What ``imported`` needs that the workcell ``spec`` does not have, in words."""
    rig, found = imported.rig, []
    if spec.robot != rig.robot:
        found.append(f"it is written for a robot of the kind {rig.robot}, and this is {spec.robot or 'another'}")
    for mount, model in rig.pipettes.items():
        pipette = spec.pipettes.get(mount)
        if pipette is None:
            found.append(f"a pipette '{mount}' ({model})")
        elif pipette.model is not None and pipette.model != model:
            found.append(f"a {model} as '{mount}', where a {pipette.model} is")
    for module in rig.modules:
        device = spec.devices.get(module.name)
        if module.model.startswith(_MODULES[:4]) and (device is None or device.model != module.model):
            found.append(f"a device '{module.name}' ({module.model})")
    for site, kind in rig.adapters.items():
        at = spec.sites.get(site)
        if at is not None and at.adapter != kind:
            found.append(f"the adapter '{kind}' on {site}")
    kinds = {placed.kind for placed in imported.program.labware.values()}
    found += [f"labware of the kind '{kind}'" for kind in sorted(kinds - spec.kinds.keys())]
    sites = {placed.site for placed in imported.program.labware.values()}
    sites |= {item.site for item in imported.program.instructions if isinstance(item, MoveLabware)}
    found += [f"a site '{site}'" for site in sorted(sites - spec.sites.keys() - {OFF_DECK})]
    return tuple(found)
