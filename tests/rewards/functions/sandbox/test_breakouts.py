"""Programs that try to get out. Each is judged twice: by what is reported, and by what can be seen outside."""

from __future__ import annotations

import os
import socket
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from truing.rewards.functions.sandbox.cases import Checks, Dialogue, Result
from truing.rewards.functions.sandbox.limits import Limits

pytestmark = pytest.mark.usefixtures("isolated")

LIMITS = Limits(seconds=20.0)
NO_HOOK = """
import sys, os
def raw(number, *arguments):
    '''A system call without Python's knowledge: through ctypes, found in memory where it was hidden.'''
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(number, *arguments)
    return result if result >= 0 else -ctypes.get_errno()
"""


def run(program: str, limits: Limits = LIMITS, **environment: str) -> Result:
    """The program is right to reach its end only where it has said what it got."""
    return Checks("pass").run(textwrap.dedent(program), limits, "kernel")


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


@pytest.fixture(autouse=True)
def nothing_is_left_running():
    before = children()
    yield
    deadline = time.monotonic() + 5
    while children() - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not children() - before


@pytest.mark.parametrize(
    ("program", "what"),
    [
        ("open('/etc/passwd').read()", "open '/etc/passwd'"),
        ("import os; os.open('/etc/passwd', os.O_RDONLY)", "open '/etc/passwd'"),
        ("import io; io.FileIO('/etc/passwd')", "open '/etc/passwd'"),
        ("open('../../etc/passwd')", "open '../../etc/passwd'"),
        ("import pathlib; pathlib.Path('/proc/self/environ').read_text()", "open '/proc/self/environ'"),
        ("import os; os.listdir('/')", "os.listdir '/'"),
        ("open('here', 'w')", "open 'here'"),
        ("import tempfile; tempfile.mkdtemp()", "open"),
        ("import os; os.mkdir('here')", "os.mkdir 'here'"),
        ("import os; os.remove('/tmp/x')", "os.remove '/tmp/x'"),
        ("import socket; socket.socket()", "socket.__new__"),
        ("import urllib.request as u; u.urlopen('http://127.0.0.1:9')", "urllib.Request"),
        ("import os; os.system('id')", "os.system"),
        ("import os; os.fork()", "os.fork"),
        ("import os; os.execv('/bin/sh', ['sh'])", "os.exec"),
        ("import os; os.posix_spawn('/bin/sh', ['sh'], {})", "os.posix_spawn"),
        ("import subprocess; subprocess.run(['id'])", "subprocess.Popen"),
        ("import multiprocessing as m; m.Process(target=print).start()", ""),
        ("import os; os.kill(os.getppid(), 9)", "os.kill"),
        ("import os; os.killpg(0, 9)", "os.killpg"),
        ("import ctypes", "ctypes.dlopen"),
        ("import resource; resource.setrlimit(resource.RLIMIT_CPU, (9, 9))", "resource.setrlimit"),
        ("import signal, threading; signal.pthread_kill(threading.get_ident(), 9)", "signal.pthread_kill"),
        ("[c for c in object.__subclasses__() if c.__name__ == '_wrap_close'][0].__init__.__globals__['system']('id')",
         "os.system"),
        ("import sys; sys.modules['posix'].system('id')", "os.system"),
        ("__builtins__.__import__('os').system('id')", "os.system"),
    ],
)  # fmt: skip
def test_what_is_refused(program: str, what: str) -> None:
    found = run(program)
    assert found.status == "refused"
    assert what in found.why


def test_what_was_tried_counts_even_where_the_error_was_caught() -> None:
    found = run("try:\n    open('/etc/passwd')\nexcept OSError:\n    pass")
    assert found == Result("refused", "open '/etc/passwd'")


def test_the_home_folder_is_not_written(tmp_path: Path) -> None:
    target = Path.home() / ".truing-sandbox-was-here"
    for path in (target, tmp_path / "here"):
        assert run(f"open({str(path)!r}, 'w').write('x')").status == "refused"
        assert not path.exists()


def test_the_environment_is_not_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "sk-secret")
    found = Dialogue("", "[]").run("import os; print([k for k in os.environ if 'KEY' in k])", LIMITS, "kernel")
    assert found.status == "passed"


def test_descriptors_are_not_inherited(tmp_path: Path) -> None:
    """Nothing beyond standard input, output, errors and the report is open."""
    with (tmp_path / "secret").open("w") as handle:
        os.set_inheritable(handle.fileno(), True)
        program = """
        import os
        found = []
        for number in range(64):
            try: os.fstat(number)
            except OSError: continue
            found.append(number)
        print(len(found))
        """
        assert Dialogue("", "4").run(textwrap.dedent(program), LIMITS, "kernel") == Result("passed")


# -- past the hook: the kernel has the last word ----------------------------------------------------------


def hookless(body: str) -> Result:
    """A program that calls the kernel by itself, in a sandbox whose hook refuses nothing."""
    return Dialogue("", "done").run(NO_HOOK + textwrap.dedent(body) + "\nprint('done')", LIMITS, "kernel")


@pytest.fixture
def without_hook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The same child without its hook, and with ctypes at hand."""
    import shutil

    from truing.rewards.functions.sandbox import process

    folder = tmp_path / "child"
    shutil.copytree(process._GUARD.parent, folder)
    guard = folder / "guard.py"
    text = guard.read_text(encoding="utf-8")
    changed = text.replace("hook.install(", "(lambda *held: None)(").replace("del sys.modules[name]", "pass")
    assert changed.count("(lambda *held: None)(") == 1
    guard.write_text(changed, encoding="utf-8")
    monkeypatch.setattr(process, "_GUARD", guard)


@pytest.mark.usefixtures("without_hook")
class TestWithoutTheHook:
    """What Landlock and seccomp refuse by themselves."""

    @pytest.mark.parametrize(
        "attempt",
        [
            "open('/etc/passwd')",
            "open('/proc/self/environ')",
            "open('/proc/self/mem', 'rb')",
            "open('/dev/null')",
            "open('here', 'w')",
            "open(VICTIM)",
            "open(VICTIM, 'w')",
            "open(VICTIM + '-beside', 'w')",
            "os.listdir('/')",
            "os.listdir('/tmp')",
            "os.mkdir('here')",
            "os.remove(VICTIM)",
            "os.rename(VICTIM, 'here')",
            "os.symlink(VICTIM, 'here')",
            "os.link(VICTIM, 'here')",
            "os.truncate(VICTIM, 0)",
            "os.chmod(VICTIM, 0o777)",
            "os.utime(VICTIM)",
            "os.setxattr(VICTIM, 'user.a', b'b')",
            "os.mkfifo('here')",
            "os.chroot('/')",
            "os.fork()",
            "os.execv('/bin/true', ['true'])",
            "os.posix_spawn('/bin/true', ['true'], {})",
            "os.kill(os.getppid(), 0)",
            "os.kill(os.getpid(), 9)",
            "os.setsid()",
            "os.memfd_create('a')",
            "os.pidfd_open(os.getppid())",
            "os.nice(1)",
            "__import__('socket').socket()",
            "__import__('socket').socketpair()",
            "__import__('resource').setrlimit(7, (999, 999))",
            "__import__('resource').prlimit(os.getppid(), 7, (9, 9))",
            "__import__('_thread').start_new_thread(print, ())",
            "__import__('fcntl').fcntl(0, 8, os.getppid())",
            "__import__('fcntl').fcntl(0, 10, 9)",
            "__import__('fcntl').ioctl(0, 0x5412, b'x')",
        ],
    )
    def test_python_calls(self, attempt: str, tmp_path: Path) -> None:
        victim = tmp_path / "victim"
        victim.write_text("unharmed", encoding="utf-8")
        before = victim.stat()
        refused = "except (OSError, RuntimeError, ValueError): pass"
        program = f"VICTIM = {str(victim)!r}\ntry:\n    {attempt}\n{refused}\nelse: print('got through')"
        assert hookless(program) == Result("passed")
        assert victim.read_text(encoding="utf-8") == "unharmed"
        assert (victim.stat().st_mode, victim.stat().st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
        assert {path.name for path in tmp_path.iterdir()} == {"child", "victim"}

    @pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of system calls of x86-64")
    @pytest.mark.parametrize(
        ("call", "number"),
        [
            ("socket", 41), ("clone", 56), ("fork", 57), ("vfork", 58), ("execve", 59), ("kill", 62), ("ptrace", 101),
            ("setuid", 105), ("prctl", 157), ("mount", 165), ("tkill", 200), ("tgkill", 234), ("unshare", 272),
            ("process_vm_readv", 310), ("seccomp", 317), ("bpf", 321), ("userfaultfd", 323), ("execveat", 322),
            ("io_uring_setup", 425), ("pidfd_send_signal", 424), ("clone3", 435), ("openat2", 437),
            ("pidfd_getfd", 438), ("prlimit64", 302), ("landlock_restrict_self", 446), ("memfd_create", 319),
            ("shmget", 29), ("perf_event_open", 298), ("add_key", 248), ("keyctl", 250), ("name_to_handle_at", 303),
            ("open_by_handle_at", 304), ("sendmsg", 46), ("mmap of another number", 999),
        ],
    )  # fmt: skip
    def test_raw_calls(self, call: str, number: int) -> None:
        """EPERM, from the filter: none of them is even looked at."""
        assert hookless(f"assert raw({number}, 0, 0, 0, 0, 0, 0) == -1, {call!r}") == Result("passed")

    @pytest.mark.skipif(os.uname().machine != "x86_64", reason="x32 is an ABI of x86-64")
    def test_numbers_of_another_abi_end_the_process(self) -> None:
        assert hookless("raw(0x40000000 | 41, 1, 1, 0)") == Result("error", "it was ended by SIGSYS")

    def test_a_server_next_door_hears_nothing(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(0.5)
            port = server.getsockname()[1]
            program = f"""
            import socket
            try: socket.create_connection(("127.0.0.1", {port}), 1)
            except OSError: pass
            """
            assert hookless(program) == Result("passed")
            with pytest.raises(TimeoutError):
                server.accept()


# -- time, memory, output --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "program",
    [
        "while True: pass",
        "import time; time.sleep(1000)",
        "import signal\nfor n in (1, 2, 15, 24): signal.signal(n, signal.SIG_IGN)\nwhile True: pass",
        "import signal, time\nsignal.signal(24, print)\nwhile True:\n    try: time.sleep(99)\n    except: pass",
        "import os\nfor n in range(64):\n    try: os.close(n)\n    except OSError: pass\nwhile True: pass",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "10 ** 10 ** 10",
        "import re; re.match('(a+)+b', 'a' * 60)",
        "class A:\n    def __del__(self):\n        while True: pass\na = A()\ndel a",
    ],
)
def test_what_goes_on_and_on_is_ended(program: str) -> None:
    found = run(program, Limits(seconds=1.0))
    assert found == Result("timeout", "it took too long")


def test_memory_is_limited() -> None:
    assert run("a = bytearray(10 ** 10)", Limits(20.0, memory=256)).why.startswith("MemoryError")
    growing = "a = []\nwhile True: a.append(' ' * 10 ** 6)"
    assert run(growing, Limits(20.0, memory=256)).why.startswith("MemoryError")


def test_output_is_limited() -> None:
    found = run("while True: print('x' * 10 ** 6)", Limits(20.0, output=10**6))
    assert found == Result("error", "it printed too much")
    found = run("import os\nwhile True: os.write(2, b'x' * 10 ** 6)", Limits(1.0))
    assert found.status == "timeout"


def test_reports_that_are_too_long_or_wrong_are_none() -> None:
    found = run(
        "import os\nwhile True:\n for n in range(3, 64):\n  try: os.write(n, b'x' * 10 ** 5)\n  except OSError: 0"
    )
    assert found == Result("error", "it printed too much")
    forged = r"""
    import os
    for n in range(3, 64):
        try: os.write(n, b'{"nonce": "0", "finished": true}\n[[[\nnull\n')
        except OSError: pass
    os._exit(0)
    """
    assert run(forged) == Result("error", "it ended before its tests")


def test_fork_bombs() -> None:
    assert run("import os\nwhile True: os.fork()").status == "refused"
    assert run("import os\nwhile True:\n    try: os.fork()\n    except: pass", Limits(1.0)).status == "refused"


def test_threads() -> None:
    program = "import threading\nwhile True: threading.Thread(target=print).start()"
    assert run(program).status in ("error", "refused")


def test_outliving_by_a_second_fork() -> None:
    marker = Path(f"/tmp/truing-sandbox-outlived-{os.getpid()}")
    program = f"""
    import os, time
    try:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(0.5)
                open({str(marker)!r}, 'w')
    except OSError:
        pass
    """
    assert run(program).status == "refused"
    time.sleep(1.0)
    assert not marker.exists()


def test_a_crash_is_an_error() -> None:
    code = "(lambda: 0).__code__.replace(co_code=b'\\x64\\xff' * 999, co_stacksize=1)"
    assert run(f"exec({code})").status == "error"


@pytest.mark.parametrize(
    "tampering",
    [
        "import sys; sys.addaudithook = None; del sys.addaudithook",
        "import sys, builtins; builtins.PermissionError = ZeroDivisionError; builtins.isinstance = lambda *a: True",
        "import os; os.write = lambda *a: 0; os.path.abspath = os.fsdecode = lambda p: os.__file__",
        "import gc\nfor o in gc.get_objects():\n    if type(o) is frozenset and 'os.system' in o: pass",
        "import sys; sys.modules.clear()",
        "import builtins; builtins.str = lambda *a: ''; builtins.any = lambda *a: False; builtins.tuple = list",
    ],
)
def test_the_hook_is_not_deleted(tampering: str) -> None:
    found = run(tampering + "\nimport posix as p\np.open('/etc/passwd', 0)")
    assert found.status in ("refused", "error")
    assert found.why
    assert "root:" not in found.why


def test_the_parent_is_killed_and_takes_the_program_along() -> None:
    """A run that is killed leaves no program behind."""
    import signal
    import subprocess
    import sys

    starter = """
from truing.rewards.functions.sandbox.cases import Checks
from truing.rewards.functions.sandbox.limits import Limits
print("ready", flush=True)
Checks("pass").run("import time; time.sleep(60)", Limits(60.0), "kernel")
"""
    with subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        inside: list[psutil.Process] = []
        for _ in range(200):
            inside = psutil.Process(process.pid).children()
            if inside and inside[0].num_threads() and "guard.py" in " ".join(inside[0].cmdline()):
                break
            time.sleep(0.05)
        assert inside
        time.sleep(0.5)
        process.send_signal(signal.SIGKILL)
    gone, alive = psutil.wait_procs(inside, timeout=10)
    assert not alive
    assert len(gone) == 1
