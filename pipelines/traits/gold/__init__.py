"""Held against people: a blind sample of what the machine says, answered by two, and what that shows.

drawn = draw(Path("dataset"), Path("sample"), DrawSettings(size=400), ("Ada Byron", "Ben Kiel"))
judged = judge(Path("sample"), Path("answers-ada-byron.csv"), Path("answers-ben-kiel.csv"), bar=0.8)
"""

from pipelines.traits.gold.draw import STRATA, Drawn, DrawSettings, draw
from pipelines.traits.gold.judge import Judged, judge
from pipelines.traits.gold.scoring import CharacterScore, Score, score

__all__ = ["STRATA", "CharacterScore", "DrawSettings", "Drawn", "Judged", "Score", "draw", "judge", "score"]
