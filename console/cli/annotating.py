"""annotate: what the images of a collection show, said in words."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.cli.exits import ExitCode
from console.cli.screen import MOST_LINES, Screen
from console.cli.traits import require_packages, stage_progress
from protocols.errors import InputError

if TYPE_CHECKING:
    from console.cli.traits_options import AskOptions
    from pipelines.traits.annotating import Agreement, Annotated, Asking, Foreseen, ModelSummary

_ASK, _STOP = "ask", "stop here"


def annotate(
    screen: Screen,
    images: Path,
    out: Path,
    finding: Mapping[str, Any],
    described: Mapping[str, Any],
    asking: AskOptions,
    *,
    reviews: Path | None,
    device: str | None,
    workers: int | None,
    again: bool,
    add: bool,
) -> ExitCode:
    """Do the whole job, or what is left of it, and say what was said."""
    require_packages()
    from pipelines.traits.annotating import AnnotationSettings
    from pipelines.traits.annotating import annotate as annotated
    from pipelines.traits.annotating.progress import UNITS, WORDS
    from pipelines.traits.dataset import read_reviews
    from pipelines.traits.finding import Settings

    decided = [] if reviews is None else read_reviews(reviews)
    with stage_progress(screen, WORDS, UNITS) as report:
        made = annotated(
            images,
            out,
            AnnotationSettings.of(described),
            Settings.of(finding),
            model=lambda name: _found(screen, name, asking),
            reviews=decided,
            device=device,
            workers=workers,
            again=again,
            add=add,
            report=report,
        )
    _say(screen, made)
    return ExitCode.OK


def _found(screen: Screen, name: str, asking: AskOptions) -> Asking:
    """The model of a name, with what may be spent on it.

    Raises:
        InputError: it is not configured, or the budget cannot be used.
    """
    from agents.models import config_file, find_config
    from pipelines.traits.annotating import Asking
    from robots.execution.home import Home

    home = Home.find()
    config = find_config(config_file(home.path), name=name)
    if config is None:
        raise InputError("no model is named", where="--model")
    given = {"money": _money(asking.budget), "tokens": asking.budget_tokens}
    limits = config.limits.model_copy(update={what: value for what, value in given.items() if value is not None})
    home.path.mkdir(parents=True, exist_ok=True)
    return Asking(
        config=config.model_copy(update={"limits": limits}),
        cache=home.answers,
        consent=lambda foreseen: _agreed(screen, foreseen, asking.yes),
        batch=asking.batch,
    )


def _money(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        sum = Decimal(text)
    except InvalidOperation:
        sum = Decimal("NaN")
    if not sum.is_finite() or sum < 0:
        raise InputError(f"'{text}' is no sum of money", where="--budget", mend="Write it as 20 or 20.50")
    return sum


def _agreed(screen: Screen, foreseen: Foreseen, yes: bool) -> bool:
    """Say what asking may take, and ask whether it is worth it.

    Raises:
        InputError: nobody can be asked, and ``--yes`` was not given.
    """
    _say_foreseen(screen, foreseen)
    if yes:
        return True
    if not screen.has_person:
        raise InputError(
            f"{foreseen.model} is not asked before someone agrees to what it may take ({foreseen.estimate})",
            where="--model",
            mend="Give --yes, or give the command at a terminal; what was done so far is kept",
        )
    return screen.choose("Ask the model?", (_ASK, _STOP)) == _ASK


def _say_foreseen(screen: Screen, foreseen: Foreseen) -> None:
    screen.say(
        f"{foreseen.model} at {foreseen.endpoint}: {foreseen.descriptions:,} questions that describe, "
        f"{foreseen.controls:,} that are controls",
        whole=True,
    )
    screen.say(f"{foreseen.estimate}")
    if foreseen.looked_at < foreseen.estimate.requests:
        screen.say(f"Estimated from {foreseen.looked_at:,} of them")
    if foreseen.estimate.least_seconds >= 60:
        screen.say(f"At its rates that takes {foreseen.estimate.least_seconds / 60:,.0f} minutes or more")
    if foreseen.batch:
        screen.say("By the batch interface: answers may take a day")
    spent = foreseen.spent
    if spent.tokens or spent.held_tokens:
        money = f", {spent.money:.2f}" if spent.money else ""
        screen.say(f"Spent on this dataset so far: {spent.tokens:,} tokens{money}")


def _say(screen: Screen, made: Annotated) -> None:
    found = made.found
    screen.say(f"Images: {found.images:,} of {found.taxa:,} taxa, {found.regions:,} regions", whole=True)
    for note in found.notes:
        screen.say(f"Note: {note}", style="yellow")
    screen.say(f"Statements: {made.statements:,} ({_numbers(made.standings)})", whole=True)
    if made.doubts:
        screen.say(f"Doubts: {_numbers(made.doubts)}", whole=True)
    if made.asked is not None:
        _say_model(screen, made.asked)
    _say_states(screen, made)
    screen.say(f"Statements: {made.statements_folder}", whole=True)
    left_out = f"; left out: {_numbers(made.left_out)}" if made.left_out else ""
    screen.say(f"Dataset: {made.dataset} ({made.released:,} images{left_out})", whole=True)
    if made.barred:
        told = f"{sum(made.barred.values()):,} statements of {len(made.barred):,} characters"
        screen.say(f"Not in it, by the bar: {told}; why: {made.dataset / 'left_out_characters.csv'}", whole=True)
    screen.say(f"Gallery: {found.gallery}", whole=True)
    screen.give(made.as_json())


def _say_model(screen: Screen, asked: ModelSummary) -> None:
    """What a model said, how far it can be trusted, and what it took."""
    money = f", {Decimal(asked.money):.2f}" if Decimal(asked.money or 0) else ""
    screen.say(f"Model: {asked.model}, {asked.statements:,} statements, {asked.tokens:,} tokens{money}", whole=True)
    if asked.unanswered:
        screen.say(f"Without an answer: {_numbers(asked.unanswered)}; --again asks once more", style="yellow")
    told = asked.figures
    for key, words in (("another_region", "another region"), ("blank_image", "a blank image")):
        changed = told[key]
        if changed["compared"]:
            screen.say(
                f"Shown {words}, {changed['unchanged']:,} of {changed['compared']:,} descriptions stayed the same"
            )
    leak = told["name_leak"]
    if leak["share"] is None:
        screen.say("Leak of names: not measured, there are too few controls or answers to compare")
    else:
        low, high = 100 * leak["low"], 100 * leak["high"]
        share = f"{100 * leak['share']:.0f} % of {leak['chances']:,} statements"
        screen.say(f"Told a wrong name, {share} moved to it, beyond chance (95 %: {low:.0f} to {high:.0f} %)")
    alphas = [one["alpha"] for one in told["repeats"] if one["alpha"] is not None]
    if alphas:
        screen.say(f"Repeated questions: Krippendorff's alpha {min(alphas):.2f} to {max(alphas):.2f}, by character")
    screen.lines([f"Confidence: {one}" for one in told["calibration"]])


def _say_states(screen: Screen, made: Annotated) -> None:
    """The commonest states; where no taxon has enough specimens to speak of a common one, what was seen."""
    told = [one for one in made.agreements if one.verdict != "too few"]
    few = len(made.agreements) - len(told)
    if told and few:
        screen.say(f"{few:,} lines of fewer than three specimens are not shown", whole=True)
    shown = told or made.agreements
    if shown:
        screen.say("Most common in each taxon:" if told else "Seen, in fewer than three specimens of each taxon:")
        screen.table(
            ("taxon", "rank", "part", "character", "state", "specimens", "agreement", "by", ""),
            [_row(one) for one in shown[:MOST_LINES]],
        )
        more = f"and {len(shown) - MOST_LINES:,} more lines; all: " if len(shown) > MOST_LINES else "All lines: "
        screen.say(f"{more}{made.statements_folder / 'agreement.jsonl'}", whole=True)


def _row(one: Agreement) -> tuple[str, ...]:
    remark = {"agrees": "", "explained": f"goes with {one.explained_by}"}.get(one.verdict, one.verdict)
    if 2 * one.doubted > one.specimens:
        remark = f"{remark}, doubted".removeprefix(", ")
    return (
        one.taxon,
        one.rank,
        f"latent {one.latent}" if one.latent >= 0 else _in_words(one.part),
        one.character.replace("_", " "),
        one.commonest.replace("_", " "),
        f"{one.specimens:,}",
        f"{100 * one.share:.0f} %",
        "measured" if one.kind == "measured" else one.describer,
        remark,
    )


def _in_words(part: str) -> str:
    """A part by its name, where it is known by its term alone."""
    from pipelines.traits.vocabulary import resolve

    term = resolve(part) if ":" in part else None
    return part if term is None else term.name


def _numbers(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())
