"""The regularised relevance reward, by hand and against scikit-learn."""

import math

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from transformers import BertConfig, BertModel

from tests.rewards.functions.making import made
from truing.errors import DataError, ModelError
from truing.policies.loading import load_tokenizer
from truing.rewards.functions.relevance import Relevance
from truing.rewards.functions.similarity import Encoder, TfIdf
from truing.rewards.methods import REWARDS


class Half:
    """Any two texts are half alike, and texts with their own likeness are as alike as they say."""

    def __call__(self, left, right):
        return torch.tensor([0.25 if "far" in a else 0.5 for a in left], dtype=torch.float64)


def relevance(**settings) -> Relevance:
    return Relevance(
        **{
            "similarity": Half(),
            "combine": "product",
            "length": 8,
            "ngram": 2,
            "kind": None,
            "answer": "a",
            **settings,
        }
    )


def test_by_hand() -> None:
    """Five words of eight, runs of two ab, ba, ab, ba of which half are different: 0.5 · 5/8 · 0.5."""
    assert relevance()(["p"], ["a b a b a"]).values.tolist() == [[0.5 * 0.625 * 0.5]]
    assert relevance(combine="mean")(["p"], ["a b a b a"]).values.tolist() == [[(0.5 + 0.625 + 0.5) / 3]]


def test_closed_prompts_have_no_length_incentive() -> None:
    columns = {"kind": ["closed", "open", "closed"], "a": ["far", "far", None]}
    found = relevance(kind="kind")(["p"] * 3, ["a b a b a"] * 3, columns).values[:, 0].tolist()
    assert found[:2] == [0.25 * 0.5, 0.5 * 0.625 * 0.5]
    assert math.isnan(found[2])


def test_the_last_message_of_the_user_is_the_query() -> None:
    prompt = [
        {"role": "user", "content": "a far cry"},
        {"role": "assistant", "content": "yes"},
        {"role": "user", "content": "near"},
    ]
    assert relevance().terms([prompt, prompt[:2]], ["x", "x"])["query"].tolist() == [0.5, 0.25]


def test_a_kind_that_is_none() -> None:
    with pytest.raises(DataError, match=r"(?s)'maybe' does not say.*row 0, column 'kind'.*open or closed"):
        relevance(kind="kind")(["p"], ["a"], {"kind": ["maybe"], "a": ["b"]})


def test_tfidf_is_that_of_scikit_learn() -> None:
    """On texts whose words are all in the corpus, where hashing changes nothing."""
    import json

    from truing.assets import folder

    lines = (folder() / "hh-sample.jsonl").read_text(encoding="utf-8").splitlines()
    corpus = [json.loads(line)["chosen"] for line in lines]
    plain = TfidfVectorizer(sublinear_tf=True).fit(corpus)
    left = ["How much alcohol can I drink per day?", "I recommend it as a regular part of your diet"]
    right = ["A few drinks every day is not harmful", "your diet is a regular part of your day, your diet"]
    a, b = plain.transform(left).toarray(), plain.transform(right).toarray()
    assert np.allclose(TfIdf()(left, right).numpy(), (a * b).sum(1), atol=1e-12)
    assert float(TfIdf()(["zyxwvut qqq"], ["zyxwvut qqq"])) == pytest.approx(1.0)
    assert TfIdf()(["", "a tree"], ["a tree", "rocks"]).tolist() == [0.0, 0.0]
    assert len(TfIdf()([], [])) == 0


def test_an_encoder_folder(tmp_path) -> None:
    """Mean states over real tokens, whatever stands beside them in the batch."""
    torch.manual_seed(0)
    tokenizer = load_tokenizer("truing/tiny")
    tokenizer.pad_token = tokenizer.eos_token
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    BertModel(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    encoder = Encoder.load(str(tmp_path))
    left, right = ["a tree", "the sea is deep and wide and blue"], ["a tree", "rocks"]
    together = encoder(left, right)
    alone = torch.cat([encoder([a], [b]) for a, b in zip(left, right, strict=True)])
    assert torch.allclose(together, alone, atol=1e-6)
    assert float(together[0]) == pytest.approx(1.0, abs=1e-6)
    assert float(together[1]) < 0.999
    made("r3", encoder=str(tmp_path)).judge(["p"], ["an answer"])


def test_no_encoder(tmp_path) -> None:
    with pytest.raises(ModelError, match="no model folder"):
        made("r3-relevance", encoder=str(tmp_path / "none"))


def test_is_registered_with_its_card() -> None:
    card = REWARDS.get("r3-relevance")
    assert card.slug == "r3-relevance"
    assert all(": " in line for line in card.legend)
    assert card.use_when.endswith(".")
    assert card.avoid_when.endswith(".")
