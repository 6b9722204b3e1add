"""Layouts: each finds its own example, says why it does not fit others, and reads the forms that TRL reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trl.data_utils import extract_prompt

from truing.data import load
from truing.data.layouts import LAYOUTS, Miss
from truing.data.layouts.pairs import split_messages, split_text
from truing.data.rows import RowError
from truing.errors import DataError


def user(content):
    return {"role": "user", "content": content}


def said(content):
    return {"role": "assistant", "content": content}


@pytest.mark.parametrize("layout", list(LAYOUTS), ids=lambda layout: layout.name)
def test_example_is_found_and_converted(layout):
    records = load([dict(layout.example)] * 3, layout=layout.name if layout.by_name_only else None)
    assert records.layout == layout.name
    assert records.kind == layout.kind
    assert len(records) >= 3
    columns = {"pairs": "chosen", "unpaired": "label", "ranked": "scores", "samples": "completions"}
    assert columns.get(layout.kind, "completion") in records.columns


@pytest.mark.parametrize("layout", list(LAYOUTS), ids=lambda layout: layout.name)
def test_a_missing_column_is_named(layout):
    for name in layout.needs:
        row = {key: value for key, value in layout.example.items() if key != name}
        miss = layout.matches(row, [row])
        assert isinstance(miss, Miss)
        assert miss.missing == (name,)
        assert miss.found == len(layout.needs) - 1


class TestPairs:
    def test_text_with_prompt(self):
        row = {"prompt": "The sky is", "chosen": " blue.", "rejected": " green."}
        records = load([row])
        assert not records.conversational
        assert records.dataset[0] == {**row, "id": "1"}

    def test_messages_without_prompt_split_as_trl_does(self):
        row = {
            "chosen": [user("a"), said("b"), user("c"), said("d")],
            "rejected": [user("a"), said("b"), user("c"), said("e")],
        }
        records = load([row])
        assert records.conversational
        expected = extract_prompt(row)
        assert {key: records.dataset[0][key] for key in expected} == expected

    def test_prompt_repeated_inside_the_answers_is_removed(self):
        # the binarised UltraFeedback: prompt as text, answers as whole conversations, with scores
        row = {
            "prompt": "a",
            "chosen": [user("a"), said("good")],
            "rejected": [user("a"), said("bad")],
            "messages": [user("a"), said("good")],
            "score_chosen": 8.5,
            "score_rejected": 6.0,
        }
        record = load([row]).dataset[0]
        assert record["prompt"] == [user("a")]
        assert (record["chosen"], record["rejected"]) == ([said("good")], [said("bad")])
        assert record["margin"] == 2.5

    def test_system_text_becomes_the_first_message(self):
        row = {"prompt": "a", "chosen": "b", "rejected": "c", "system": "Be brief."}
        records = load([row])
        assert records.conversational
        assert records.dataset[0]["prompt"] == [{"role": "system", "content": "Be brief."}, user("a")]

    def test_optional_columns_are_kept(self):
        row = {
            "prompt": "a",
            "chosen": "b",
            "rejected": "c",
            "weight": 2,
            "margin": 0.5,
            "preference": 0.9,
            "id": 7,
        }
        record = load([row]).dataset[0]
        assert (record["weight"], record["margin"], record["preference"], record["id"]) == (2.0, 0.5, 0.9, "7")

    def test_a_question_after_the_prompt_is_refused(self):
        row = {"prompt": [user("a")], "chosen": [said("b"), user("c")], "rejected": [said("d")]}
        with pytest.raises(DataError, match=r"`chosen` has a message of the user after the prompt"):
            load([row])

    def test_content_in_parts(self):
        parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
        row = {"prompt": [{"role": "user", "content": parts}], "chosen": "c", "rejected": "d"}
        assert load([row]).dataset[0]["prompt"] == [user("ab")]
        picture = {"prompt": [{"role": "user", "content": [{"type": "image"}]}], "chosen": "c", "rejected": "d"}
        with pytest.raises(DataError, match="part of type 'image'"):
            load([picture])


class TestSplitText:
    def test_the_space_goes_to_the_answer(self):
        assert split_text("The sky is blue.", "The sky is green.") == {
            "prompt": "The sky is",
            "chosen": " blue.",
            "rejected": " green.",
        }

    def test_no_word_is_cut(self):
        # "The sky is gr" is common, but the prompt ends with a whole word
        assert split_text("The sky is grey.", "The sky is green.")["prompt"] == "The sky is"

    def test_one_text_that_begins_with_the_other(self):
        assert split_text("Say yes", "Say yes and no") == {
            "prompt": "Say",
            "chosen": " yes",
            "rejected": " yes and no",
        }

    def test_equal_texts_cannot_be_split(self):
        with pytest.raises(RowError, match="do not differ"):
            split_text("The sky is blue.", "The sky is blue.")

    @given(
        st.text("ab ", max_size=12), st.text("ab ", min_size=1, max_size=6), st.text("ab ", min_size=1, max_size=6)
    )
    def test_nothing_is_lost(self, common, chosen, rejected):
        try:
            split = split_text(common + chosen, common + rejected)
        except RowError:
            return
        assert split["prompt"] + split["chosen"] == common + chosen
        assert split["prompt"] + split["rejected"] == common + rejected
        assert split["chosen"]
        assert split["rejected"]
        assert split["prompt"] == split["prompt"].rstrip()


def test_equal_conversations_leave_the_last_message():
    turns = [user("a"), said("b")]
    assert split_messages(turns, list(turns)) == {
        "prompt": [user("a")],
        "chosen": [said("b")],
        "rejected": [said("b")],
    }


class TestRanked:
    def test_several_criteria_are_averaged(self):
        row = {"prompt": "a", "completions": ["b", "c"], "scores": [[1.0, 0.0], [4.0, 2.0]]}
        assert load([row]).dataset[0]["scores"] == [0.5, 3.0]

    @pytest.mark.parametrize(
        ("scores", "reason"),
        [
            ([1.0], "2 completions but 1 scores"),
            ([1.0, float("nan")], r"`scores\[1\]` is nan"),
            ([1.0, float("inf")], r"`scores\[1\]` is inf"),
            ([1.0, None], r"`scores\[1\]` is null"),
            ([1.0, "high"], r"`scores\[1\]` is 'high'"),
            ([1.0, True], r"`scores\[1\]` is true/false"),
            ([1.0, []], r"`scores\[1\]` is an empty list"),
        ],
    )
    def test_bad_scores(self, scores, reason):
        with pytest.raises(DataError, match=reason):
            load([{"prompt": "a", "completions": ["b", "c"], "scores": scores}])

    def test_ultrafeedback_prefers_the_fine_grained_score(self):
        completions = [
            {"response": "b", "fine-grained_score": 2.0, "overall_score": 10.0},
            {"response": "c", "fine-grained_score": 4.0, "overall_score": 1.0},
            {"response": "d", "annotations": {"honesty": {"Rating": "3"}, "truthfulness": {"Rating": "N/A"}}},
            {"response": "e", "annotations": {}},
        ]
        records = load([{"instruction": "a", "completions": completions, "source": "evol"}])
        row = records.dataset[0]
        assert row["scores"] == [2.0, 4.0, 3.0]
        assert [answer[0]["content"] for answer in row["completions"]] == ["b", "c", "d"]
        assert row["source"] == "evol"
        assert any("completion without a score" in note for note in records.notes)


class TestUnpaired:
    @pytest.mark.parametrize("label", [True, 1, 1.0, "true", "True", "1"])
    def test_labels(self, label):
        assert load([{"prompt": "a", "completion": "b", "label": label}]).dataset[0]["label"] is True

    @pytest.mark.parametrize("label", [2, -1, "pos", "", 0.5, [True]])
    def test_other_labels_are_refused(self, label):
        with pytest.raises(DataError, match="neither true nor false"):
            load([{"prompt": "a", "completion": "b", "label": label}])


class TestDemonstrations:
    def test_every_answer_of_a_conversation(self):
        turns = [user("a"), said("b"), user("c"), said("d")]
        records = load([{"messages": turns}])
        assert records.dataset["id"][:] == ["1/1", "1/2"]
        assert records.dataset["prompt"][:] == [turns[:1], turns[:3]]
        assert records.dataset["completion"][:] == [turns[1:2], turns[3:]]

    def test_a_greeting_is_no_answer(self):
        with pytest.raises(DataError, match="nothing after a question"):
            load([{"messages": [said("Hello!")]}])

    def test_sharegpt_roles(self):
        row = {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}
        assert load([row]).dataset[0]["prompt"] == [user("a")]
        wizard = {"conversations": [{"from": "wizard", "value": "a"}, {"from": "gpt", "value": "b"}]}
        with pytest.raises(DataError, match="role 'wizard'"):
            load([wizard])

    def test_alpaca_history(self):
        row = {"instruction": "c", "input": "d", "output": "e", "history": [["a", "b"]], "system": "s"}
        prompt = load([row]).dataset[0]["prompt"]
        assert [m["content"] for m in prompt] == ["s", "a", "b", "c\n\nd"]


class TestHH:
    def test_marker_inside_a_turn(self):
        row = {
            "chosen": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: d",
            "rejected": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: e\n\nHuman: f",
        }
        fine = {"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant:"}
        records = load([row, fine])
        assert [str(count) for count in records.skipped] == [
            "1 × a transcript does not end with the assistant (row 1)"
        ]
        assert records.dataset[0] == {
            "id": "2",
            "prompt": [user("a")],
            "chosen": [said("b")],
            "rejected": [said("")],
        }

    def test_only_the_space_of_the_marker_is_removed(self):
        row = {"chosen": "\n\nHuman: a\n\nAssistant:  b \n", "rejected": "\n\nHuman: a\n\nAssistant: c"}
        assert load([row]).dataset[0]["chosen"] == [said(" b \n")]


class TestVerdicts:
    def test_judgebench(self):
        row = {"question": "q", "response_A": "a", "response_B": "b", "label": "B>A", "pair_id": "x"}
        record = load([row]).dataset[0]
        assert (record["chosen"][0]["content"], record["id"]) == ("b", "x")
        with pytest.raises(DataError, match=r"`label` is 'A=B'; allowed: A>B, B>A"):
            load([{**row, "label": "A=B"}])

    def test_a_boolean_is_no_label(self):
        row = {"input": "q", "output_1": "a", "output_2": "b", "label": True}
        with pytest.raises(DataError, match="`label` is True"):
            load([row])

    def test_alpaca_eval_with_an_impossible_verdict(self):
        row = {"instruction": "q", "output_1": "a", "output_2": "b", "preference": 1}
        with pytest.raises(DataError, match="`preference` is 3"):
            load([row, {**row, "preference": 3.0}], layout="alpaca-eval")

    def test_graded_verdict(self):
        row = {"instruction": "q", "output_1": "a", "output_2": "b", "preference": 1.8}
        record = load([row]).dataset[0]
        # the second output wins with probability 0.8, log odds log 4 = 1.3863
        assert record["chosen"][0]["content"] == "b"
        assert record["preference"] == pytest.approx(0.8)
        assert record["margin"] == pytest.approx(1.3862944)
        certain = load([{**row, "preference": 1.0}, row]).dataset[0]
        assert certain["preference"] == 1.0
        assert certain["margin"] == pytest.approx(23.02585)  # log 10¹⁰


class TestDetection:
    def test_unknown_columns_show_row_and_nearest_layouts(self):
        with pytest.raises(DataError) as caught:
            load([{"prompt": "a" * 500, "chosen": "b", "score": 3}])
        text = str(caught.value)
        assert "no known data layout" in text
        assert "columns prompt, chosen, score" in text
        assert "pairs (missing rejected)" in text
        assert "a" * 29 + "..." in text
        assert "a" * 40 not in text

    def test_ambiguity_names_the_fix(self):
        row = {"prompt": "a", "completion": "b", "label": True, "completions": ["b", "c"], "scores": [1, 0]}
        with pytest.raises(DataError, match=r"could be read in 2 ways: ranked, unpaired") as caught:
            load([row])
        assert caught.value.fix == "data.layout: ranked (or another of these)"
        assert load([row], layout="unpaired").kind == "unpaired"

    def test_rows_of_several_layouts(self):
        ranked = {"prompt": "a", "completions": ["b", "c"], "scores": [1, 0]}
        unpaired = {"prompt": "a", "completion": "b", "label": True}
        with pytest.raises(DataError, match="several layouts") as caught:
            load([ranked, unpaired])
        assert "row 1 looks like 'ranked'; row 2 looks like 'unpaired'" in str(caught.value)

    def test_a_layout_that_is_asked_for_needs_its_columns(self):
        with pytest.raises(DataError, match="needs columns that are not there: rejected"):
            load([{"prompt": "a", "chosen": "b"}], layout="pairs")

    def test_a_misspelt_layout(self):
        with pytest.raises(Exception, match="did you mean 'ultrafeedback'"):
            load([{"prompt": "a"}], layout="ultra-feedback")

    def test_columns_that_are_null_everywhere_do_not_count(self):
        # as in a table that was built from rows of two kinds
        row = {"prompt": "a", "completion": "b", "label": None}
        assert load([row, row]).layout == "demonstrations"


def test_renames_can_exchange_columns():
    row = {"prompt": "a", "chosen": "b", "rejected": "c"}
    record = load([row], columns={"chosen": "rejected", "rejected": "chosen"}).dataset[0]
    assert (record["chosen"], record["rejected"]) == ("c", "b")


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"prompt": "qestion"}, "no column 'qestion'"),
        ({"prompt": "answer"}, "there is a column of that name"),
        ({"prompt": "answer", "chosen": "answer"}, "two columns are to be read from the same one"),
    ],
)
def test_renames_that_cannot_work(columns, reason):
    with pytest.raises(DataError, match=reason):
        load([{"question": "a", "answer": "b", "prompt": "c"}], columns=columns)
