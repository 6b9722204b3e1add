"""``POST /v1/rewards`` and ``POST /v1/judge``: what answers are worth, and which of two is better."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fastapi import APIRouter, Request, Response

from truing.errors import TruingError
from truing.json_values import plain
from truing.judging.bench import PROTOCOLS, Judged
from truing.judging.merging import MERGES
from truing.judging.presentation import Pair
from truing.rewards.algebra import Prompt
from truing.rewards.functions.prompt_text import transcript
from truing.rewards.pipeline import Judgement, Pipeline
from truing.serving.http.bodies import JudgeBody, Message, RewardsBody
from truing.serving.http.front import Front, conversation
from truing.serving.http.replies import RewardList, Verdict
from truing.serving.http.stream import answer, described

_WORDING = 128
"""Tokens in which a judge is asked, besides the texts that it judges."""


def rewards_page(front: Front, router: APIRouter) -> None:
    """Add the page."""

    @router.post("/v1/rewards", **described(RewardList))
    async def rewards(body: RewardsBody, request: Request) -> Response:
        """What answers are worth, by the server's rewards or by those that are named."""
        front.check_model(body.model)
        pipeline = await front.in_thread(lambda: front.served.pipeline_of(body.wanted()))
        if pipeline.columns:
            raise TruingError(
                f"a reward reads the columns {', '.join(pipeline.columns)} of records, which requests do not have",
                where="rewards",
                fix="use rewards that read prompts and answers",
            )
        prompts = [_prompt(prompt) for prompt in body.prompts]
        await front.in_thread(lambda: _check_room(front, zip(prompts, body.completions, strict=True)))
        found = await front.waited(
            request.receive, front.in_turn(lambda: pipeline.judge(prompts, body.completions))
        )
        return await answer(front, lambda: _rewards(front.served.name, pipeline, found))


def _rewards(model: str, pipeline: Pipeline, found: Judgement) -> RewardList:
    raw = found.raw.only(list(pipeline.names)).values.detach().double().cpu().tolist()
    return {
        "object": "list",
        "model": model,
        "data": [
            {
                "index": index,
                "object": "reward",
                "reward": plain(reward),
                "objectives": plain(dict(zip(pipeline.names, row, strict=True))),
            }
            for index, (reward, row) in enumerate(zip(found.reward.double().cpu().tolist(), raw, strict=True))
        ],
    }


def judge_page(front: Front, router: APIRouter) -> None:
    """Add the page."""

    @router.post("/v1/judge", **described(Verdict))
    async def judge(body: JudgeBody, request: Request) -> Response:
        """Which of two answers the served model has better, by the odds of the letters that name them."""
        front.check_model(body.model)
        pair = Pair(_prompt(body.prompt), body.a, body.b, body.reference)
        read = (body.a, body.b, body.reference or "", body.criteria or "")
        await front.in_thread(lambda: _check_room(front, [(pair.prompt, *read)]))
        bench = replace(front.served.bench(body.criteria), merge=MERGES[body.merge])
        protocol = PROTOCOLS[body.protocol]
        found = await front.waited(request.receive, front.in_turn(lambda: protocol.run(bench, [pair])))
        return await answer(front, lambda: _verdict(front.served.name, body.protocol, found))


def _verdict(model: str, protocol: str, found: Judged) -> Verdict:
    told: Verdict = plain(
        {
            "object": "verdict",
            "model": model,
            "protocol": protocol,
            **found.verdicts[0].as_dict(),
            "asked": found.asked,
        }
    )
    return told


def _check_room(front: Front, read: Iterable[tuple[Prompt, *tuple[str, ...]]]) -> None:
    """Refuse texts beyond what the served model reads: work on longer ones could not be broken off.

    Raises:
        TruingError: if there is one.
    """
    for prompt, *texts in read:
        whole = "\n".join((transcript(prompt), *texts))
        if whole.strip():
            front.served.check_room(whole, _WORDING)


def _prompt(given: str | list[Message]) -> Prompt:
    return given if isinstance(given, str) else conversation(given)
