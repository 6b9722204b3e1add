"""Tokens of prompts and completions, with an exact boundary between them.

The prompt is tokenised by itself, so that it is the same for all of its completions and at inference. A plain
completion is tokenised by itself, too. What a chat template renders is one text: the tokens of an answer are
those that follow the prompt's, which differs for tokenizers that put a space in front of every text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from truing.data.chat import ChatRenderer, TemplateRefusalError
from truing.data.conversion import answers, is_empty
from truing.data.rows import Row
from truing.data.special_tokens import SpecialTokens
from truing.data.token_tally import TokenTally
from truing.data.tokenise import token_ids
from truing.data.truncation import fit
from truing.errors import DataError

WINDOW = 64
"""Characters on either side of the boundary within which tokens may merge."""

REFUSED = "the chat template refuses it"
EMPTY = "an empty completion"


@dataclass(frozen=True)
class Texts:
    """A row as the texts that are tokenised.

    Args:
        row: the record.
        prompt: everything before the answers.
        answers: what is scored.
        closed: for each answer, whether it ends with an end-of-turn token already.
        rewritten: whether the template renders the prompt differently once an answer follows.
    """

    row: Row
    prompt: str
    answers: list[str]
    closed: list[bool]
    rewritten: bool = False


@dataclass(frozen=True)
class Tokens:
    """A row as token ids, complete with BOS and EOS, within the lengths."""

    row: Row
    prompt: list[int]
    completions: list[list[int]]


class RowEncoder:
    """Tokenises batches of rows.

    Args:
        tokenizer: of transformers.
        renderer: for conversations; ``None`` for plain text.
        max_length: most tokens of prompt plus completion.
        max_prompt_length: most tokens of a prompt.
    """

    def __init__(
        self, tokenizer: Any, renderer: ChatRenderer | None, max_length: int | None, max_prompt_length: int | None
    ) -> None:
        self.tokenizer = tokenizer
        self.renderer = renderer
        self.special = SpecialTokens.of(tokenizer)
        self.max_length = max_length
        self.max_prompt_length = max_prompt_length

    def __call__(self, batch: Sequence[Row], kind: str, tally: TokenTally) -> Iterator[Tokens]:
        """Tokens of the rows that can be used; the others are counted.

        Raises:
            DataError: if a prompt has no tokens.
        """
        texts = [found for found in (self._texts(row, kind, tally) for row in batch) if found is not None]
        prompts = self._ids([text.prompt for text in texts])
        split = self._rendered(texts) if self.renderer is not None else self._plain(texts)
        for text, prompt, (completions, merged) in zip(texts, prompts, split, strict=True):
            found = self._finish(text, prompt, completions, merged, tally)
            if found is not None:
                yield found

    def _texts(self, row: Row, kind: str, tally: TokenTally) -> Texts | None:
        said = list(answers(row, kind))
        if self.renderer is None:
            return Texts(row, row["prompt"], said, [False] * len(said))
        if any(is_empty(answer) for answer in said):
            tally.drop(EMPTY, row["id"])
            return None
        try:
            rendered = self.renderer(row["prompt"], said)
        except TemplateRefusalError as refusal:
            tally.drop(f"{REFUSED}: {refusal}", row["id"])
            return None
        return Texts(row, rendered.prompt, rendered.answers, rendered.closed, rendered.rewritten)

    def _plain(self, texts: Sequence[Texts]) -> Iterator[tuple[list[list[int]], bool]]:
        """Completions tokenised by themselves, and whether one would merge with its prompt."""
        whole = self._ids([answer for text in texts for answer in text.answers])
        tails = self._ids([text.prompt[-WINDOW:] for text in texts])
        heads = self._ids([answer[:WINDOW] for text in texts for answer in text.answers])
        joint = self._ids([text.prompt[-WINDOW:] + answer[:WINDOW] for text in texts for answer in text.answers])
        start = 0
        for text, tail in zip(texts, tails, strict=True):
            part = slice(start, start + len(text.answers))
            merged = any(both != tail + head for both, head in zip(joint[part], heads[part], strict=True))
            yield whole[part], merged
            start = part.stop

    def _rendered(self, texts: Sequence[Texts]) -> Iterator[tuple[list[list[int]], bool]]:
        """Completions as they follow the end of their prompt; by themselves where the two merge."""
        tails = self._ids([text.prompt[-WINDOW:] for text in texts])
        joint = self._ids([text.prompt[-WINDOW:] + answer for text in texts for answer in text.answers])
        start = 0
        for text, tail in zip(texts, tails, strict=True):
            both = joint[start : start + len(text.answers)]
            start += len(text.answers)
            merged = any(ids[: len(tail)] != tail for ids in both)
            yield (self._ids(text.answers) if merged else [ids[len(tail) :] for ids in both]), merged

    def _finish(
        self, text: Texts, prompt: list[int], completions: list[list[int]], merged: bool, tally: TokenTally
    ) -> Tokens | None:
        number = text.row["id"]
        if not all(completions):
            tally.drop(EMPTY, number)
            return None
        begun = self.special.begin(prompt)
        if not begun:
            raise DataError(
                "a prompt is empty, and the tokenizer puts no token in front of it to predict the first from",
                where=f"row {number}",
                fix="use a tokenizer that adds a beginning-of-sequence token, or give the row a prompt",
            )
        pairs = list(zip(completions, text.closed, strict=True))
        ended = [ids if closed else self.special.end(ids) for ids, closed in pairs]
        fitted = fit(begun, ended, self.max_length, self.max_prompt_length, self.special.known_bos)
        ends = [
            not cut and (closed or self.special.eos is not None)
            for cut, closed in zip(fitted.cut, text.closed, strict=True)
        ]
        tally.keep(
            fitted,
            merged=merged,
            rewritten=text.rewritten,
            had_bos=self.special.bos is not None and prompt[:1] == [self.special.bos],
            complete=all(ends),
        )
        return Tokens(text.row, fitted.prompt, fitted.completions)

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        return token_ids(self.tokenizer, texts)
