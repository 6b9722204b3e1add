"""Options that commands share are worded once."""

from __future__ import annotations

import pytest
from typer.main import get_command

from truing.cli.audit import app

COMMANDS = get_command(app).commands  # type: ignore[attr-defined]
ONCE = ("--key-from", "--json", "--dry-run", "--ratings", "--layout")


@pytest.mark.parametrize("option", ONCE)
def test_an_option_of_several_audits_has_one_text(option: str) -> None:
    texts = {
        name: parameter.help
        for name, command in COMMANDS.items()
        for parameter in command.params
        if option in parameter.opts
    }
    assert len(texts) > 2
    assert len(set(texts.values())) == 1, texts


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_audit_prints_json_and_says_what_it_is_for(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    assert any("--json" in parameter.opts for parameter in command.params)
    assert all(parameter.help for parameter in command.params if parameter.name != "help")
