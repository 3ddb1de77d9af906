"""The files and batches of the local server."""

from __future__ import annotations

import email
import email.policy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.model_server.behaviours import Asked, Completion, Response, Status


@dataclass
class Shelf:
    """Files and batches, in memory.

    Attributes:
        polls: how often a batch is still in progress when it is asked for.
        ends: the state in which it ends; ``expired`` answers only the first half.
    """

    respond: Callable[[dict[str, Any]], tuple[Asked, Response]]
    polls: int = 1
    ends: str = "completed"
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)

    def add_file(self, content_type: str, body: bytes) -> dict[str, Any]:
        """The file in a multipart form."""
        head = f"Content-Type: {content_type}\r\n\r\n".encode()
        form = email.message_from_bytes(head + body, policy=email.policy.HTTP)
        (content,) = (part.get_payload(decode=True) for part in form.iter_parts() if part.get_filename())  # type: ignore[attr-defined]
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return {
            "id": name,
            "object": "file",
            "bytes": len(content),
            "created_at": 0,
            "filename": "x",
            "purpose": "batch",
        }

    def add_batch(self, order: dict[str, Any]) -> dict[str, Any]:
        """Begin a batch."""
        name = f"batch_{len(self.batches)}"
        self.left[name] = self.polls
        self.batches[name] = {
            "id": name,
            "object": "batch",
            "endpoint": order["endpoint"],
            "input_file_id": order["input_file_id"],
            "completion_window": order["completion_window"],
            "status": "in_progress",
            "created_at": 0,
            "metadata": order.get("metadata"),
            "output_file_id": None,
            "error_file_id": None,
        }
        return self.batches[name]

    def look(self, name: str) -> dict[str, Any]:
        """The batch, a step further."""
        batch = self.batches[name]
        if batch["status"] == "in_progress":
            if self.left[name] <= 0:
                self._end(batch)
            self.left[name] -= 1
        return batch

    def _end(self, batch: dict[str, Any]) -> None:
        lines = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
        if self.ends == "expired":
            lines = lines[: len(lines) // 2]
        good, bad = [], []
        for line in lines:
            asked, response = self.respond(line["body"])
            if isinstance(response, Completion):
                result = {"status_code": 200, "request_id": "r", "body": response.as_json(asked.number)}
                good.append({"id": "b", "custom_id": line["custom_id"], "response": result, "error": None})
            else:
                code = response.code if isinstance(response, Status) else 500
                result = {"status_code": code, "request_id": "r", "body": {"error": {"message": "no"}}}
                bad.append({"id": "b", "custom_id": line["custom_id"], "response": result, "error": None})
        for kind, results in (("output_file_id", good[::-1]), ("error_file_id", bad)):
            if results:
                batch[kind] = f"file-{len(self.files)}"
                self.files[batch[kind]] = b"".join(json.dumps(one).encode() + b"\n" for one in results)
        batch["status"] = self.ends
