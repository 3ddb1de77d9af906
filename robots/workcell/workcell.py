"""The workcell: its file read, checked, and turned into a spec and into pylabrobot's deck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pylabrobot.resources import Deck, Plate, Resource

from protocols.errors import FileProblemsError, InputError, Problem, UnknownNameError
from protocols.formats import Document, load_document, validate
from protocols.liquids import Liquid
from protocols.specs import OFF_DECK, DeviceSpec, Fill, Limits, Motion, PlacedLabware, WorkcellSpec
from robots.workcell.built import TRASH, BuiltDeck
from robots.workcell.catalogue import Kind, make_lid, read_kind
from robots.workcell.checks import find_doubts, find_problems
from robots.workcell.config import DeviceConfig, WorkcellConfig
from robots.workcell.decks import build_deck
from robots.workcell.flex import WASTE_CHUTE
from robots.workcell.modules import MODULES
from robots.workcell.names import nearest
from robots.workcell.pipettes import describe_pipette

SHIPPED = Path(__file__).parent.parent / "data" / "workcells"
"""Where the workcells stand that can be used by their bare name."""


@dataclass(frozen=True)
class Workcell:
    """A lab's workcell.

    Attributes:
        config: the file as written.
        spec: what verification, compiler, simulator and report know of it.
        path: where the file stands.
    """

    config: WorkcellConfig
    spec: WorkcellSpec
    path: Path
    _kinds: Mapping[str, Kind] = field(repr=False)

    def build_deck(self, labware: Mapping[str, PlacedLabware] | None = None) -> Deck:
        """pylabrobot's deck with ``labware`` on it (the workcell's own by default), named by instance id.

        Raises:
            InputError: as for :meth:`place`.
        """
        return self.place(labware).deck

    def place(self, labware: Mapping[str, PlacedLabware] | None = None) -> BuiltDeck:
        """A new pylabrobot deck with ``labware`` on it (the workcell's own by default), and its sites' holders.

        Raises:
            InputError: an unknown kind or site, an occupied site, or labware that pylabrobot's site refuses.
        """
        built = build_deck(self.config, self._kinds)
        for name, placed in (self.spec.labware if labware is None else labware).items():
            if name != TRASH and placed.site != OFF_DECK:
                _put(built, self, name, placed)
        return built

    def make(self, name: str, kind: str, *, lid: bool = False) -> Resource:
        """A new pylabrobot resource called ``name``, of ``kind``, on no site.

        Raises:
            UnknownNameError: the workcell has no such kind.
        """
        resource = _known(self._kinds, kind).make(name)
        if lid and isinstance(resource, Plate):
            resource.assign_child_resource(make_lid(resource))
        return resource

    def check(self) -> tuple[Problem, ...]:
        """What a person should know of the file: what is unknown or guessed, and what can never be used.

        Mistakes are not among it: :func:`load_workcell` refuses those.
        """
        return find_doubts(self.config, self.spec, str(self.path))


def load_workcell(name_or_path: str | Path) -> Workcell:
    """Read a workcell file, or one that Labwright ships ("starlet", "ot2") by its bare name.

    Raises:
        InputError: the file cannot be read.
        FileProblemsError: it is not a workcell file, or has mistakes; each is listed with its line.
    """
    path = _find(name_or_path)
    document = load_document(path)
    config = validate(document, WorkcellConfig)
    kinds, problems = _read_kinds(config, document)
    try:
        built = build_deck(config, kinds)
    except InputError as error:
        problems.append(_at(document, error))
        raise FileProblemsError(str(path), problems) from None
    problems += find_problems(config, {name: kind.spec for name, kind in kinds.items()}, built, document)
    if problems:
        raise FileProblemsError(str(path), problems)
    workcell = Workcell(config, _spec(config, kinds, built), path, kinds)
    problems = _placing_problems(workcell, document)
    if problems:
        raise FileProblemsError(str(path), problems)
    return workcell


def shipped_workcells() -> tuple[str, ...]:
    """The names of the workcells that Labwright ships."""
    return tuple(sorted(file.stem for file in SHIPPED.glob("*.yaml")))


def _find(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    bare = path.name == str(name_or_path) and not path.suffix
    if bare and str(name_or_path) in shipped_workcells():
        return SHIPPED / f"{name_or_path}.yaml"
    if bare and not path.exists():
        raise UnknownNameError(
            f"there is no workcell '{name_or_path}'",
            mend=f"{nearest(str(name_or_path), shipped_workcells())}. Or name a workcell file",
        )
    return path


def _read_kinds(config: WorkcellConfig, document: Document) -> tuple[dict[str, Kind], list[Problem]]:
    kinds: dict[str, Kind] = {}
    problems: list[Problem] = []
    for name, kind in config.kinds.items():
        try:
            kinds[name] = read_kind(name, kind, document.path.parent)
        except InputError as error:
            inside = f" {error.where}:" if error.where else ""
            problems.append(Problem(document.where("kinds", name), f"kinds, {name}:{inside} {error.what}", error.mend))
    return kinds, problems


def _at(document: Document, error: InputError) -> Problem:
    """A problem whose field ("carriers.tips.rail") is turned into a line."""
    return Problem(document.where(*error.where.split(".")), error.what, error.mend)


def _known(kinds: Mapping[str, Kind], name: str) -> Kind:
    if name not in kinds:
        raise UnknownNameError(f"the workcell has no labware of kind '{name}'", mend=nearest(name, kinds))
    return kinds[name]


def _put(built: BuiltDeck, workcell: Workcell, name: str, placed: PlacedLabware) -> None:
    resource = workcell.make(name, placed.kind, lid=placed.lid)
    holder = built.holders.get(placed.site)
    if holder is None:
        raise UnknownNameError(f"'{name}': there is no site '{placed.site}'", mend=nearest(placed.site, built.holders))
    if holder.resource is not None:
        raise InputError(f"'{name}' cannot stand on '{placed.site}', where '{holder.resource.name}' stands")
    try:
        holder.assign_child_resource(resource)
    except (ValueError, AssertionError) as error:
        raise InputError(f"'{name}' cannot stand on '{placed.site}': {error}") from None


def _placing_problems(workcell: Workcell, document: Document) -> list[Problem]:
    """What pylabrobot itself refuses about the labware."""
    built = workcell.place({})
    problems = []
    for name in workcell.config.labware:
        try:
            _put(built, workcell, name, workcell.spec.labware[name])
        except InputError as error:
            problems.append(Problem(document.where("labware", name), error.what, error.mend))
    return problems


def _spec(config: WorkcellConfig, kinds: Mapping[str, Kind], built: BuiltDeck) -> WorkcellSpec:
    labware = {
        name: PlacedLabware(kind=own.kind, site=own.site, barcode=own.barcode, lid=own.lid)
        for name, own in config.labware.items()
    }
    return WorkcellSpec(
        name=config.name,
        devices={name: _device(name, device) for name, device in config.devices.items()},
        pipettes={name: describe_pipette(name, pipette) for name, pipette in config.pipettes.items()},
        sites=dict(built.sites),
        kinds={**{name: kind.spec for name, kind in kinds.items()}, built.trash.kind: built.trash},
        labware={
            **labware,
            TRASH: PlacedLabware(kind=built.trash.kind, site=TRASH if TRASH in built.sites else OFF_DECK),
        },
        liquids={
            name: Liquid(name=name, **liquid.model_dump(mode="python")) for name, liquid in config.liquids.items()
        },
        contents=tuple(
            Fill(
                well=well,
                liquid=content.liquid,
                volume=content.volume,
                settled=content.settled,
                settled_height=content.settled_height,
            )
            for content in config.contents
            for well in content.wells
        ),
        trash=TRASH,
        arm=config.arm,
        robot=None if config.deck.type == "generic" else config.deck.type,
        chute=WASTE_CHUTE in config.deck.bins,
        motion=Motion(**config.motion.model_dump(mode="python")),
        limits=Limits(**config.limits.model_dump(mode="python")),
    )


def _device(name: str, config: DeviceConfig) -> DeviceSpec:
    model = MODULES.get(config.model or "")
    return DeviceSpec(
        id=name,
        kind=config.kind,
        driver=config.driver,
        answers=config.answers and (config.kind == "person" or config.driver == "simulated"),
        model=config.model,
        temperatures=model.temperatures if model else None,
        lid_temperatures=model.lid_temperatures if model else None,
        speeds=model.speeds if model else None,
        magnet_heights=model.magnet_heights if model else None,
        starts_open=config.starts_open,
    )
