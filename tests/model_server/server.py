"""The local server: HTTP on a free port of this machine."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.model_server.batches import Shelf
from tests.model_server.behaviours import Asked, Behaviour, Completion, Dropped, Replied, Response, Status


class ModelServer:
    """An OpenAI-compatible endpoint that behaves as it is told; a context manager.

    Attributes:
        behaviour: may be changed at any time.
        asked: chat completions that were asked for, in order, with their headers and times.
        shelf: files and batches.
        most_at_once: how many completions were in work at the same time, at most.
    """

    def __init__(
        self, behaviour: Behaviour, *, per_minute: float | None = None, leeway: float = 0.2, port: int = 0
    ) -> None:
        """Take a behaviour.

        Args:
            per_minute: a sixtieth of it is let through in any second; more get status 429 with ``Retry-After``.
            leeway: by which fraction more is let through, as connections do not arrive evenly.
        """
        self.behaviour = behaviour
        self.asked: list[Asked] = []
        self.let_through: list[float] = []
        self.shelf = Shelf(self.respond)
        self.most_at_once = 0
        self._in_a_second = None if per_minute is None else round(per_minute / 60 * (1 + leeway))
        self._recent: deque[float] = deque()
        self._at_once = 0
        self._lock = threading.Lock()
        self._http = _Http(("127.0.0.1", port), _handler_of(self))
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Bodies of the chat completions that were asked for, in order."""
        return [one.body for one in self.asked]

    def respond(self, body: dict[str, Any], headers: dict[str, str] | None = None) -> tuple[Asked, Response]:
        """Note what is asked, and decide on the response."""
        now = time.monotonic()
        with self._lock:
            asked = Asked(len(self.asked), body, headers or {}, now)
            self.asked.append(asked)
            if self._in_a_second is not None and not self._lets_through(now, self._in_a_second):
                return asked, Status(429, "Rate limit reached", {"Retry-After": "1"}, "rate_limit_exceeded")
            self.let_through.append(now)
        return asked, self.behaviour(asked)

    def _lets_through(self, now: float, in_a_second: int) -> bool:
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if len(self._recent) >= in_a_second:
            return False
        self._recent.append(now)
        return True

    def working(self, step: int) -> None:
        """One more, or one less, in work."""
        with self._lock:
            self._at_once += step
            self.most_at_once = max(self.most_at_once, self._at_once)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Http(ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


def _handler_of(server: ModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        owner = server

    return Handler


class _Handler(BaseHTTPRequestHandler):
    owner: ModelServer
    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the screen."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        match self.path:
            case "/v1/chat/completions":
                self._chat(json.loads(body))
            case "/v1/files":
                self._send(self.owner.shelf.add_file(self.headers["Content-Type"], body))
            case "/v1/batches":
                self._send(self.owner.shelf.add_batch(json.loads(body)))
            case _:
                self._send({"error": {"message": "unknown path"}}, 404)

    def do_GET(self) -> None:
        shelf = self.owner.shelf
        match self.path.partition("?")[0].split("/")[2:]:
            case ["batches"]:
                self._send({"object": "list", "data": list(shelf.batches.values()), "has_more": False})
            case ["batches", name] if name in shelf.batches:
                self._send(shelf.look(name))
            case ["files", name, "content"] if name in shelf.files:
                self._bytes(shelf.files[name], 200, "application/octet-stream")
            case _:
                self._send({"error": {"message": "no such thing"}}, 404)

    def _chat(self, body: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.owner.working(1)
        try:
            asked, response = self.owner.respond(body, headers)
            time.sleep(response.delay)
            self._respond(asked, response)
        finally:
            self.owner.working(-1)

    def _respond(self, asked: Asked, response: Response) -> None:
        match response:
            case Completion():
                self._send(response.as_json(asked.number))
            case Status():
                error = {"message": response.message, "type": "error", "code": response.error_code}
                self._send({"error": error}, response.code, dict(response.headers))
            case Replied():
                self._bytes(response.content, 200, response.kind)
            case Dropped():
                self._drop(response.after)

    def _drop(self, after: int | None) -> None:
        """Go away in the middle."""
        content = json.dumps(Completion('{"part": "wing"}').as_json(0)).encode()
        if after is not None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:after])
            self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._bytes(json.dumps(value).encode(), status, "application/json", headers)

    def _bytes(self, content: bytes, status: int, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
