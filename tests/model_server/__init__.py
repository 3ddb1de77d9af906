"""A local server that speaks the wire protocol of OpenAI-compatible endpoints, and misbehaves as it is told.

with ModelServer(truthful({"part": "wing"})) as server:
    config = ModelConfig(url=server.url, model="stand-in")
    ...
    assert len(server.requests) == 1
"""

from tests.model_server.behaviours import (
    Asked,
    Behaviour,
    Completion,
    Dropped,
    Replied,
    Response,
    Status,
    after,
    broken,
    dropped,
    empty,
    failing,
    fenced,
    filtered,
    garbage,
    in_turn,
    limited,
    no_chat,
    no_schemas,
    only_words,
    prose,
    refusing,
    saying,
    strict,
    truncated,
    truthful,
)
from tests.model_server.server import ModelServer

__all__ = [
    "Asked",
    "Behaviour",
    "Completion",
    "Dropped",
    "ModelServer",
    "Replied",
    "Response",
    "Status",
    "after",
    "broken",
    "dropped",
    "empty",
    "failing",
    "fenced",
    "filtered",
    "garbage",
    "in_turn",
    "limited",
    "no_chat",
    "no_schemas",
    "only_words",
    "prose",
    "refusing",
    "saying",
    "strict",
    "truncated",
    "truthful",
]
