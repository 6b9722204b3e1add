"""Tokenisation: BOS and EOS once, an exact boundary, truncation that is counted.

The tokenizers are built here and behave like Llama 2 and 3, Qwen, Gemma, Zephyr and GPT-2. Expected tokens come
from one call on the whole text, which is what a model sees at inference.
"""

import dataclasses
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.data import tokenizers_for_tests as build
from truing.data import TextEncoder, load
from truing.data.chat import built_in, common_prefix
from truing.data.token_cache import tokenizer_identity
from truing.data.truncation import fit
from truing.errors import DataError
from truing.policies.packing import Tree

PLAIN = [{"prompt": "How do I bake bread?", "chosen": " You need flour.", "rejected": " Wait and bake it."}]
CHAT = [
    {
        "prompt": [{"role": "user", "content": "How do I bake bread?"}],
        "chosen": "You need flour.",
        "rejected": "Wait, and bake it for an hour.",
    }
]
ALL = {
    "llama-3": build.llama_3,
    "qwen": build.qwen,
    "gemma": build.gemma,
    "zephyr": build.zephyr,
    "llama-2": build.metaspace,
}


def encode(rows, tokenizer, **options):
    return TextEncoder(tokenizer, **options).encode(load(rows), cache=False)


def first(encoded):
    return encoded.dataset[0]["prompt_ids"], encoded.dataset[0]["completion_ids"]


def ids(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


class TestPlainText:
    @pytest.mark.parametrize("name", ALL)
    def test_bos_once_and_eos_once(self, name):
        tokenizer = ALL[name]()
        prompt, (chosen, rejected) = first(encode(PLAIN, tokenizer))
        bos = [] if name == "qwen" else [tokenizer.bos_token_id]
        assert prompt == bos + ids(tokenizer, PLAIN[0]["prompt"])
        assert chosen == [*ids(tokenizer, PLAIN[0]["chosen"]), tokenizer.eos_token_id]
        assert rejected == [*ids(tokenizer, PLAIN[0]["rejected"]), tokenizer.eos_token_id]

    def test_a_tokenizer_that_has_bos_but_does_not_use_it(self):
        tokenizer = build.gpt2()
        prompt, (chosen, _) = first(encode(PLAIN, tokenizer))
        assert tokenizer.bos_token_id not in prompt
        assert chosen.count(tokenizer.eos_token_id) == 1

    def test_bos_and_eos_in_the_text_are_not_doubled(self):
        tokenizer = build.zephyr()
        rows = [{"prompt": "<s>How?", "chosen": " So.</s>", "rejected": " No."}]
        encoded = encode(rows, tokenizer)
        prompt, (chosen, rejected) = first(encoded)
        assert prompt == [tokenizer.bos_token_id, *ids(tokenizer, "How?")]
        assert chosen == [*ids(tokenizer, " So."), tokenizer.eos_token_id]
        assert rejected[-1] == tokenizer.eos_token_id
        assert encoded.report.double_bos_avoided == 1

    def test_merges_at_the_boundary_are_counted(self):
        tokenizer = build.qwen(None)
        # " the" is one token, so that "over the" cut after "over " tokenises differently in one go
        merging = {"prompt": "It jumps over ", "chosen": "the dog.", "rejected": "the lazy dog."}
        clean = {"prompt": "It jumps over", "chosen": " the dog.", "rejected": " the lazy dog."}
        together = ids(tokenizer, "It jumps over the dog.")
        assert together != ids(tokenizer, "It jumps over ") + ids(tokenizer, "the dog.")
        assert together == ids(tokenizer, "It jumps over") + ids(tokenizer, " the dog.")
        report = encode([merging, clean, clean], tokenizer).report
        assert (report.rows, report.boundary_merges) == (3, 1)
        assert any("1 of 3 rows would tokenise differently" in line for line in report.lines())

    def test_an_empty_prompt_needs_bos(self):
        rows = [{"prompt": "", "completion": "Hello there"}]
        prompt, _ = first(encode(rows, build.llama_3()))
        assert prompt == [build.llama_3().bos_token_id]
        with pytest.raises(DataError, match="a prompt is empty, and the tokenizer puts no token") as caught:
            encode(rows, build.qwen())
        assert caught.value.where == "row 1"

    def test_a_note_where_a_template_is_left_unused(self):
        assert any("has a chat template" in note for note in encode(PLAIN, build.qwen()).report.notes)
        assert encode(PLAIN, build.gpt2()).report.notes == ()

    @pytest.mark.parametrize("option", ["chat_template", "system"])
    def test_options_without_effect_are_refused(self, option):
        with pytest.raises(DataError, match=rf"data\.{option} has no effect"):
            encode(PLAIN, build.qwen(), **{option: "chatml"})


class TestMessages:
    @pytest.mark.parametrize("name", ALL)
    def test_tokens_are_those_of_the_whole_rendering(self, name):
        tokenizer = ALL[name]()
        encoded = encode(CHAT, tokenizer)
        prompt, completions = first(encoded)
        for answer, completion in zip((CHAT[0]["chosen"], CHAT[0]["rejected"]), completions, strict=True):
            turns = [*CHAT[0]["prompt"], {"role": "assistant", "content": answer}]
            whole = tokenizer.apply_chat_template(turns, tokenize=False)
            expected = ids(tokenizer, whole)
            if name == "zephyr":  # its template leaves BOS to the tokenizer
                expected = [tokenizer.bos_token_id, *expected]
            found = prompt + completion
            assert found == expected[: len(found)]
            # What is left of the template is white space after the end of the turn.
            assert tokenizer.decode(expected[len(found) :]).strip() == ""
        assert encoded.report.boundary_merges == 0
        assert encoded.report.template_rewrites == 0
        assert encoded.report.without_eos == 0

    @pytest.mark.parametrize(
        ("name", "end"),
        [("llama-3", "<|eot_id|>"), ("qwen", "<|im_end|>"), ("gemma", "<end_of_turn>"), ("zephyr", "</s>")],
    )
    def test_the_end_of_the_turn_stands_once_and_last(self, name, end):
        tokenizer = ALL[name]()
        _, completions = first(encode(CHAT, tokenizer))
        number = tokenizer.convert_tokens_to_ids(end)
        for completion in completions:
            assert completion[-1] == number
            assert completion.count(number) == 1
            if number != tokenizer.eos_token_id:
                assert tokenizer.eos_token_id not in completion

    @pytest.mark.parametrize(("name", "avoided"), [("llama-3", 1), ("gemma", 1), ("zephyr", 0), ("qwen", 0)])
    def test_bos_of_the_template_is_not_doubled(self, name, avoided):
        tokenizer = ALL[name]()
        encoded = encode(CHAT, tokenizer)
        prompt, _ = first(encoded)
        assert prompt.count(tokenizer.bos_token_id) == (0 if name == "qwen" else 1)
        assert encoded.report.double_bos_avoided == avoided

    def test_the_prompt_is_what_the_model_is_given_at_inference(self):
        for name, make in ALL.items():
            tokenizer = make()
            prompt, _ = first(encode(CHAT, tokenizer))
            rendered = tokenizer.apply_chat_template(CHAT[0]["prompt"], tokenize=False, add_generation_prompt=True)
            expected = ids(tokenizer, rendered)
            assert prompt == ([tokenizer.bos_token_id] if name == "zephyr" else []) + expected

    def test_a_generation_header_that_the_whole_lacks(self):
        tokenizer = build.qwen(build.THINKING)
        encoded = encode(CHAT, tokenizer)
        prompt, (chosen, _) = first(encoded)
        # The header ends in "<think>\n", which an answer of the past is shown without: the split is before it.
        assert (
            tokenizer.decode(prompt) == "<|im_start|>user\nHow do I bake bread?<|im_end|>\n<|im_start|>assistant\n"
        )
        assert tokenizer.decode(chosen) == "You need flour.<|im_end|>"
        assert encoded.report.template_rewrites == 1
        assert any("rewrites the prompt" in line for line in encoded.report.lines())

    def test_a_template_that_adds_to_the_answer(self):
        tokenizer = build.qwen(build.EMPTY_THINKING)
        encoded = encode(CHAT, tokenizer)
        prompt, (chosen, _) = first(encoded)
        assert tokenizer.decode(prompt).endswith("<|im_start|>assistant\n")
        assert tokenizer.decode(chosen) == "<think>\n\n</think>\n\nYou need flour.<|im_end|>"
        assert encoded.report.template_rewrites == 0

    def test_a_line_break_that_is_a_token_ends_no_turn(self):
        template = "{% for m in messages %}{{ m.role + ': ' + m.content + '\n\n' }}{% endfor %}"
        template += "{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"
        tokenizer = build.byte_level(("</s>", "\n\n"), None, "</s>", False, template)
        _, (chosen, _) = first(encode(CHAT, tokenizer))
        assert tokenizer.decode(chosen) == " You need flour.</s>"

    def test_merges_are_counted_and_the_answer_then_stands_alone(self):
        # The header ends in a space, which would become one token with the first word of the answer.
        template = "{% for m in messages %}{{ m.role + ': ' + m.content + '<|im_end|>' }}{% endfor %}"
        template += "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
        tokenizer = build.qwen(template)
        rows = [{"prompt": [{"role": "user", "content": "a"}], "chosen": "the dog", "rejected": "Zz"}, *CHAT]
        assert ids(tokenizer, ": the") != ids(tokenizer, ": ") + ids(tokenizer, "the")
        encoded = encode(rows[:1], tokenizer)
        assert encoded.report.boundary_merges == 1
        assert first(encoded)[1][0] == ids(tokenizer, "the dog<|im_end|>")

    def test_an_answer_never_takes_in_the_prompt(self):
        turns = [{"role": role, "content": role} for role in ("user", "assistant", "user")]
        rows = [{"prompt": turns, "chosen": "a", "rejected": "b"}]
        with pytest.raises(DataError, match="changes earlier messages when an answer follows"):
            encode(rows, build.qwen(build.FORGETFUL))

    def test_system_message_for_conversations_without(self):
        own = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"}]
        rows = [*CHAT, {"prompt": own, "chosen": "a", "rejected": "b"}]
        tokenizer = build.qwen()
        prompts = encode(rows, tokenizer, system="Be brief.").dataset["prompt_ids"]
        assert tokenizer.decode(prompts[0]).startswith("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user")
        assert "Be brief." not in tokenizer.decode(prompts[1])

    def test_refused_rows_are_counted_up_to_a_point(self):
        system = {
            "prompt": [{"role": "system", "content": "s"}, *CHAT[0]["prompt"]],
            "chosen": "a",
            "rejected": "b",
        }
        report = encode(CHAT * 19 + [system], build.gemma()).report
        assert (report.rows, report.rows_dropped) == (19, 1)
        assert str(report.dropped[0]) == "1 × the chat template refuses it: System role not supported (row 20)"
        with pytest.raises(DataError, match="refuses 1 of 2 rows: System role not supported"):
            encode([*CHAT, system], build.gemma())

    def test_no_template(self):
        with pytest.raises(DataError, match="the tokenizer has no chat template") as caught:
            encode(CHAT, build.gpt2())
        assert "data.chat_template: chatml" in caught.value.fix
        assert "hh" in caught.value.allowed


class TestBuiltInTemplates:
    @pytest.mark.parametrize("name", sorted(built_in()))
    @pytest.mark.parametrize("tokenizer", ["gpt2", "llama_3", "qwen", "metaspace"])
    def test_boundary_and_end(self, name, tokenizer):
        made = getattr(build, tokenizer)()
        encoded = encode(CHAT, made, chat_template=name)
        prompt, completions = first(encoded)
        assert encoded.report.template_rewrites == 0
        for answer, completion in zip((CHAT[0]["chosen"], CHAT[0]["rejected"]), completions, strict=True):
            assert answer in made.decode(completion)
            end = "<|im_end|>" if (tokenizer, name) == ("qwen", "chatml") else made.eos_token
            assert completion[-1] == made.convert_tokens_to_ids(end)
            assert completion.count(made.eos_token_id) == (end == made.eos_token)
        assert "bake bread" in made.decode(prompt)

    def test_an_end_that_is_plain_text_is_kept_without_the_line_break_after_it(self):
        tokenizer = build.gpt2()
        _, (chosen, _) = first(encode(CHAT, tokenizer, chat_template="chatml"))
        assert tokenizer.decode(chosen) == "You need flour.<|im_end|><|endoftext|>"

    def test_hh_is_the_format_of_the_transcripts(self):
        transcript = "\n\nHuman: Hello\n\nAssistant: Hi\n\nHuman: How are you?\n\nAssistant: Fine."
        other = transcript.replace("Fine.", "Why?")
        tokenizer = build.llama_3(None)
        prompt, (chosen, rejected) = first(
            encode([{"chosen": transcript, "rejected": other}], tokenizer, chat_template="hh")
        )
        assert tokenizer.decode(prompt) == "<|begin_of_text|>" + transcript.removesuffix(" Fine.")
        assert tokenizer.decode(chosen) == " Fine.<|end_of_text|>"
        assert tokenizer.decode(rejected) == " Why?<|end_of_text|>"

    def test_file_and_text(self, tmp_path):
        (tmp_path / "own.jinja").write_text(build.CHATML)
        by_file = first(encode(CHAT, build.gpt2(), chat_template=str(tmp_path / "own.jinja")))
        assert by_file == first(encode(CHAT, build.gpt2(), chat_template=build.CHATML))

    @pytest.mark.parametrize(
        ("template", "reason"),
        [("chatlm", "no chat template 'chatlm'"), ("{% if %}", "not Jinja"), ("no/such/file", "no chat template")],
    )
    def test_what_is_no_template(self, template, reason):
        with pytest.raises(DataError, match=reason) as caught:
            TextEncoder(build.gpt2(), chat_template=template)
        assert "data.chat_template" in caught.value.where


class TestTruncation:
    # prompt 1 to 6 with BOS 0; completions of 3 and 5 tokens
    PROMPT = (0, 1, 2, 3, 4, 5, 6)
    COMPLETIONS = ((10, 11, 12), (20, 21, 22, 23, 24))

    @pytest.mark.parametrize(
        ("max_length", "max_prompt", "prompt", "longest"),
        [
            (None, None, PROMPT, 5),
            (12, None, PROMPT, 5),  # 7 + 5
            (10, None, [0, 3, 4, 5, 6], 5),  # the prompt gives up its left, but not BOS
            (7, None, [0, 6], 5),
            (6, None, [0], 5),
            (5, None, [0], 4),  # only now a completion is cut
            (2, None, [0], 1),
            (None, 3, [0, 5, 6], 5),
            (7, 4, [0, 6], 5),
            (12, 4, [0, 4, 5, 6], 5),
        ],
    )
    def test_by_hand(self, max_length, max_prompt, prompt, longest):
        fitted = fit(list(self.PROMPT), list(map(list, self.COMPLETIONS)), max_length, max_prompt, bos=0)
        assert fitted.prompt == list(prompt)
        assert fitted.completions[1] == list(self.COMPLETIONS[1][:longest])
        assert fitted.prompt_cut == (len(prompt) < 7)
        assert fitted.cut == [longest < 3, longest < 5]

    def test_a_prompt_keeps_an_eighth(self):
        fitted = fit([0, *range(1, 100)], [[7] * 300], 80, None, bos=0)
        assert len(fitted.prompt) == 10
        assert fitted.prompt == [0, *range(91, 100)]
        assert len(fitted.completions[0]) == 70

    def test_without_bos(self):
        assert fit([1, 2, 3], [[4]], 3, None, bos=None).prompt == [2, 3]

    @given(
        st.integers(1, 30),
        st.lists(st.integers(1, 30), min_size=1, max_size=3),
        st.none() | st.integers(2, 40),
        st.none() | st.integers(1, 40),
    )
    def test_always_fits_and_never_empties(self, prompt, lengths, max_length, max_prompt):
        completions = [[9] * n for n in lengths]
        fitted = fit(list(range(prompt)), completions, max_length, max_prompt, bos=0)
        assert len(fitted.prompt) >= 1
        assert fitted.prompt[0] == 0  # BOS stays
        assert all(fitted.completions)
        if max_length is not None:
            assert len(fitted.prompt) + max(map(len, fitted.completions)) <= max_length
        if max_prompt is not None:
            assert len(fitted.prompt) <= max_prompt
        if any(fitted.cut):
            assert len(fitted.prompt) <= max(1, max_length // 8)
        assert fitted.cut == [a != b for a, b in zip(completions, fitted.completions, strict=True)]

    def test_counts_in_the_report(self):
        tokenizer = build.llama_3()
        short = {"prompt": "Hello", "chosen": " a", "rejected": " b"}
        long_prompt = {
            "prompt": "The quick brown fox jumps over the lazy dog. " * 5,
            "chosen": " a",
            "rejected": " b",
        }
        long_answer = {"prompt": "Hello", "chosen": " woof!" * 40, "rejected": " b"}
        report = encode([short, long_prompt, long_answer], tokenizer, max_length=24).report
        assert (report.rows, report.prompts_truncated, report.completions_truncated) == (3, 1, 1)
        assert report.without_eos == 1
        assert report.prompt_tokens.maximum + 2 <= 24
        assert any("1 prompts shortened" in line for line in report.lines())

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"max_length": 1}, "max_length is 1"),
            ({"max_prompt_length": 0}, "max_prompt_length is 0"),
            ({"max_length": 8, "max_prompt_length": 8}, "leaves no room for an answer"),
        ],
    )
    def test_lengths_that_contradict(self, options, reason):
        with pytest.raises(DataError, match=reason):
            TextEncoder(build.gpt2(), **options)


class TestDropped:
    def test_empty_answers_are_counted_and_listed(self):
        empty = {"prompt": "a", "chosen": "", "rejected": "b"}
        report = encode([*PLAIN, empty, empty], build.llama_3()).report
        assert report.rows == 1
        assert str(report.dropped[0]) == "2 × an empty completion (row 2, 3)"

    def test_a_blank_answer_in_messages(self):
        blank = {**CHAT[0], "rejected": " \n"}
        assert encode([*CHAT, blank], build.qwen()).report.rows_dropped == 1

    def test_nothing_left(self):
        with pytest.raises(DataError, match="no row is left after tokenisation") as caught:
            encode([{"prompt": "a", "chosen": "", "rejected": "b"}], build.llama_3())
        assert "1 × an empty completion (row 1)" in caught.value.fix


class TestColumns:
    def test_numbers_go_along(self):
        rows = [
            {**PLAIN[0], "weight": 2.0, "margin": 0.5, "preference": 0.9, "annotator": "zoe"},
            {**PLAIN[0], "weight": None, "margin": 1.0, "preference": None, "annotator": "ann"},
            {**PLAIN[0], "margin": 2.0},
        ]
        encoded = encode(rows, build.llama_3())
        assert encoded.annotators == ("ann", "zoe")
        assert encoded.dataset["annotator"][:] == [1, 0, -1]
        assert encoded.dataset["weight"][:] == [2.0, 1.0, 1.0]
        assert encoded.dataset["preference"][:] == [0.9, 1.0, 1.0]
        assert encoded.dataset["margin"][:] == [0.5, 1.0, 2.0]

    def test_a_margin_that_is_not_everywhere_is_left_out_and_said(self):
        encoded = encode([{**PLAIN[0], "margin": 1.0}, PLAIN[0]], build.llama_3())
        assert "margin" not in encoded.dataset.column_names
        assert any("margin is left out" in note for note in encoded.report.notes)

    @pytest.mark.parametrize(
        ("row", "columns", "completions"),
        [
            ({"prompt": "a", "completion": " b", "label": False}, ["label"], 1),
            ({"prompt": "a", "completions": [" b", " c", " d"], "scores": [1, 2, 3]}, ["scores"], 3),
            ({"prompt": "a", "completion": " b"}, [], 1),
        ],
    )
    def test_kinds(self, row, columns, completions):
        encoded = encode([row], build.llama_3())
        assert encoded.dataset.column_names == ["prompt_ids", "completion_ids", "id", *columns]
        assert len(encoded.dataset[0]["completion_ids"]) == completions
        for name in columns:
            assert encoded.dataset[0][name] == row[name]

    def test_rows_are_trees(self):
        for row in encode(PLAIN * 3, build.llama_3()).dataset:
            tree = Tree(row["prompt_ids"], row["completion_ids"])
            assert tree.size == len(row["prompt_ids"]) + sum(len(c) - 1 for c in row["completion_ids"])


class TestCache:
    def test_the_second_time_comes_from_disk(self, own_cache, monkeypatch):
        records = load(PLAIN * 3)
        once = TextEncoder(build.llama_3()).encode(records)
        from truing.data import row_encoder

        monkeypatch.setattr(row_encoder.RowEncoder, "__call__", None)  # would raise if it were used
        again = TextEncoder(build.llama_3()).encode(records)
        assert again.dataset[:] == once.dataset[:]
        assert again.report == once.report
        assert again.fingerprint == once.fingerprint
        assert list((own_cache / "tokens").glob("*.arrow"))

    def test_the_key_knows_everything(self):
        plain, chat = load(PLAIN), load(CHAT)
        keys = [
            TextEncoder(build.llama_3()).encode(plain).fingerprint,
            TextEncoder(build.zephyr()).encode(plain).fingerprint,
            TextEncoder(build.llama_3(), max_length=50).encode(plain).fingerprint,
            TextEncoder(build.llama_3(), max_prompt_length=50).encode(plain).fingerprint,
            TextEncoder(build.llama_3()).encode(chat).fingerprint,
            TextEncoder(build.llama_3(), chat_template="hh").encode(chat).fingerprint,
            TextEncoder(build.llama_3(), system="s").encode(chat).fingerprint,
            TextEncoder(build.llama_3()).encode(load(PLAIN * 2)).fingerprint,
        ]
        assert len(set(keys)) == len(keys)
        assert all(keys)

    def test_padding_that_someone_left_switched_on_changes_nothing(self):
        tokenizer = build.llama_3()
        before = encode(PLAIN * 2, tokenizer).dataset[:]
        key = TextEncoder(tokenizer).encode(load(PLAIN)).fingerprint
        tokenizer.pad_token = tokenizer.eos_token
        tokenizer(["a", "a b c d"], padding=True, truncation=True, max_length=3)
        assert encode(PLAIN * 2, tokenizer).dataset[:] == before
        tokenizer.pad_token = None
        assert TextEncoder(tokenizer).encode(load(PLAIN)).fingerprint == key

    def test_identity_of_a_tokenizer_is_what_decides_its_tokens(self):
        tokenizer = build.llama_3()
        before = tokenizer_identity(tokenizer)
        tokenizer.backend_tokenizer.enable_padding(length=7)
        tokenizer.backend_tokenizer.enable_truncation(max_length=5)
        assert tokenizer_identity(tokenizer) == before
        assert tokenizer_identity(build.zephyr()) != before
        assert tokenizer_identity(object()) is None

    def test_a_damaged_entry_is_made_again(self, own_cache):
        records = load(PLAIN)
        expected = TextEncoder(build.llama_3()).encode(records).dataset[:]
        for path in (own_cache / "tokens").iterdir():
            path.write_bytes(b"x")
        assert TextEncoder(build.llama_3()).encode(records).dataset[:] == expected


def test_streamed_rows_are_the_same(write):
    path = write(PLAIN * 600)
    streamed = TextEncoder(build.llama_3()).encode(load(path, streaming=True))
    whole = TextEncoder(build.llama_3()).encode(load(path))
    assert streamed.report.partial
    assert streamed.report.rows == 512
    names = ["prompt_ids", "completion_ids", "id"]
    assert [[row[n] for n in names] for row in streamed.dataset] == [
        [row[n] for n in names] for row in whole.dataset
    ]


def test_a_selection_of_records_is_encoded_as_such():

    records = load([{"prompt": f"p{i}", "chosen": " a", "rejected": " b", "margin": float(i)} for i in range(6)])
    part = dataclasses.replace(records, dataset=records.dataset.select([4, 1]))
    assert part.fingerprint != records.fingerprint
    encoded = TextEncoder(build.llama_3()).encode(part)
    assert encoded.dataset["id"][:] == ["5", "2"]
    assert encoded.dataset["margin"][:] == [4.0, 1.0]


def test_report_survives_json():
    report = encode([*PLAIN, {"prompt": "a", "chosen": "", "rejected": "b"}], build.llama_3()).report
    assert type(report).from_dict(json.loads(json.dumps(report.as_dict()))) == report


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(prompt=st.text(min_size=1, max_size=30), answer=st.text(min_size=1, max_size=30), cut=st.integers(4, 40))
def test_invariants_on_any_text(name, prompt, answer, cut):
    tokenizer = ALL[name]()
    rows = [{"prompt": prompt, "chosen": answer, "rejected": "no"}]
    for source in (rows, [{**rows[0], "prompt": [{"role": "user", "content": prompt}]}]):
        try:
            encoded = encode(source, tokenizer, max_length=cut)
        except DataError:
            continue  # white space only, or a text that the template or the tokenizer makes nothing of
        tokens, completions = first(encoded)
        assert len(tokens) >= 1
        assert all(1 <= len(c) <= cut - len(tokens) for c in completions)
        if tokenizer.bos_token_id is not None:
            assert tokens[0] == tokenizer.bos_token_id
            assert tokens[1:2] != [tokenizer.bos_token_id]


def test_common_prefix():
    assert common_prefix(["abcd", "abxd", "abc"]) == "ab"
    assert common_prefix(["ab", "ab"]) == "ab"
    assert common_prefix(["", "a"]) == ""
