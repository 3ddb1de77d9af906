"""One exchange with an OpenAI-compatible endpoint: what is sent, and what came of it, failures as values."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from agents.models.config import ModelConfig
from agents.models.requests import Request, as_messages
from agents.models.retries import asked_wait
from agents.models.schemas import AnswerForm, instruction

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

Mode = Literal["schema", "object", "words"]
"""How an endpoint is told the form of an answer: by a JSON schema, by "some JSON object" and words, by words alone."""
_NEXT: dict[Mode, Mode] = {"schema": "object", "object": "words"}
Limit = Literal["max_tokens", "max_completion_tokens"]

_OF_FORM = ("response_format", "json_schema", "json_object", "json schema", "structured output", "grammar", "guided")
"""What an endpoint that takes no schema speaks of."""
NO_KEY = "no-key"
"""Sent where there is no key: the package insists on one."""
_LONGEST = 2_000
"""Characters of an endpoint's own words that a message shows."""


@dataclass(frozen=True)
class Learnt:
    """What an endpoint turned out to understand."""

    mode: Mode = "schema"
    limit: Limit = "max_tokens"


@dataclass(frozen=True)
class Reply:
    """What a model answered.

    Attributes:
        text: None or empty where it said nothing.
        refusal: its own words, or the endpoint's, where it declined.
        cut_off: whether it reached its limit of tokens.
        model: as the endpoint names it.
        tokens_in: None where the endpoint does not count.
        raw: the whole response.
        seconds: from sending to the last byte.
    """

    text: str | None
    refusal: str | None
    cut_off: bool
    model: str
    tokens_in: int | None
    tokens_out: int | None
    raw: str
    seconds: float = 0.0


@dataclass(frozen=True)
class Failure:
    """Why nothing was answered.

    Attributes:
        kind: ``again``: the endpoint may do better later; ``form``, ``limit``: it does not understand how the form, or
            the limit of tokens, was said; ``no``: it does not take this request.
        text: what happened, in words.
        status: of the HTTP response, where there was one.
        wait: s that the endpoint asks one to wait.
        billed: whether the model may have worked for it, unseen.
    """

    kind: Literal["again", "form", "limit", "no"]
    text: str
    status: int | None = None
    wait: float | None = None
    billed: bool = False
    raw: str | None = None
    seconds: float = 0.0


def body_of(
    request: Request,
    form: AnswerForm[Any],
    config: ModelConfig,
    learnt: Learnt,
    *,
    spare_images: bool = False,
) -> dict[str, Any]:
    """The body of a chat completion."""
    words = "" if learnt.mode == "schema" else instruction(form)
    body: dict[str, Any] = {
        "model": config.model,
        "messages": as_messages(request, added=words, spare_images=spare_images),
        learnt.limit: request.max_tokens,
        **config.parameters,
    }
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.seed is not None:
        body["seed"] = request.seed
    if learnt.mode == "schema":
        body["response_format"] = form.response_format
    elif learnt.mode == "object":
        body["response_format"] = {"type": "json_object"}
    return body


def read_reply(raw: str) -> Reply | None:
    """What a chat completion says; None where it is none."""
    try:
        completion = json.loads(raw)
        choice = completion["choices"][0]
        message = choice["message"]
        usage = completion.get("usage") or {}
        content, refusal = message.get("content"), message.get("refusal")
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    if isinstance(content, list):  # some servers answer in parts
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    if not isinstance(content, str | None):
        return None
    finish = choice.get("finish_reason")
    if finish == "content_filter" and not refusal:
        refusal = "the endpoint's content filter stopped the answer"
    return Reply(
        text=content,
        refusal=str(refusal) if refusal else None,
        cut_off=finish == "length",
        model=str(completion.get("model") or ""),
        tokens_in=_count(usage, "prompt_tokens"),
        tokens_out=_count(usage, "completion_tokens"),
        raw=raw,
    )


def _count(usage: Any, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and value >= 0 else None


class Endpoint:
    """The connection to one endpoint. For one event loop.

    Attributes:
        learnt: what it turned out to understand.
    """

    def __init__(self, config: ModelConfig, key: str | None, learnt: Learnt) -> None:
        self._config = config
        self._key = key
        self._client: AsyncOpenAI | None = None
        self.learnt = learnt

    @property
    def client(self) -> AsyncOpenAI:
        """The client of the ``openai`` package, which retries nothing by itself."""
        if self._client is None:
            self._client = _make_client(self._config, self._key)
        return self._client

    async def exchange(self, body: dict[str, Any], sent_as: Learnt) -> Reply | Failure:
        """Send a body and wait for all of the reply; whatever fails at the endpoint comes back as a value."""
        import httpx2
        import openai

        began = time.monotonic()
        try:
            async with asyncio.timeout(self._config.patience.timeout):
                response = await self.client.post("/chat/completions", cast_to=httpx2.Response, body=body)
                raw = self.hide(response.text)
        except (TimeoutError, openai.APITimeoutError):
            failure = Failure("again", f"no answer within {self._config.patience.timeout:g} s", billed=True)
        except openai.APIStatusError as error:
            failure = _of_status(error.response, body, self.hide)
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            failure = _of_connection(error, self.hide)
        else:
            reply = read_reply(raw)
            if reply is not None:
                return replace(reply, seconds=time.monotonic() - began)
            failure = Failure("again", "the reply is no chat completion", response.status_code, billed=True, raw=raw)
        failure = replace(failure, seconds=time.monotonic() - began)
        self._learn(failure, sent_as)
        return failure

    def _learn(self, failure: Failure, sent_as: Learnt) -> None:
        """Say it in another way from now on, unless another call found that out already."""
        if failure.kind == "form" and self.learnt.mode == sent_as.mode:
            self.learnt = replace(self.learnt, mode=_NEXT[sent_as.mode])
        if failure.kind == "limit" and self.learnt.limit == sent_as.limit:
            self.learnt = replace(self.learnt, limit="max_completion_tokens")

    def hide(self, text: str) -> str:
        """A text without the key, should the endpoint repeat it."""
        return text.replace(self._key, "[key]") if self._key else text

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            await self._client.close()


def _make_client(config: ModelConfig, key: str | None) -> AsyncOpenAI:
    import openai

    # What the package would take from the environment belongs to OpenAI: no other endpoint is to see it.
    headers: dict[str, Any] = {"OpenAI-Organization": openai.Omit(), "OpenAI-Project": openai.Omit()}
    return openai.AsyncOpenAI(
        api_key=key or NO_KEY,
        base_url=config.url,
        max_retries=0,
        timeout=config.patience.timeout,
        default_headers=headers,
        http_client=openai.DefaultAsyncHttpxClient(verify=_tls()),
    )


@cache
def _tls() -> ssl.SSLContext:
    """The certificates that are trusted; reading them takes longer than all else about a client."""
    import httpx2

    return httpx2.create_ssl_context()


def _of_connection(error: Exception, hide: Any) -> Failure:
    import httpx2

    cause = error.__cause__ or error
    told = hide(f"{type(cause).__name__}: {cause}".strip(": "))
    if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout):
        return Failure("again", f"no connection ({told})")
    return Failure("again", f"the connection broke ({told})", billed=True)


def _of_status(response: httpx2.Response, body: dict[str, Any], hide: Any) -> Failure:
    """What a status outside 200 means."""
    status, raw = response.status_code, hide(response.text)
    told = f"HTTP {status}: {_message(raw)}"
    low = raw.lower()
    if status == 429 and "insufficient_quota" in low:
        return Failure("no", told, status, raw=raw)
    if status in (408, 409, 425, 429) or status >= 500:
        if status == 501 and "response_format" in body and any(word in low for word in _OF_FORM):
            return Failure("form", told, status, raw=raw)
        return Failure("again", told, status, wait=asked_wait(response.headers), raw=raw)
    if status in (400, 404, 415, 422):
        if "max_tokens" in body and "max_completion_tokens" in low:
            return Failure("limit", told, status, raw=raw)
        if "response_format" in body and any(word in low for word in _OF_FORM):
            return Failure("form", told, status, raw=raw)
    return Failure("no", told, status, raw=raw)


def _message(raw: str) -> str:
    """The endpoint's own words in an error's body."""
    try:
        error = json.loads(raw).get("error")
    except (ValueError, AttributeError):
        return " ".join(raw.split())[:_LONGEST]
    message = error.get("message") if isinstance(error, dict) else error
    return " ".join(str(message or raw).split())[:_LONGEST]
