"""Ctrl-C in the instant before a wait for a person begins: the system call that waits is not interrupted by it.

That instant is too short to be hit. Here the signal reaches the process while its main thread has it blocked, as
another thread takes it: the main thread's wait is not interrupted either, and only what wakes it up can help.
"""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from console.cli.screen import Screen
from robots.execution.signals import loop_wakes_on_signals

TOO_LATE = 5.0
"""s after which the wait is ended from outside."""


@contextmanager
def interrupted_unawares() -> Iterator[None]:
    """Send SIGINT to the process in a moment, and not to this thread."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])

    def send() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        time.sleep(0.2)
        signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """What types on the terminal that stdin is."""
    master, terminal = pty.openpty()
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield master
    os.close(master)


def test_ctrl_c_just_before_the_answer_is_read(keyboard: int) -> None:
    began = time.monotonic()
    late = threading.Timer(TOO_LATE, os.write, (keyboard, b"late\n"))
    late.start()
    with pytest.raises(KeyboardInterrupt), interrupted_unawares():
        Screen().ask("Approve?")
    late.cancel()
    assert time.monotonic() - began < TOO_LATE
    assert signal.set_wakeup_fd(-1) == -1


def test_an_answer_is_read_also_after_another_signal(keyboard: int) -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1)).start()
    threading.Timer(0.3, os.write, (keyboard, b"Grace\n")).start()
    assert Screen().ask("Approve?") == "Grace"
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.slow
def test_ctrl_c_just_before_a_run_waits_for_a_person() -> None:
    heard: list[float] = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(time.monotonic()))

    async def wait() -> None:
        with loop_wakes_on_signals():
            await asyncio.sleep(TOO_LATE / 2)

    began = time.monotonic()
    with interrupted_unawares():
        asyncio.run(wait())
    signal.signal(signal.SIGINT, before)
    assert [moment - began < TOO_LATE / 4 for moment in heard] == [True]


def test_ctrl_c_as_soon_as_the_question_is_seen(keyboard: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said next begins a line of its own, though nothing was waited for yet."""
    screen, shown = Screen(), [""]

    def seen(*words: object, end: str = "\n", **_: object) -> None:
        shown[0] += "".join(map(str, words)) + end
        if end == "":
            raise KeyboardInterrupt

    monkeypatch.setattr(screen.out, "print", seen)
    with pytest.raises(KeyboardInterrupt):
        screen.ask("Approve?")
    assert shown[0].startswith("Approve? \n")
