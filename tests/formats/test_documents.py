"""Documents: what is read, what is refused, and where the error points."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InputError
from protocols.formats import load_document, parse_document
from protocols.formats.documents import LARGEST, MOST_INCLUDES

YAML = """\
# a comment
deck:
  plates:
    - {kind: deep well, rows: 8}
    - kind: flat
      rows: 16
limits: {flow: 1e3, on: off, start: 1:30, day: 2024-01-01, none: ~}
"""
JSON = (
    '{\n "deck": {\n  "plates": [\n   {"kind": "deep \\u00b5", "rows": 8},\n   {"kind": "flat",\n    "rows": 16}]}\n}'
)


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_document(path)
    return str(caught.value)


def test_yaml_is_read_with_the_core_schema_and_knows_its_lines() -> None:
    document = parse_document(YAML, "lab.yaml")
    assert document.data["limits"] == {"flow": 1000.0, "on": "off", "start": "1:30", "day": "2024-01-01", "none": None}
    assert document.where("deck", "plates", 0) == "lab.yaml:4"
    assert document.where("deck", "plates", 1, "rows") == "lab.yaml:6"
    assert document.where("deck", "plates", 7, "rows") == "lab.yaml:3"
    assert document.where("limits", "flow") == "lab.yaml:7"
    assert document.where() == "lab.yaml:2"


def test_json_is_read_and_knows_its_lines() -> None:
    document = parse_document(JSON, "lab.txt")
    assert document.is_json
    assert document.data == json.loads(JSON)
    assert document.where("deck", "plates", 0, "kind") == "lab.txt:4"
    assert document.where("deck", "plates", 1, "rows") == "lab.txt:6"


def test_a_byte_order_mark_and_windows_lines_are_accepted(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: [2, 3]\r\n")
    assert load_document(file).data == {"a": 1, "b": [2, 3]}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: [2, 3\nc: 4\n", 3, "not YAML"),
        ("a: 1\n\tb: 2\n", 2, "not YAML"),
        ("a: 1\nb: 2\na: 3\n", 3, "'a' is written twice in one mapping (first on line 1)"),
        ("x:\n  - {k: 1,\n     k: 2}\n", 3, "'k' is written twice"),
        ("a:\n  b: .nan\n", 2, "not a finite number"),
        ("a: -.inf\n", 1, "not a finite number"),
        ("a: 1\nb: 1e999\n", 2, "not a finite number"),
        ("a: 1\nb: 90071992547409920\n", 2, "too large"),
        ("a: !!python/object/apply:os.system ['true']\n", 1, "tag"),
        ("a: &x [1, *x]\n", 1, "*x stands for nothing that is complete"),
        ("a: *gone\n", 1, "*gone stands for nothing"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("base: &b {x: 1}\nc:\n  <<: *b\n", 3, "merge keys"),
        ("? [a, b]\n: 1\n", 1, "a key must be plain text"),
        ("[" * 200 + "]" * 200, 1, "more than 64 deep"),
        ('{"a": 1,\n "a": 2}', 2, "'a' is written twice"),
        ('{"a": 1,\n "b": {"c": NaN}}', 2, "NaN"),
        ('{"a": 1,\n "b": -1e400}', 2, "not a finite number"),
        ('{"a":\n ' + "9" * 5000 + "}", 2, "5000 characters"),
        ('{"a":\n ' + "9" * 40 + "}", 2, "too large"),
    ],
)
def test_what_cannot_be_trusted_is_refused_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    write(tmp_path, bad=text)
    said = refusal(tmp_path / "bad.yaml")
    assert said.startswith(f"{tmp_path / 'bad.yaml'}:{line}: ")
    assert words in said
    assert "Traceback" not in said


def test_malformed_json_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 1,\n "b": }')
    assert refusal(tmp_path / "a.json").startswith(f"{tmp_path / 'a.json'}:2: this is not JSON")
    (tmp_path / "b.json").write_text('["\\ud800"]')
    assert "surrogate" in refusal(tmp_path / "b.json")
    (tmp_path / "c.json").write_text("[" * 100_000 + "]" * 100_000)
    assert "deep" in refusal(tmp_path / "c.json")
    (tmp_path / "d.json").write_text("[" * 65 + "]" * 65)
    assert "more than 64 deep" in refusal(tmp_path / "d.json")
    (tmp_path / "e.json").write_text("[" * 64 + "]" * 64)
    assert load_document(tmp_path / "e.json").data


def test_an_alias_bomb_is_refused_without_being_written_out(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    write(tmp_path, bomb="\n".join(lines))
    assert "more than 2,000,000 values" in refusal(tmp_path / "bomb.yaml")


def test_plain_aliases_are_read(tmp_path: Path) -> None:
    write(tmp_path, a="x: &x {k: [1, 2]}\ny: *x\n")
    assert load_document(tmp_path / "a.yaml").data == {"x": {"k": [1, 2]}, "y": {"k": [1, 2]}}


def test_a_100_mb_file_is_refused_unread_and_the_limit_is_said(tmp_path: Path) -> None:
    file = tmp_path / "huge.yaml"
    with file.open("wb") as stream:
        stream.truncate(100_000_000)
    before = file.stat().st_atime_ns
    said = refusal(file)
    assert "100.0 MB" in said
    assert f"{LARGEST / 1e6:.1f} MB" in said
    assert file.stat().st_atime_ns == before


def test_what_is_not_a_text_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("a: 1\nb: 5 µL\n".encode("latin-1"))
    assert refusal(tmp_path / "latin.yaml").startswith(f"{tmp_path / 'latin.yaml'}:2: byte 0xb5 is not UTF-8")
    (tmp_path / "wide.yaml").write_bytes("a: 1".encode("utf-16"))
    assert "UTF-16" in refusal(tmp_path / "wide.yaml")
    (tmp_path / "nul.yaml").write_bytes(b"a: \x00\n")
    assert "not YAML" in refusal(tmp_path / "nul.yaml")
    assert "folder" in refusal(tmp_path)
    assert "cannot be read (no such file" in refusal(tmp_path / "gone.yaml")
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "not a regular file" in refusal(tmp_path / "pipe.yaml")
    assert "name" in refusal(Path("a\x00b"))


def test_includes_are_merged_deeply_and_keep_their_places(tmp_path: Path) -> None:
    write(
        tmp_path,
        main="include: [one.yaml, two.yaml]\nname: mine\ndeck:\n  b: {x: 3}\n",
        one="name: one\ndeck:\n  a: 1\n  b:\n    x: 1\n    y: 1\nlist: [1, 2]\n",
        two="include: three.yaml\nlist: [9]\n",
        three="deck:\n\n  c: 3\n",
    )
    document = load_document(tmp_path / "main.yaml")
    assert document.data == {"name": "mine", "deck": {"a": 1, "b": {"x": 3, "y": 1}, "c": 3}, "list": [9]}
    places = {("deck", "b", "x"): "main.yaml:4", ("deck", "b", "y"): "one.yaml:6", ("deck", "c"): "three.yaml:3"}
    for path, place in places.items():
        assert document.where(*path) == str(tmp_path / place)


def test_includes_that_cannot_be_followed_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    write(tmp_path, outside="a: 1\n")
    (folder / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    write(
        folder,
        a="x: 1\ninclude: [b.yaml]\n",
        b="include: [c.yaml]\n",
        c="include: [a.yaml]\n",
        self="include: self.yaml\n",
        up="include: [../outside.yaml]\n",
        absolute="include: [/etc/hostname]\n",
        linked="include: [link.yaml]\n",
        missing="include: [gone.yaml]\n",
        wrong="include: {a: 1}\n",
        plain="include: [text.yaml]\n",
        text="just words\n",
        broken="include: [syntax.yaml]\n",
        syntax="ok: 1\nbad: [\n",
    )
    assert "lab/c.yaml:1: the includes go in a circle: a.yaml -> b.yaml -> c.yaml -> a.yaml" in refusal(
        folder / "a.yaml"
    )
    assert "self.yaml -> self.yaml" in refusal(folder / "self.yaml")
    for name in ("up", "absolute", "linked"):
        assert "outside the folder" in refusal(folder / f"{name}.yaml")
    assert "gone.yaml: it cannot be read" in refusal(folder / "missing.yaml")
    assert "must be a list of file names" in refusal(folder / "wrong.yaml")
    assert "must be a mapping" in refusal(folder / "plain.yaml")
    assert "syntax.yaml:" in refusal(folder / "broken.yaml")


def test_includes_are_bounded_in_depth_and_number(tmp_path: Path) -> None:
    write(tmp_path, **{f"deep{n}": f"include: [deep{n + 1}.yaml]\n" for n in range(20)}, deep20="a: 1\n")
    assert "more than 8 files deep" in refusal(tmp_path / "deep0.yaml")
    write(
        tmp_path, **{f"wide{n}": f"include: [wide{n + 1}.yaml, wide{n + 1}.yaml, wide{n + 1}.yaml]\n" for n in range(7)}
    )
    write(tmp_path, wide7="a: 1\n")
    assert f"more than {MOST_INCLUDES} files" in refusal(tmp_path / "wide0.yaml")


plain_data = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(data=plain_data)
def test_json_reads_back_what_was_written(data: object) -> None:
    text = json.dumps({"data": data, "more": [data]}, indent=1)
    assert parse_document(text).data == {"data": data, "more": [data]}


@given(text=st.text(st.sampled_from("ab1: -[]{},\n\"'&*!|>#?%@`~\\é\t"), max_size=60) | st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        document = parse_document(text)
    except InputError:
        return
    assert document.where("a", 0) == f"text:{document.where('a', 0).rpartition(':')[2]}"


@given(content=st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(content)
    try:
        document = load_document(file)
    except InputError:
        return
    assert document.where().startswith(f"{file}:")


@given(text=st.text(st.sampled_from("ab01: -[]{},\n\"'"), max_size=40))
def test_yaml_agrees_with_pyyaml_on_plain_structures(text: str) -> None:
    """PyYAML's own loader, with every scalar left as text, is the witness for structure."""
    try:
        ours = parse_document(text).data
    except InputError:
        return
    theirs = yaml.load(text, Loader=yaml.BaseLoader)

    def as_text(value: object) -> object:
        if isinstance(value, dict):
            return {key: as_text(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [as_text(inner) for inner in value]
        return "*"

    assert theirs is None or as_text(ours) == as_text(theirs)
