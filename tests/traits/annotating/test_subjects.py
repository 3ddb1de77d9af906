"""Which questions are asked about which regions: all of them, a stated share as controls, and the same each time."""

from __future__ import annotations

import pickle
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.traits.annotating.asking import Questions
from pipelines.traits.annotating.checks import Rules
from pipelines.traits.annotating.pictures import Found, Shard, Shown
from pipelines.traits.annotating.subjects import Arrangement, wrong_names
from pipelines.traits.prompting import Elsewhere, Prompt, Told
from pipelines.traits.specimens import Specimen, Taxon
from pipelines.traits.statements import Place
from pipelines.traits.vocabulary import shipped_dictionary

NAMES = ("Aus bus", "Cus dus", "Eus fus")


def shown(number: int, taxon: str, latents: int) -> Shown:
    places = [Place((40.0 * n, 0, 40.0 * n + 30, 30), (), (400, 300)) for n in range(latents)]
    specimen = Specimen(
        f"{number:032x}", f"{number}.jpg", Taxon({"genus": taxon.split()[0], "species": taxon}), 400, 300
    )
    return Shown(Path("images"), specimen, tuple(Found(n, place, ()) for n, place in enumerate(places)), None)


IMAGES = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(2, 5)), min_size=1, max_size=12).map(
    lambda told: [shown(number, *one) for number, one in enumerate(told)]
)


@settings(max_examples=40)
@given(IMAGES, st.integers(1, 4), st.integers(1, 3), st.sampled_from([0.0, 0.05, 0.3, 1.0]))
def test_every_region_is_asked_about_as_often_as_said(
    images: list[Shown], together: int, samples: int, controls: float
) -> None:
    how = Arrangement(together, samples, controls, NAMES)
    asked = how.questions(images)
    again = how.questions(images)
    assert [(one.kind, one.subject.control) for one in asked] == [(one.kind, one.subject.control) for one in again]
    plain = [one.subject for one in asked if one.kind is None]
    times = Counter((each.image, each.latent) for subject in plain for each in subject.shown)
    assert times == dict.fromkeys(((one.specimen.id, each.latent) for one in images for each in one.regions), samples)
    by_id = {one.specimen.id: one.specimen.taxon.name for one in images}
    for subject in plain:
        assert len({(by_id[each.image], each.latent) for each in subject.shown}) == 1
        assert len(subject.shown) <= together
    groups = len(plain) // samples
    kinds = Counter(one.kind for one in asked)
    assert kinds["again"] == kinds["blank image"] == kinds["wrong name told"] == kinds["another region"]
    assert groups * controls - 1e-9 <= kinds["again"] < groups * controls + 1
    for one in asked:
        control, own = one.subject.control, {by_id[each.image] for each in one.subject.shown}
        if isinstance(control, Told):
            assert control.taxon in set(NAMES) - own
        if isinstance(control, Elsewhere):
            assert all(place != each.place for place, each in zip(control.places, one.subject.shown, strict=True))


@given(IMAGES, st.sampled_from([*NAMES, "Gus hus"]))
def test_more_images_change_few_wrong_names(images: list[Shown], new: str) -> None:
    before, after = (
        {
            (one.subject.shown[0].image, one.subject.shown[0].latent): one.subject.control.taxon
            for one in Arrangement(1, 1, 1.0, names).questions(images)
            if isinstance(one.subject.control, Told)
        }
        for names in (NAMES, tuple(sorted({*NAMES, new})))
    )
    assert all(after[region] in (name, new) for region, name in before.items())


def test_names_that_can_be_told_are_the_narrowest() -> None:
    taxa = [Taxon({"order": "Diptera"}), Taxon({"genus": "Aus", "species": "Aus bus"}), Taxon({})]
    assert wrong_names(taxa) == ("Aus bus", "Diptera")


def test_all_that_a_shard_takes_can_be_sent_to_another_process() -> None:
    words = shipped_dictionary()
    how = Arrangement(2, 1, 0.5, NAMES)
    asked = Questions(Prompt(words), how, (Taxon({"genus": "Aus"}),), ("Western bus",), True, "eyes")
    assert asked.prompt.version
    assert how.questions([shown(0, "Aus bus", 2)])
    shard = Shard(3, (shown(0, "Aus bus", 2),))
    for one in (asked, shard, Rules(words, True, {"x": True})):
        assert pickle.loads(pickle.dumps(one)) == one
    assert pickle.loads(pickle.dumps(asked)).guard().names_in("a western bus") == ("Western bus",)
