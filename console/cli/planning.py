"""From the file that a person gave to a verified program: what run, verify and simulate begin with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast, get_args

from console.cli.groups import LabOptions, PlanOptions
from console.cli.imported import Brought, Settled
from protocols.compiler import Compilation, compile_protocol
from protocols.compiler.planner import Favour
from protocols.errors import FileProblemsError, InputError
from protocols.formats.documents import load_document
from protocols.formats.options import Policy, Unreachable, Worklist, WorklistOptions
from protocols.formats.protocol_file import Input, read_input, write_program
from protocols.formats.validation import validate
from protocols.labstate import LabState
from protocols.outcomes import FaultKind
from protocols.ports import RecoveryChoice, RecoveryPolicy
from protocols.program import Program
from protocols.protocol import LabwareNeed
from protocols.quantities import parse_quantity
from protocols.timing import duration
from protocols.verify import Verification, verify
from robots.execution.run_folder import Simulation
from robots.execution.standing import to_take_away
from robots.report import Plan, UnreachableRow
from robots.simulator import FaultPlan, Noise
from robots.workcell import Workcell

_CHOICES = tuple(choice for choice in get_args(RecoveryChoice) if choice != "replan")
"""What can be done about a fault; to plan anew takes a planner that is not there."""
_SETTLED_BY = {
    "too dilute": "--too-dilute",
    "too little volume": "--shortfall",
    "decimal comma": "--decimal-comma",
    "pooling is meant": "--pool",
    "say how many": "--plate",
}
"""Words in what is wrong with a worklist, and the option that settles it."""


@dataclass(frozen=True)
class Planned:
    """A program, verified, and all that is to be said of it.

    Attributes:
        seconds: how long it is expected to take.
    """

    file: Path
    workcell: Workcell
    deck: LabState
    program: Program
    verification: Verification
    compilation: Compilation | None = None
    worklist: Worklist | None = None
    settled: Settled | None = None
    description: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long it is expected to take, s."""
        return duration(self.program, self.workcell.spec)

    @property
    def setup(self) -> tuple[str, ...]:
        """What a person must put where before the run."""
        brought = self.settled.setup if self.settled else ()
        compiled = self.compilation.setup if self.compilation else ()
        return (*to_take_away(self.deck, self.program), *brought, *compiled)

    @property
    def notes(self) -> tuple[str, ...]:
        """Choices and assumptions that a person should know of."""
        compiled = self.compilation.notes if self.compilation else ()
        brought = self.settled.notes if self.settled else ()
        return (*(self.worklist.assumptions if self.worklist else ()), *brought, *compiled)

    @property
    def unreachable(self) -> tuple[Unreachable, ...]:
        """Samples that cannot reach their target."""
        return self.worklist.unreachable if self.worklist else ()

    def tallies(self) -> dict[str, float]:
        """How much of what the program needs."""
        counts: dict[str, float] = {"instructions": len(self.program.instructions)}
        if self.compilation is not None:
            tallies = self.compilation.tallies
            counts |= {"tips": tallies.tips_in_all, **{f"tips {kind}": n for kind, n in tallies.tips.items()}}
            counts |= {"strokes": tallies.strokes, "racks exchanged": tallies.racks_exchanged}
            counts |= {"acts of a person": tallies.person_actions}
        elif self.settled is not None:
            counts["tips"] = self.settled.tips
        return counts

    def plan(self) -> Plan:
        """What the report says of it."""
        return Plan(
            source=str(self.file),
            description=self.description,
            options=dict(self.options),
            tallies=self.tallies(),
            setup=self.setup,
            notes=self.notes,
            unreachable=tuple(
                UnreachableRow(row=f"line {item.line}", sample=item.sample, reason=item.why, action=item.done)
                for item in self.unreachable
            ),
            findings=self.verification.findings,
        )

    def as_json(self) -> dict[str, Any]:
        """The plan, for machines."""
        plain: dict[str, Any] = self.plan().model_dump(mode="json")
        return {
            "ok": self.verification.ok,
            "title": self.program.title,
            "workcell": self.workcell.spec.name,
            "channel_operations": self.verification.channel_operations,
            "seconds": self.seconds,
            **plain,
            **({} if self.settled is None else {"not_carried_over": self.settled.as_json()}),
        }


def make_plan(
    file: Path,
    given: Input,
    workcell: Workcell,
    deck: LabState,
    options: PlanOptions,
    brought: Brought | None = None,
) -> Planned:
    """Compile and verify what :func:`read_file` gave, for a workcell whose deck is as ``deck`` says.

    ``brought`` is what it brings along where it is imported.

    Raises:
        InputError: an option cannot be used.
        CompileError: the workcell cannot do it.
    """
    compilation = _compile(given, workcell, deck, options)
    settled = brought.settle(workcell.spec) if brought else None
    program = compilation.program if compilation else settled.set_up.program if settled else given.program
    assert program is not None
    verification = verify(
        program,
        workcell.spec,
        state=deck,
        margin=options.margin / 100,
        contamination="warning" if options.allow_carry_over else "error",
    )
    return Planned(
        file=file,
        workcell=workcell,
        deck=deck,
        program=program,
        verification=settled.judged(verification) if settled else verification,
        compilation=compilation,
        settled=settled,
        worklist=given.worklist,
        description=given.protocol.description if given.protocol else "",
        options=options.in_words(),
    )


def read_file(file: Path, options: PlanOptions) -> Input:
    """Read a worklist, a protocol or a program; what is wrong with a worklist names the options that settle it.

    Raises:
        InputError: the file or an option cannot be used.
    """
    try:
        return read_input(file, _worklist_options(options))
    except FileProblemsError as error:
        hints = [option for phrase, option in _SETTLED_BY.items() if phrase in error.what]
        if hints and not error.mend:
            error.mend = f"Options that settle such things: {', '.join(hints)}; `labwright verify --help` explains them"
        raise


def _compile(given: Input, workcell: Workcell, deck: LabState, options: PlanOptions) -> Compilation | None:
    if given.protocol is None:
        return None
    if options.favour not in get_args(Favour):
        raise InputError(f"--favour: '{options.favour}' is not known", mend="Possible: tips, moves")
    return compile_protocol(given.protocol, workcell.spec, state=deck, favour=cast(Favour, options.favour))


def save_program(planned: Planned, path: Path) -> None:
    """Write the compiled program to a file, whole or not at all.

    Raises:
        InputError: it cannot be written, or something that is no file has this name.
    """
    if path.exists() and not path.is_file():  # a device or a pipe would be put aside, not written to
        raise InputError("a program is written to a file, and this is none", where=str(path), mend="Name a file")
    write_program(planned.program, path)


def make_simulation(options: LabOptions) -> Simulation:
    """How the simulated lab behaves.

    Raises:
        InputError: the fault plan cannot be read; every problem with its line.
    """
    noise = Noise.off() if options.noise == 0 else Noise(pipetting=options.noise)
    return Simulation(seed=options.seed, noise=noise, faults=_read_faults(options.faults), pace=options.pace)


def read_policy(choices: Sequence[str]) -> RecoveryPolicy:
    """The recovery policy that "FAULT=CHOICE" texts say.

    Raises:
        InputError: an unknown fault or choice.
    """
    found: dict[str, RecoveryChoice] = {}
    for text in choices:
        fault, _, choice = (part.strip() for part in text.partition("="))
        _check("--on-fault", fault, "fault", get_args(FaultKind))
        _check("--on-fault", choice, "choice", _CHOICES)
        found[fault] = cast(RecoveryChoice, choice)
    return RecoveryPolicy(choices=found)


def _read_faults(path: Path | None) -> FaultPlan:
    return FaultPlan() if path is None else validate(load_document(path), FaultPlan)


def _worklist_options(options: PlanOptions) -> WorklistOptions:
    if not options.diluent.strip():
        raise InputError("--diluent: the liquid needs a name", mend="Write it like 'TE buffer'")
    return WorklistOptions(
        decimal_comma=options.decimal_comma,
        pool=options.pool,
        labware=dict(_plate(plate) for plate in options.plate),
        source_volume=_volume("--source-volume", options.source_volume),
        dead_volume=_volume("--dead-volume", options.dead_volume),
        least_diluent=_volume("--least-diluent", options.least_diluent) or 0.0,
        shortfall=cast(Policy, options.shortfall),
        too_dilute=cast(Policy | None, options.too_dilute),
        diluent=options.diluent,
        diluent_well=options.diluent_well,
    )


def _check(option: str, value: str, what: str, known: Sequence[str]) -> None:
    if value not in known:
        raise InputError(f"{option}: there is no {what} '{value}'", mend=f"Possible: {', '.join(known)}")


def _plate(text: str) -> tuple[str, LabwareNeed]:
    name, equals, kind = (part.strip() for part in text.partition("="))
    if not (name and equals and kind):
        raise InputError(f"--plate: '{text}' is not NAME=KIND", mend="Write it like 'hits=flat_96_360ul@plates-a-1'")
    kind, _, site = kind.partition("@")
    return name, LabwareNeed(kind=kind, site=site or None)


def _volume(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return parse_quantity(text, "uL")
    except InputError as error:
        raise InputError(f"{option}: {error.what}", mend=error.mend) from None
