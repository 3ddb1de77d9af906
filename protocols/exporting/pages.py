"""Procedures as Markdown and as one self-contained HTML page that prints well."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from protocols.exporting.exported import Exported
from protocols.exporting.procedure import Procedure

if TYPE_CHECKING:
    from jinja2 import Environment

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""Characters that no page can hold, and that show nothing on one."""
_MARKDOWN = re.compile(r"([\\`*\[\]<>#|~&]|(?<![^\W_])_|_(?![^\W_]))")
"""What Markdown reads as mark-up; an underscore only where it is not inside a word."""
_LINE_START = re.compile(r"^(\d*)([-=+]|(?<=\d)[.)])")
"""What begins a list, or underlines a heading, where it begins a line."""


def markdown(procedure: Procedure) -> Exported:
    """``procedure`` as Markdown; what a file or a person wrote in it stays plain text."""
    text = _environment(html=False).get_template("procedure.md.jinja").render(procedure=procedure)
    return Exported(re.sub(r"\n{3,}", "\n\n", text).strip() + "\n")


def html(procedure: Procedure) -> Exported:
    """``procedure`` as one HTML page without script or anything from outside itself."""
    from markupsafe import Markup

    environment = _environment(html=True)
    source, _, _ = environment.loader.get_source(environment, "procedure.css")  # type: ignore[union-attr]
    text = environment.get_template("procedure.html.jinja").render(procedure=procedure, css=Markup(source))
    return Exported(text.strip() + "\n")


def plain(text: str) -> str:
    """``text`` on one line, so that Markdown reads nothing in it as mark-up."""
    line = " ".join(_CONTROLS.sub("", text).split())
    return _LINE_START.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", line))


@cache
def _environment(*, html: bool) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("protocols.exporting"),
        autoescape=html,
        undefined=StrictUndefined,
        finalize=_without_controls if html else None,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plain"] = plain
    return environment


def _without_controls(value: Any) -> Any:
    return _CONTROLS.sub("", value) if isinstance(value, str) and not hasattr(value, "__html__") else value
