"""The made-up classification that drawn organisms belong to, and the trait states by which its species differ.

Names are invented and no real taxon has them: a drawn collection can't be taken for a real one. A genus shares most
states; its species differ in one to three of them; the same state comes back in genera far apart, so that a trait is
not the same thing as a taxon.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.traits.specimens import Taxon

KINDS = ("insect", "fish", "leaf")


@dataclass(frozen=True)
class Trait:
    """A character with its states.

    Attributes:
        states: what it can be; the first is the plainest.
        part: the part that shows it, by the name its mask has; empty where no single part does.
        level: ``genus`` where all species of a genus share it, ``species`` where they may differ.
    """

    states: tuple[str, ...]
    part: str
    level: str


INSECT_TRAITS: Mapping[str, Trait] = {
    "body_colour": Trait(("black", "brown", "green", "ochre", "blue"), "thorax", "genus"),
    "wing_colour": Trait(("cream", "orange", "blue", "brown", "red"), "forewings", "genus"),
    "antenna_form": Trait(("filiform", "clubbed", "feathered"), "antennae", "genus"),
    "hairs": Trait(("smooth", "hairy"), "thorax", "genus"),
    "wing_spots": Trait(("absent", "one", "three"), "wing_spots", "species"),
    "wing_band": Trait(("absent", "present"), "wing_band", "species"),
    "abdomen_bands": Trait(("absent", "two", "four"), "abdomen_bands", "species"),
    "leg_colour": Trait(("dark", "pale"), "legs", "species"),
    "thorax_stripes": Trait(("absent", "present"), "thorax_stripes", "species"),
    "wing_tails": Trait(("absent", "present"), "wing_tails", "species"),
}
FISH_TRAITS: Mapping[str, Trait] = {
    "body_colour": Trait(("silver", "olive", "blue", "gold", "rose"), "body", "genus"),
    "tail_form": Trait(("rounded", "forked", "lunate"), "tail", "genus"),
    "dorsal_fins": Trait(("one", "two"), "dorsal_fin", "genus"),
    "barbels": Trait(("absent", "present"), "barbels", "genus"),
    "flank": Trait(("plain", "bars", "stripes", "spots"), "flank_marks", "species"),
    "tail_spot": Trait(("absent", "present"), "tail_spot", "species"),
    "fin_colour": Trait(("clear", "red", "yellow"), "anal_fin", "species"),
    "mask": Trait(("absent", "present"), "mask", "species"),
}
LEAF_TRAITS: Mapping[str, Trait] = {
    "leaf_colour": Trait(("green", "dark", "yellowish", "bluish"), "blade", "genus"),
    "margin": Trait(("entire", "toothed", "lobed"), "blade", "genus"),
    "venation": Trait(("few", "many"), "veins", "genus"),
    "petiole_colour": Trait(("green", "red"), "petiole", "species"),
    "vein_colour": Trait(("pale", "red"), "veins", "species"),
    "variegation": Trait(("absent", "edged"), "variegation", "species"),
    "blotches": Trait(("absent", "present"), "blotches", "species"),
    "hairs": Trait(("smooth", "hairy"), "hairs", "species"),
}
TRAITS: Mapping[str, Mapping[str, Trait]] = {"insect": INSECT_TRAITS, "fish": FISH_TRAITS, "leaf": LEAF_TRAITS}


@dataclass(frozen=True)
class Order:
    """One order: how its members are built, its families, and which states its members can't have otherwise.

    Attributes:
        name, families: invented names.
        kind: one of :data:`KINDS`.
        build: which construction draws it.
        fixed: states that every member has; traits that it doesn't show have the first state.
    """

    name: str
    families: tuple[str, ...]
    kind: str
    build: str
    fixed: Mapping[str, str]


ORDERS: tuple[Order, ...] = (
    Order("Velaptera", ("Velaridae", "Ocellidae"), "insect", "moth", {}),
    Order("Clypeoptera", ("Clypeidae",), "insect", "beetle", {"abdomen_bands": "absent", "wing_tails": "absent"}),
    Order("Gyrodiptera", ("Gyridae",), "insect", "fly", {"wing_tails": "absent"}),
    Order("Stenogastera", ("Stenogastridae",), "insect", "wasp", {"wing_tails": "absent"}),
    Order("Longanata", ("Longanidae",), "insect", "damsel", {"wing_tails": "absent", "hairs": "smooth"}),
    Order("Altiformes", ("Altidae",), "fish", "deep", {"barbels": "absent"}),
    Order("Fusiformes", ("Fusidae",), "fish", "slender", {}),
    Order("Discales", ("Discaceae",), "leaf", "round", {}),
    Order("Lancales", ("Lancaceae",), "leaf", "lance", {}),
    Order("Ovales", ("Ovaceae",), "leaf", "oval", {}),
)
SPECIES_IN_GENUS = (3, 2, 1)
"""Species of a family's first, second and third genus: every family has a genus of one species."""

HEADS = ("Al", "Bor", "Cal", "Dru", "Ept", "Fal", "Gly", "Hel", "Ix", "Jun", "Kor", "Lam", "Mer", "Nyx", "Oph", "Pel")
TAILS = ("amia", "ella", "idra", "ona", "opsis", "urus", "ymna", "istes", "aria", "odon")
EPITHETS = (
    "alba",
    "borealis",
    "cincta",
    "dubia",
    "elegans",
    "fusca",
    "gracilis",
    "hirta",
    "insignis",
    "lugens",
    "mira",
)


@dataclass(frozen=True)
class Species:
    """One species: where it stands and what it looks like.

    Attributes:
        taxon: order, family, genus and species.
        kind, build: what it is and which construction draws it.
        states: the state of each trait of its kind.
        proportions: standard normal numbers (16,) from which its builder takes sizes; alike within a genus.
    """

    taxon: Taxon
    kind: str
    build: str
    states: Mapping[str, str]
    proportions: tuple[float, ...]

    @property
    def folder(self) -> str:
        """``Order_Family_Genus_epithet``."""
        names = self.taxon.names
        return "_".join([names["order"], names["family"], names["species"].replace(" ", "_")])


def taxonomy(seed: int = 0, kinds: Sequence[str] = KINDS) -> list[Species]:
    """All species of the given kinds, the same for the same seed, whatever the other kinds are."""
    species = []
    for number, order in enumerate(ORDERS):
        if order.kind in kinds:
            for place, family in enumerate(order.families):
                rng = np.random.default_rng([seed, 1, number, place])
                species += _family(order, family, rng, 3 * (2 * number + place))
    return species


def _family(order: Order, family: str, rng: np.random.Generator, first_name: int) -> list[Species]:
    members: list[Species] = []
    taken: list[dict[str, str]] = []
    for rank, many in enumerate(SPECIES_IN_GENUS):
        number = first_name + rank
        genus = HEADS[number % len(HEADS)] + TAILS[(number * 7 + number // len(HEADS)) % len(TAILS)]
        ancestor = _ancestor(order, rng, taken)
        taken.append(ancestor)
        form = rng.normal(size=16)
        epithets = rng.permutation(EPITHETS)[:many]
        for states, epithet in zip(_species_states(order, ancestor, many, rng), epithets, strict=True):
            names = {"order": order.name, "family": family, "genus": genus, "species": f"{genus} {epithet}"}
            size = form + 0.35 * rng.normal(size=16)
            members.append(Species(Taxon(names), order.kind, order.build, states, tuple(float(n) for n in size)))
    return members


def _ancestor(order: Order, rng: np.random.Generator, taken: list[dict[str, str]]) -> dict[str, str]:
    """States of a genus, at least one genus-level state apart from those already there."""
    traits = TRAITS[order.kind]
    shared = [name for name, trait in traits.items() if trait.level == "genus"]
    while True:
        states = {name: str(rng.choice(trait.states)) for name, trait in traits.items()} | dict(order.fixed)
        if all(any(states[name] != other[name] for name in shared) for other in taken):
            return states


def _species_states(
    order: Order, ancestor: Mapping[str, str], many: int, rng: np.random.Generator
) -> list[dict[str, str]]:
    """States of ``many`` species, each pair apart in at least one species-level trait."""
    traits = TRAITS[order.kind]
    free = [name for name, trait in traits.items() if trait.level == "species" and name not in order.fixed]
    found = [dict(ancestor)]
    while len(found) < many:
        states = dict(ancestor)
        for name in rng.choice(free, size=int(rng.integers(1, 4)), replace=False):
            states[str(name)] = str(rng.choice([s for s in traits[str(name)].states if s != ancestor[str(name)]]))
        if states not in found:
            found.append(states)
    return found
