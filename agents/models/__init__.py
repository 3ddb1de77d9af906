"""The one wrapper around language and vision models, at any OpenAI-compatible endpoint.

    config = find_config() or ...
    with Model(config, cache=..., transcript=...) as model:
        answer = model.ask(Request("describe", "1", system="...", parts=("...", Image(data))), Description)
        answer.value

A value is what a model said, valid against the type that was asked for, or there is none: a typed error says why.
"""

from agents.models.answers import Answer, Estimate, Spent
from agents.models.batches import Batches
from agents.models.config import (
    Limits,
    ModelConfig,
    PatchTokens,
    Patience,
    Price,
    Rates,
    TileTokens,
    config_file,
    find_config,
    find_key,
)
from agents.models.errors import (
    BudgetSpent,
    ModelAnswerUnusable,
    ModelError,
    ModelRefused,
    ModelRequestRefused,
    ModelUnavailable,
)
from agents.models.model import Model
from agents.models.requests import Example, Image, Request
from agents.models.transcript import Transcript

__all__ = [
    "Answer",
    "Batches",
    "BudgetSpent",
    "Estimate",
    "Example",
    "Image",
    "Limits",
    "Model",
    "ModelAnswerUnusable",
    "ModelConfig",
    "ModelError",
    "ModelRefused",
    "ModelRequestRefused",
    "ModelUnavailable",
    "PatchTokens",
    "Patience",
    "Price",
    "Rates",
    "Request",
    "Spent",
    "TileTokens",
    "Transcript",
    "config_file",
    "find_config",
    "find_key",
]
