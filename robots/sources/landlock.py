"""Landlock: a process gives up, for itself and all it starts, access to everything but the folders it names.

https://docs.kernel.org/userspace-api/landlock.html. It needs no privilege and binds root too. Landlock says nothing of
permissions, owners, attributes and times of files: :mod:`robots.sources.seccomp` takes those calls away.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from robots.sources import kernel

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""Numbers of the calls, the same on every architecture."""
_VERSION_QUESTION = 1
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = (1 << bit for bit in range(6))
_MAKE_DIR, _MAKE_REG = 1 << 7, 1 << 8
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_KNOWN_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many of the rights over files each version of Landlock knows."""
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_WRITE = _READ | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _REFER | _TRUNCATE
_FOR_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_BIND_AND_CONNECT = 0b11
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def version() -> int:
    """Which version of Landlock the kernel has; 0 is none."""
    try:
        return kernel.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_QUESTION))
    except (OSError, AttributeError):
        return 0


def confine(writable: Iterable[Path], readable: Iterable[Path], devices: Iterable[Path]) -> None:
    """Give up all files but what stands below ``readable`` and ``writable``; irrevocable.

    Connecting and listening over TCP are given up too from version 4 on, signals to and abstract sockets of processes
    outside from version 6 on. ``no_new_privs`` must be set before.

    Args:
        devices: files such as /dev/null that may be read and written.

    Raises:
        OSError: the kernel has no Landlock, or refuses.
    """
    has = version()
    handled = (1 << _KNOWN_RIGHTS.get(has, 16)) - 1
    ruleset = _Ruleset(
        handled,
        _BIND_AND_CONNECT if has >= 4 else 0,
        _ABSTRACT_SOCKETS_AND_SIGNALS if has >= 6 else 0,
    )
    size = 24 if has >= 6 else 16 if has >= 4 else 8
    rules = kernel.syscall(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), ctypes.c_uint32(0))
    try:
        for paths, rights in ((writable, _WRITE), (readable, _READ), (devices, _READ_FILE | _WRITE_FILE)):
            for path in paths:
                _allow(rules, path, rights & handled)
        kernel.syscall(_RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint32(0))
    finally:
        os.close(rules)


def _allow(rules: int, path: Path, rights: int) -> None:
    """Allow ``rights`` below ``path``; what is not there needs no rule."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    try:
        rule = _PathRule(rights if path.is_dir() else rights & _FOR_FILES, descriptor)
        kernel.syscall(
            _ADD_RULE, ctypes.c_int(rules), ctypes.c_int(_PATH_BENEATH), ctypes.byref(rule), ctypes.c_uint32(0)
        )
    finally:
        os.close(descriptor)
