"""Findings: what verification has to say, with stable codes."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from protocols.liquids import Record

Severity = Literal["error", "warning", "note"]
"""An error fails or harms; a warning is doubtful practice; a note is something to know."""


class Rule(NamedTuple):
    """One thing verification looks for: how grave it is, and what it is in a few words."""

    severity: Severity
    title: str


RULES: dict[str, Rule] = {
    "L01": Rule("error", "a well does not hold enough liquid: air is drawn"),
    "L02": Rule("error", "a well runs over"),
    "L03": Rule("error", "more is dispensed than the tip holds"),
    "L04": Rule("warning", "a volume lies below what the tip or pipette can move accurately"),
    "L05": Rule("warning", "the liquid class does not suit the liquid"),
    "L06": Rule("warning", "a liquid looks viscous, volatile or foaming and is not declared so"),
    "L07": Rule("note", "a tip is discarded with liquid in it"),
    "L08": Rule("note", "the height of a stroke is unknown: drawing air cannot be excluded"),
    "L09": Rule("note", "the geometry or dead volume of labware is unknown"),
    "L10": Rule("error", "a layer at the bottom of a well is touched"),
    "L11": Rule("error", "the margin for pipetting error is not kept"),
    "L12": Rule("error", "a well starts with more than it holds"),
    "L13": Rule("warning", "a well starts with a liquid that nobody described"),
    "L14": Rule("warning", "the rest of a well is taken: air follows"),
    "L15": Rule("warning", "less of a liquid is declared than is drawn"),
    "L16": Rule("warning", "more is asked of a tip than it holds: all of it is pushed out"),
    "T01": Rule("error", "a stroke without a tip"),
    "T02": Rule("error", "no tip stands where one is to be picked up"),
    "T03": Rule("error", "a channel already has a tip"),
    "T04": Rule("error", "a tip does not fit the pipette"),
    "T05": Rule("error", "a tip is put where another stands"),
    "T06": Rule("error", "a tip is filled beyond its capacity"),
    "T07": Rule("warning", "tips are still on the channels at the end"),
    "T08": Rule("error", "a tip is immersed past its fitting"),
    "T09": Rule("error", "a nozzle that is to take no tip stands over one"),
    "T10": Rule("warning", "a rack does not stand as a head of 96 nozzles needs it"),
    "P01": Rule("error", "a well or tip spot does not exist"),
    "P02": Rule("error", "labware of an unknown kind, or no such labware"),
    "P03": Rule("error", "a site does not exist"),
    "P04": Rule("error", "a site is occupied"),
    "P05": Rule("error", "labware does not fit on a site, or the arm cannot put it there"),
    "P06": Rule("error", "a lid is in the way"),
    "P07": Rule("error", "channels cannot reach these wells at the same time"),
    "P08": Rule("error", "a height lies above the well"),
    "P09": Rule("note", "channels go to their wells one after the other"),
    "P10": Rule("warning", "a person is to stand labware on a site made for another sort"),
    "P11": Rule("error", "labware in the gripper would hit mounted tips"),
    "P12": Rule("error", "labware stands where no pipette reaches it"),
    "P13": Rule("warning", "tips stand beside the labware"),
    "P14": Rule("error", "things on the deck stand in each other's way"),
    "P15": Rule("warning", "labware of the workcell's own is described otherwise: its lid or barcode"),
    "P16": Rule("error", "the body of a pipette that uses some of its nozzles would hit what stands beside"),
    "P17": Rule("error", "a pipette that uses some of its nozzles would leave the room it can reach"),
    "D01": Rule("error", "a pipette or channel does not exist"),
    "D02": Rule("error", "a liquid class does not exist"),
    "D03": Rule("error", "a volume is more than the pipette moves in one stroke"),
    "D04": Rule("error", "a flow rate is above the workcell's limit"),
    "D05": Rule("error", "a wait is longer than the workcell's limit"),
    "D06": Rule("error", "an instruction waits for one that does not come before it"),
    "D07": Rule("error", "a time window cannot be kept"),
    "D08": Rule("error", "no arm to move labware with"),
    "D09": Rule("error", "channels that move together are asked for different things"),
    "D10": Rule("error", "a device does not exist, or cannot do this"),
    "D11": Rule("error", "a heater-shaker's latch is open where it must be closed, or the other way round"),
    "D12": Rule("error", "a device is shaking"),
    "D13": Rule("error", "a thermocycler's lid is closed"),
    "D14": Rule("error", "a device cannot be set to this"),
    "D15": Rule("error", "a temperature is waited for that nobody set"),
    "D16": Rule("error", "a script's call is refused before anything moves"),
    "C01": Rule("error", "liquid is carried into a well that does not hold it"),
    "C02": Rule("warning", "a used tip is put back among the others"),
    "C03": Rule(
        "warning", "a used tip goes into a liquid that it did not come from, and by its class leaves nothing there"
    ),
}
"""Every code and what it stands for; codes are never given another meaning."""


class Finding(Record):
    """One thing that verification found.

    Attributes:
        step: the bench step, where the instruction came from one.
        instruction: the id of the first instruction concerned.
        place: the well, spot, labware or site; empty where there is none.
        message: what is wrong, with figures.
        mend: what to do about it.
        count: how many times the same was found in this step at this place.
    """

    code: str
    severity: Severity
    step: str | None = None
    instruction: str | None = None
    place: str = ""
    message: str
    mend: str = ""
    count: Annotated[int, Field(ge=1)] = 1

    def __str__(self) -> str:
        where = (
            f"step {self.step}" if self.step else f"instruction {self.instruction}" if self.instruction else "set-up"
        )
        place = f", {self.place}" if self.place else ""
        times = f" ({self.count} times)" if self.count > 1 else ""
        mend = f": {self.mend}" if self.mend else ""
        return f"{self.code} {self.severity}: {where}{place}: {self.message}{times}{mend}"


class Ledger:
    """Collects findings; the same code, step and place is one finding with a count."""

    def __init__(self, *, contamination: Severity, overflow: Severity = "error") -> None:
        self._found: dict[tuple[str, str | None, str], Finding] = {}
        self._counts: dict[tuple[str, str | None, str], int] = {}
        self._severity = {code: rule.severity for code, rule in RULES.items()}
        self._severity |= {"C01": contamination, "L02": overflow}

    def again(self, code: str, step: str | None, place: str) -> bool:
        """Count one more of what was found before; ``False`` if it is new and has to be explained."""
        key = (code, step, place)
        if key not in self._counts:
            return False
        self._counts[key] += 1
        return True

    def add(
        self,
        code: str,
        message: str,
        *,
        mend: str = "",
        place: str = "",
        step: str | None = None,
        at: str | None = None,
    ) -> None:
        """Note one finding; ``at`` is the instruction's id."""
        if self.again(code, step, place):
            return
        key = (code, step, place)
        self._counts[key] = 1
        self._found[key] = Finding(
            code=code,
            severity=self._severity[code],
            step=step,
            instruction=at,
            place=place,
            message=message,
            mend=mend,
        )

    def findings(self) -> tuple[Finding, ...]:
        """All findings, in the order in which they were first met; errors before warnings before notes."""
        grave = {"error": 0, "warning": 1, "note": 2}
        counted = [
            finding if self._counts[key] == 1 else finding.model_copy(update={"count": self._counts[key]})
            for key, finding in self._found.items()
        ]
        return tuple(sorted(counted, key=lambda finding: grave[finding.severity]))
