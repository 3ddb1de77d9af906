"""How many tokens a request takes, before it is sent.

*Expected*: four characters to a token (OpenAI, "What are tokens and how to count them": English text,
https://help.openai.com/en/articles/4936856). *Most*: no tokeniser over bytes makes more tokens than there are bytes, so
bytes of UTF-8 are a bound for text. Images are counted by the configured rule, both ways.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from agents.models.config import PatchTokens, TileTokens
from agents.models.requests import Image, Request, as_messages
from agents.models.schemas import AnswerForm, instruction

CHARACTERS = 4
"""Characters of English text to a token."""
PER_MESSAGE = 8
"""Tokens around each message (3 or 4 in OpenAI's cookbook, "How to count tokens with tiktoken"), with room."""
TILE = 512
"""Pixels of a tile's side."""


@dataclass(frozen=True)
class Tokens:
    """Tokens of one call: sent as expected and at most, received at most."""

    expected_in: int
    most_in: int
    most_out: int

    @property
    def most(self) -> int:
        """Sent and received, at most."""
        return self.most_in + self.most_out


def image_tokens(image: Image, rule: TileTokens | PatchTokens) -> int:
    """Tokens of one image by a rule; the most the rule gives where its size is not known."""
    if isinstance(rule, PatchTokens):
        patches = rule.most
        if image.width and image.height:
            patches = min(rule.most, math.ceil(image.width / rule.side) * math.ceil(image.height / rule.side))
        return math.ceil(patches * rule.factor)
    if image.detail == "low":
        return rule.base
    return rule.base + rule.tile * _tiles(image)


def _tiles(image: Image) -> int:
    if not (image.width and image.height):
        return 8  # 2048 x 768, the largest there is after scaling
    scale = min(1.0, 2048 / max(image.width, image.height))
    scale *= min(1.0, 768 / (min(image.width, image.height) * scale))
    # A hair less, so that a side scaled to exactly 768 is not 768.0000001.
    return math.ceil(image.width * scale / TILE - 1e-9) * math.ceil(image.height * scale / TILE - 1e-9)


def request_tokens(request: Request, form: AnswerForm[Any], rule: TileTokens | PatchTokens) -> Tokens:
    """Tokens of a request with the form of its answer, in whichever way that is said."""
    return count_messages(as_messages(request, added=instruction(form), spare_images=True), request, rule)


def count_messages(messages: list[dict[str, Any]], request: Request, rule: TileTokens | PatchTokens) -> Tokens:
    """Tokens of messages in which images stand by their hash; the images are those of ``request``."""
    characters = size = 0
    for message in messages:
        text = message["content"] if isinstance(message["content"], str) else _text_of(message["content"])
        characters += len(text)
        size += len(text.encode())
    images = sum(image_tokens(image, rule) for image in request.images)
    around = PER_MESSAGE * len(messages)
    return Tokens(math.ceil(characters / CHARACTERS) + around + images, size + around + images, request.max_tokens)


def _text_of(parts: list[dict[str, Any]]) -> str:
    return "\n".join(part["text"] for part in parts if part["type"] == "text")
