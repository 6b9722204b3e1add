"""No files but the standard library, read-only: Landlock, which Linux offers to any process since 5.13.

See landlock(7). What is restricted stays so for the life of the process.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable

# The numbers are the same on all architectures.
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_READ = (1 << 2) | (1 << 3)
"""Read a file, list a folder."""
_LIST = 1 << 3


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def restrict(readable: Iterable[str], listable: Iterable[str]) -> None:
    """Leave this process nothing but these.

    Args:
        readable: files, and folders with all that is in them.
        listable: folders whose names may be listed.

    Raises:
        OSError: if the kernel has no Landlock, or it is switched off.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = _checked(libc.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1)), "Landlock")
    # What a version does not know it cannot restrict: moving (2), truncating (3), and controlling devices (5).
    rights = (1 << (13 + (version >= 2) + (version >= 3) + (version >= 5))) - 1
    rules = _Ruleset(rights, 3, 3)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = _checked(
        libc.syscall(_CREATE, ctypes.byref(rules), ctypes.c_size_t(size), ctypes.c_uint32(0)), "Landlock"
    )
    try:
        for path in readable:
            _allow(libc, ruleset, path, _READ if os.path.isdir(path) else 1 << 2)
        for path in listable:
            _allow(libc, ruleset, path, _LIST)
        _checked(libc.prctl(38, 1, 0, 0, 0), "no_new_privs")
        _checked(libc.syscall(_RESTRICT, ruleset, ctypes.c_uint32(0)), "Landlock")
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _Beneath(rights, parent)
        _checked(libc.syscall(_ADD, ruleset, 1, ctypes.byref(rule), ctypes.c_uint32(0)), "Landlock")
    finally:
        os.close(parent)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
