"""A user's mistake ends in one screen and exit status 2, never in a traceback."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

import typer

# Wrong options and arguments. Typer brings click along under a name of its own or uses the one that is installed,
# and exports of this family of errors one member only.
_UsageError: Any = typer.BadParameter.__base__


def handle(app: typer.Typer) -> int:
    """Run the application and return the exit status.

    0 done, 2 a mistake in what was given, 130 / 143 interrupted, 1 a defect of Truing (the traceback goes to a
    file, and to the screen with ``TRUING_DEBUG=1``).
    """
    from truing.errors import TruingError

    try:
        result = app(standalone_mode=False)
    except _UsageError as error:
        error.show()
        return 2
    except (typer.Abort, KeyboardInterrupt):
        _say("interrupted")
        return 130
    except TruingError as error:
        show(error)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output went away (`truing methods | head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _defect(error)
    return result if isinstance(result, int) else 0


def show(error: Exception) -> None:
    """Print a TruingError: what, where, allowed, fix."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(Text.assemble(("error: ", "bold red"), str(getattr(error, "what", error))))
    for label in ("where", "allowed", "fix"):
        value = getattr(error, label, None)
        if value:
            console.print(Text.assemble((f"  {label}: ", "bold"), _short(str(value))))


def _short(text: str) -> str:
    return text if len(text) <= 1500 else text[:1500] + " ..."


def _defect(error: Exception) -> int:
    details = "".join(traceback.format_exception(error))
    if os.environ.get("TRUING_DEBUG"):
        _say(details)
        return 1
    with tempfile.NamedTemporaryFile("w", prefix="truing-", suffix=".log", delete=False, encoding="utf-8") as log:
        log.write(details)
    last = str(error).splitlines()[0] if str(error) else ""
    _say(
        f"Truing failed unexpectedly: {type(error).__name__}: {last[:300]}\n"
        f"  This is a defect of Truing, not of your input. The traceback is in {Path(log.name)};\n"
        "  please report it, or run again with TRUING_DEBUG=1 to see it."
    )
    return 1


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
