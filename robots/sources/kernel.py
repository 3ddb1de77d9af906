"""The few calls of the Linux kernel that Python's standard library does not offer.

Everything here is for :mod:`robots.sources.supervisor`, which confines itself and its child with them.
"""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Any

SET_PDEATHSIG, SET_SECCOMP, CAPBSET_DROP, SET_CHILD_SUBREAPER, SET_NO_NEW_PRIVS = 1, 22, 24, 36, 38
"""Of prctl(2), ``linux/prctl.h``."""
CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x08000000, 0x10000000, 0x20000000, 0x40000000
"""Of unshare(2), ``linux/sched.h``."""
LAST_CAPABILITY = 63
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522

_libc: Any = None


def machine() -> str:
    """The processor's instruction set as Linux names it: "x86_64", "aarch64" …"""
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine())


def syscall(number: int, *arguments: Any) -> int:
    """Call the kernel.

    Raises:
        OSError: it refused.
    """
    result = int(_library().syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def prctl(option: int, *arguments: Any) -> None:
    """Change something about this process; see prctl(2).

    Raises:
        OSError: the kernel refused.
    """
    words = [argument if not isinstance(argument, int) else ctypes.c_ulong(argument) for argument in arguments]
    words += [ctypes.c_ulong(0)] * (4 - len(words))
    if _library().prctl(ctypes.c_int(option), *words) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def unshare(flags: int) -> None:
    """Leave namespaces for new ones; see unshare(2).

    Raises:
        OSError: the kernel does not allow it.
    """
    if _library().unshare(ctypes.c_int(flags)) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def drop_capabilities() -> None:
    """Give up every privilege, also those that root has and those that a later exec could give back."""
    for capability in range(LAST_CAPABILITY + 1):
        try:
            prctl(CAPBSET_DROP, capability)
        except OSError:
            break  # beyond the last one the kernel knows, or nothing to drop
    number = _CAPSET.get(machine())
    if number is not None:
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        none = (ctypes.c_uint32 * 6)()
        syscall(number, header, none)


def _library() -> Any:
    global _libc
    if _libc is None:
        _libc = ctypes.CDLL(None, use_errno=True)
    return _libc
