"""What a sample shows, as a page of Markdown beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.traits.checking import Calibration
from pipelines.traits.checking.agreement import Alpha
from pipelines.traits.dataset.staging import one_line
from pipelines.traits.gold.estimates import Share
from pipelines.traits.gold.key import Key
from pipelines.traits.gold.scoring import CharacterScore, Score

_MOST = 40
"""Rows of a table of confusions."""


def report(found: Score, key: Key, bar: float | None, passed: Sequence[str]) -> str:
    """The whole page.

    Args:
        found: what the sample shows.
        key: to it.
        bar: that was set, if one was.
        passed: characters that reach it.
    """
    lines = [*_head(found, key), *_table(found), *_verdicts(found, bar, passed), *_confusions(found)]
    return "\n".join([*lines, *_calibrations(found.calibrations), *_method(found)]) + "\n"


def in_words(value: Share | None) -> str:
    """A share with its interval: ``"0.91 (0.85–0.95)"``."""
    return "–" if value is None else f"{value.value:.2f} ({value.low:.2f}–{value.high:.2f})"


def alpha_in_words(value: Alpha) -> str:
    """Alpha with its interval, as far as there is one."""
    if value.value is None:
        return "–"
    return f"{value.value:.2f}" + ("" if value.low is None else f" ({value.low:.2f}–{value.high:.2f})")


def _head(found: Score, key: Key) -> Iterator[str]:
    settings = key.settings
    yield from ("# The machine's statements against people", "")
    names = " and ".join(one_line(name) for name in found.annotators)
    yield f"Sample {found.sample}: {found.all.items:,} of {sum(key.population.values()):,} questions, answered by"
    yield f"{names} without knowing what the machine said."
    strata = " and ".join(settings["strata"]) or "nothing"
    yield f"Drawn by chance (seed {settings['seed']}) from strata by {strata}, at least {settings['least']} from each."
    if found.open:
        yield from (
            "",
            f"**{len(found.open):,} items on which they differ are not settled.** The figures leave them out,",
        )
        yield "and are better than they will be: what people differ in is hard."
    yield ""


def _table(found: Score) -> Iterator[str]:
    yield from ("## Characters", "")
    head = ("character", "items", "people agree", "alpha", "precision", "claims", "recall", "of", "not told", "open")
    yield from _row(head)
    yield "|---|" + "---:|" * (len(head) - 1)
    for one in (*found.characters, found.all):
        yield from _row(_cells(one))
    yield from ("", "In parentheses: 95 % intervals.", "")
    doubted = [one for one in (*found.characters, found.all) if one.doubted]
    if doubted:
        yield from ("Claims that a check spoke against, which count in nothing above:", "")
        yield from (*_row(("character", "found so by people", "claims")), "|---|---:|---:|")
        for one in doubted:
            yield from _row((one.character or "all", in_words(one.doubted), f"{one.doubted.items:,}"))  # type: ignore[union-attr]
        yield ""


def _cells(one: CharacterScore) -> tuple[str, ...]:
    agreed = "–" if one.agreed is None else f"{one.agreed:.2f}"
    claims, of = (f"{each.items:,}" if each else "0" for each in (one.precision, one.recall))
    figures = (f"{one.items:,}", agreed, alpha_in_words(one.alpha), in_words(one.precision), claims)
    return (one.character or "all", *figures, in_words(one.recall), of, f"{one.untold:,}", f"{one.disputed:,}")


def _verdicts(found: Score, bar: float | None, passed: Sequence[str]) -> Iterator[str]:
    if bar is None:
        return
    yield from ("## The bar", "")
    yield f"A character is published where the lower end of its precision's interval is {bar:g} or more."
    if found.open:
        yield from ("", "Nothing is decided before every dispute is settled.", "")
        return
    out = [one.character for one in found.characters if one.character not in passed]
    yield from ("", f"- published: {', '.join(passed) or 'none'}", f"- left out: {', '.join(out) or 'none'}")
    yield from ("- left out, because they were never scored: all others of the dictionary", "")


def _confusions(found: Score) -> Iterator[str]:
    yield from ("## What the machine said, and what people found", "")
    for one in found.characters:
        yield from (f"### {one.character}", "")
        if one.off is not None:
            yield from (f"Median distance between the machine's number and people's: {one.off:.3g}.", "")
        if one.confusion:
            yield from (*_row(("machine", "people", "how often")), "|---|---|---:|")
            for machine, people, count in one.confusion[:_MOST]:
                yield from _row((machine, people if machine != people else f"{people} ✓", f"{count:,}"))
            if len(one.confusion) > _MOST:
                yield from _row((f"{len(one.confusion) - _MOST} more pairs", "", ""))
            yield ""


def _calibrations(calibrations: Sequence[Calibration]) -> Iterator[str]:
    yield from ("## Confidence", "")
    if not calibrations:
        yield from ("No describer states a confidence.", "")
    for one in calibrations:
        yield from (f"{one_line(str(one))}.", "", *_row(("confidence", "claims", "right", "95 % interval")))
        yield "|---|---:|---:|---|"
        for row in one.table:
            between = f"{row.right_low:.2f}–{row.right_high:.2f}"
            yield from _row((f"{row.low:.1f}–{row.high:.1f}", f"{row.reviewed:,}", f"{row.right:.2f}", between))
        yield ""


def _method(found: Score) -> Iterator[str]:
    yield from ("## How this was computed", "")
    yield "- Precision and recall: each item weighted by one over its chance to be drawn (Hájek). Intervals: Wilson's,"
    yield "  with the number of items that a simple sample of the same variance would have; specimens are clusters."
    yield "- Recall is of the regions that the machine found: what it found nowhere, nobody was asked about."
    yield "- Alpha: Krippendorff's, nominal, of measured numbers interval; without weights; its interval by drawing"
    yield "  specimens again. Of all together, disagreement is summed over characters; measured numbers are not in it."
    yield f"- Measured numbers are the same within {100 * found.tolerance:g} % of the larger."
    yield "- Confidence: of the sample as it is, without weights."


def _row(cells: Sequence[str]) -> Iterator[str]:
    yield "| " + " | ".join(one_line(cell).replace("|", "\\|") for cell in cells) + " |"
