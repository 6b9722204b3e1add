"""Says what a program tried to do that it may not do. Python asks here before it opens, connects or starts anything.

A program can get around this, for example through memory; it is here for the message, and as a second line. The
boundary is the kernel's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

_REFUSED = frozenset(
    (
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "os.spawn",
        "os.fork",
        "os.forkpty",
        "os.kill",
        "os.killpg",
        "os.remove",
        "os.rename",
        "os.mkdir",
        "os.rmdir",
        "os.link",
        "os.symlink",
        "os.truncate",
        "os.chmod",
        "os.chown",
        "os.chflags",
        "os.lchmod",
        "os.utime",
        "os.setxattr",
        "os.removexattr",
        "os.mkfifo",
        "os.lockf",
        "pty.spawn",
        "signal.pthread_kill",
        "resource.setrlimit",
        "resource.prlimit",
        "sqlite3.connect",
        "sqlite3.connect/handle",
        "glob.glob",
        "_thread.start_new_thread",
        "_thread.start_joinable_thread",
        "fcntl.fcntl",
        "fcntl.ioctl",
        "fcntl.flock",
        "fcntl.lockf",
        "_posixsubprocess.fork_exec",
    )
)
_PREFIXES = ("socket.", "ctypes.", "subprocess.", "shutil.", "tempfile.", "syslog.", "urllib.", "http.", "ftplib.")
_LISTING = ("os.listdir", "os.scandir")
_SOURCES = ("<program>", "<test>", "<call>")
"""Python looks for files of these names, which do not exist, to show a line with an error in it."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def install(readable: tuple[str, ...], listable: tuple[str, ...], tell: Callable[[str], None]) -> None:
    """Refuse from now on.

    Args:
        readable: files, and folders with all that is in them.
        listable: folders whose names may be listed.
        tell: hears of what was refused.
    """
    # What the program could replace later is taken now.
    refused, prefixes, listing, sources, writing = _REFUSED, _PREFIXES, _LISTING, _SOURCES, _WRITING
    decode, integer, text, error = os.fsdecode, int, str, PermissionError
    inside = tuple(f"{path}{os.sep}" for path in readable)
    absolute = os.path.abspath
    known = frozenset((*readable, *listable))

    def may_read(path: Any) -> bool:
        if isinstance(path, integer):
            return True
        whole = absolute(decode(path if path is not None else "."))
        return whole in known or whole.startswith(inside)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if path in sources:
                return
            writes = (isinstance(flags, integer) and flags & writing) or any(
                letter in text(mode or "") for letter in "wax+"
            )
            if isinstance(path, integer) or (not writes and may_read(path)):
                return
        elif event in listing:
            if may_read(arguments[0]):
                return
        elif event not in refused and not event.startswith(prefixes):
            return
        shown = f"{event} {arguments[0]!r}"[:200] if arguments else event
        tell(shown)
        raise error(f"the sandbox refuses {shown}")

    sys.addaudithook(hook)
