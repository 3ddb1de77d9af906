"""The hash that an approval binds: SHA-256 over RFC 8785 canonical JSON with the schema version in it."""

from __future__ import annotations

import hashlib

import rfc8785
from pydantic import BaseModel


def digest(value: BaseModel) -> str:
    """SHA-256, as 64 hexadecimal digits, of ``value`` in RFC 8785 canonical JSON."""
    return hashlib.sha256(rfc8785.dumps(value.model_dump(mode="json"))).hexdigest()
