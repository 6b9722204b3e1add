"""The first thing that runs in the child: reads what to do, locks the door, runs the program, reports.

Started as ``python -I -S -B guard.py SPEC REPORT`` with two file descriptors. SPEC holds a JSON object; on REPORT one
JSON object a line is written.
"""

from __future__ import annotations

import builtins
import importlib.util
import json
import os
import resource
import signal
import sys
import types
from typing import Any

# Modules that need libraries of the system, which cannot be found once the door is locked.
_NEED_LIBRARIES = (
    "_hashlib",
    "_decimal",
    "zlib",
    "_bz2",
    "_lzma",
    "_random",
    "_struct",
    "math",
    "_heapq",
    "_datetime",
)
_NOT_STANDARD = ("site-packages", "dist-packages")


def main() -> None:
    """Run one test case, and leave."""
    spec_file, report = int(sys.argv[1]), int(sys.argv[2])
    with open(spec_file, "rb") as handle:
        spec: dict[str, Any] = json.loads(handle.read())
    write, dumps, leave = os.write, json.dumps, os._exit

    def tell(**said: Any) -> None:
        write(report, (dumps(said) + "\n").encode())

    try:
        _lock(spec, lambda what: tell(refused=what))
    except OSError as error:
        tell(unavailable=str(error))
        leave(3)
    try:
        found = _run(spec)
    except SystemExit as error:
        found = {"exit": error.code if isinstance(error.code, int) else int(error.code is not None)}
    except BaseException as error:
        found = _told(error)
    sys.stdout.flush()
    tell(nonce=spec["nonce"], **found)
    leave(0)


def _run(spec: dict[str, Any]) -> dict[str, Any]:
    """Run the program and then the test in the same names."""
    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = builtins
    sys.modules["__main__"], sys.argv = module, ["program"]
    exec(compile(spec["program"], "<program>", "exec"), module.__dict__)
    try:
        if spec["test"] is not None:
            exec(compile(spec["test"], "<test>", "exec"), module.__dict__)
        if spec["call"] is not None:
            value = eval(compile(spec["call"], "<call>", "eval"), module.__dict__)
            return {"value": json.dumps(value)}
    except AssertionError as error:
        return {"failed": f"AssertionError: {error}"[:200]}
    return {"finished": True}


def _told(error: BaseException) -> dict[str, Any]:
    try:
        # Where the hook was not asked, the kernel still refuses.
        kind = "refused" if isinstance(error, PermissionError) else "error"
        return {kind: f"{type(error).__name__}: {error}"[:200]}
    except BaseException:
        return {"error": "an error that cannot be shown"}


def _lock(spec: dict[str, Any], refused: Any) -> None:
    """Limits, kernel restrictions, and the hook that says what was refused."""
    for name in _NEED_LIBRARIES:
        if importlib.util.find_spec(name) is not None:
            __import__(name)
    standard = [path for path in sys.path if os.path.isdir(path)]
    readable = tuple(
        os.path.join(folder, name)
        for folder in standard
        for name in sorted(os.listdir(folder))
        if name not in _NOT_STANDARD
    )
    own = os.path.dirname(os.path.abspath(__file__))
    hook = _sibling(own, "hook")
    cpu, memory = int(spec["cpu_seconds"]), int(spec["memory_bytes"])
    for name, soft, hard in (
        ("RLIMIT_CPU", cpu, cpu + 1),
        ("RLIMIT_AS", memory, memory),
        ("RLIMIT_FSIZE", 0, 0),
        ("RLIMIT_CORE", 0, 0),
        ("RLIMIT_NOFILE", 64, 64),
        ("RLIMIT_NPROC", 0, 0),
    ):
        _limit(name, soft, hard, needed=spec["kernel"])
    if spec["kernel"]:
        import ctypes

        landlock, seccomp = _sibling(own, "landlock"), _sibling(own, "seccomp")
        # PR_SET_PDEATHSIG: who started this takes it along.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
        landlock.restrict(readable, [*standard, os.getcwd()])
        seccomp.restrict()
        for name in [name for name in sys.modules if name.partition(".")[0] in ("ctypes", "_ctypes")]:
            del sys.modules[name]
    hook.install(readable, (*standard, os.getcwd()), refused)


def _limit(name: str, soft: int, hard: int, *, needed: bool) -> None:
    """Set a limit, or the lower one that is set already."""
    try:
        number = getattr(resource, name)
        most = resource.getrlimit(number)[1]
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(number, (soft, hard))
    except (AttributeError, ValueError, OSError) as error:
        if needed:
            raise OSError(f"{name} cannot be set: {error}") from None


def _sibling(folder: str, name: str) -> Any:
    """A file beside this one as a module; it is not on the path, and is not to be."""
    spec = importlib.util.spec_from_file_location(name, os.path.join(folder, f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
