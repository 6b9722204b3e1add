"""Changes of prompts: they compose, leave originals alone, and know where an answer ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truing.errors import RecipeError, TruingError
from truing.prompting.named import transform_of, written
from truing.prompting.transform import Chain, Each, Identity, Shown, chained, in_question, in_system
from truing.prompting.urial import dialogue
from truing.prompting.urial_examples import EXAMPLES

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name a fruit."}]
LOUD = Each("loud", lambda prompt: in_question(prompt, str.upper))
POLITE = Each("polite", lambda prompt: in_question(prompt, lambda text: f"{text} Please."))


@given(st.text(), st.permutations([LOUD, POLITE, Identity()]))
def test_a_chain_is_one_change_after_the_other_and_keeps_the_original(text, parts) -> None:
    asked = [Shown.of(text, {"id": "7"})]
    by_hand = asked
    for part in parts:
        by_hand = part(by_hand)
    (found,) = chained(*parts)(asked)
    assert [found] == by_hand
    assert (found.original, found.context) == (text, {"id": "7"})


def test_the_identity_is_neutral_and_chains_are_flat() -> None:
    assert chained() == Identity()
    assert chained(Identity(), LOUD, Identity()) == LOUD
    assert chained(chained(LOUD, POLITE), LOUD) == Chain((LOUD, POLITE, LOUD))
    assert Chain((LOUD, POLITE)).name == "loud + polite"


def test_messages_are_copied_and_changed_where_the_user_speaks_last() -> None:
    assert in_question(MESSAGES, str.upper) == [MESSAGES[0], {"role": "user", "content": "NAME A FRUIT."}]
    assert in_system(MESSAGES, "Be kind.")[0]["content"] == "Be kind.\n\nBe brief."
    assert in_system(MESSAGES[1:], "Be kind.") == [{"role": "system", "content": "Be kind."}, MESSAGES[1]]
    assert in_system("Name a fruit.", "Be kind.") == "Be kind.\n\nName a fruit."
    assert MESSAGES[1]["content"] == "Name a fruit."


def test_an_answer_ends_at_the_first_stop() -> None:
    shown = Shown.of("?").showing("?", stop=("\n```", "\n# Query"))
    assert shown.answer("Apple.\n```\n\n# Query:\n```\nMore?") == "Apple."
    assert shown.answer("Apple.\n# Query:") == "Apple."
    assert shown.answer("```\nspill-over") == ""
    assert shown.answer(" Apple. ") == "Apple."
    assert Shown.of("?").answer(" as it is ") == " as it is "


def test_urial_shows_its_examples_and_then_the_question() -> None:
    for count in (1, 3, 8):
        (found,) = transform_of({"name": "urial", "examples": count})([Shown.of("Name a fruit.")])
        assert found.prompt.count("# Query:") == found.prompt.count("# Answer:") == count + 1
        assert found.prompt.endswith("# Query:\n```\nName a fruit.\n```\n\n# Answer:\n```\n")
        assert found.verbatim
    prefixes = [
        one.prompt.removesuffix(f"{one.original}\n```\n\n# Answer:\n```\n")
        for one in transform_of("urial")([Shown.of("Name a fruit."), Shown.of("And a tree?")])
    ]
    assert prefixes[0] == prefixes[1]


def test_urial_reads_dialogues_as_further_examples() -> None:
    turns = [*MESSAGES, {"role": "assistant", "content": "Apple."}, {"role": "user", "content": "Another."}]
    assert dialogue(turns) == ("Be brief.", [("Name a fruit.", "Apple."), ("Another.", "")])
    (found,) = transform_of({"name": "urial", "examples": 1})([Shown.of(turns)])
    assert "Be brief." in found.prompt.partition("# Query")[0]
    assert "# Query:\n```\nName a fruit.\n```\n\n# Answer:\n```\nApple.\n```" in found.prompt


def test_a_question_with_a_fence_gets_a_longer_one_around_it() -> None:
    (found,) = transform_of("urial")([Shown.of("What does this do?\n```\nprint(1)\n```")])
    assert found.prompt.endswith("# Answer:\n````\n")
    assert found.answer("It prints:\n```\n1\n```\n````\n# Query") == "It prints:\n```\n1\n```"


def test_examples_hold_no_fence_and_begin_alike() -> None:
    assert len(EXAMPLES) == 8
    assert not any("```" in text or "# Query" in text for turn in EXAMPLES for text in turn)


def test_names_that_are_none() -> None:
    with pytest.raises(TruingError, match="unknown way to prompt 'uriel'") as error:
        transform_of("uriel", "--with")
    assert error.value.where == "--with"
    with pytest.raises(TruingError, match="examples = 2 cannot be used"):
        transform_of({"name": "urial", "examples": 2})
    with pytest.raises(RecipeError, match="a way to prompt cannot be made of 3"):
        transform_of(3)
    with pytest.raises(RecipeError, match="cannot be read"):
        written(["{name: urial"], "--with")
    assert transform_of(["urial", {"name": "urial", "examples": 1}]).name == "urial, K = 3 + urial, K = 1"
