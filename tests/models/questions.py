"""What the tests of the model wrapper ask."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from agents.models import Limits, Model, ModelConfig, Patience, Price, Rates, Request
from tests.model_server import ModelServer

SECRET = "sk-a-secret-of-the-tests-0123456789"
QUICK = Patience(timeout=5, attempts=4, total=20, first_wait=0.005, longest_wait=0.05)
PRICE = Price(input=Decimal("2.5"), output=Decimal(10))


class Trait(BaseModel):
    """A trait of a region."""

    part: str = Field(min_length=1, max_length=40)
    state: Literal["present", "absent", "not visible"]
    confidence: float = Field(ge=0, le=1)
    note: str | None = None


TRUTH: dict[str, Any] = {"part": "wing", "state": "present", "confidence": 0.9, "note": None}
VALUE = Trait(**TRUTH)


def question(text: str = "What is in the box?", **changed: Any) -> Request:
    fields: dict[str, Any] = {"prompt": "describe", "version": "1", "system": "You describe regions.", "parts": (text,)}
    return Request(**fields | changed)


def config_of(
    server: ModelServer,
    *,
    price: Price | None = PRICE,
    limits: Limits = Limits(),
    rates: Rates = Rates(),
    patience: Patience = QUICK,
    **more: Any,
) -> ModelConfig:
    return ModelConfig(
        url=server.url,
        model="stand-in",
        name="local",
        price=price,
        limits=limits,
        rates=rates,
        patience=patience,
        **more,
    )


def model_of(server: ModelServer, folder: Path | None = None, **settings: Any) -> Model:
    """A model at the server; with a folder, it keeps cache and transcript there."""
    files = {} if folder is None else {"cache": folder / "cache.sqlite", "transcript": folder / "transcript.sqlite"}
    return Model(config_of(server, **settings), key=SECRET, **files)
