"""What processes use, read from /proc, and what a folder takes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_BLOCK = 512
"""Bytes in which stat counts what a file takes, stat(2)."""
_DEEPEST = 100
"""Folders within folders; deeper ones count as too many files."""


@dataclass(frozen=True)
class Usage:
    """What a number of processes use together.

    Attributes:
        members: their numbers.
        processes: how many they are, each thread counted.
        memory: bytes of main memory.
    """

    members: tuple[int, ...]
    processes: int
    memory: int


@dataclass(frozen=True, slots=True)
class _Process:
    parent: int
    threads: int
    memory: int


def tree_usage(root: int | None, *, user: int | None = None) -> Usage:
    """All that descends from ``root``, itself not counted; without a root, all processes of ``user``."""
    table = _table(user)
    if root is None:
        chosen = set(table)
    else:
        chosen = {root}
        found = True
        while found:
            more = {number for number, process in table.items() if process.parent in chosen} - chosen
            chosen |= more
            found = bool(more)
        chosen.discard(root)
    members = tuple(sorted(number for number in chosen if number in table))
    return Usage(
        members,
        sum(table[number].threads for number in members),
        sum(table[number].memory for number in members),
    )


def unlinked_bytes(processes: Iterable[int]) -> int:
    """Bytes of files that ``processes`` hold open and that no folder names any more."""
    files: dict[tuple[int, int], int] = {}
    for process in processes:
        try:
            names = os.listdir(f"/proc/{process}/fd")
        except OSError:
            continue  # it is gone
        for name in names:
            try:
                found = os.stat(f"/proc/{process}/fd/{name}")
            except OSError:
                continue
            if stat.S_ISREG(found.st_mode) and found.st_nlink == 0:
                files[found.st_dev, found.st_ino] = found.st_blocks * _BLOCK
    return sum(files.values())


def folder_usage(folder: Path, most_bytes: int, most_files: int) -> tuple[int, int]:
    """Bytes and number of files below ``folder``; the count ends once either is above its limit."""
    size = count = 0
    waiting = [(str(folder), 0)]
    while waiting and size <= most_bytes and count <= most_files:
        path, depth = waiting.pop()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    count += 1
                    size += entry.stat(follow_symlinks=False).st_blocks * _BLOCK
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((entry.path, depth + 1))
                    if count > most_files:
                        break
        except OSError:
            continue  # it was removed meanwhile
        if depth > _DEEPEST:
            return size, most_files + 1
    return size, count


def _table(user: int | None) -> dict[int, _Process]:
    table: dict[int, _Process] = {}
    for name in os.listdir("/proc"):
        if not name.isdecimal():
            continue
        try:
            if user is not None and os.stat(f"/proc/{name}").st_uid != user:
                continue
            with open(f"/proc/{name}/stat", "rb") as file:
                line = file.read()
        except OSError:
            continue  # it is gone
        # the command's name stands in brackets and may hold anything; proc_pid_stat(5)
        fields = line[line.rindex(b")") + 2 :].split()
        table[int(name)] = _Process(int(fields[1]), int(fields[17]), int(fields[21]) * _PAGE)
    return table
