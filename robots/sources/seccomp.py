"""seccomp: a process gives up calls of the kernel, for itself and all it starts.

It closes what Landlock leaves open: sockets of every kind, signals, permissions, owners, attributes and times of
files, what outlives a process in the kernel's own memory, and calls that change other processes or the computer.
https://docs.kernel.org/userspace-api/seccomp_filter.html; numbers from the kernel's ``unistd.h``.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from collections.abc import Iterable, Sequence

from robots.sources import kernel

_FILTER = 2
_LOAD, _EQUAL, _GREATER_OR_EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
"""Of classic BPF, ``linux/bpf_common.h``."""
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE = 0, 4
"""Where they stand in ``struct seccomp_data``; arguments follow from 16 on, 8 bytes each, the low half first."""
_X32 = 0x40000000
"""Numbers from here on are x86-64's calls with short pointers: another list."""
_FIRST_UNKNOWN = 463
"""Calls from here on are newer than this list (Linux 6.11) and refused as unknown."""

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""What the kernel calls them, ``linux/audit.h``."""

REFUSED: dict[str, tuple[int | None, int | None]] = {
    # files: what Landlock leaves open
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "utime": (132, None),
    "utimes": (235, None),
    "utimensat": (280, 88),
    "futimesat": (261, None),
    "truncate": (76, 45),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    # the network, and sockets of this computer's services
    "socket": (41, 198),
    "io_uring_setup": (425, 425),
    # other processes; all of its own stay in one group, which the kernel ends at one stroke
    "setsid": (112, 157),
    "setpgid": (109, 154),
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "pidfd_send_signal": (424, 424),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setaffinity": (203, 122),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setattr": (314, 274),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # memory that outlives its process, or that no limit counts
    "shmget": (29, 194),
    "shmat": (30, 196),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    # the kernel and the computer
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsmount": (432, 432),
    "mount_setattr": (442, 442),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "personality": (135, 92),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "mknod": (133, None),
    "mknodat": (259, 33),
}
"""Calls that are refused with "operation not permitted": their numbers on x86_64 and aarch64."""

_CLONE, _CLONE3, _FCNTL, _IOCTL, _PRLIMIT = (56, 220), (435, 435), (72, 25), (16, 29), (302, 261)
_NEW_NAMESPACES = 0x7E020000
"""Flags of clone(2) that make namespaces."""
_OWNERS_AND_LEASES = (8, 10, 15, 1024, 1026)
"""Commands of fcntl(2) that send signals to others or hold files of others: F_SETOWN, F_SETSIG, F_SETOWN_EX,
F_SETLEASE, F_NOTIFY."""
_HARMLESS_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451, 0x802C542A)
"""Is it a terminal and how wide, how much can be read, and the flags of the descriptor itself."""


def available() -> bool:
    """Whether there is a list for this processor, and a kernel that takes it."""
    if kernel.machine() not in ARCHITECTURES:
        return False
    try:
        with open("/proc/sys/kernel/seccomp/actions_avail", encoding="ascii") as file:
            return "errno" in file.read()
    except OSError:
        return False


def confine() -> None:
    """Give up the calls of :data:`REFUSED`; irrevocable. ``no_new_privs`` must be set before.

    Raises:
        OSError: the kernel refuses.
    """
    program = build_filter(kernel.machine())
    code = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("@HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    kernel.prctl(kernel.SET_SECCOMP, _FILTER, ctypes.create_string_buffer(described, len(described)))


def build_filter(machine: str) -> bytes:
    """The filter as classic BPF; ``machine`` is a key of :data:`ARCHITECTURES`."""
    column = list(ARCHITECTURES).index(machine)
    refuse, unknown = _REFUSE | errno.EPERM, _REFUSE | errno.ENOSYS
    code = [_load(_ARCHITECTURE), _jump(_EQUAL, ARCHITECTURES[machine], 1, 0), _return(_KILL), _load(_NUMBER)]
    code += [_jump(_GREATER_OR_EQUAL, _X32, 0, 1), _return(unknown)]
    code += [_jump(_GREATER_OR_EQUAL, _FIRST_UNKNOWN, 0, 1), _return(unknown)]
    for numbers in REFUSED.values():
        number = numbers[column]
        if number is not None:
            code += _when(number, [_return(refuse)])
    # clone3 hides its flags from filters; who finds it unknown takes clone
    code += _when(_CLONE3[column], [_return(unknown)])
    namespaces = [_load(_argument(0)), _jump(_ANY_BIT, _NEW_NAMESPACES, 0, 1), _return(refuse), _return(_ALLOW)]
    code += _when(_CLONE[column], namespaces)
    own = [_load(_argument(0)), _jump(_EQUAL, 0, 1, 0), _return(refuse), _return(_ALLOW)]
    code += _when(_PRLIMIT[column], own)
    code += _when(_FCNTL[column], _chosen(_argument(1), _OWNERS_AND_LEASES, refuse, _ALLOW))
    code += _when(_IOCTL[column], _chosen(_argument(1), _HARMLESS_IOCTLS, _ALLOW, _REFUSE | errno.ENOTTY))
    return b"".join([*code, _return(_ALLOW)])


def _when(number: int, then: Sequence[bytes]) -> list[bytes]:
    """``then``, which must return, where the call is ``number``."""
    return [_jump(_EQUAL, number, 0, len(then)), *then]


def _chosen(place: int, values: Iterable[int], chosen: int, otherwise: int) -> list[bytes]:
    code = [_load(place)]
    for value in values:
        code += [_jump(_EQUAL, value, 0, 1), _return(chosen)]
    return [*code, _return(otherwise)]


def _argument(index: int) -> int:
    return 16 + 8 * index


def _load(place: int) -> bytes:
    return struct.pack("=HBBI", _LOAD, 0, 0, place)


def _jump(test: int, value: int, yes: int, no: int) -> bytes:
    return struct.pack("=HBBI", test, yes, no, value)


def _return(value: int) -> bytes:
    return struct.pack("=HBBI", _RETURN, 0, 0, value)
