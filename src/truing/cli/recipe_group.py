"""Command groups whose first word may be a recipe: ``truing unlearn recipe.yaml``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from typer.core import TyperGroup

RUN = "run"


class RecipeGroup(TyperGroup):
    """A group in which the command :data:`RUN` may be left out: ``truing unlearn recipe.yaml``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Options that come first belong to the run, as in ``truing unlearn --dry-run recipe.yaml``."""
        if args and args[0].startswith("-") and args[0] not in (*ctx.help_option_names, "--"):
            args = [RUN, *args]
        rest: list[str] = super().parse_args(ctx, args)
        return rest

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """A file is a recipe; any other unknown word is a misspelt command."""
        word = args[0]
        if self.get_command(ctx, word) is None and (Path(word).suffix or os.sep in word or Path(word).exists()):
            args = [RUN, *args]
        return super().resolve_command(ctx, args)
