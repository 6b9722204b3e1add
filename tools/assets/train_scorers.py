"""Train the two embedded text scorers on labels, and measure them on labels they have not seen.

Usage (two minutes on two CPU cores):
    python tools/assets/corpus.py --data ../shared/data --out build/tiny
    python tools/assets/train_scorers.py --data ../shared/data --work build/tiny --out src/truing/assets/scorers

sentiment      logistic regression on hashed word 1- and 2-grams: IMDB reviews, snippets of them, SST-2 phrases
harmlessness   Bradley–Terry on the same features: human choices between two answers of HH-RLHF. The pairs are
               those of hh-judge.jsonl; none of their prompts is in the packaged preference sample.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, vstack
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from statsmodels.stats.proportion import proportion_confint

from truing.rewards.linear_text import LinearTextScorer, vectorizer


def read(path: Path) -> list[dict[str, object]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as handle:
        return [json.loads(line) for line in handle]


def snippet(text: str, rng: random.Random) -> str:
    sentences = re.split(r"(?<=[.!?])\s+", text)
    count = rng.randint(1, 4)
    start = rng.randrange(max(1, len(sentences) - count + 1))
    return " ".join(sentences[start : start + count])


def sentiment_data(data: Path, part: str, rng: random.Random) -> tuple[list[str], list[int], list[str]]:
    texts, labels, sources = [], [], []
    for row in read(data / "imdb" / f"{part}.jsonl.gz"):
        text = re.sub(r"\s*<br\s*/?>\s*", " ", str(row["text"]))
        label = int(row["label"] == "pos")
        for source, value in (("imdb", text), ("imdb-snippets", snippet(text, rng))):
            texts.append(value)
            labels.append(label)
            sources.append(source)
    with gzip.open(data / "sst2" / "train.tsv.gz", "rt", encoding="utf-8") as handle:
        next(handle)
        for number, line in enumerate(handle):
            sentence, label_text = line.rstrip("\n").split("\t")
            if (number % 10 == 0) == (part == "test"):
                texts.append(sentence)
                labels.append(int(label_text))
                sources.append("sst2")
    return texts, labels, sources


def interval(correct: int, total: int) -> dict[str, object]:
    low, high = proportion_confint(correct, total, method="wilson")
    return {"n": total, "accuracy": round(correct / total, 4), "interval_95": [round(low, 4), round(high, 4)]}


def train_sentiment(data: Path, features: HashingVectorizer) -> tuple[LinearTextScorer, dict[str, object]]:
    texts, labels, _ = sentiment_data(data, "train", random.Random(0))
    model = LogisticRegression(C=2.0, max_iter=200, solver="liblinear")
    model.fit(features.transform(texts), labels)
    scorer = LinearTextScorer("sentiment", model.coef_[0].astype(np.float16), float(model.intercept_[0]))
    texts, labels, sources = sentiment_data(data, "test", random.Random(1))
    scores = scorer.scores(texts)
    correct = (scores > 0) == np.array(labels, dtype=bool)
    report: dict[str, object] = {}
    for source in sorted(set(sources)):
        chosen = np.array([s == source for s in sources])
        report[source] = interval(int(correct[chosen].sum()), int(chosen.sum()))
    return scorer, report


def last_answer(transcript: str) -> str:
    return transcript.rsplit("\n\nAssistant:", 1)[1].strip()


def pair_features(rows: list[dict[str, object]], features: HashingVectorizer) -> csr_matrix:
    chosen = features.transform([last_answer(str(r["chosen"])) for r in rows])
    rejected = features.transform([last_answer(str(r["rejected"])) for r in rows])
    return (chosen - rejected).tocsr()


def train_harmlessness(work: Path, features: HashingVectorizer) -> tuple[LinearTextScorer, dict[str, object]]:
    difference = pair_features(read(work / "hh-judge.jsonl"), features)
    # Each pair in both orders: the model is antisymmetric and has no intercept.
    x = vstack([difference, -difference])
    y = np.concatenate([np.ones(difference.shape[0]), np.zeros(difference.shape[0])])
    model = LogisticRegression(C=1.0, fit_intercept=False, max_iter=500, solver="liblinear")
    model.fit(x, y)
    scorer = LinearTextScorer("harmlessness", model.coef_[0].astype(np.float16), 0.0)
    rows = read(work / "hh-sample.jsonl")
    gap = scorer.scores([last_answer(str(r["chosen"])) for r in rows]) - scorer.scores(
        [last_answer(str(r["rejected"])) for r in rows]
    )
    decided = gap != 0
    return scorer, {"hh-rlhf held-out pairs": interval(int((gap[decided] > 0).sum()), int(decided.sum()))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    features = vectorizer()
    for scorer, report in (train_sentiment(args.data, features), train_harmlessness(args.work, features)):
        scorer.save(args.out / f"{scorer.name}.safetensors")
        (args.out / f"{scorer.name}.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        print(scorer.name, json.dumps(report))


if __name__ == "__main__":
    main()
