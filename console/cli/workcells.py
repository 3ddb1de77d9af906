"""workcell: is the file right, what is in it, what stands on the deck now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from console.cli.exits import ExitCode
from console.cli.screen import Screen
from protocols.errors import ApprovalError
from protocols.quantities import show_volume
from protocols.specs import DeviceSpec, LabwareSpec, SiteSpec, WorkcellSpec
from robots.execution.executor import Executor
from robots.execution.home import Home
from robots.execution.lease import lease_holder
from robots.execution.standing import differences, read_standing
from robots.workcell import Workcell, load_workcell
from robots.workcell.deck_import import import_deck


def check_workcell(screen: Screen, name: str) -> ExitCode:
    """Say what is wrong with a workcell file, or what a person should know of it."""
    workcell = load_workcell(name)
    doubts = workcell.check()
    spec = workcell.spec
    screen.say(f"{workcell.path}: no mistakes.", style="green", whole=True)
    screen.say(f"  {len(spec.sites)} sites, {len(spec.labware)} pieces of labware of {len(spec.kinds)} kinds")
    for site in spec.sites.values():
        if site.device is not None:
            device = spec.devices[site.device]
            screen.say(f"  {device.id}: {device.kind} at {site.id}, {ranges_in_words(device)}")
        if site.adapter is not None:
            screen.say(f"  {site.adapter}: fixed at {site.id}")
    screen.say(f"  trash: {spec.kinds[spec.labware[spec.trash].kind].kind}")
    if doubts:
        screen.say("To know:")
        screen.lines(map(str, doubts))
    screen.give(
        {
            "workcell": spec.name,
            "file": str(workcell.path),
            "doubts": [{"where": doubt.where, "what": doubt.what, "mend": doubt.mend} for doubt in doubts],
        }
    )
    return ExitCode.OK


def show_workcell(screen: Screen, name: str) -> ExitCode:
    """What a workcell has: devices, pipettes, sites with what stands there, kinds of labware, liquids."""
    workcell = load_workcell(name)
    spec = workcell.spec
    screen.say(f"Workcell {spec.name} ({workcell.path})", style="bold", whole=True)
    screen.say("Devices")
    stands = {site.device: site.id for site in spec.sites.values() if site.device is not None}
    screen.table(
        ("  name", "kind", "driver", "can say what it did", "stands at", "can be set to"),
        [
            (
                f"  {item.id}",
                item.kind,
                item.driver,
                "yes" if item.answers else "no",
                stands.get(item.id, ""),
                ranges_in_words(item),
            )
            for item in spec.devices.values()
        ],
        sparse=True,
    )
    screen.say("Pipettes")
    screen.table(
        ("  name", "channels", "each", "volume"),
        [
            (
                f"  {item.id}",
                str(item.channels),
                "by itself" if item.independent or item.channels == 1 else "all together",
                f"{show_volume(item.min_volume)} to {show_volume(item.max_volume)}",
            )
            for item in spec.pipettes.values()
        ],
    )
    standing = {placed.site: (labware, placed.kind) for labware, placed in spec.labware.items()}
    screen.say("Sites")
    screen.table(
        ("  site", "takes", "stands there", "kind", "fixed on it", "reached by"),
        [
            (
                f"  {site.id}",
                ", ".join(sorted(site.accepts)),
                *standing.get(site.id, ("", "")),
                " with ".join(part for part in (site.device, site.adapter) if part),
                _reached_by(site, spec),
            )
            for site in spec.sites.values()
        ],
        sparse=True,
    )
    screen.say("Kinds of labware")
    screen.table(
        ("  kind", "category", "wells", "each", "geometry"),
        [
            (f"  {kind.kind}", kind.category, str(len(kind.wells)), _each(kind), kind.source)
            for kind in _kinds(workcell)
        ],
    )
    _show_liquids(screen, workcell)
    screen.give({"file": str(workcell.path), **spec.model_dump(mode="json", exclude={"kinds"})})
    return ExitCode.OK


def _reached_by(site: SiteSpec, spec: WorkcellSpec) -> str:
    arm = site.gripper and spec.arm is not None
    return " and ".join((["pipettes"] if site.pipettes else []) + (["arm"] if arm else []))


def ranges_in_words(device: DeviceSpec) -> str:
    """What a device can be set to: temperatures, speeds, heights."""
    ranges = (
        (device.temperatures, "°C", ""),
        (device.lid_temperatures, "°C", "lid "),
        (device.speeds, "rpm", ""),
        (device.magnet_heights, "mm", "magnets "),
    )
    return ", ".join(f"{part}{each[0]:g} to {each[1]:g} {unit}" for each, unit, part in ranges if each is not None)


def _kinds(workcell: Workcell) -> list[LabwareSpec]:
    return [kind for kind in workcell.spec.kinds.values() if kind.category != "trash"]


def _each(kind: LabwareSpec) -> str:
    if kind.tip is not None:
        return f"tips of {show_volume(kind.tip.capacity)}" + (" with filter" if kind.tip.filtered else "")
    volumes = sorted({shape.max_volume for shape in kind.shapes.values()})
    if not volumes:
        return ""
    least, most = show_volume(volumes[0]), show_volume(volumes[-1])
    return most if least == most else f"{least} to {most}"


def _show_liquids(screen: Screen, workcell: Workcell) -> None:
    contents = workcell.spec.contents
    if contents:
        screen.say("Liquids on the deck")
        screen.table(
            ("  well", "liquid", "volume"),
            [(f"  {fill.well}", fill.liquid, show_volume(fill.volume)) for fill in contents],
        )


def import_workcell(screen: Screen, deck: Path, folder: Path) -> ExitCode:
    """Write a deck that pylabrobot saved as a workcell, and say what is not in it and what it says by guess.

    Raises:
        InputError: the file holds no deck, or the folder cannot be written.
    """
    imported = import_deck(deck, folder)
    spec = load_workcell(imported.path).spec
    screen.say(f"{imported.path}: written.", style="green", whole=True)
    screen.say(f"  {len(spec.sites)} sites, {len(spec.labware)} pieces of labware of {len(spec.kinds)} kinds")
    if imported.left_out:
        screen.say("Not carried over:")
        screen.lines(imported.left_out)
    if imported.guessed:
        screen.say("Guessed; correct it in the file:")
        screen.lines(imported.guessed)
    screen.give(
        {
            "workcell": spec.name,
            "file": str(imported.path),
            "left_out": list(imported.left_out),
            "guessed": list(imported.guessed),
        }
    )
    return ExitCode.OK


def show_state(screen: Screen, home: Home, name: str) -> ExitCode:
    """How the deck departs from what the workcell file says, and who uses it now."""
    workcell = load_workcell(name)
    spec = workcell.spec
    standing = read_standing(home, spec)
    holder = lease_holder(home.workcell(spec.name) / "lease")
    changed = differences(spec, standing.state)
    if standing.open_run:
        screen.say(f"Run {standing.open_run} began here and has not ended; its journal says what is where.")
        screen.say(f"  go on with: labwright runs resume {standing.open_run}", whole=True)
    elif not changed:
        screen.say(f"The deck of {spec.name} is as its file says.")
    else:
        screen.say(f"The deck of {spec.name} departs from its file:")
        screen.lines(changed)
    if standing.uncertain:
        screen.say("A run that was given up left this for a person to look at:", style="yellow")
        screen.lines(standing.uncertain)
    screen.say(f"In use: {holder}" if holder else "Nobody uses it now.")
    given: dict[str, Any] = {
        "workcell": spec.name,
        "open_run": standing.open_run,
        "last_run": standing.last_run,
        "updated": standing.updated,
        "differences": list(changed),
        "uncertain": list(standing.uncertain),
        "state": standing.state.snapshot(),
    }
    screen.give(given)
    return ExitCode.OK


def reset_state(screen: Screen, home: Home, name: str, *, sure: bool) -> ExitCode:
    """Forget what earlier runs left on the deck, once a person has made it so.

    Raises:
        ApprovalError: nobody confirmed that the deck is as the workcell file says.
    """
    workcell = load_workcell(name)
    question = "Is the deck as the workcell file says: full tip racks, its liquids, nothing else?"
    if not sure and screen.choose(question, ("yes", "no")) != "yes":
        raise ApprovalError(
            "nobody confirmed that the deck is as the workcell file says, so its record was left as it was",
            where=workcell.spec.name,
            mend="Confirm it when asked, or give --yes",
        )
    Executor(home, workcell).reset()
    screen.say(f"The deck of {workcell.spec.name} is as its file says.")
    screen.give({"workcell": workcell.spec.name, "reset": True})
    return ExitCode.OK
