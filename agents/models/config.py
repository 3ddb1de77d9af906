"""Which model is asked, where, how often, and for how much.

``LABWRIGHT_MODEL_URL`` and ``LABWRIGHT_MODEL`` in the environment are enough; the rest stands in the ``[model]`` table
of a ``labwright.toml``, or, of several models, in a table ``[models.NAME]`` for each. The key comes from
``LABWRIGHT_MODEL_KEY``, else from the system's keyring (service ``labwright``, user: the endpoint's name), and is
written nowhere.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import os
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from protocols.errors import InputError

FILE = "labwright.toml"
"""The file that may say more than the environment."""
URL_VARIABLE = "LABWRIGHT_MODEL_URL"
"""Base URL of the endpoint, as ``https://api.openai.com/v1``."""
MODEL_VARIABLE = "LABWRIGHT_MODEL"
"""Name of the model, as the endpoint knows it."""
KEY_VARIABLE = "LABWRIGHT_MODEL_KEY"
"""The secret key, where the endpoint wants one."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Money = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Price(_Settings):
    """What a model costs, in the currency of the user's own table, for a million tokens.

    Attributes:
        batch: what the batch interface costs, as a fraction of that.
    """

    input: Money
    output: Money
    batch: Annotated[Decimal, Field(gt=0, le=1)] = Decimal(1)

    def billionths(self, tokens_in: int, tokens_out: int, *, batch: bool = False) -> int:
        """What so many tokens cost, in billionths of the currency's unit, rounded up."""
        million = self.input * tokens_in + self.output * tokens_out
        return math.ceil(million * 1000 * (self.batch if batch else 1))


class Limits(_Settings):
    """The most that may be spent; None is no limit. Kept for one transcript, over all processes that write it.

    Attributes:
        tokens: sent and received together.
        money: in the currency of the price.
    """

    tokens: Annotated[int, Field(ge=0)] | None = None
    money: Money | None = None


class Rates(_Settings):
    """What the endpoint allows a minute, and how many calls are in flight at once; None is no limit.

    Attributes:
        tokens_per_minute: sent (estimated) and at most asked for together, as OpenAI counts it
            (https://platform.openai.com/docs/guides/rate-limits).
        concurrency: None is 8 where no rate is given, else as many as the rates call for, up to 256.
    """

    requests_per_minute: Positive | None = None
    tokens_per_minute: Positive | None = None
    concurrency: Annotated[int, Field(ge=1, le=1000)] | None = None

    @property
    def in_flight(self) -> int:
        """How many calls may be in flight at once."""
        if self.concurrency is not None:
            return self.concurrency
        return 256 if self.requests_per_minute or self.tokens_per_minute else 8


class Patience(_Settings):
    """How long is waited, and how often asked again.

    Attributes:
        timeout: s for one call, from sending to the last byte.
        attempts: calls for one question while the endpoint fails (429, 5xx, no connection, timeout). A failure with a
            ``Retry-After`` is not counted: ``total`` bounds those.
        total: s for these together, waiting included.
        first_wait: s before the second attempt; doubles with each more, with jitter.
        longest_wait: s before any; a longer ``Retry-After`` is honoured while ``total`` allows it.
        repairs: how often a model is told what is wrong with its answer and asked again.
    """

    timeout: Positive = 120.0
    attempts: Annotated[int, Field(ge=1, le=100)] = 6
    total: Positive = 300.0
    first_wait: Positive = 0.5
    longest_wait: Positive = 30.0
    repairs: Annotated[int, Field(ge=0, le=10)] = 2


class TileTokens(_Settings):
    """Image tokens by tiles of 512 pixels.

    The image is scaled to fit 2048 x 2048 and then to 768 pixels on its shorter side; each tile begun costs ``tile``,
    the image ``base``; "low" detail costs ``base`` alone. Source: OpenAI, Images and vision, "Calculating costs"
    (GPT-4o and GPT-4.1: 85 and 170), https://platform.openai.com/docs/guides/images-vision.
    """

    by: Literal["tiles"] = "tiles"
    base: Annotated[int, Field(ge=0)] = 85
    tile: Annotated[int, Field(ge=0)] = 170


class PatchTokens(_Settings):
    """Image tokens by patches: each patch begun is a token, up to ``most``; times ``factor``.

    Sources: OpenAI, the same page (32 pixels, 1536, 1.62 for GPT-4.1-mini); Qwen2-VL, https://arxiv.org/abs/2409.12191
    (28 pixels; 16384 by default).
    """

    by: Literal["patches"]
    side: Annotated[int, Field(ge=1)] = 32
    most: Annotated[int, Field(ge=1)] = 1536
    factor: Positive = 1.0


class ModelConfig(_Settings):
    """One model at one endpoint.

    Attributes:
        url: base URL; without user name and password.
        model: as the endpoint knows it.
        name: the endpoint's name in caches and transcripts: what gives the same answers has the same name. The URL,
            where none is given.
        price: None where it is not known: only tokens are counted then.
        image_tokens: how images are counted beforehand.
        parameters: more of what the endpoint takes (``top_p``, ``reasoning_effort``, …), sent as it stands.
    """

    url: str
    model: Annotated[str, Field(min_length=1)]
    name: str = ""
    price: Price | None = None
    limits: Limits = Limits()
    rates: Rates = Rates()
    patience: Patience = Patience()
    image_tokens: Annotated[TileTokens | PatchTokens, Field(discriminator="by")] = TileTokens()
    parameters: dict[str, Any] = {}

    @field_validator("url")
    @classmethod
    def _is_plain_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("is not a URL that begins with http:// or https://")
        if parts.username or parts.password:
            raise ValueError(f"holds a user name or password; put the secret into {KEY_VARIABLE}")
        return url.rstrip("/")

    @field_validator("parameters")
    @classmethod
    def _leaves_ours(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        ours = {"model", "messages", "response_format", "stream", "n", "max_tokens", "max_completion_tokens"}
        taken = sorted(ours & parameters.keys())
        if taken:
            raise ValueError(f"{', '.join(taken)}: set by Labwright")
        return parameters

    @property
    def endpoint(self) -> str:
        """The endpoint's name in caches and transcripts."""
        return self.name or self.url


def config_file(home: Path) -> Path | None:
    """The ``labwright.toml`` that counts: in this folder, else in Labwright's home; ``None`` where there is none."""
    return next((path for path in (Path(FILE), home / FILE) if path.is_file()), None)


def find_config(
    file: Path | None = None, environment: Mapping[str, str] | None = None, *, name: str = ""
) -> ModelConfig | None:
    """The configured model, or None where there is none: from ``file``, then from the environment.

    Args:
        file: a ``labwright.toml``.
        environment: that of the process, if not given.
        name: of the model: its table ``[models.NAME]``, or the table ``[model]`` if it is of this model; without any,
            the model of this name at the environment's endpoint. If not given, the table ``[model]``.

    Raises:
        InputError: the file cannot be read, something in it cannot be used, or only half is there.
    """
    environment = os.environ if environment is None else environment
    table = {} if file is None else _table(file, name)
    named = {"url": environment.get(URL_VARIABLE), "model": "" if name else environment.get(MODEL_VARIABLE)}
    table |= {key: value for key, value in named.items() if value}
    if name:
        table.setdefault("model", name)
    if not table:
        return None
    for key, variable in (("url", URL_VARIABLE), ("model", MODEL_VARIABLE)):
        if key not in table:
            which, where = (f"the model {name}", f"models.{_key(name)}") if name else ("a model", "model")
            raise InputError(
                f"{which} is configured without its {key}",
                where=str(file or "environment"),
                mend=f"Set {variable}, or `{key}` in the [{where}] table of {FILE}",
            )
    try:
        return ModelConfig.model_validate(table)
    except ValidationError as error:
        raise _unusable(error, str(file or "environment")) from None


def _table(file: Path, name: str) -> dict[str, Any]:
    """The table of the model of this name; empty where there is none."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"cannot be read ({error})", where=str(file)) from None
    one, several = _as_table(data.get("model", {}), "model", file), _as_table(data.get("models", {}), "models", file)
    if name and name in several:
        return {"model": name, **_as_table(several[name], f"models.{_key(name)}", file)}
    return one if name in ("", one.get("model", name), one.get("name")) else {}


def _as_table(value: Any, name: str, file: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"`{name}` is not a table", where=str(file), mend=f"Write it as [{name}]")
    if {"key", "api_key", "secret"} & value.keys():
        raise InputError(
            "a secret stands in a file",
            where=str(file),
            mend=f"Take it out, and put it into {KEY_VARIABLE} or the system's keyring",
        )
    return dict(value)


def _key(name: str) -> str:
    """A name as a key of TOML."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'


def _unusable(error: ValidationError, where: str) -> InputError:
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in ("model", *first["loc"]))
    return InputError(f"{field}: {first['msg'].removeprefix('Value error, ')}", where=where)


def find_key(config: ModelConfig, environment: Mapping[str, str] | None = None) -> str | None:
    """The secret for an endpoint, from the environment or the system's keyring; None where there is none."""
    environment = os.environ if environment is None else environment
    if key := environment.get(KEY_VARIABLE):
        return key
    if importlib.util.find_spec("keyring") is None:
        return None
    keyring = importlib.import_module("keyring")
    try:
        found = keyring.get_password("labwright", config.endpoint)
    except keyring.errors.KeyringError:
        return None
    return str(found) if found else None
