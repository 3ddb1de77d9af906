"""Signals that are noticed also while nothing else happens."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def signalled() -> Iterator[socket.socket | None]:
    """A socket that can be read from once a signal with a handler came; ``None`` outside the main thread.

    A handler runs between two steps of the interpreter. A signal that comes in the instant before a wait is only
    noted, and its handler runs when the wait is over, which for a person's answer may be never. So whoever waits long
    in the main thread waits for this socket, too.
    """
    if threading.current_thread() is not threading.main_thread():
        yield None
        return
    reader, writer = socket.socketpair()
    with reader, writer:
        reader.setblocking(False)
        writer.setblocking(False)
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(before)


@contextmanager
def loop_wakes_on_signals() -> Iterator[None]:
    """Let the running event loop wake up when a signal comes, so that its handler runs at once."""
    loop = asyncio.get_running_loop()
    with signalled() as woken:
        if woken is None:
            yield
            return
        loop.add_reader(woken, woken.recv, 64)
        try:
            yield
        finally:
            loop.remove_reader(woken)
