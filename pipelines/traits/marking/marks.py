"""What a mark is: a latent, a taxon, and the figures that say so."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.traits.marking.testing import log_odds_ratio

TESTED, RANKED, PUBLISHED = "tested", "ranked", "published"


@dataclass(frozen=True, slots=True)
class Counts:
    """In how many specimens a latent fires, in a taxon and in those it is compared with."""

    specimens: int
    firing: int
    others: int
    others_firing: int

    @property
    def prevalence(self) -> float:
        """Share of the taxon's specimens in which the latent fires; 0 where there are none."""
        return self.firing / self.specimens if self.specimens else 0.0

    @property
    def others_prevalence(self) -> float:
        """Share of the others in which it fires; 0 where there are none."""
        return self.others_firing / self.others if self.others else 0.0

    @property
    def effect(self) -> float:
        """Difference of the two prevalences, -1 to 1."""
        return self.prevalence - self.others_prevalence

    @property
    def log_odds(self) -> float:
        """Natural logarithm of the odds ratio, half a specimen added to each cell."""
        return log_odds_ratio(self.firing, self.specimens, self.others_firing, self.others)


@dataclass(frozen=True, slots=True)
class Mark:
    """A latent that marks a taxon.

    Attributes:
        latent: which one.
        rank, taxon: of the narrowest taxon that has these specimens.
        wider: rank and name of wider taxa that have exactly the same specimens here.
        rule: ``"tested"``, ``"ranked"`` (too few specimens to test: the strongest candidates, nothing more) or
            ``"published"``.
        effect: difference of prevalence, in the weakest of the comparisons made: all others, and the nearest kin.
        p: exact one-sided p, the largest of the comparisons made; ``None`` where nothing was tested.
        q: the false discovery rate at which this mark and all stronger ones are kept; ``None`` like p.
        seen: counts on which the latent was chosen, against all others. Its effect is flattered by the choice.
        kin: the same against the nearest kin (a species' genus); ``None`` where the taxon has none here.
        held_out: counts on the specimens that had no part in the choice; ``None`` where there are none of the taxon.
        held_out_p: exact one-sided p on these.
        auc: probability that a specimen of the taxon has a higher peak than another one, ties half, all specimens.
        background: share of the latent's firing patches that is background; ``None`` where nobody looked.
        score: what marks of one taxon are ordered by: effect times the share of foreground.
        threshold: activation from which a patch fires.
        note: what a reader must know, as "not tested: 1 specimen"; empty when there is nothing.
    """

    latent: int
    rank: str
    taxon: str
    rule: str
    effect: float
    p: float | None
    q: float | None
    seen: Counts
    kin: Counts | None = None
    held_out: Counts | None = None
    held_out_p: float | None = None
    auc: float | None = None
    background: float | None = None
    score: float = 0.0
    threshold: float = 0.0
    wider: tuple[tuple[str, str], ...] = ()
    note: str = ""

    @property
    def tested(self) -> bool:
        """Whether a test says so; without one it is a candidate."""
        return self.q is not None

    @property
    def specimens(self) -> int:
        """Specimens of the taxon on which the latent was chosen."""
        return self.seen.specimens

    @property
    def firing(self) -> int:
        """Those in which it fires."""
        return self.seen.firing


@dataclass(frozen=True, slots=True)
class Untestable:
    """A taxon about which no test can say anything, and why.

    Attributes:
        rank, taxon: which one.
        specimens: how many it has, held out or not.
        reason: as "not tested: 1 specimen".
    """

    rank: str
    taxon: str
    specimens: int
    reason: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What one pass says.

    Attributes:
        marks: latents whose marks were tested and kept, by taxon from wide to narrow, then by score.
        candidates: the strongest latents of taxa that cannot be tested, in the same order; nothing says they mark.
        untestable: these taxa, with the reason.
        tests: how many tests the false discovery rate is over.
        on_background: marks and candidates that were left out because their latent fires on background.
    """

    marks: tuple[Mark, ...]
    candidates: tuple[Mark, ...]
    untestable: tuple[Untestable, ...]
    tests: int
    on_background: int
