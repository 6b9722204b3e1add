"""Personal reward models of texts: recipe, folder, scorer, newcomers, command line."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from truing.cli.app import app
from truing.errors import DataError, ModelError, ObjectiveError, RecipeError, RunError
from truing.recipe.online import RewardsSection
from truing.rewards.build import build
from truing.rewards.evaluation.run import evaluate_rewards
from truing.rewards.personal.model import PersonalModel
from truing.rewards.personal.training import fit_personal

ANIMALS = ["cat", "dog", "cow", "hen", "fox", "owl", "bee", "ant", "pig", "rat"]


def rows(user: str, likes_short: bool, count: int = 10) -> list[dict[str, str]]:
    found = []
    for animal in ANIMALS[:count]:
        short, long = f" A {animal}.", f" I think that it may well be a {animal}, but I am not at all sure of it."
        chosen, rejected = (short, long) if likes_short else (long, short)
        prompt = f"\n\nHuman: What is a {animal}?\n\nAssistant:"
        found.append({"prompt": prompt, "chosen": chosen, "rejected": rejected, "annotator": user})
    return found


def write(path, values):
    path.write_text("".join(json.dumps(row) + "\n" for row in values), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("personal")
    pairs = [row for n in range(4) for row in rows(f"user-{n}", n % 2 == 0)]
    data = write(folder / "pairs.jsonl", pairs)
    recipe = {
        "model": "truing/tiny",
        "data": {"path": data, "eval_fraction": 0.3},
        "method": {"name": "pal", "epochs": 150, "batch": 16, "learning_rate": 0.02},
        "output": str(folder / "run"),
    }
    return fit_personal(recipe)


def test_opposite_tastes_are_learned_from_texts(run):
    """Three of ten prompts are held out, for four users; one reward for all cannot do better than half."""
    assert run.report.accuracy.n == 12
    assert run.report.accuracy.value == 1.0
    assert run.shared.accuracy.value == pytest.approx(0.5)
    assert set(run.report.subsets) == {"user-0", "user-1", "user-2", "user-3"}
    record = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    weights = record["model"]["weights"]
    assert (
        abs(weights["user-0"][0] - weights["user-2"][0]) < 0.2 < abs(weights["user-0"][0] - weights["user-1"][0])
    )
    assert len((run.folder / "evaluation" / "held_out.jsonl").read_text(encoding="utf-8").splitlines()) == 12


def test_a_folder_gives_the_rewards_that_were_fitted(run):
    loaded = PersonalModel.load(run.model)
    prompt = "\n\nHuman: What is a cat?\n\nAssistant:"
    short, long = rows("x", True)[0]["chosen"], rows("x", True)[0]["rejected"]
    liked = loaded.rewards([prompt] * 3, [short, "", long], "user-0")
    assert liked.isnan().tolist() == [False, True, False]
    assert liked[0] > liked[2]
    other = loaded.rewards([prompt] * 2, [short, long], "user-1")
    assert other[0] < other[1]


def test_score_has_a_number_for_every_user(run, tmp_path):
    """What the file says is what the model says, and opposite tastes are right where the other is wrong."""
    data, output = write(tmp_path / "pairs.jsonl", rows("x", True, 3)), tmp_path / "scores.jsonl"
    done = CliRunner().invoke(app, ["score", str(run.model), data, "-o", str(output), "--json"])
    assert done.exit_code == 0, done.output
    metrics = json.loads(done.stdout)["metrics"]
    assert metrics["accuracy (chosen above rejected) of user-0"]["value"] == 1.0
    assert metrics["accuracy (chosen above rejected) of user-1"]["value"] == 0.0
    first = json.loads(output.read_text(encoding="utf-8").splitlines()[0])
    given = rows("x", True)[0]
    for user in run.report.subsets:
        both = PersonalModel.load(run.model).rewards(
            [given["prompt"]] * 2, [given["chosen"], given["rejected"]], user
        )
        assert [own["reward"][user] for own in first["completions"]] == pytest.approx(both.tolist(), abs=1e-5)
        assert first["log_odds"][user] == pytest.approx(float(both[0] - both[1]), abs=1e-5)


def test_a_folder_with_something_else_is_not_replaced(run, tmp_path):
    (tmp_path / "diary.txt").write_text("dear")
    with pytest.raises(RunError, match="holds something else"):
        PersonalModel.load(run.model).save(tmp_path)
    assert (tmp_path / "diary.txt").exists()


def test_the_folder_of_the_run_is_not_the_model(run):
    with pytest.raises(ModelError, match=r"there is no personal\.json in it") as raised:
        PersonalModel.load(run.folder)
    assert str(run.model) in str(raised.value.fix)


def test_a_column_that_is_not_there_tells_nothing_apart(run, tmp_path):
    data = write(tmp_path / "pairs.jsonl", rows("user-0", True, 2))
    with pytest.raises(DataError, match="the data have no column 'anotator'") as raised:
        evaluate_rewards([str(run.model)], data, by="anotator")
    assert "annotator" in str(raised.value.allowed)


def test_one_users_reward_in_a_recipe(run):
    section = RewardsSection(rewards=[{"name": "personal-reward", "model": str(run.model), "user": "user-1"}])
    prompt = "\n\nHuman: What is a cat?\n\nAssistant:"
    short, long = rows("x", True)[0]["chosen"], rows("x", True)[0]["rejected"]
    found = build(section).judge([prompt] * 2, [short, long]).reward
    expected = PersonalModel.load(run.model).rewards([prompt] * 2, [short, long], "user-1")
    assert found.tolist() == pytest.approx(expected.tolist())


def test_a_newcomer_on_the_command_line(run, tmp_path):
    data = write(tmp_path / "few.jsonl", rows("ignored", False, 3))
    out = tmp_path / "more"
    result = CliRunner().invoke(
        app, ["reward", "add-user", str(run.model), "--name", "new", "--data", data, "-o", str(out)]
    )
    assert result.exit_code == 0, result.output
    assert "new: weights" in result.output
    more = PersonalModel.load(out)
    assert more.users[-1] == "new"
    one, other = more.fitted.weights[-1], more.fitted.weights[1]
    assert int(one.argmax()) == int(other.argmax())  # like user-1, who likes long answers


def test_evaluation_by_user_on_the_command_line(run, tmp_path):
    data = write(tmp_path / "pairs.jsonl", [row for n in range(4) for row in rows(f"user-{n}", n % 2 == 0)])
    result = CliRunner().invoke(
        app, ["reward", "eval", str(run.model), "--data", data, "--by", "annotator", "--json"]
    )
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)["models"].values()
    assert {name: own["n"] for name, own in found["subsets"].items()} == {f"user-{n}": 10 for n in range(4)}
    assert found["accuracy"]["value"] == 1.0
    assert "ece" in found["calibration"]


def test_bad_input_is_explained(run, tmp_path):
    with pytest.raises(RunError, match="holds a run already"):
        fit_personal(run.record["recipe"])
    nobody = write(tmp_path / "nobody.jsonl", [{**row, "annotator": None} for row in rows("x", True)])
    recipe = {"model": "truing/tiny", "data": {"path": nobody}, "output": str(tmp_path / "out")}
    with pytest.raises(DataError, match="who labelled"):
        fit_personal(recipe)
    with pytest.raises(RecipeError, match="unknown personal reward model 'pall'"):
        fit_personal({**recipe, "method": "pall"})
    with pytest.raises(RecipeError, match=r"unknown key 'data\.perturb'"):
        fit_personal({**recipe, "data": {"path": nobody, "perturb": []}})
    with pytest.raises(ModelError, match="this is no personal reward model"):
        PersonalModel.load(tmp_path)
    with pytest.raises(ObjectiveError, match="personal-reward has no user"):
        build(RewardsSection(rewards=[{"name": "personal-reward", "model": str(run.model)}]))
    with pytest.raises(DataError, match="nothing is known about the user 'eve'"):
        build(RewardsSection(rewards=[{"name": "personal-reward", "model": str(run.model), "user": "eve"}]))


def test_a_model_whose_frozen_part_changed_is_refused(run, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in run.model.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    stored = json.loads((copy / "personal.json").read_text(encoding="utf-8"))
    (copy / "personal.json").write_text(json.dumps({**stored, "fingerprint": "other"}), encoding="utf-8")
    with pytest.raises(ModelError, match="other weights than when users were fitted"):
        PersonalModel.load(copy)


@pytest.mark.slow
def test_three_annotators_of_pandalm(shared_data, tmp_path):
    recipe = {
        "model": "truing/tiny",
        "data": {"path": str(shared_data / "pandalm" / "testset-v1.json"), "limit": 120, "max_length": 128},
        "output": str(tmp_path / "run"),
    }
    run = fit_personal(recipe)
    assert set(run.record["model"]["weights"]) == {"annotator1", "annotator2", "annotator3"}
    assert run.report.accuracy.n == sum(e.n for e in run.report.subsets.values()) > 40
