"""Chat markers where they do not belong, and conversations that templates refuse."""

from __future__ import annotations

import re

from truing.data.checks.base import CHECKS, Check, Finding, Subject, finding

_MARKERS = re.compile(
    r"<\|[a-z_]{2,30}\|>|</?s>|\[/?INST\]|<<?/?SYS>>?|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>"
    r"|(?:^|\n)(?:### (?:Instruction|Response|Human|Assistant):)|(?:^|\n\n|  )(?:Human|Assistant|USER|ASSISTANT): "
)


def _run(subject: Subject) -> list[Finding]:
    tokens = [] if subject.tokenizer is None else [t for t in subject.tokenizer.all_special_tokens if len(t) > 2]
    own = re.compile("|".join(map(re.escape, tokens))) if tokens else None
    marked = subject.rows_where(lambda i: _MARKERS.search(_all_text(subject, i)) is not None)
    special = subject.rows_where(lambda i: own is not None and own.search(_all_text(subject, i)) is not None)
    found = [
        finding(
            "rows with chat markers inside a text",
            marked,
            len(subject),
            "Markers such as 'Human:' or <|im_start|> inside a text mean that a dialogue was not split into "
            "turns; the model learns to write the other side's part.",
            "Split these dialogues into messages, or remove the markers.",
            severity="warning",
        )
    ]
    if own is not None:
        found.append(
            finding(
                "rows with the tokenizer's special tokens inside a text",
                special,
                len(subject),
                "They become control tokens: an end token inside a text ends the turn there.",
                "Remove them; in data from strangers they are an attack.",
                severity="problem",
            )
        )
    return found + (_roles(subject) if subject.records.conversational else [])


def _all_text(subject: Subject, number: int) -> str:
    row = subject.rows[number]
    prompt = row["prompt"] if isinstance(row["prompt"], str) else "\x1f".join(m["content"] for m in row["prompt"])
    return "\x1f".join([prompt, *subject.answers[number]])


def _roles(subject: Subject) -> list[Finding]:
    roles = [[m["role"] for m in row["prompt"] if m["role"] != "system"] for row in subject.rows]
    tools = ["tool" in found for found in roles]
    uneven = subject.rows_where(
        lambda i: not tools[i] and any(a == b for a, b in zip(roles[i], roles[i][1:], strict=False))
    )
    first = subject.rows_where(lambda i: roles[i][:1] == ["assistant"])
    last = subject.rows_where(lambda i: roles[i][-1:] != ["user"] and not tools[i])
    late = subject.rows_where(lambda i: any(m["role"] == "system" for m in subject.rows[i]["prompt"][1:]))
    rows = len(subject)
    fix = "Join the messages, or remove the rows; strict templates (Llama 2, Mistral, Gemma) refuse them."
    return [
        finding(
            "prompts with two messages of the same role in a row",
            uneven,
            rows,
            "Roles do not alternate.",
            fix,
            severity="warning",
        ),
        finding(
            "prompts that the assistant begins",
            first,
            rows,
            "A question is missing.",
            fix,
            severity="warning",
        ),
        finding(
            "prompts that do not end with the user",
            last,
            rows,
            "The answer follows another answer, or nothing.",
            "Check that prompt and answer were split at the right place.",
            severity="warning",
        ),
        finding(
            "prompts with a system message that is not the first message",
            late,
            rows,
            "Most templates refuse it or drop it.",
            "Move it to the front.",
            severity="warning",
        ),
    ]


CHECKS.add(Check("templates", "chat markers inside texts, and roles that templates refuse", _run))
