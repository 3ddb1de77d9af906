"""Checks of statements: what speaks against each, how far describers agree, and what their confidence is worth.

checked = check(statements, Evidence(taxa=..., elsewhere=..., blank=...))
[one for one in checked.statements if not one.doubts]

Of many images, some at a time: :func:`check_alone`, a :class:`Tallying` over all, then :func:`check_together`.
"""

from pipelines.traits.checking.agreement import agreement, alpha
from pipelines.traits.checking.calibration import (
    Bin,
    Calibration,
    calibrate,
    calibration_error,
    check_confidence,
    reliability,
)
from pipelines.traits.checking.checks import Alone, Checked, Evidence, check, check_alone, check_together
from pipelines.traits.checking.claims import Claim, Source, claim, claims, said
from pipelines.traits.checking.consistency import Forms, Group, Tally, Tallying, Verdict, check_images
from pipelines.traits.checking.controls import (
    Changed,
    Leak,
    Textbook,
    check_blank,
    check_regions,
    difference,
    is_same,
    name_leak,
    wilson,
)
from pipelines.traits.checking.doubts import DOUBTS, NO_ANSWER, doubted, kind_of
from pipelines.traits.checking.key import Key, KeyGroup, KeyPart, check_key, parsed_key, shipped_key
from pipelines.traits.checking.parts import check_parts
from pipelines.traits.checking.repeats import Repeated, Repeats, check_repeats
from pipelines.traits.checking.standings import broken_rule, check_standings
from pipelines.traits.checking.words import check_lengths, check_names

__all__ = [
    "DOUBTS",
    "NO_ANSWER",
    "Alone",
    "Bin",
    "Calibration",
    "Changed",
    "Checked",
    "Claim",
    "Evidence",
    "Forms",
    "Group",
    "Key",
    "KeyGroup",
    "KeyPart",
    "Leak",
    "Repeated",
    "Repeats",
    "Source",
    "Tally",
    "Tallying",
    "Textbook",
    "Verdict",
    "agreement",
    "alpha",
    "broken_rule",
    "calibrate",
    "calibration_error",
    "check",
    "check_alone",
    "check_blank",
    "check_confidence",
    "check_images",
    "check_key",
    "check_lengths",
    "check_names",
    "check_parts",
    "check_regions",
    "check_repeats",
    "check_standings",
    "check_together",
    "claim",
    "claims",
    "difference",
    "doubted",
    "is_same",
    "kind_of",
    "name_leak",
    "parsed_key",
    "reliability",
    "said",
    "shipped_key",
    "wilson",
]
