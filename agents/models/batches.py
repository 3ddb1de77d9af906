"""OpenAI's batch interface: many questions as a file, answered within a day, at a lower price.

A batch is written down before it is sent, under an id of ours that stands in its metadata: after a crash it is found
again at the endpoint and not sent twice. What comes back goes the same way as any answer: checked, repaired by asking
where it must be, kept in the cache. To go on after whatever happened, make the same three calls again:

    batches = Batches(model)
    batches.submit(requests, Description)
    batches.wait()
    outcomes = batches.collect(requests, Description)

One process at a time does that for one transcript. Source: https://platform.openai.com/docs/guides/batch.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any, TypeVar

from agents.models.answers import Answer
from agents.models.asking import price, what_it_took
from agents.models.batch_record import Batch, BatchRecord, Entry, Item
from agents.models.cache import cache_key
from agents.models.endpoint import body_of, read_reply
from agents.models.errors import ModelError, ModelRequestRefused, ModelUnavailable
from agents.models.estimates import request_tokens
from agents.models.model import Model, form_of
from agents.models.requests import Request
from agents.models.schemas import AnswerForm
from agents.models.transcript import Need, Taken
from protocols.errors import InputError

T = TypeVar("T")

MOST_REQUESTS = 50_000
MOST_BYTES = 190_000_000
"""Of one file; OpenAI takes 50,000 requests and 200 MB."""
ENDED = ("completed", "expired", "failed", "cancelled")
"""States after which nothing more comes."""
_LABEL = "labwright"
"""Name of our id in a batch's metadata."""
_SUBMIT = "Submit it again"


class Batches:
    """The batches of one model's transcript."""

    def __init__(self, model: Model) -> None:
        """Look after the batches of a model.

        Raises:
            InputError: the model keeps no cache, so that what is collected would be lost.
        """
        if not model.keeps_answers:
            raise InputError("batches need a cache", where="Model", mend="Give `cache`, a file for the answers")
        self._model = model
        self._record = BatchRecord(model.transcript)

    # -- sending ----------------------------------------------------------------------------------------

    def submit(self, requests: Iterable[Request], answer_type: type[Any]) -> list[str]:
        """Send what is neither answered nor in a batch already; our ids of the new batches.

        Raises:
            BudgetSpent: a batch could cost more than is left; it was not sent.
            ModelUnavailable: the endpoint could not be reached; calling this again sends the rest.
            ModelRequestRefused: the endpoint takes no such batch.
        """
        form = form_of(answer_type)
        by_key = {self._key(request, form): request for request in requests}
        self._settle_unsent()
        waiting = {key for batch in self._open() for key in batch.items}
        new = {
            key: request
            for key, request in by_key.items()
            if key not in waiting and not self._model.cached(request, answer_type)
        }
        return [self._submit(lines, form) for lines in self._files(new, form)]

    def _key(self, request: Request, form: AnswerForm[Any]) -> str:
        return cache_key(request, form, self._model.config)

    def _open(self) -> list[Batch]:
        return [batch for batch in self._record.batches() if batch.state != "collected"]

    def _settle_unsent(self) -> None:
        """Find batches again that a crash left in doubt; let go of those that never arrived."""
        unsent = [batch for batch in self._open() if batch.state == "unsent"]
        if not unsent:
            return
        remote = self._labelled()
        for batch in unsent:
            if batch.batch in remote:
                self._record.note(batch.batch, "in_progress", remote[batch.batch])
            else:
                self._record.forget(batch, "the batch was never sent")

    def _labelled(self) -> dict[str, str]:
        """The endpoint's ids of batches that carry an id of ours."""

        async def find() -> dict[str, str]:
            found = {}
            async for one in self._model.line.endpoint.client.batches.list(limit=100):
                if one.metadata and _LABEL in one.metadata:
                    found[one.metadata[_LABEL]] = one.id
            return found

        return self._remotely(find)

    def _files(self, new: Mapping[str, Request], form: AnswerForm[Any]) -> Iterator[list[tuple[str, Request, bytes]]]:
        """Requests with their lines, as many as one file may have."""
        lines: list[tuple[str, Request, bytes]] = []
        size = 0
        for key, request in new.items():
            body = body_of(request, form, self._model.config, self._model.line.endpoint.learnt)
            line = {"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": body}
            text = json.dumps(line, ensure_ascii=False).encode() + b"\n"
            if lines and (len(lines) == MOST_REQUESTS or size + len(text) > MOST_BYTES):
                yield lines
                lines, size = [], 0
            lines.append((key, request, text))
            size += len(text)
        if lines:
            yield lines

    def _submit(self, lines: Sequence[tuple[str, Request, bytes]], form: AnswerForm[Any]) -> str:
        """Write a batch down, then send it."""
        batch = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        entries = [self._entry(key, request, form) for key, request, _ in lines]
        items = self._record.add(batch, entries, self._model.config.limits)
        content = b"".join(text for _, _, text in lines)

        async def send() -> str:
            client = self._model.line.endpoint.client
            file = await client.files.create(file=(f"{batch}.jsonl", content), purpose="batch")
            made = await client.batches.create(
                input_file_id=file.id,
                endpoint="/v1/chat/completions",
                completion_window="24h",
                metadata={_LABEL: batch},
            )
            return made.id

        try:
            remote = self._remotely(send)
        except ModelRequestRefused as error:
            self._record.forget(Batch(batch, None, "unsent", items), str(error))
            raise
        self._record.note(batch, "in_progress", remote)
        return batch

    def _entry(self, key: str, request: Request, form: AnswerForm[Any]) -> Entry:
        config = self._model.config
        tokens = request_tokens(request, form, config.image_tokens)
        most = price(config, tokens.most_in, tokens.most_out, batch=True) or 0
        return Entry(
            asked=(key, request.prompt, request.version, config.endpoint, config.model),
            body=body_of(request, form, config, self._model.line.endpoint.learnt, spare_images=True),
            most_in=tokens.most_in,
            most_out=tokens.most_out,
            need=Need(tokens.most, most),
        )

    # -- waiting ----------------------------------------------------------------------------------------

    def poll(self) -> list[Batch]:
        """How the batches that are not collected stand, as the endpoint says now.

        Raises:
            ModelUnavailable: the endpoint could not be reached.
            ModelRequestRefused: it does not know a batch.
        """
        for batch in self._open():
            if batch.remote is not None and batch.state not in ENDED:
                found = self._retrieve(batch.remote)
                self._record.note(batch.batch, found.status)
        return self._open()

    def wait(self, every: float = 60.0, report: Callable[[list[Batch]], None] | None = None) -> list[Batch]:
        """Poll every so many s until all have ended; an endpoint that is away meanwhile is asked again.

        Raises:
            ModelRequestRefused: the endpoint does not know a batch.
        """
        while True:
            try:
                batches = self.poll()
            except ModelUnavailable:
                batches = self._open()
            if report is not None:
                report(batches)
            if all(batch.state in ENDED or batch.remote is None for batch in batches):
                return batches
            time.sleep(every)

    def _retrieve(self, remote: str) -> Any:
        async def retrieve() -> Any:
            return await self._model.line.endpoint.client.batches.retrieve(remote)

        return self._remotely(retrieve)

    # -- collecting -------------------------------------------------------------------------------------

    def collect(self, requests: Sequence[Request], answer_type: type[T]) -> dict[int, Answer[T] | ModelError]:
        """What came of those requests that are answered or were in a batch that has ended, by their number.

        Answers that cannot be used are repaired by asking, at the ordinary price.

        Raises:
            ModelUnavailable: the endpoint could not be reached; what was collected is kept.
            ModelRequestRefused: it does not give a batch's results.
        """
        form = form_of(answer_type)
        by_key: dict[str, list[int]] = {}
        for number, request in enumerate(requests):
            by_key.setdefault(self._key(request, form), []).append(number)
        failed: dict[str, ModelError] = {}
        for batch in self._open():
            if batch.remote is None or batch.state not in ENDED:
                continue
            wanted = {key: requests[by_key[key][0]] for key in batch.items if key in by_key}
            failed |= self._collect(batch, wanted, form)
            if len(wanted) == len(batch.items):
                self._record.note(batch.batch, "collected")
        return self._outcomes(requests, answer_type, by_key, failed)

    def _outcomes(
        self,
        requests: Sequence[Request],
        answer_type: type[T],
        by_key: Mapping[str, list[int]],
        failed: Mapping[str, ModelError],
    ) -> dict[int, Answer[T] | ModelError]:
        outcomes: dict[int, Answer[T] | ModelError] = {}
        for key, numbers in by_key.items():
            outcome: Answer[T] | ModelError | None = failed.get(key) or self._model.kept(
                requests[numbers[0]], answer_type
            )
            if outcome is not None:
                outcomes |= dict.fromkeys(numbers, outcome)
        return dict(sorted(outcomes.items()))

    def _collect(self, batch: Batch, wanted: Mapping[str, Request], form: AnswerForm[Any]) -> dict[str, ModelError]:
        """Take a batch's results, all repairs at once; the errors."""
        results = self._results(batch)
        going: dict[str, Future[Any]] = {}
        failed: dict[str, ModelError] = {}
        for key, request in wanted.items():
            if self._model.cached_key(key):
                continue
            item, result = batch.items[key], results.get(key)
            raw = None if result is None else json.dumps(result.get("body"), ensure_ascii=False)
            reply = read_reply(raw) if result is not None and raw is not None and result["status"] == 200 else None
            if reply is None:
                failed[key] = self._fail(batch, item, result)
                continue
            worst = Taken(item.most_in, item.most_out, counted=False)
            taken = what_it_took(reply, worst, self._model.config, batch=True)
            self._model.transcript.settle(item.exchange, taken, seconds=0.0, status=200, response=raw)
            going[key] = self._model.background.start(self._model.finish(request, form, key, item.call, reply, taken))
        for key, future in going.items():
            error = future.exception()
            if isinstance(error, ModelError):
                failed[key] = error
            elif error is not None:
                raise error
        return failed

    def _fail(self, batch: Batch, item: Item, result: Mapping[str, Any] | None) -> ModelError:
        """Record that nothing was answered, and why."""
        status = None if result is None else result["status"]
        error: ModelError
        if result is None:
            error = ModelUnavailable(f"the batch {batch.state} without an answer", mend=_SUBMIT, call=item.call)
        elif isinstance(status, int) and 400 <= status < 500 and status not in (408, 409, 429):
            error = ModelRequestRefused(f"HTTP {status}: {_short(result)}", call=item.call)
        else:
            error = ModelUnavailable(f"no usable reply: {_short(result)}", mend=_SUBMIT, call=item.call)
        transcript = self._model.transcript
        transcript.settle(item.exchange, Taken(), seconds=0.0, status=status, response=None, problem=str(error))
        transcript.end(item.call, "not taken" if isinstance(error, ModelRequestRefused) else "unavailable")
        return error

    def _results(self, batch: Batch) -> dict[str, dict[str, Any]]:
        """Status and body of each result, by its id."""
        found = self._retrieve(batch.remote or "")
        results: dict[str, dict[str, Any]] = {}
        for file in (found.output_file_id, found.error_file_id):
            if file:
                results |= _read_results(self._download(file))
        return results

    def _download(self, file: str) -> str:
        async def download() -> str:
            content = await self._model.line.endpoint.client.files.content(file)
            return content.text

        return self._remotely(download)

    # -- the endpoint -----------------------------------------------------------------------------------

    def _remotely(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do it in the model's loop; the endpoint's failures as the model's errors."""
        import openai

        endpoint, config = self._model.line.endpoint, self._model.config
        try:
            return self._model.background.result(work())
        except openai.APIStatusError as error:
            told = endpoint.hide(f"HTTP {error.status_code}: {error.message}")
            if error.status_code in (408, 409, 429) or error.status_code >= 500:
                raise ModelUnavailable(told, where=config.endpoint, mend="Try again later") from None
            raise ModelRequestRefused(
                told, where=config.endpoint, mend="See whether the endpoint has a batch interface; else ask directly"
            ) from None
        except openai.APIConnectionError as error:
            told = endpoint.hide(str(error.__cause__ or error))
            raise ModelUnavailable(f"no connection ({told})", where=config.endpoint, mend="Try again later") from None


def _read_results(text: str) -> dict[str, dict[str, Any]]:
    """Lines of a result file; those that cannot be read are left out, and count as not answered."""
    results: dict[str, dict[str, Any]] = {}
    for line in text.splitlines():
        try:
            result = json.loads(line)
            key = str(result["custom_id"])
            response = result.get("response") or {}
            results[key] = {
                "status": response.get("status_code"),
                "body": response.get("body") or result.get("error"),
            }
        except (ValueError, LookupError, TypeError, AttributeError):
            continue
    return results


def _short(result: Mapping[str, Any]) -> str:
    return json.dumps(result.get("body"), ensure_ascii=False)[:500]
