"""Build the token stream that the embedded tiny model is trained on.

Usage:
    python tools/assets/corpus.py --data ../shared/data --out build/tiny

Writes into ``--out``:
    tokenizer/        byte-level BPE tokenizer (6,144 entries) with a chat template
    train.bin         uint16 token stream, documents shuffled with a fixed seed
    heldout.json      texts that no training step sees, by source
    hh-judge.jsonl    HH-RLHF pairs whose text is in train.bin (they also train the embedded judge)
    hh-sample.jsonl   HH-RLHF pairs whose text is *not* in train.bin (the packaged preference sample comes from here)

Every split is decided by a hash of the first user turn (or of the instruction, or of the review), so
the same prompt never stands on both sides.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

VOCABULARY = 6144
SPECIAL = ["<pad>", "<s>", "</s>", "<|system|>", "<|user|>", "<|assistant|>"]
CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{% if message['role'] not in ['system', 'user', 'assistant'] %}"
    "{{ raise_exception('roles must be system, user or assistant; found: ' + message['role']) }}"
    "{% endif %}"
    "{{ '<|' + message['role'] + '|>\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}"
    "{% else %}{{ message['content'] + eos_token }}{% endif %}"
    "{{ '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
HELD_OUT_PERCENT = 4
HH_SAMPLE_PERCENT = 45

Messages = list[dict[str, str]]


def bucket(text: str) -> int:
    """A number in 0..99 that depends on the text only."""
    return int(hashlib.sha256(text.strip().lower().encode()).hexdigest()[:8], 16) % 100


def read_lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as handle:
        return [json.loads(line) for line in handle]


def read_json(path: Path) -> list[dict[str, Any]]:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return json.loads(raw)


def hh_messages(transcript: str) -> Messages:
    """Split one HH-RLHF transcript into messages."""
    parts = re.split(r"\n\n(Human|Assistant):", transcript)[1:]
    roles = {"Human": "user", "Assistant": "assistant"}
    return [
        {"role": roles[role], "content": content.strip()}
        for role, content in zip(parts[::2], parts[1::2], strict=True)
    ]


def chat(user: str, assistant: str) -> Messages:
    return [{"role": "user", "content": user.strip()}, {"role": "assistant", "content": assistant.strip()}]


def reviews(path: Path) -> Iterator[str]:
    for row in read_lines(path):
        yield re.sub(r"\s*<br\s*/?>\s*", " ", row["text"]).strip()


def instructions(data: Path) -> Iterator[tuple[str, Messages]]:
    """(split key, conversation) pairs of instruction data: AlpacaEval answers, Alpaca, HaluEval, GSM8K."""
    seen: set[tuple[str, str]] = set()
    for path in sorted((data / "alpaca-eval").glob("*/*.json*")):
        if "gamed" in path.name:
            continue
        for row in read_json(path):
            for side in ("output_1", "output_2"):
                key = (row["instruction"], row[side] or "")
                if row[side] and key not in seen:
                    seen.add(key)
                    yield row["instruction"], chat(*key)
    for row in read_json(data / "llama-factory" / "alpaca_en_demo.json"):
        prompt = "\n".join(filter(None, (row["instruction"], row["input"])))
        yield prompt, chat(prompt, row["output"])
    for row in read_lines(data / "halueval" / "general_data.jsonl.gz"):
        if row["hallucination"] == "no":
            yield row["user_query"], chat(row["user_query"], row["chatgpt_response"])
    for row in read_lines(data / "gsm8k" / "train.jsonl.gz"):
        answer = re.sub(r"<<[^>]*>>", "", row["answer"])
        yield row["question"], chat(row["question"], answer)


def train_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\d"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    bos = tokenizer.token_to_id("<s>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", bos)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        model_max_length=1024,
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--hh-copies", type=int, default=4, help="how often HH dialogues are repeated")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    plain = list(reviews(args.data / "imdb" / "train.jsonl.gz"))
    chats: list[Messages] = []
    heldout_chats: list[Messages] = []
    for key, messages in instructions(args.data):
        (heldout_chats if bucket(key) < HELD_OUT_PERCENT else chats).append(messages)

    hh_train: list[Messages] = []
    pairs: dict[str, list[dict[str, str]]] = {"judge": [], "sample": []}
    for row in read_lines(args.data / "hh-rlhf" / "harmless-base-test.jsonl.gz"):
        first = hh_messages(row["chosen"])[0]["content"]
        if bucket(first) < HH_SAMPLE_PERCENT:
            pairs["sample"].append(row)
        else:
            pairs["judge"].append(row)
            hh_train += [hh_messages(row["chosen"]), hh_messages(row["rejected"])]
    for name, rows in pairs.items():
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (args.out / f"hh-{name}.jsonl").write_text(text, encoding="utf-8")

    contents = plain + [m["content"] for c in chats + hh_train for m in c]
    tokenizer = train_tokenizer(contents)
    tokenizer.save_pretrained(args.out / "tokenizer")

    def chat_text(messages: Messages) -> str:
        return str(tokenizer.apply_chat_template(messages, tokenize=False))

    documents = [f"<s>{text}</s>" for text in plain]
    documents += [chat_text(m) for m in chats]
    documents += [chat_text(m) for m in hh_train] * args.hh_copies
    random.Random(0).shuffle(documents)
    encoded = tokenizer.backend_tokenizer.encode_batch(documents, add_special_tokens=False)
    stream = np.concatenate([np.asarray(e.ids, dtype=np.uint16) for e in encoded])
    stream.tofile(args.out / "train.bin")

    test_reviews = list(reviews(args.data / "imdb" / "test.jsonl.gz"))
    random.Random(1).shuffle(test_reviews)
    heldout = {
        "imdb-test": [f"<s>{text}</s>" for text in test_reviews[:1000]],
        "instructions": [chat_text(m) for m in heldout_chats[:600]],
        "hh-dialogues": [chat_text(hh_messages(row["chosen"])) for row in pairs["sample"]],
    }
    (args.out / "heldout.json").write_text(json.dumps(heldout, ensure_ascii=False), encoding="utf-8")
    characters = sum(map(len, documents))
    print(
        f"{len(documents):,} documents, {len(stream):,} tokens, {characters / len(stream):.2f} characters a token"
    )
    print({name: len(rows) for name, rows in pairs.items()}, {k: len(v) for k, v in heldout.items()})


if __name__ == "__main__":
    main()
