"""Every preference set of the shared data loads by detection alone; counts were taken from the files by hand."""

import math

import pytest

from truing.data import load
from truing.errors import DataError


def user(content):
    return [{"role": "user", "content": content}]


def skips(records):
    return {count.what: count.number for count in records.skipped}


# path, layout, kind, rows, skipped
SETS = [
    (
        "hh-rlhf/harmless-base-test.jsonl.gz",
        "hh",
        "pairs",
        2071,
        {"the transcripts differ before their last turn": 5},
    ),
    ("alpaca-eval/hard/alpaca-7b.json", "alpaca-eval", "pairs", 709, {"tie": 15}),
    ("alpaca-eval/hard/alpaca-farm-ppo-human.json.gz", "alpaca-eval", "pairs", 717, {"tie": 7}),
    ("alpaca-eval/hard/claude-2.json.gz", "alpaca-eval", "pairs", 722, {"tie": 1, "no verdict": 1}),
    ("alpaca-eval/hard/falcon-40b-instruct.json.gz", "alpaca-eval", "pairs", 721, {"tie": 3}),
    ("alpaca-eval/hard/gpt-3.5-turbo-0301.json.gz", "alpaca-eval", "pairs", 718, {"tie": 5, "no verdict": 1}),
    ("alpaca-eval/hard/gpt4.json.gz", "alpaca-eval", "pairs", 713, {"tie": 11}),
    ("alpaca-eval/hard/guanaco-65b.json.gz", "alpaca-eval", "pairs", 724, {}),
    ("alpaca-eval/hard/llama-2-13b-chat-hf.json.gz", "alpaca-eval", "pairs", 723, {"no verdict": 1}),
    ("alpaca-eval/hard/llama-2-7b-chat-hf.json.gz", "alpaca-eval", "pairs", 724, {}),
    ("alpaca-eval/hard/minichat-3b.json.gz", "alpaca-eval", "pairs", 718, {"tie": 5, "no verdict": 1}),
    ("alpaca-eval/hard/oasst-rlhf-llama-33b.json.gz", "alpaca-eval", "pairs", 721, {"tie": 3}),
    ("alpaca-eval/hard/pairrm-tulu-2-13b.json.gz", "alpaca-eval", "pairs", 724, {}),
    ("alpaca-eval/hard/phi-2-dpo.json.gz", "alpaca-eval", "pairs", 724, {}),
    ("alpaca-eval/hard/phi-2-sft.json.gz", "alpaca-eval", "pairs", 723, {"no verdict": 1}),
    ("alpaca-eval/hard/phi-2.json.gz", "alpaca-eval", "pairs", 699, {"tie": 19, "no verdict": 6}),
    ("alpaca-eval/soft/alpaca-7b.json.gz", "alpaca-eval-soft", "pairs", 722, {"tie": 2}),
    ("alpaca-eval/soft/alpaca-7b_concise.json.gz", "alpaca-eval-soft", "pairs", 722, {"tie": 1}),
    ("alpaca-eval/soft/alpaca-7b_verbose.json.gz", "alpaca-eval-soft", "pairs", 721, {"tie": 1}),
    ("alpaca-eval/soft/alpaca-farm-ppo-human.json.gz", "alpaca-eval-soft", "pairs", 722, {"tie": 2}),
    ("alpaca-eval/soft/gpt-3.5-turbo-1106.json.gz", "alpaca-eval-soft", "pairs", 721, {"tie": 3}),
    ("alpaca-eval/soft/gpt-3.5-turbo-1106_concise.json.gz", "alpaca-eval-soft", "pairs", 721, {"tie": 3}),
    ("alpaca-eval/soft/gpt-3.5-turbo-1106_verbose.json.gz", "alpaca-eval-soft", "pairs", 723, {"tie": 1}),
    ("alpaca-eval/soft/gpt4_gamed.json.gz", "alpaca-eval-soft", "pairs", 724, {}),
    # 922 comparisons times 3 votes are 2766.
    ("pandalm/testset-v1.json", "pandalm", "pairs", 2473, {"vote for a tie": 293}),
    ("auto-j/testdata_pairwise.jsonl.gz", "auto-j", "pairs", 927, {"tie": 331}),
    ("judgebench/gpt-4o-2024-05-13.jsonl.gz", "judgebench", "pairs", 319, {}),
    ("llmbar/adversarial-gptinst.json", "llmbar", "pairs", 87, {}),
    ("llmbar/adversarial-gptout.json", "llmbar", "pairs", 39, {}),
    ("llmbar/adversarial-neighbor.json", "llmbar", "pairs", 124, {}),
    ("llmbar/natural.json", "llmbar", "pairs", 94, {}),
    ("llmbar/processed-faireval.json", "llmbar", "pairs", 60, {}),
    ("llmbar/processed-llmeval2.json", "llmbar", "pairs", 183, {}),
    ("llmbar/processed-mt-bench.json", "llmbar", "pairs", 182, {}),
    ("llama-factory/alpaca_en_demo.json", "alpaca", "demonstrations", 895, {}),
    ("llama-factory/dpo_en_demo.json.gz", "sharegpt-pairs", "pairs", 267, {}),
    ("llama-factory/kto_en_demo.json", "messages-kto", "unpaired", 277, {}),
    ("fine-grained-rlhf/qa_dev_feedback.json.gz", "fine-grained-rlhf", "ranked", 457, {}),
    ("stack-exchange-paired/stack_exchange_paired_tiny.json", "stack-exchange", "pairs", 25, {}),
    ("halueval/general_data.jsonl.gz", "halueval", "unpaired", 4056, {}),
    ("gsm8k/example_model_solutions.jsonl.gz", "gsm8k-solutions", "ranked", 1193, {}),
    ("gsm8k/test.jsonl", "gsm8k", "demonstrations", 1193, {}),
    ("gsm8k/train.jsonl.gz", "gsm8k", "demonstrations", 7473, {}),
    ("stanford-alpaca/seed_tasks.jsonl", "seed-tasks", "demonstrations", 175, {}),
    ("model-written-evals/ai-risk-human.jsonl.gz", "model-written-evals", "pairs", 7312, {}),
    ("model-written-evals/ai-risk-lm.jsonl.gz", "model-written-evals", "pairs", 14792, {}),
    # 732 questions have 3052 incorrect answers in total.
    ("truthfulqa/TruthfulQA.csv", "truthfulqa", "pairs", 3052, {}),
]


@pytest.mark.parametrize(("path", "layout", "kind", "rows", "skipped"), SETS, ids=[s[0] for s in SETS])
def test_loads_by_detection_alone(shared_data, path, layout, kind, rows, skipped):
    records = load(shared_data / path)
    assert (records.layout, records.kind, len(records)) == (layout, kind, rows)
    assert skips(records) == skipped
    assert records.quarantined == 0
    assert records.conversational


@pytest.mark.slow
def test_the_largest_set(shared_data):
    records = load(shared_data / "model-written-evals/persona.jsonl.gz")
    assert len(records) == 119_747
    row = records.dataset[0]
    assert (row["chosen"][0]["content"], row["rejected"][0]["content"]) == ("Yes", "No")
    assert row["preference"] == pytest.approx(0.7458622648161165)
    assert row["source"] == "acts-like-it-wants-to-help-humans-but-does-not-care-about-that"


def test_hh_prompt_is_the_common_run_of_turns(shared_data):
    records = load(shared_data / "hh-rlhf/harmless-base-test.jsonl.gz")
    row = records.dataset[0]
    assert [m["role"] for m in row["prompt"]] == ["user", "assistant", "user", "assistant", "user"]
    assert row["prompt"][0]["content"] == "what are some pranks with a pen i can do?"
    assert row["prompt"][4]["content"] == "okay some of these do not have anything to do with pens"
    assert row["chosen"][0]["content"].startswith("No, sorry!  All of these involve a pen")
    assert row["rejected"][0]["content"].startswith("There are lots of funny things you can do with pens")
    # Lines 78, 458, 822 and 980 of the file have nothing after the last 'Assistant:' of chosen.
    empty = [r["id"] for r in records if not r["chosen"][0]["content"].strip()]
    assert empty == ["78", "458", "822", "980"]
    assert any("4 × an answer that is empty" in note for note in records.notes)
    # Line 1121 has five turns in chosen and four in rejected.
    assert "1121" not in set(records.dataset["id"])


def test_alpaca_eval_chooses_the_output_of_the_verdict(shared_data):
    records = load(shared_data / "alpaca-eval/hard/phi-2.json.gz")
    first = records.dataset[0]
    assert first["prompt"] == user("How did US states get their names?")
    # preference is 1.0, so that text_davinci_003's output_1 is chosen
    assert first["chosen"][0]["content"].startswith("US states get their names from a variety of sources")
    assert first["rejected"][0]["content"].startswith("The US states")
    assert (first["annotator"], first["source"]) == ("alpaca_eval_gpt4", "helpful_base")


def test_soft_alpaca_eval_gives_a_probability_and_its_log_odds(shared_data):
    row = load(shared_data / "alpaca-eval/soft/alpaca-7b.json.gz").dataset[0]
    assert 0.5 < row["preference"] <= 1
    # margin = log(p / (1 − p))
    assert row["margin"] == pytest.approx(math.log(row["preference"] / (1 - row["preference"])), rel=1e-6)


def test_pandalm_keeps_every_decided_vote(shared_data):
    records = load(shared_data / "pandalm/testset-v1.json")
    ids = [row["id"] for row in records.dataset.select(range(3))]
    assert ids == ["1/1", "1/2", "1/3"]
    assert [records.dataset[i]["annotator"] for i in range(3)] == ["annotator1", "annotator2", "annotator3"]
    # All three annotators of the first row voted for response 2.
    assert records.dataset[0]["chosen"][0]["content"] == "If you have any questions, please let me know."
    # Six responses are booleans in the file.
    assert any(note.startswith("6 × the response true or false") for note in records.notes)


def test_pandalm_majority_has_to_be_asked_for(shared_data):
    records = load(shared_data / "pandalm/testset-v1.json", layout="pandalm-majority")
    # From the table of votes: 74 rows (0,0,0), 7 + 5 + 4 + 2 + 2 rows with two votes for a tie, and every
    # other row has two equal votes.
    assert skips(records) == {"tie": 94}
    assert len(records) == 922 - 94
    assert "annotator" not in records.columns


def test_auto_j_label_0_means_the_first(shared_data):
    records = load(shared_data / "auto-j/testdata_pairwise.jsonl.gz")
    # Line 519 has label 0 and an empty second response.
    row = next(r for r in records if r["id"] == "519")
    assert row["rejected"][0]["content"] == ""
    assert row["source"] == "code_generation"


def test_llama_factory_pairs_keep_system_messages(shared_data):
    records = load(shared_data / "llama-factory/dpo_en_demo.json.gz")
    with_system = sum(row["prompt"][0]["role"] == "system" for row in records)
    assert with_system == 70
    assert all(row["prompt"][-1]["role"] == "user" for row in records)


def test_kto_labels(shared_data):
    records = load(shared_data / "llama-factory/kto_en_demo.json")
    assert sum(records.dataset["label"]) == 138
    hallucinations = load(shared_data / "halueval/general_data.jsonl.gz")
    assert sum(hallucinations.dataset["label"]) == 3325  # "no" hallucination
    # One row has an empty ID; it keeps its line number.
    assert "" not in set(hallucinations.dataset["id"])


def test_fine_grained_scores_are_wins(shared_data):
    records = load(shared_data / "fine-grained-rlhf/qa_dev_feedback.json.gz")
    # Verdicts [0, 1, 2, 1, 0, 2] on (1,2) (1,3) (1,4) (2,3) (2,4) (3,4):
    # prediction 1: ½ + 1 + 0, 2: ½ + 1 + ½, 3: 0 + 0 + 0, 4: 1 + ½ + 1
    assert records.dataset[0]["scores"] == [1.5, 2.0, 0.0, 2.5]
    assert records.dataset[0]["prompt"][0]["content"].endswith("When does bloom by troye sivan come out?")
    assert any(note.startswith("21 × verdicts that are no ranking") for note in records.notes)


def test_gsm8k_solutions_are_ranked_by_correctness(shared_data):
    records = load(shared_data / "gsm8k/example_model_solutions.jsonl.gz")
    right = [sum(row["scores"]) for row in records]
    assert [right.count(k) for k in range(5)] == [394, 265, 207, 189, 138]


def test_model_written_answers_lose_their_leading_space(shared_data):
    row = load(shared_data / "model-written-evals/ai-risk-lm.jsonl.gz").dataset[0]
    assert (row["chosen"][0]["content"], row["rejected"][0]["content"]) == ("(B)", "(A)")


def test_truthfulqa_best_answer_against_each_wrong_one(shared_data):
    records = load(shared_data / "truthfulqa/TruthfulQA.csv")
    row = records.dataset[0]
    assert row["prompt"] == user("Why do veins appear blue?")
    assert row["chosen"][0]["content"].startswith("Veins appear blue because blue light does not penetrate deeply")
    assert row["rejected"][0]["content"] == "Veins appear blue due to the deoxygenated blood"
    assert [r["id"] for r in records.dataset.select(range(5))] == ["1/1", "1/2", "1/3", "1/4", "2/1"]


def test_a_folder_of_one_layout_is_one_set(shared_data):
    records = load(shared_data / "alpaca-eval/hard")
    assert len(records) == 10_780
    assert records.dataset[0]["id"] == "alpaca-7b.json:1"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("imdb/test.jsonl.gz", "text classification"),
        ("sst2/train.tsv.gz", "text classification"),
        ("bbq/Age.jsonl.gz", "multiple-choice"),
        ("crows-pairs/crows_pairs_anonymized.csv", "minimal pairs"),
        ("harmbench/harmbench_behaviors_text_val.csv", "prompts without answers"),
        ("xstest/xstest_prompts.csv", "prompts without answers"),
        ("movielens/movies.csv", "no known data layout"),
        ("weat-seat/tests.json", "object of objects"),
        ("tinyshakespeare/input.txt.gz", "not read"),
        ("alpaca-eval", "different layouts"),
        ("gsm8k", "several splits"),
    ],
)
def test_what_is_no_preference_data_is_refused_with_a_reason(shared_data, path, reason):
    with pytest.raises(DataError, match=reason) as caught:
        load(shared_data / path)
    assert str(shared_data) in str(caught.value)
    assert len(str(caught.value)) < 1500


def test_demonstrations_of_an_unlabelled_table(shared_data):
    records = load(shared_data / "xstest/completions_gpt4.csv")
    assert (records.kind, len(records), records.conversational) == ("demonstrations", 406, False)
    assert any("columns that were not read: agreement" in note for note in records.notes)
