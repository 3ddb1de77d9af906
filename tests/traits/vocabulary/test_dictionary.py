"""The shipped dictionary resolves, and a person's own is refused with line and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.traits.describing import APPEARANCE, FORM
from pipelines.traits.describing.naming import STATES, names, state_of
from pipelines.traits.vocabulary import digest, read_dictionary, resolve, shipped_dictionary
from protocols.errors import FileProblemsError, InputError

OWN = """\
dictionary: beetles
version: 3
characters:
  colour:
    kind: categorical
    states:
      red: {label: red, term: PATO:0000322}
      "black":
  elytra_length:
    label: length of the elytra
    kind: continuous
    unit: mm
  spots:
    kind: count
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(text)
    return path


def test_every_identifier_of_the_shipped_dictionary_resolves() -> None:
    shipped = shipped_dictionary()
    assert (shipped.name, shipped.version) == ("characters", "1")
    terms = [term for one in shipped.characters.values() for term in (one.term, *(state.term for state in one.states))]
    assert len([term for term in terms if term]) > 60
    assert [term for term in terms if term and resolve(term) is None] == []


def test_a_states_label_and_its_term_say_the_same() -> None:
    for character in shipped_dictionary().characters.values():
        for state in character.states:
            term = resolve(state.term)
            if term is not None and character.id in ("colour", "secondary_colour"):
                assert term.name == state.label


def test_all_that_is_measured_is_in_it() -> None:
    characters = shipped_dictionary().characters
    assert set(APPEARANCE) | set(FORM) <= set(characters)
    assert {state.id for state in characters["colour"].states} == set(STATES)
    assert len(names().words) == 267
    assert {state_of(name) for name in names().words} == set(STATES)


def test_a_persons_own(tmp_path: Path) -> None:
    own = read_dictionary(written(tmp_path, OWN))
    assert (own.name, own.version) == ("beetles", "3")
    assert [state.id for state in own.characters["colour"].states] == ["red", "black"]
    assert own.characters["elytra_length"].unit == "mm"
    assert own.characters["spots"].unit == "1"
    other = read_dictionary(written(tmp_path, OWN.replace("version: 3", "version: 4")))
    assert digest(other) != digest(own)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("kind: count", "kind: cuont", 14, "none that is known"),
        ("    unit: mm\n", "", 9, "needs a unit"),
        ("term: PATO:0000322", "term: PATO:9999999", 7, "not in use"),
        ("term: PATO:0000322", "trem: PATO:0000322", 7, "no field 'trem'"),
        ("  spots:", "  Spots 1:", 13, "cannot be a name"),
        ("version: 3\n", "", 1, "version is missing"),
        ("    kind: count", "    - count", 13, "no character"),
        ("    label: length of the elytra", "    label: 3.5", 10, "no text"),
        ("      red:", "      blue: 3\n      red:", 7, "no state"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, old: str, new: str, line: int, says: str) -> None:
    assert old in OWN
    path = written(tmp_path, OWN.replace(old, new))
    with pytest.raises(InputError, match=says) as caught:
        read_dictionary(path)
    assert f"{path}:{line}" in str(caught.value)


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, OWN.replace("kind: count", "kind: cuont").replace("    unit: mm\n", ""))
    with pytest.raises(FileProblemsError) as caught:
        read_dictionary(path)
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("text", ["", "- a", "dictionary: [", "characters: {}", "\x00"])
def test_what_is_no_dictionary(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        read_dictionary(written(tmp_path, text))


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_dictionary(tmp_path / "nowhere.yaml")
    with pytest.raises(InputError, match="cannot be read"):
        read_dictionary(tmp_path)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        read_dictionary(tmp_path / "bytes.yaml")
