"""Opentrons' analysis of a protocol: the JSON that ``opentrons.cli analyze --json-output`` writes, and its like.

Only what is used is read; what is used must be right. Lengths are mm, volumes µL, flow rates µL/s, times s.
Field names are those of the JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from protocols.errors import FileProblemsError, InputError, Problem
from protocols.formats.documents import Document
from protocols.formats.foreign import HOW_TO_ANALYSE, is_analysis, refuse_foreign
from protocols.formats.validation import MOST_LISTED, validate
from protocols.opentrons import parameters
from protocols.opentrons.parts import Identity, Part

FIRST_WITH_HEIGHTS = (2, 14)
"""The Python API level from which an analysis says where the pipette goes; before, every stroke is "top, 0"."""
FIRST_JSON_WITH_HEIGHTS = 6
"""The schema version of JSON protocols from which the same holds."""


class Config(Part):
    """What the protocol was written in."""

    protocolType: Literal["python", "json"]
    apiVersion: tuple[int, int] | None = None
    schemaVersion: int | None = None


class DeclaredLiquid(Part):
    """A liquid that the protocol describes."""

    id: Identity
    displayName: str = ""
    description: str = ""


class Command(Part):
    """One command; ``result`` is missing where it failed.

    Attributes:
        commandType: as Opentrons names it, "moveToWell".
    """

    commandType: Identity
    params: dict[str, Any]
    result: dict[str, Any] | None = None


class Analysis(Part):
    """The whole analysis. Errors that Opentrons found are passed on in words; nothing is concluded from them."""

    config: Config
    robotType: Literal["OT-2 Standard", "OT-3 Standard"]
    metadata: dict[str, Any] = {}
    liquids: tuple[DeclaredLiquid, ...] = ()
    commands: Annotated[tuple[Command, ...], Field(min_length=1, max_length=1_000_000)]
    errors: Any = ()

    @property
    def knows_heights(self) -> bool:
        """Whether its strokes say at which height they happen."""
        if self.config.protocolType == "python":
            return self.config.apiVersion is None or self.config.apiVersion >= FIRST_WITH_HEIGHTS
        return self.config.schemaVersion is None or self.config.schemaVersion >= FIRST_JSON_WITH_HEIGHTS

    @property
    def ended_with(self) -> str | None:
        """The error with which Opentrons' analysis ended, in its words; ``None`` where it says of none."""
        if not isinstance(self.errors, list | tuple) or not self.errors:
            return None
        last = self.errors[-1] if isinstance(self.errors[-1], dict) else {}
        said = (str(last.get(name) or "").strip() for name in ("errorType", "detail"))
        return ": ".join(part for part in said if part)[:500] or "an error"

    @property
    def title(self) -> str:
        """The protocol's name; empty where it has none."""
        name = self.metadata.get("protocolName")
        return name.strip()[:500] if isinstance(name, str) else ""


@dataclass(frozen=True, slots=True)
class Read:
    """An analysis with the parameters of each command.

    Attributes:
        params: one for each command; ``None`` where a command's parameters are not used.
    """

    analysis: Analysis
    params: tuple[parameters.Params | None, ...]


def read_analysis(document: Document) -> Read:
    """The analysis that a document holds.

    Raises:
        InputError: it is something else of Opentrons' or another tool's; what it is taken for is said.
        FileProblemsError: it cannot be used; every problem with line and field.
    """
    refuse_foreign(document)
    if not is_analysis(document.data):
        what = "it is no analysis of an Opentrons protocol"
        raise InputError(what, where=str(document.path), mend=HOW_TO_ANALYSE)
    analysis = validate(document, Analysis)
    found: list[parameters.Params | None] = []
    problems: list[Problem] = []
    for index, command in enumerate(analysis.commands):
        model = parameters.OF_COMMAND.get(command.commandType)
        try:
            found.append(model.model_validate(command.params) if model else None)
        except ValidationError as error:
            found.append(None)
            problems += _problems(document, index, command, error, many=len(problems) >= MOST_LISTED)
    if problems:
        listed = problems[:MOST_LISTED]
        raise FileProblemsError(str(document.path), listed, more=len(problems) - len(listed))
    return Read(analysis=analysis, params=tuple(found))


def _problems(document: Document, index: int, command: Command, error: ValidationError, *, many: bool) -> list[Problem]:
    """What is wrong with a command's parameters; lines are looked up only for those that are listed."""
    found = []
    for detail in error.errors(include_url=False):
        field = ".".join(str(step) for step in detail["loc"])
        where = str(document.path) if many else document.where("commands", index, "params", *detail["loc"])
        found.append(Problem(where, f"commands.{index} ({command.commandType}): {field}: {detail['msg'].lower()}"))
    return found
