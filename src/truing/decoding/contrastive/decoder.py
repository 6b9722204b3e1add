"""Contrastive decoding (2210.15097): the tokens that an expert makes likelier than an amateur does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field

from truing.decoding.answers import Decoded
from truing.decoding.contrastive.amateurs import READS, Amateur, OppositeCode, Reader, ReadsName
from truing.decoding.contrastive.score import Contrast, FormName
from truing.decoding.engine import Tokens
from truing.decoding.foresight import Most, check, whole_answers
from truing.decoding.guided import ended
from truing.decoding.method import decoder
from truing.decoding.other_model import NamedEngine
from truing.decoding.rolling import open_ended
from truing.decoding.task import Task
from truing.errors import ObjectiveError, RecipeError
from truing.parameters import NON_NEGATIVE, POSITIVE, Doc
from truing.policies.group_sampling import chosen
from truing.registry import Paper

Alpha = Annotated[
    float, NON_NEGATIVE, Doc("weight of the amateur", "alpha >= 0; 0 is the expert on plausible tokens")
]
Cut = Annotated[
    float,
    Field(ge=0, le=1),
    Doc("least probability of a token, as a share of the likeliest one's", "0 to 1; 0 keeps all, 1 is greedy"),
]
Form = Annotated[
    FormName,
    Doc("(1 + α) log p_e − α log p_a, or log p_e − α log p_a as in the paper", "extrapolate or difference"),
]
AmateurModel = Annotated[
    str | None, Doc("model to compare with: folder or hub name; the same one if left out", "the same tokenizer")
]
Heat = Annotated[float, POSITIVE, Doc("temperature of the amateur; the paper's is 0.5", "above 0")]
Reads = Annotated[
    ReadsName,
    Doc(
        "what the amateur reads: all, the last message, nothing, or all under the opposite control code",
        "prompt, last-message, nothing or opposite-code",
    ),
]


@dataclass(frozen=True)
class Contrastive:
    """Token by token, both sides with keys and values of their own, fed the same tokens.

    Attributes:
        contrast: scores of the next token.
        amateur: begins the other side.
    """

    contrast: Contrast
    amateur: Amateur

    def check(self, task: Task) -> None:
        """See :class:`~truing.decoding.foresight.Checking`."""
        check(task, self.amateur)
        if (
            not self.contrast.alpha
            or self.contrast.amateur_temperature != 1
            or not isinstance(self.amateur, Reader)
        ):
            return
        for item in self.amateur.alike(task):
            kind = "is a text" if isinstance(task.prompts[item], str) else "has no other message"
            raise RecipeError(
                f"the amateur reads all that the expert reads, so that the model is compared with itself: prompt "
                f"{item + 1} of {len(task.prompts)} {kind}",
                where="decode.reads",
                allowed="last-message for conversations with a system message or earlier turns",
                fix="use reads: nothing, name an amateur, or give it a temperature",
            )

    def most(self, task: Task) -> Most:
        """See :class:`~truing.decoding.foresight.Bounded`."""
        return whole_answers(task, 1)

    def __call__(self, task: Task) -> list[Decoded]:
        """An answer to each prompt; it depends on the seed and the prompt's place, and not on what is beside it.

        Raises:
            RecipeError: if expert and amateur are the same model and read the same.
        """
        self.check(task)
        sampling, ends = task.sampling, task.engine.ends
        count, limit = len(task.prompts), sampling.max_new_tokens
        generator = torch.Generator().manual_seed(sampling.seed)
        luck = torch.rand(count, limit, generator=generator, dtype=torch.float64)
        rows, other = task.engine.rows(task.encoded, 1), self.amateur(task)
        answers: list[Tokens] = rows.tokens
        for step in range(limit):
            going = torch.tensor(
                [open_ended(tokens, ends, limit) for tokens in answers], device=rows.logits.device
            )
            if task.progress:
                task.progress(count - int(going.sum()), count)
            if not bool(going.any()):
                break
            scores = self.contrast(rows.logits, other.logits)
            tokens = chosen(
                scores, luck[:, step].to(scores.device), sampling.temperature, sampling.top_p, sampling.top_k
            )
            task.answer_tokens += int(going.sum())
            rows.push(tokens, going)
            other.push(tokens, going)
        return ended(task, rows.tokens, [[] for _ in answers])


@decoder(
    name="contrastive-decoding",
    slug="contrastive-decoding",
    paper=Paper("Contrastive Decoding: Open-ended Text Generation as Optimization", 2022, "2210.15097"),
    summary="Takes, among plausible tokens, those that an expert makes likelier than an amateur: a smaller model, or "
    "the same one without the context.",
    formula="score(z) = (1 + α) log p_e(z) − α log p_a(z) where p_e(z) ≥ b·max p_e, else −∞",
    legend=(
        "p_e: the model that answers;  p_a: the amateur, at a temperature of its own",
        "difference: log p_e − α log p_a, with α = 1 and an amateur temperature of 0.5 the paper's",
        "b: cut; which tokens are plausible is told by the expert alone, before anything is subtracted",
        "b = 0: classifier-free guidance with γ = 1 + α, l_a + γ (l_e − l_a)",
    ),
    use_when="Answers repeat themselves or ignore the context that they were given, and a weaker relative of the model "
    "shows the fault more: a smaller one, or the same one without system message and context.",
    avoid_when="The amateur is as good as the expert where it matters, or probabilities of the answers are needed.",
    requires=(
        "an amateur: another model with the same tokenizer, less of the prompt, or the opposite control code",
    ),
    cost="one more pass for every token, of the amateur",
)
def contrastive_decoding(
    alpha: Alpha = 1.0,
    cut: Cut = 0.1,
    form: Form = "extrapolate",
    amateur: AmateurModel = None,
    amateur_temperature: Heat = 1.0,
    reads: Reads = "prompt",
) -> Contrastive:
    """Against one amateur.

    Raises:
        ObjectiveError: if the amateur is the expert itself, or another model that has no control codes.
    """
    if amateur is None and reads == "prompt" and amateur_temperature == 1.0 and alpha > 0:
        raise ObjectiveError(
            "the amateur is the expert itself, so that nothing but the cut would have an effect",
            where="contrastive-decoding",
            fix="name an amateur (amateur=FOLDER), let it read less (reads=last-message or nothing), or give it a "
            "temperature",
        )
    if reads == "opposite-code":
        if amateur is not None:
            raise ObjectiveError(
                "control codes are known to the model that answers alone",
                where="contrastive-decoding",
                fix="remove amateur",
            )
        return Contrastive(Contrast(alpha, cut, form, amateur_temperature), OppositeCode())
    engine = None if amateur is None else NamedEngine(amateur, "amateur")
    return Contrastive(Contrast(alpha, cut, form, amateur_temperature), Reader(engine, READS[reads]))
