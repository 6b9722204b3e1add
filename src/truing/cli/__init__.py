"""The command line. Thin: parse, call, print. Heavy imports happen inside the commands."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the ``truing`` command: runs it, and turns mistakes into one screen and exit status 2."""
    from truing.cli.app import app
    from truing.cli.failures import handle

    sys.exit(handle(app))
