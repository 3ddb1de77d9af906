"""Licences as collections spell them."""

from __future__ import annotations

import pytest

from pipelines.traits.dataset import parse_licence
from pipelines.traits.dataset.licences import why_left_out

UNDERSTOOD = {
    "CC BY 4.0": "CC BY 4.0",
    "CC_BY_NC_4_0": "CC BY-NC 4.0",
    "CC0_1_0": "CC0 1.0",
    "cc0": "CC0 1.0",
    "CC0 1.0 Universal": "CC0 1.0",
    "http://creativecommons.org/publicdomain/zero/1.0/legalcode": "CC0 1.0",
    "https://creativecommons.org/publicdomain/mark/1.0/": "public domain",
    "Public Domain": "public domain",
    "https://creativecommons.org/licenses/by-nc-nd/4.0/": "CC BY-NC-ND 4.0",
    "cc-by-nc-sa-3.0": "CC BY-NC-SA 3.0",
    "Attribution-NonCommercial-ShareAlike 4.0 International": "CC BY-NC-SA 4.0",
    "Creative Commons Attribution-NoDerivatives 4.0 International License": "CC BY-ND 4.0",
    "(c) Jané Doe, some rights reserved (CC BY-NC)": "CC BY-NC",
    "(c) x, no rights reserved (CC0)": "CC0 1.0",
    "The MIT License": "MIT",
    "MIT License (LICENSE.txt)": "MIT",
    "CC0 1.0 Universal (LICENCE)": "CC0 1.0",
    "Apache License 2.0": "Apache 2.0",
    "(c) y, all rights reserved": "all rights reserved",
    "CC BY 4.0, all rights reserved": "all rights reserved",
    "": "unknown",
    "by": "unknown",
    "CC BY 4.0 for schools": "unknown",
    "CC BY 4.0 для школ": "unknown",
    "not CC0": "unknown",
    "Creative Commons": "unknown",
}


@pytest.mark.parametrize(("text", "label"), UNDERSTOOD.items())
def test_spellings(text: str, label: str) -> None:
    licence = parse_licence(text)
    assert licence.label == label
    assert licence.redistributable is {"unknown": None, "all rights reserved": False}.get(label, True)
    assert licence.derivatives is not ("ND" in label or licence.redistributable is not True)


def test_what_is_forbidden_stays_out_even_if_the_unknown_may_go() -> None:
    assert why_left_out("(c) all rights reserved", parse_licence("(c) all rights reserved"), True)
    assert why_left_out("", parse_licence(""), False) == "no licence is stated"
    assert why_left_out("ask", parse_licence("ask"), False) == "its licence is not understood"
    assert not why_left_out("", parse_licence(""), True)
