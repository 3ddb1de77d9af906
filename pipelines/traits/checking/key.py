"""A key of what members of a group cannot have, held against what is said of them.

The key that comes with Labwright is of the orders of insects: wings, wing cases, halteres, antennae and the like. It is
read by the check alone: a describer that saw it could repeat it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from pipelines.traits.checking.doubts import CONTRADICTS_KEY, IMPOSSIBLE_PART, doubted
from pipelines.traits.specimens import RANKS, Taxon
from pipelines.traits.statements import Statement
from protocols.errors import InputError

JUVENILE = ("egg", "larva", "nymph", "naiad", "caterpillar", "maggot", "grub", "pupa", "juvenile", "immature")
"""Life stages of insects that are not adult."""
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class KeyPart:
    """A part that the key knows.

    Attributes:
        id: in the key.
        names: words that mean it, also within longer ones, as in "margin of the hind wing".
        excepted: longer words that do not mean it.
        adult: whether only adults have it.
    """

    id: str
    names: tuple[str, ...]
    excepted: tuple[str, ...] = ()
    adult: bool = False

    def is_meant(self, part: str) -> bool:
        """Whether someone's words for a part mean this one."""
        words = f" {' '.join(_WORD.findall(part.casefold()))} "
        for phrase in self.excepted:
            words = words.replace(f" {phrase} ", " ")
        return any(f" {name} " in words for name in self.names)


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """What holds of all members of a taxon.

    Attributes:
        name: of the taxon.
        within: the group whose rules hold, too; empty for none.
        never: parts that no member has.
        always: parts that every adult has.
        most: how many of a part there are at most.
        sources: ids of the works that say so.
    """

    name: str
    within: str = ""
    never: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    most: Mapping[str, int] = field(default_factory=dict)
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """Groups, the parts they are told by, and who says so.

    Attributes:
        name, version: which key.
        parts, groups: by id and by name.
        sources: works by id.
    """

    name: str
    version: str
    parts: Mapping[str, KeyPart]
    groups: Mapping[str, KeyGroup]
    sources: Mapping[str, str] = field(default_factory=dict)

    def meant_by(self, part: str) -> set[str]:
        """Ids of the parts that someone's words mean."""
        return {id for id, known in self.parts.items() if known.is_meant(part)}

    def groups_of(self, taxon: Taxon) -> Iterator[KeyGroup]:
        """The groups that a taxon belongs to, by any of its names, the narrowest first."""
        seen: set[str] = set()
        for name in (taxon.names[rank] for rank in reversed(RANKS) if rank in taxon.names):
            while name in self.groups and name not in seen:
                seen.add(name)
                yield self.groups[name]
                name = self.groups[name].within


@cache
def shipped_key() -> Key:
    """The key of insect orders that comes with Labwright."""
    path = files("pipelines.traits.checking") / "data" / "insect_orders.yaml"
    return parsed_key(path.read_text(encoding="utf-8"), str(path))


def parsed_key(text: str, file: str) -> Key:
    """A key from YAML in the form of the one that comes with Labwright; ``file`` is named in errors.

    Raises:
        InputError: something is missing, or names what is not there.
    """
    import yaml

    try:
        data: Any = yaml.safe_load(text)
        parts = {id: _part(id, told) for id, told in data["parts"].items()}
        groups = {name: _group(name, told) for name, told in data["groups"].items()}
        key = Key(str(data["key"]), str(data["version"]), parts, groups, dict(data.get("sources") or {}))
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(
            f"is no key ({type(error).__name__}: {error})",
            where=file,
            mend="Write key:, version:, parts: with names:, and groups: with never:, always: or most:",
        ) from None
    for group in groups.values():
        unknown = {*group.never, *group.always, *group.most} - parts.keys()
        unknown |= ({group.within} - {"", *groups}) | (set(group.sources) - key.sources.keys())
        if unknown:
            raise InputError(f"{group.name}: {', '.join(sorted(unknown))} is not there", where=file)
    return key


def _part(id: str, told: Mapping[str, Any]) -> KeyPart:
    return KeyPart(id, tuple(told["names"]), tuple(told.get("except", ())), bool(told.get("adult", False)))


def _group(name: str, told: Mapping[str, Any]) -> KeyGroup:
    never, always = tuple(told.get("never", ())), tuple(told.get("always", ()))
    most = {part: int(count) for part, count in told.get("most", {}).items()}
    return KeyGroup(name, told.get("within", ""), never, always, most, tuple(told.get("sources", ())))


def check_key(
    statements: Sequence[Statement], taxa: Mapping[str, Taxon], key: Key | None = None, *, count: str = "number"
) -> list[Statement]:
    """Doubt what no member of the specimen's order has, or no specimen of the life stage that the answer names.

    Args:
        statements: of any describers.
        taxa: of each image; statements on other images are not judged.
        key: the one that comes with Labwright where none is given.
        count: the character that says how many of a part there are.
    """
    key = key or shipped_key()
    groups = {image: list(key.groups_of(taxa[image])) for image in {one.image for one in statements} & taxa.keys()}
    meant = {text: key.meant_by(text) for text in {one.part for one in statements if groups.get(one.image)}}
    return [
        _checked(one, groups[one.image], meant[one.part], key, count) if groups.get(one.image) else one
        for one in statements
    ]


def _checked(statement: Statement, groups: list[KeyGroup], meant: set[str], key: Key, count: str) -> Statement:
    if not meant:
        return statement
    juvenile = _is_juvenile(dict(statement.conditions).get("life stage", ""))
    for group in groups:
        if _contradicts(statement, group, meant, juvenile, count):
            return doubted(statement, f"{CONTRADICTS_KEY} {group.name}")
    if juvenile and statement.standing == "observed" and any(key.parts[id].adult for id in meant):
        return doubted(statement, IMPOSSIBLE_PART)
    return statement


def _contradicts(statement: Statement, group: KeyGroup, meant: set[str], juvenile: bool, count: str) -> bool:
    counted = statement.value if statement.character == count and statement.standing == "observed" else None
    if counted == 0:
        return False
    if statement.standing == "absent":
        return not juvenile and not statement.character and bool(meant & set(group.always))
    if statement.standing != "observed":
        return False
    most = [group.most[id] for id in meant if id in group.most and not juvenile]
    return bool(meant & set(group.never)) or (counted is not None and any(counted > limit for limit in most))


def _is_juvenile(stage: str) -> bool:
    return any(word.removesuffix("s") in JUVENILE for word in re.findall(r"[a-z]+", stage.casefold()))
