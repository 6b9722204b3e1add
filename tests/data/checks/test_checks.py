"""Every check on rows written by hand, with the counts worked out in comments."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from tests.data import tokenizers_for_tests as build
from truing.data import load
from truing.data.check import check
from truing.data.checks import CHECKS, Subject
from truing.data.checks.agreement import kappa, votes
from truing.data.checks.bootstrap import clustered_mean
from truing.data.checks.encoding import script
from truing.data.checks.labels import kto_weights
from truing.data.checks.refusals import is_refusal
from truing.data.checks.truncated import looks_cut
from truing.errors import DataError


def pair(prompt, chosen, rejected, **more):
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected, **more}


def user(content):
    return {"role": "user", "content": content}


def said(content):
    return {"role": "assistant", "content": content}


def report(rows, **options):
    return check(load(rows), **options)


CLEAN = [
    pair("What is the capital of France?", "Paris is the capital of France.", "I think it is Lyon."),
    pair("How many legs has a spider?", "Eight.", "Six legs, like all insects have."),
]


def test_clean_data_has_neither_problems_nor_warnings():
    found = report(CLEAN)
    assert [f for f in found.findings if f.severity != "info"] == []
    # every check that is about pairs and needs nothing else said something
    assert {f.check for f in found.findings} == {c.name for c in CHECKS if not c.kinds or "pairs" in c.kinds} - {
        "agreement",
        "leakage",
        "tokens",
    }


def test_shares_come_with_a_wilson_interval_and_n():
    rows = [*CLEAN, pair("a", "same", "same")]
    share = report(rows).find("identical", "all the same").share
    interval = binomtest(1, 3).proportion_ci(method="wilson")
    assert (share.value, share.n) == (1 / 3, 3)
    assert (share.low, share.high) == pytest.approx((interval.low, interval.high))


class TestIdentical:
    def test_equal_and_nearly_equal_answers(self):
        rows = [*CLEAN, pair("a", "same", "same"), pair("b", "It is Paris.", "it is paris!")]
        found = report(rows)
        equal, alike = found.find("identical", "all the same"), found.find("identical", "punctuation")
        assert (equal.ids, equal.severity) == (("3",), "problem")
        assert (alike.ids, alike.severity) == (("4",), "warning")

    def test_ranked(self):
        rows = [{"prompt": "a", "completions": ["b", "b", "b"], "scores": [1, 2, 3]}]
        assert report(rows).find("identical").count == 1


class TestContradictions:
    def test_opposite_pairs(self):
        rows = [pair("p", "a", "b"), pair("p", "b", "a"), pair("q", "a", "b"), pair("p", "a", "c")]
        found = report(rows).find("contradictions", "other way round")
        assert (found.ids, found.severity) == (("1", "2"), "warning")

    def test_cycle_of_three(self):
        # a > b > c > a for p; the same answers to q are in order
        rows = [
            pair("p", "a", "b"),
            pair("p", "b", "c"),
            pair("p", "c", "a"),
            pair("p", "a", "d"),
            pair("q", "a", "b"),
            pair("q", "b", "c"),
            pair("q", "a", "c"),
        ]
        assert report(rows).find("contradictions", "cycle").ids == ("1", "2", "3")

    def test_opposite_pairs_are_no_cycle(self):
        rows = [pair("p", "a", "b"), pair("p", "b", "a"), pair("p", "b", "c")]
        assert report(rows).find("contradictions", "cycle").count == 0

    def test_an_opposite_pair_across_a_cycle_is_no_part_of_it(self):
        # a > b > c > d > a, and between a and c both orders
        rows = [pair("p", *answers) for answers in ("ab", "bc", "cd", "da", "ac", "ca")]
        found = report(rows)
        assert found.find("contradictions", "cycle").ids == ("1", "2", "3", "4")
        assert found.find("contradictions", "other way round").ids == ("5", "6")

    def test_votes_of_annotators_are_no_warning(self):
        rows = [pair("p", "a", "b", annotator="x"), pair("p", "b", "a", annotator="y")]
        assert report(rows).find("contradictions", "other way round").severity == "info"

    def test_both_labels(self):
        rows = [
            {"prompt": "p", "completion": "a", "label": True},
            {"prompt": "p", "completion": "a", "label": False},
            {"prompt": "q", "completion": "a", "label": False},
        ]
        assert report(rows).find("contradictions").ids == ("1", "2")


class TestDuplicates:
    TEXT = "the quick brown fox jumps over the lazy dog and runs away into the dark forest at night"

    def test_exact_and_near(self):
        rows = [
            pair(self.TEXT, "one answer", "another answer"),
            pair(self.TEXT, "one answer", "another answer"),
            pair(self.TEXT.replace("night", "dusk").capitalize() + "!", "One answer.", "another answer"),
            pair("something else entirely, about bread", "one answer", "another answer"),
        ]
        found = report(rows)
        assert found.find("duplicates", "rows that repeat").ids == ("2",)
        near = found.find("duplicates", "different rows")
        # 3 distinct rows; shingles: 15 of 3 words each, one differs: Jaccard 14/16 = 0.875
        assert (near.ids, near.n) == (("3",), 3)
        prompts = found.find("duplicates", "different prompts")
        assert (prompts.ids, prompts.n) == (("3",), 3)

    def test_a_vote_is_no_copy(self):
        rows = [pair("p", "a", "b", annotator=name) for name in ("x", "y", "y")]
        assert report(rows).find("duplicates", "rows that repeat").ids == ("3",)

    def test_an_opposite_pair_is_no_near_duplicate(self):
        rows = [
            pair("p", "one answer here", "another answer there"),
            pair("p", "another answer there", "one answer here"),
        ]
        assert report(rows).find("duplicates", "different rows").count == 0


class TestLeakage:
    def test_rows_of_the_other_split_are_counted(self):
        train = load(CLEAN)
        near = "What is the capital of FRANCE"
        test = load(
            [pair(CLEAN[0]["prompt"], "x", "y"), pair(near, "x", "y"), pair("Why is the sky blue?", "x", "y")]
        )
        found = check(train, other_splits={"test": test})
        exact, close = found.find("leakage", "is here, too"), found.find("leakage", "nearly here")
        assert (exact.ids, exact.n, exact.severity) == (("1",), 3, "problem")
        assert (close.ids, close.severity) == (("2",), "warning")
        assert found.splits == {"test": 3}


class TestLengthBias:
    def test_by_hand(self):
        # words of chosen and rejected: 3 vs 1, 4 vs 2, 1 vs 2, 2 vs 2
        rows = [
            pair("p", "a b c", "a"),
            pair("p", "a b c d", "a b"),
            pair("q", "a", "b c"),
            pair("r", "a b", "c d"),
        ]
        found = report(rows).find("length-bias")
        assert (found.count, found.n) == (2, 3)
        assert found.values["difference"].value == (2 + 2 - 1 + 0) / 4
        assert found.values["difference"].n == 3  # prompts
        assert found.values["longer_wins_accuracy"].value == (1 + 1 + 0 + 0.5) / 4
        assert found.values["equal"] == 1
        assert found.severity == "info"  # three pairs prove nothing

    def test_a_clear_bias_is_a_warning(self):
        rows = [pair(f"p{i}", "a b c", "a") for i in range(40)]
        found = report(rows).find("length-bias")
        assert found.severity == "warning"
        assert "simpo" in found.remedy

    def test_tokens_with_a_tokenizer(self):
        tokenizer = build.gpt2()
        rows = [pair("p", "How do I bake bread?", "Zz"), pair("q", "How", "xqz" * 9)]
        found = report(rows, tokenizer=tokenizer).find("length-bias")
        length = {text: len(tokenizer(text)["input_ids"]) for row in rows for text in row.values()}
        expected = [length[row["chosen"]] - length[row["rejected"]] for row in rows]
        assert found.values["difference"].value == np.mean(expected)
        assert found.values["unit"] == "tokens"

    def test_ranked_best_against_worst(self):
        rows = [{"prompt": "p", "completions": ["a", "a b c", "a b"], "scores": [1, 3, 2]}]
        found = report(rows).find("length-bias")
        assert (found.count, found.values["difference"].value) == (1, 2)

    def test_no_pair_of_different_length_is_unknown_not_zero(self):
        share = report([pair("p", "a", "b")]).find("length-bias").share
        assert (math.isnan(share.value), share.n) == (True, 0)


class TestBootstrap:
    def test_clusters_widen_the_interval(self):
        rng = np.random.default_rng(0)
        per_cluster = np.repeat(rng.normal(size=50), 20)  # rows of a cluster are equal
        clusters = np.repeat(np.arange(50), 20)
        together = clustered_mean(per_cluster, clusters)
        apart = clustered_mean(per_cluster, range(1000))
        assert together.value == pytest.approx(apart.value)
        # equal rows carry no information: the interval is that of 50 values, √20 times as wide
        assert (together.high - together.low) / (apart.high - apart.low) == pytest.approx(20**0.5, rel=0.15)

    def test_matches_the_normal_interval(self):
        values = np.random.default_rng(1).normal(3, 2, 400)
        found = clustered_mean(values, range(400))
        half = 1.96 * values.std() / 20
        assert found.low == pytest.approx(values.mean() - half, abs=0.05)
        assert found.high == pytest.approx(values.mean() + half, abs=0.05)

    def test_one_cluster_has_no_interval(self):
        found = clustered_mean([1.0, 2.0], ["a", "a"])
        assert (found.value, found.n) == (1.5, 1)
        assert math.isnan(found.low)

    def test_nothing(self):
        assert math.isnan(clustered_mean([], []).value)


class TestAgreement:
    def test_fleiss_kappa_by_hand(self):
        # 4 comparisons, 3 votes: (3,0) (0,3) (2,1) (1,2)
        # P_i = 1, 1, 1/3, 1/3, mean 2/3; 6 votes for each side: P_e = 1/2; kappa = (2/3 − 1/2)/(1/2) = 1/3
        table = np.array([[3, 0], [0, 3], [2, 1], [1, 2]])
        assert kappa(table).value == pytest.approx(1 / 3)
        assert kappa(table).n == 4

    def test_votes_are_counted_whichever_answer_is_named_first(self):
        rows = [
            pair("p", "a", "b", annotator="x"),
            pair("p", "b", "a", annotator="y"),
            pair("p", "a", "b", annotator="z"),
            pair("q", "d", "c", annotator="x"),
            pair("q", "d", "c", annotator="y"),
            pair("q", "d", "c", annotator="z"),
            pair("r", "e", "f", annotator="x"),  # a single vote
        ]
        assert votes(Subject(load(rows))).tolist() == [[2, 1], [0, 3]]
        found = report(rows).find("agreement")
        assert (found.count, found.n, found.values["votes"]) == (1, 2, 3)

    def test_without_annotators_there_is_no_finding(self):
        with pytest.raises(KeyError):
            report(CLEAN).find("agreement")

    def test_low_agreement_is_a_warning(self):
        rows = [
            pair(f"p{i}", *(("a", "b") if (i + k) % 2 else ("b", "a")), annotator=str(k))
            for i in range(20)
            for k in range(2)
        ]
        found = report(rows).find("agreement")
        assert found.values["kappa"].value == pytest.approx(-1)  # always opposed
        assert found.severity == "warning"


class TestEmpty:
    def test_answers_and_prompts(self):
        rows = [*CLEAN, pair("a", " \n", "b"), pair("  ", "a", "b")]
        found = report(rows)
        assert found.find("empty", "answer").ids == ("3",)
        assert found.find("empty", "prompt").ids == ("4",)


@pytest.mark.parametrize(
    ("answer", "cut"),
    [
        ("It ends here.", False),
        ("Too short to judge", False),
        ("There are many reasons for this, and the most important one of them is that the", True),
        ("There are many reasons for this, and the most important one of them is clear.", False),
        ("There are many reasons for this, and the most important one is “clarity”", False),
        ("There are many reasons for this, and the most important one of them is,", True),
        ("Here is what you will need for the bread that we talked about today:\n- flour\n- water", False),
        ("```python\nprint(1)", True),
        ("```python\nprint(1)\n```", False),
    ],
)
def test_cut_answers(answer, cut):
    assert looks_cut(answer) is cut


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        ("I'm sorry, but I can't help with that.", True),
        ("I’m sorry, but no.", True),
        ("Sorry, I will not do this.", True),
        ("I cannot help you with that.", True),
        ("As an AI language model, I have no opinion.", True),
        ("Unfortunately, I am unable to answer.", True),
        ("I won't tell you.", True),
        ("I can help you with that.", False),
        ("The sorry state of affairs is this.", False),
        ("Aspirin is a drug.", False),
    ],
)
def test_refusals(answer, refusal):
    assert is_refusal(answer) is refusal


def test_many_refusals_are_a_warning():
    rows = [pair(f"p{i}", "I'm sorry, but no." if i < 5 else "Sure.", "x") for i in range(10)]
    found = report(rows).find("refusals", "chosen")
    assert (found.count, found.severity) == (5, "warning")
    assert found.values["chosen answer"].value == 0.5


class TestTemplates:
    @pytest.mark.parametrize(
        "text", ["a\n\nHuman: b", "hi <|im_end|> there", "[INST] a", "x  Human: y", "a\n### Response:\nb"]
    )
    def test_markers(self, text):
        assert report([*CLEAN, pair("a", text, "b")]).find("templates", "chat markers").ids == ("3",)

    @pytest.mark.parametrize(
        "text", ["Human beings: a history", "2 < 3 and 4 > 1", "a <b>bold</b> word", "list[int]"]
    )
    def test_ordinary_text(self, text):
        assert report([pair("a", text, "b")]).find("templates", "chat markers").count == 0

    def test_special_tokens_of_the_tokenizer(self):
        rows = [*CLEAN, pair("a", "b</s>c", "d")]
        assert report(rows, tokenizer=build.zephyr()).find("templates", "special tokens").ids == ("3",)

    def test_roles(self):
        system = {"role": "system", "content": "s"}
        rows = [
            pair([user("a")], "b", "c"),
            pair([user("a"), user("b")], "c", "d"),
            pair([said("a"), user("b")], "c", "d"),
            pair([user("a"), said("b")], "c", "d"),
            pair([user("a"), said("b"), system, user("c")], "d", "e"),
        ]
        found = report(rows)
        assert found.find("templates", "same role").ids == ("2",)
        assert found.find("templates", "assistant begins").ids == ("3",)
        assert found.find("templates", "do not end with the user").ids == ("4",)
        assert found.find("templates", "not the first message").ids == ("5",)

    def test_a_missing_template_is_a_problem(self):
        rows = [pair([user("a")], "b", "c")]
        found = report(rows, tokenizer=build.gpt2()).find("tokens")
        assert found.severity == "problem"
        assert "no chat template" in found.meaning


class TestTokens:
    def test_counts(self):
        rows = [
            pair("It jumps over ", "the dog.", "the lazy dog."),  # merges
            pair("It jumps over", " the dog.", ""),  # empty
            pair("It jumps over", " the dog." * 30, " the dog."),  # too long
        ]
        found = report(rows, tokenizer=build.llama_3(None), max_length=32)
        assert found.find("tokens", "merge").count == 1
        assert found.find("tokens", "leaves out").ids == ("2",)
        cut = found.find("tokens", "cut at the end")
        assert (cut.count, cut.n) == (1, 4)  # answers of the two rows that are kept
        units = {(row.part, row.unit) for row in found.lengths}
        assert ("chosen", "tokens") in units


def test_echo():
    rows = [pair("What is the capital?", "What is the capital? Paris.", "What is the capital? Rome."), *CLEAN]
    found = report(rows).find("echo")
    assert (found.ids, found.severity) == (("1",), "warning")
    assert report(rows[:1]).find("echo").severity == "problem"


class TestEncoding:
    def test_wrongly_decoded_text(self):
        good, bad = "It’s café – naïve", "It’s café – naïve".encode().decode("cp1252")
        found = report([pair("a", good, "b"), pair("b", bad, "c"), pair("c", "lost \ufffd", "d")])
        assert found.find("encoding", "decoded").ids == ("2", "3")

    def test_control_characters(self):
        rows = [pair("a", "tab\tand\nline", "b"), pair("b", "bell\x07", "c"), pair("c", "zero\u200bwidth", "d")]
        assert report(rows).find("encoding", "control").ids == ("2", "3")

    @pytest.mark.parametrize(
        ("text", "name"),
        [("abc", "Latin"), ("123", "none"), ("привет", "Cyrillic"), ("你好吗", "Han"), ("é à ü", "Latin")],
    )
    def test_script(self, text, name):
        assert script(text) == name

    def test_other_scripts(self):
        rows = [pair("hello", "b", "c"), pair("hello there", "b", "c"), pair("привет, как дела", "да", "нет")]
        assert report(rows).find("encoding", "script").ids == ("3",)


class TestLabels:
    @pytest.mark.parametrize(
        ("liked", "disliked", "desirable", "undesirable"),
        [
            (100, 100, 1, 1),
            (120, 100, 1, 1),  # 1.2 lies within 1 and 4/3
            (200, 100, 1, 1.5),  # 1·200 / (1.5·100) = 4/3
            (50, 100, 2, 1),  # 2·50 / (1·100) = 1
        ],
    )
    def test_kto_weights(self, liked, disliked, desirable, undesirable):
        assert kto_weights(liked, disliked) == pytest.approx((desirable, undesirable))
        ratio = desirable * liked / (undesirable * disliked)
        assert 1 - 1e-9 <= ratio <= 4 / 3 + 1e-9

    def test_finding(self):
        rows = [{"prompt": f"p{i}", "completion": "a", "label": i < 6} for i in range(8)]
        found = report(rows).find("labels")
        # 6 to 2 is 3; 3/(4/3) = 2.25
        assert (found.count, found.n, found.values["kto_undesirable"]) == (6, 8, 2.25)
        assert found.severity == "warning"
        assert "undesirable: 2.25" in found.remedy

    def test_nearly_balanced_labels_need_nothing(self):
        rows = [{"prompt": f"p{i}", "completion": "a", "label": i < 138} for i in range(277)]
        found = report(rows).find("labels")
        assert (found.severity, found.remedy) == ("info", "")

    def test_one_label_only(self):
        rows = [{"prompt": "p", "completion": "a", "label": True}]
        found = report(rows).find("labels")
        assert found.severity == "problem"
        assert "sft" in found.remedy
        none = report([{**rows[0], "label": False}]).find("labels")
        assert (none.count, none.n, none.severity) == (1, 1, "problem")


def test_scores():
    rows = [
        {"prompt": "p", "completions": ["a", "b"], "scores": [1, 1]},
        {"prompt": "q", "completions": ["a", "b", "c"], "scores": [2, 2, 1]},
        {"prompt": "r", "completions": ["a", "b"], "scores": [0, 5]},
    ]
    found = report(rows)
    assert found.find("scores", "same score").ids == ("1",)
    assert found.find("scores", "several best").ids == ("2",)
    values = found.find("scores", "same score").values
    # 1, 1, 2, 2, 1, 0, 5
    assert (values["minimum"], values["median"], values["maximum"]) == (0, 1, 5)


def test_streamed_records_are_refused(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"prompt": "a", "chosen": "b", "rejected": "c"}\n')
    with pytest.raises(DataError, match="streamed data cannot be checked"):
        check(load(path, streaming=True))
