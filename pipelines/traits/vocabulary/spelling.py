"""Spellings under which the same words are looked up, and nothing that could change what they mean.

Case, hyphens, joined words (forewing, fore wing, fore-wing), British and American spelling, plurals, and the order of
words where a comma or ``of`` says what it is (``margin of the wing``, ``wing, fore``). Nothing is matched by
likeness: *brown* never finds *brownish*, nor *tibia* *tibial spur*.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_SPELLINGS = (("colour", "color"), ("gray", "grey"), ("centre", "center"), ("fibre", "fiber"), ("mould", "mold"))
"""Each written the second way, within words too (discoloured)."""
_PLURALS = (("ae", ("a",)), ("ies", ("y",)), ("sses", ("ss",)), ("ches", ("ch",)), ("shes", ("sh",)), ("xes", ("x",)),
            ("ora", ("ur",)), ("i", ("us",)), ("a", ("um", "on")), ("es", ("is", "e")), ("s", ("",)))  # fmt: skip
"""Endings of a plural and of its singular, English and Latin; only what the vocabulary has is ever found."""
_IRREGULAR = {"teeth": "tooth", "feet": "foot", "leaves": "leaf", "halteres": "haltere", "chaetae": "chaeta"}
_ENDING_ALIKE = ("ss", "us", "is")
"""Endings that look like a plural's and are none."""


def keys(text: str) -> Iterator[str]:
    """What a text is looked up as, the closest spelling first; nothing for a text without letters."""
    words = _words(text)
    if not words:
        return
    for order in _orders(text, words):
        yield "".join(order)
        for singular in _singular(order[-1]):
            yield "".join([*order[:-1], singular])


def key(text: str) -> str:
    """The key of a name in a vocabulary: as :func:`keys` gives it for the name itself."""
    return "".join(_words(text))


def plain(text: str) -> str:
    """A text for exact comparison: without case and with single spaces."""
    return " ".join(text.casefold().split())


def _words(text: str) -> list[str]:
    found = re.findall(r"[\w'+]+", plain(text).replace("_", " "))
    return [_respelt(word) for word in found]


def _respelt(word: str) -> str:
    for one, other in _SPELLINGS:
        word = word.replace(one, other)
    return word


def _orders(text: str, words: list[str]) -> Iterator[list[str]]:
    yield words
    before, comma, after = plain(text).partition(",")
    if comma and "," not in after and _words(before) and _words(after):
        yield _words(after) + _words(before)
    if words.count("of") == 1 and 0 < words.index("of") < len(words) - 1:
        at = words.index("of")
        yield [*(word for word in words[at + 1 :] if word not in ("the", "a", "an")), *words[:at]]
    if words[0] in ("the", "a", "an") and len(words) > 1:
        yield words[1:]


def _singular(word: str) -> Iterator[str]:
    if word in _IRREGULAR:
        yield _IRREGULAR[word]
        return
    if word.endswith(_ENDING_ALIKE) or len(word) < 4:
        return
    for ending, singulars in _PLURALS:
        if word.endswith(ending):
            for singular in singulars:
                yield word[: len(word) - len(ending)] + singular
