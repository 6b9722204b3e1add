"""From prompts to the tokens that the model reads, in any thread, with errors that say what cannot be read."""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from typing import Any

from truing.data.chat import TemplateRefusalError
from truing.data.tokenise import token_ids
from truing.errors import DataError, ModelError
from truing.prompting.answering import as_read
from truing.prompting.transform import Shown


class Reader:
    """Makes tokens of prompts.

    The tokenizer is copied, since one cannot be used by two threads: some of its settings are switched by every call.

    Args:
        tokenizer: of the model.
        room: most tokens of a prompt and its answer; ``None`` without a bound.
        front: token ids in front of every prompt, e.g. a control code's.
    """

    def __init__(self, tokenizer: Any, room: int | None, front: Sequence[int] = ()) -> None:
        self._front = list(front)
        self._tokenizer = copy.deepcopy(tokenizer)
        self._lock = threading.Lock()
        self.room = room
        # No token stands for more characters than its own text has, but one for whatever is unknown.
        bounded = room is not None and getattr(tokenizer, "unk_token", None) is None
        self._characters = room * max(map(len, tokenizer.get_vocab())) if room and bounded else None

    def __call__(self, shown: Shown, longest: int) -> list[int]:
        """The tokens of a prompt.

        Args:
            shown: the prompt.
            longest: answer, tokens, for which there must be room.

        Raises:
            DataError: if it is empty, no text that can be written as UTF-8, or refused by the chat template.
            ModelError: if it leaves no room for the answer.
        """
        try:
            with self._lock:
                text = as_read(self._tokenizer, shown)
                text.encode()
                self._check_length(text)
                (tokens,) = token_ids(self._tokenizer, [text])
        except TemplateRefusalError as error:
            raise DataError(
                f"the model's chat template refuses this conversation: {error}",
                where="prompt",
                fix="let user and assistant take turns, as the template wants it",
            ) from None
        except UnicodeEncodeError:
            raise DataError(
                "the prompt has half a character (a lone surrogate), which no text has", where="prompt"
            ) from None
        if not tokens:
            raise DataError("the prompt is empty", where="prompt", fix="ask something")
        tokens = [*self._front, *tokens]
        if self.room is not None and len(tokens) + longest > self.room:
            raise ModelError(
                f"a prompt of {len(tokens):,} tokens and an answer of up to {longest:,} are more than the "
                f"{self.room:,} that there is room for",
                where="prompt",
                allowed=f"answers of {self.room - len(tokens):,} tokens to this prompt"
                if len(tokens) < self.room
                else f"prompts of less than {self.room:,} tokens",
                fix="shorten the prompt, or ask for a shorter answer (max_tokens)",
            )
        return tokens

    def _check_length(self, text: str) -> None:
        """Refuse at once what would take seconds to read, and be refused then."""
        if self._characters is not None and len(text) > self._characters:
            raise ModelError(
                f"a prompt of {len(text):,} characters is more than the {self.room:,} tokens that there is room for",
                where="prompt",
                fix="shorten the prompt",
            )

    def text_of(self, tokens: list[int]) -> str:
        """A text to be continued that is read as these tokens; one that begins all texts may be left out.

        Raises:
            DataError: if there is none.
        """
        from truing.decoding.drawing import continued

        first = self._tokenizer.bos_token_id
        own = tokens[1:] if first is not None and tokens[:1] == [first] else tokens
        with self._lock:
            known = all(0 <= token < len(self._tokenizer) for token in own)
            text = str(self._tokenizer.decode(own, clean_up_tokenization_spaces=False)) if known else ""
            (read,) = token_ids(self._tokenizer, [continued(self._tokenizer, text)])
        if not known or (read[1:] if read[:1] == [first] else read) != own:
            raise DataError(
                "no text is read as these tokens",
                where="prompt",
                allowed="tokens as this model's tokenizer makes them",
                fix="send the text itself",
            )
        return text
