"""Consistency: forms and conditions are results, chance is found out, and alpha is Krippendorff's."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.traits.checking import Forms, Tallying, agreement, alpha, check_images, check_repeats
from pipelines.traits.statements import Statement
from tests.traits.checking.saying import DICTIONARY, state

DOUBT = "differs from other images of the taxon"
AUS = ("species", "Aus bus")
Sexes = tuple[tuple[str, str], ...]


def images(states: str, conditions: list[Sexes] | None = None) -> list[Statement]:
    """A statement for each letter: r for red, b for blue."""
    names = {"r": "red", "b": "blue", "g": "green"}
    told = conditions or [()] * len(states)
    return [state(f"i{n}", names[one], conditions=told[n]) for n, one in enumerate(states)]


def checked(statements: list[Statement]) -> tuple[list[str], tuple[str, ...], str]:
    """Images with a doubt, the forms, and what explains them."""
    found, (tally,) = check_images(statements, {one.image: AUS for one in statements})
    return [one.image for one in found if one.doubts], tally.polymorphic, tally.explained_by


def test_a_state_of_one_specimen_in_ten_is_doubted() -> None:
    assert checked(images("rrrrrrrrrb")) == (["i9"], (), "")


def test_two_forms_are_a_result_and_no_doubt() -> None:
    assert checked(images("rrrrrrbbbb")) == ([], ("red", "blue"), "")


def test_a_third_state_beside_two_forms_is_doubted() -> None:
    assert checked(images("rrrrrrbbbbg")) == (["i10"], ("red", "blue"), "")


def test_states_that_go_with_sex_are_explained_by_it() -> None:
    sexes: list[Sexes] = [(("view", "dorsal"), ("sex", "female"))] * 5 + [(("view", "dorsal"), ("sex", "male"))] * 4
    assert checked(images("rrrrrbbbb", sexes)) == ([], (), "sex")


def test_sex_that_is_unknown_explains_nothing() -> None:
    sexes: list[Sexes] = [(("sex", "unknown"),)] * 5 + [(("sex", "male"),)] * 4
    assert checked(images("rrrrrbbbb", sexes)) == ([], ("red", "blue"), "")


def test_states_mixed_within_each_sex_are_not_explained_by_it() -> None:
    sexes: list[Sexes] = [(("sex", "female"),), (("sex", "male"),)] * 5
    assert checked(images("rrrrrbbbbb", sexes)) == ([], ("blue", "red"), "")


def test_where_no_state_has_half_of_the_specimens_each_is_doubted() -> None:
    found, (tally,) = check_images(images("rbg"), {f"i{n}": AUS for n in range(3)})
    assert [one.doubts for one in found] == [(DOUBT,)] * 3
    assert tally.agreement == 0


def test_two_specimens_say_nothing_against_each_other() -> None:
    assert checked(images("rb")) == ([], (), "")


def test_an_image_counts_once_and_one_that_says_two_things_is_undecided() -> None:
    said = [state("i0", latent=n) for n in range(9)] + [state("i1", "blue"), state("i1", "red", latent=4)]
    said += [state("i2", "", standing="not visible"), state("i3", "", standing="absent")]
    _, (tally,) = check_images(said, {f"i{n}": AUS for n in range(4)})
    assert tally.counts == {"absent": 1, "red": 1}
    assert (tally.undecided, tally.unseen) == (1, {"not visible": 1})


@given(st.lists(st.sampled_from("rbg"), min_size=1, max_size=12), st.randoms())
def test_the_order_of_images_changes_nothing(states: list[str], random: object) -> None:
    said = images("".join(states))
    mixed = said.copy()
    random.shuffle(mixed)  # type: ignore[attr-defined]
    taxa = {one.image: AUS for one in said}
    one, tallies = check_images(said, taxa)
    other, others = check_images(mixed, taxa)
    assert tallies == others
    assert {each.id: each.doubts for each in one} == {each.id: each.doubts for each in other}


def test_words_of_chance_explain_nothing() -> None:
    """A condition that is another for each specimen agrees with each state, and says nothing."""
    own: list[Sexes] = [(("damage", f"a leg is bent at {n} degrees"),) for n in range(10)]
    assert checked(images("rrrrrrbbbb", own)) == ([], ("red", "blue"), "")
    many: list[Sexes] = [(("damage", f"{'r' if n < 80 else 'b'}{n // 2}"),) for n in range(160)]
    assert checked(images("r" * 80 + "b" * 80, many)) == ([], ("blue", "red"), "")


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        ("", "too few"),
        ("rr", "too few"),
        ("rrr", "agrees"),
        ("rrrrrrrrrb", "agrees"),
        ("rrrrrrbbbb", "polymorphic"),
        ("rrrb", "differs"),
        ("rrrrrrrbgg", "polymorphic"),
    ],
)
def test_what_the_numbers_say_in_a_word(states: str, verdict: str) -> None:
    said = [*images(states), state("other", "", standing="not visible")]
    _, (tally,) = check_images(said, {one.image: AUS for one in said})
    assert tally.verdict == verdict
    assert (tally.commonest, tally.share) == (("r" in states) * "red", states.count("r") / max(len(states), 1))


def test_regions_without_a_named_part_are_compared_within_their_latent() -> None:
    said = [
        state(f"i{n}", what, part="region", latent=latent)
        for n in range(6)
        for latent, what in ((1, "red"), (2, "blue"))
    ]
    found, tallies = check_images(said, {f"i{n}": AUS for n in range(6)})
    assert [(one.group.latent, dict(one.counts)) for one in tallies] == [(1, {"red": 6}), (2, {"blue": 6})]
    assert found == said


def test_a_region_counts_for_the_wider_taxa_it_speaks_for_and_is_doubted_by_its_own() -> None:
    taxa = {f"i{n}": ("species", f"Aus {'ab'[n % 2]}us") for n in range(8)}
    said = [state(one, "red" if taxa[one][1] == "Aus aus" else "blue") for one in taxa]
    tallying = Tallying()
    tallying.add(said, taxa, {(one.image, one.latent): [("genus", "Aus")] for one in said})
    assert {one.group.taxon: (one.verdict, one.decided) for one in tallying.tallies()} == {
        "Aus": ("polymorphic", 8),
        "Aus aus": ("agrees", 4),
        "Aus bus": ("agrees", 4),
    }
    assert tallying.doubt(said, taxa) == said


@given(
    st.lists(st.tuples(st.sampled_from("rbg"), st.sampled_from(["", "male", "female"])), min_size=1, max_size=14),
    st.integers(0, 14),
)
def test_counting_in_parts_is_counting_at_once(states: list[tuple[str, str]], cut: int) -> None:
    said = images("".join(one for one, _ in states), [(("sex", sex),) for _, sex in states])
    taxa = {one.image: AUS for one in said}
    whole, first, second = Tallying(), Tallying(), Tallying()
    whole.add(said, taxa)
    first.add(said[:cut], taxa)
    second.add(said[cut:], taxa)
    second.merge(first)
    assert list(second.tallies()) == list(whole.tallies())
    assert second.doubt(said, taxa) == whole.doubt(said, taxa) == check_images(said, taxa)[0]
    repeated = [replace(one, image="i0", describer=replace(one.describer, sample=n)) for n, one in enumerate(said)]
    once, more = check_repeats(repeated)[1], check_repeats([replace(one, image="i1") for one in repeated])[1]
    twice = check_repeats([*repeated, *(replace(one, image="i1") for one in repeated)])[1]
    once.merge(more)
    assert once.repeats() == twice.repeats()


def test_a_looser_rule_for_forms_makes_forms() -> None:
    said, taxa = images("rrrrrrrrrb"), {f"i{n}": AUS for n in range(10)}
    _, (tally,) = check_images(said, taxa, Forms(share=0.1, specimens=1))
    assert tally.polymorphic == ("red", "blue")


def test_measures_are_not_compared_as_if_they_were_states() -> None:
    said = [state(f"i{n}", "", character="lightness", value=float(n % 2), unit="1") for n in range(6)]
    said += [state("i0", "", character="lightness", value=1.0, unit="1", sample=1)]
    found, tallies = check_images(said, {f"i{n}": AUS for n in range(6)}, Forms(), DICTIONARY)
    assert (found, tallies) == (said, [])
    found, repeated = check_repeats(said, DICTIONARY)
    assert (found, repeated.repeats()) == (said, [])
    counts = [state(f"i{n}", "", character="number", value=4.0 if n else 2.0, unit="1") for n in range(6)]
    _, (tally,) = check_images(counts, {f"i{n}": AUS for n in range(6)}, Forms(), DICTIONARY)
    assert tally.counts == {"4": 5, "2": 1}


# -- repeats -------------------------------------------------------------------------------------------


def test_a_claim_of_one_answer_in_three_is_doubted_and_of_two_in_three_is_not() -> None:
    said = [state("i0", what, sample=sample) for sample, what in enumerate(("red", "red", "blue"))]
    said.append(state("i0", "2", part="leg", sample=1))
    found, repeated = check_repeats(said)
    (repeats,) = repeated.repeats()
    assert [bool(one.doubts) for one in found] == [False, False, True, True]
    assert repeats.agreement == pytest.approx(1 / 3)


def test_one_answer_alone_is_not_held_against_itself() -> None:
    found, repeated = check_repeats([state("i0"), state("i0", "blue", part="leg")])
    assert [one.doubts for one in found] == [(), ()]
    assert repeated.repeats() == []


# -- Krippendorff's alpha ------------------------------------------------------------------------------


def test_alpha_is_that_of_krippendorffs_own_example() -> None:
    """Section C of the paper: four observers, twelve units, nominal alpha 0.743."""
    rows = ["1 2 3 3 2 1 4 1 2 * * *", "1 2 3 3 2 2 4 1 2 5 * 3", "* 3 3 3 2 3 4 2 2 5 1 *", "1 2 3 3 2 4 4 1 2 5 1 *"]
    columns = zip(*(row.split() for row in rows), strict=True)
    assert alpha([[None if one == "*" else one for one in unit] for unit in columns]) == pytest.approx(0.743, abs=5e-4)


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=2, max_size=4), min_size=1, max_size=12))
def test_alpha_is_one_less_the_disagreement_within_units_over_that_between_all_answers(units: list[list[str]]) -> None:
    """By its definition, pair by pair."""
    everything = [one for unit in units for one in unit]
    within = sum(
        sum(one != other for one, other in itertools.permutations(unit, 2)) / (len(unit) - 1) for unit in units
    ) / len(everything)
    pairs = list(itertools.permutations(everything, 2))
    between = sum(one != other for one, other in pairs) / len(pairs)
    found = alpha(units)
    assert (found is None) == (between == 0)
    assert found is None or found == pytest.approx(1 - within / between)


def test_without_pairs_there_is_no_agreement() -> None:
    assert alpha([["a"], ["b", None]]) is None
    assert agreement([["a"], []]) is None
    assert agreement([["a", "a", "b"]]) == pytest.approx(1 / 3)
