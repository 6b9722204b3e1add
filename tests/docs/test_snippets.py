"""Every snippet is true: recipes are valid, commands and options exist, Python runs, links lead somewhere."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

import truing
from truing.arenas.cells import cells
from truing.arenas.load import load_arena
from truing.cli.app import app
from truing.decoding.recipe import parse_decode_recipe
from truing.decoding.run import decoder_of
from truing.objectives import MODIFIERS
from truing.objectives.recipe import build
from truing.recipe import Recipe, parse_recipe
from truing.recipe.load import load_recipe
from truing.rewards.lookup import named, piece
from truing.rewards.personal.training import KIND, personal_recipe
from truing.unlearning.methods import choose
from truing.unlearning.schema import UnlearnRecipe

from .pages import ROOT, WRITTEN, Snippet, snippets

# Typer brings click along under a name of its own, or uses the one that is installed.
UsageError: Any = typer.BadParameter.__base__
ARENAS = [found for found in snippets("yaml") if "\nobjectives:" in found.text]
UNLEARNING = [found for found in snippets("yaml") if "\nforget:" in found.text]
DECODING = [found for found in snippets("yaml") if "\ndecode:" in found.text]
PERSONAL = [found for found in snippets("yaml") if "\nmethod: {name: pal" in found.text]
RECIPES = [found for found in snippets("yaml") if found not in (*ARENAS, *UNLEARNING, *DECODING, *PERSONAL)]
PYTHON = snippets("python")
COMMANDS = [
    (found, line)
    for found in snippets("bash")
    for line in found.text.replace("\\\n", " ").splitlines()
    if re.search(r"\btruing ", line.split("#")[0])
]


def test_there_are_snippets() -> None:
    """The collection above finds what a reader sees; an empty one would pass every test below."""
    assert len(RECIPES) >= 10
    assert len(ARENAS) >= 2
    assert DECODING
    assert len(PYTHON) >= 10
    assert len(COMMANDS) >= 30


@pytest.mark.parametrize("found", RECIPES, ids=str)
def test_recipes_are_valid(found: Snippet, tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(found.text, encoding="utf-8")
    recipe = load_recipe(file)
    assert build(recipe.objective).name


@pytest.mark.parametrize("found", ARENAS, ids=str)
def test_arenas_are_valid(found: Snippet, tmp_path: Path) -> None:
    file = tmp_path / "arena.yaml"
    file.write_text(found.text, encoding="utf-8")
    assert cells(load_arena(file))


@pytest.mark.parametrize("found", UNLEARNING, ids=str)
def test_recipes_of_unlearning_are_valid(found: Snippet) -> None:
    recipe = UnlearnRecipe.model_validate(yaml.safe_load(found.text))
    assert choose(recipe).objective.terms


@pytest.mark.parametrize("found", DECODING, ids=str)
def test_recipes_of_decoding_are_valid(found: Snippet) -> None:
    recipe = parse_decode_recipe(yaml.safe_load(found.text))
    assert decoder_of(recipe.decode)


@pytest.mark.parametrize("found", PERSONAL, ids=str)
def test_recipes_of_personal_rewards_are_valid(found: Snippet) -> None:
    recipe = personal_recipe(yaml.safe_load(found.text))
    name, values = named(recipe.method, KIND, "method")
    assert piece(name, KIND, "method").configure(values)


@pytest.mark.parametrize(("found", "line"), COMMANDS, ids=lambda value: str(value)[:60])
def test_commands_exist(found: Snippet, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Parsed by the command line itself, which refuses unknown commands, options and missing arguments."""
    words = shlex.split(line, comments=True)
    arguments = words[words.index("truing") + 1 :]
    _parse(typer.main.get_command(app), arguments)
    overrides = [word for word in arguments[2:] if re.match(r"^[a-z_.\[\]0-9]+=", word)]
    if arguments[0] == "align" and overrides:
        base = {"model": "truing/tiny", "data": "truing/hh-sample", "objective": "dpo", "output": "x"}
        build(parse_recipe(base, overrides).objective)


@pytest.mark.parametrize("wrong", ["aling x.yaml", "align", "align x.yaml --resum", "score model", "data chekc x"])
def test_a_wrong_command_would_be_found(wrong: str) -> None:
    with pytest.raises(UsageError):
        _parse(typer.main.get_command(app), wrong.split())


def _parse(command: Any, arguments: list[str]) -> None:
    """Parse without running; ``resilient_parsing`` stays off, so that mistakes raise."""
    context = command.make_context("truing", list(arguments))
    while hasattr(command, "resolve_command"):
        name, found, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        command = found
        context = command.make_context(name, list(rest), parent=context)


@pytest.mark.parametrize("found", PYTHON, ids=str)
def test_python_compiles_and_its_names_exist(found: Snippet) -> None:
    tree = ast.parse(found.text, filename=str(found))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("truing"):
            module = importlib.import_module(node.module)
            for alias in node.names:
                assert hasattr(module, alias.name), f"{node.module} has no {alias.name}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "truing":
            assert hasattr(truing, node.attr), f"truing has no {node.attr}"


# Blocks that train, or that need the result of another one, are run by test_examples or not at all.
RUNS = [
    f
    for f in PYTHON
    if not f.title and not re.search(r"truing\.(align|arena|diagnose|verify)|from_pretrained\(", f.text)
]


@pytest.fixture
def _registry_as_before() -> Iterator[None]:
    """What a snippet registers is gone after it."""
    saved = [(names, dict(names)) for names in (MODIFIERS._entries, MODIFIERS._names)]
    yield
    for names, before in saved:
        names.clear()
        names.update(before)  # type: ignore[arg-type]


@pytest.mark.usefixtures("_registry_as_before")
@pytest.mark.parametrize("found", RUNS, ids=str)
def test_python_runs(found: Snippet) -> None:
    exec(compile(found.text, str(found), "exec"), {"__name__": "snippet"})


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path, generated: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if target.startswith(("http://", "https://")):
            continue
        path = (page.parent / target).resolve()
        made = generated / path.relative_to(ROOT / "docs") if path.is_relative_to(ROOT / "docs") else path
        assert path.exists() or made.exists(), f"{page.name} links to {target}"


INLINE = re.compile(r"`([^`\n]+)`")
SECTIONS = {
    name: field.annotation
    for name, field in Recipe.model_fields.items()
    if hasattr(field.annotation, "model_fields")
}


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_keys_in_the_text_are_keys_of_a_recipe(page: Path) -> None:
    for text in INLINE.findall(page.read_text(encoding="utf-8")):
        match = re.fullmatch(rf"({'|'.join(SECTIONS)})\.([a-z_]+)(=.*|: .*)?", text)
        if match and match[2] != "json":
            assert match[2] in SECTIONS[match[1]].model_fields, f"{page.name}: {text}"


def test_objectives_of_the_trl_table_can_be_built() -> None:
    page = (ROOT / "docs" / "guides" / "from-trl.md").read_text(encoding="utf-8")
    table = page.split("## Losses")[1].split("## Everything else")[0]
    built = []
    for row in table.splitlines()[4:]:
        for text in INLINE.findall(row.rsplit("| ", 1)[-1]):
            if text == "_":
                continue
            value = yaml.safe_load(text)
            if isinstance(value, dict) and "modify" in value:
                value = {"name": "dpo", **value}
            elif isinstance(value, dict) and "objective" in value:
                value = value["objective"]
            built.append(build(value).name)
    assert len(built) >= 20


def test_what_contradictions_prints_stands_in_verify() -> None:
    """The page shows the output of a script; its topics are those of the script (numbers: see test_examples)."""
    page = (ROOT / "docs" / "verify.md").read_text(encoding="utf-8")
    script = (ROOT / "examples" / "contradictions.py").read_text(encoding="utf-8")
    topics = re.findall(r'show\(\s*"([^"]+)"', script)
    assert len(topics) == 8
    assert [topic for topic in topics if f"\n{topic}\n" not in page] == []


def test_no_machine_paths() -> None:
    for page in WRITTEN:
        assert not re.search(r"(?<!\w)/(work|root|home|tmp)/", page.read_text(encoding="utf-8")), page.name
