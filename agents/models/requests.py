"""What is asked: text and images, examples before them, and how the answer is drawn."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal

Detail = Literal["auto", "low", "high"]
MediaType = Literal["image/png", "image/jpeg", "image/webp", "image/gif"]


@dataclass(frozen=True)
class Image:
    """An encoded image.

    Attributes:
        data: the file's bytes.
        detail: how closely the model is to look, where the endpoint lets one choose.
        width: pixels; with ``height``, only for estimating what it costs. None: the most is assumed.
        height: pixels.
    """

    data: bytes = field(repr=False)
    media_type: MediaType = "image/png"
    detail: Detail = "auto"
    width: int | None = None
    height: int | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, 64 hexadecimal digits."""
        return hashlib.sha256(self.data).hexdigest()


Part = str | Image


@dataclass(frozen=True)
class Example:
    """One turn shown before the question: what was asked, and the answer as the model should have given it (JSON)."""

    asked: tuple[Part, ...]
    answered: str


@dataclass(frozen=True)
class Request:
    """One question to a model.

    Attributes:
        prompt: the prompt's name, for transcripts and for whoever asks later where an answer came from.
        version: the prompt's version.
        system: what the model is told about its task.
        parts: text and images, in this order.
        examples: turns shown before.
        temperature: None leaves it to the endpoint; some models take none.
        max_tokens: of the answer.
        seed: for endpoints that take one.
        sample: number of the sample, where the same question is asked several times; asking with another number is
            another question for the cache, the model does not see it.
    """

    prompt: str
    version: str
    system: str
    parts: tuple[Part, ...]
    examples: tuple[Example, ...] = ()
    temperature: float | None = 0.0
    max_tokens: int = 1024
    seed: int | None = None
    sample: int = 0

    @property
    def name(self) -> str:
        """Prompt and version, for messages."""
        return f"{self.prompt} {self.version}"

    @property
    def images(self) -> tuple[Image, ...]:
        """All images, those of the examples first."""
        shown = [part for example in self.examples for part in example.asked]
        return tuple(part for part in (*shown, *self.parts) if isinstance(part, Image))


def as_messages(request: Request, *, added: str = "", spare_images: bool = False) -> list[dict[str, Any]]:
    """The request in the form of chat completions.

    Args:
        added: put after the system text.
        spare_images: each image by its hash and length, as transcripts and cache keys have it.
    """
    messages: list[dict[str, Any]] = []
    system = "\n\n".join(text for text in (request.system, added) if text)
    if system:
        messages.append({"role": "system", "content": system})
    for example in request.examples:
        messages.append({"role": "user", "content": _content(example.asked, spare_images)})
        messages.append({"role": "assistant", "content": example.answered})
    messages.append({"role": "user", "content": _content(request.parts, spare_images)})
    return messages


def _content(parts: tuple[Part, ...], spare_images: bool) -> str | list[dict[str, Any]]:
    """One text as it is, as plain servers want it; else a list."""
    if len(parts) == 1 and isinstance(parts[0], str):
        return parts[0]
    return [{"type": "text", "text": part} if isinstance(part, str) else _image(part, spare_images) for part in parts]


def _image(image: Image, spare: bool) -> dict[str, Any]:
    if spare:
        url = f"sha256:{image.digest} {image.media_type} {len(image.data)} bytes"
    else:
        url = f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"
    return {"type": "image_url", "image_url": {"url": url, "detail": image.detail}}
