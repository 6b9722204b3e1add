"""DCKD and ADPA (2502.17927): what a student takes from the distributions of an aligned teacher."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from truing.evidence.claim import Factory, claim
from truing.evidence.measurement import Measurement, above, below, equals
from truing.evidence.setups import normals
from truing.evidence.token_world import Chain, Setting, derived_names
from truing.objectives import Batch, Objective, Scores
from truing.policies.distributions import FUNCTIONALS
from truing.worlds import Autoregressive, tilted

PAIRS, LENGTH = 30, 5


# -- DCKD: the teacher on both answers ----------------------------------------------------------------------


@dataclass(frozen=True)
class Classroom:
    """A teacher, a student that starts elsewhere, and pairs whose answers lead through different contexts.

    Chosen answers are made of tokens 0 and 1, rejected ones of 2 and 3; token 4 is in none.

    Attributes:
        seen: rows of the table that are met, of chosen and of rejected answers.
    """

    setting: Setting
    student: Chain
    seen: tuple[Tensor, Tensor]


def _classroom(seed: int) -> Classroom:
    teacher, student = (Chain.random(2 * seed + place) for place in (0, 1))
    generator = torch.Generator().manual_seed(seed)
    bits = torch.randint(2, (PAIRS, 2, LENGTH), generator=generator)
    answers = (bits + torch.tensor([0, 2])[None, :, None]).reshape(-1, LENGTH)
    seen = (torch.tensor([0, 1]), torch.tensor([2, 3]))
    return Classroom(Setting(student, answers, models={"truing/tiny": teacher}), student, seen)


def _taught(objective: Objective, room: Classroom) -> Chain:
    """Trained until nothing moves."""
    student = Chain(room.student.table)
    optimizer = torch.optim.LBFGS(
        student.parameters(), max_iter=500, tolerance_grad=1e-10, line_search_fn="strong_wolfe"
    )
    names = derived_names(objective)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss: Tensor = objective(room.setting.scores(student, names), Batch.pairs(PAIRS)).loss
        loss.backward()
        return loss

    optimizer.step(closure)
    return student


def _apart(one: Chain, other: Chain) -> Float[Tensor, " contexts"]:
    """Total variation between the next-token distributions, row by row."""
    first, second = (torch.softmax(model.table.detach(), -1) for model in (one, other))
    return 0.5 * (first - second).abs().sum(-1)


@claim(
    method="dckd",
    statement="A student that can express any distribution becomes the teacher wherever chosen and rejected answers "
    "lead: total variation under 0.01 in each such context, without the likelihood term.",
    source="2502.17927: KL(teacher ‖ student) has its minimum, 0, at the teacher",
)
def becomes_the_teacher(make: Factory, seed: int) -> Measurement:
    room = _classroom(seed)
    student = _taught(make(sft_weight=0.0), room)
    apart = _apart(student, room.setting.models["truing/tiny"])
    return below(0.01, float(apart[torch.cat(room.seen)].max()), "total variation")


@claim(
    method="dckd",
    statement="The weights say where: with rejected = 0 contexts of chosen answers are learned (total variation under "
    "0.01), and those that only rejected answers lead to stay as they were, to 1e-12.",
    source="2502.17927: the two constraints are apart",
)
def each_constraint_by_itself(make: Factory, seed: int) -> Measurement:
    room = _classroom(seed)
    student = _taught(make(sft_weight=0.0, rejected=0.0), room)
    learned = float(_apart(student, room.setting.models["truing/tiny"])[room.seen[0]].max())
    moved = float(_apart(student, room.student)[room.seen[1]].max())
    return equals(0.0, moved if learned < 0.01 else learned, 1e-12, "total variation")


# -- ADPA: what alignment taught ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Aligned:
    """A tiny language model before and after alignment by DPO's exact optimum, in every state where it can choose.

    Attributes:
        before, after: log-probability of every next token, one row a state; the last token ends the answer.
        advantage: Q*(s, a) − V*(s) of the soft token decision process, from its own recursion, units of reward.
    """

    before: Float[Tensor, "states actions"]
    after: Float[Tensor, "states actions"]
    advantage: Float[Tensor, "states actions"]


def _aligned(seed: int, beta: float, longest: int = 3) -> Aligned:
    policy = Autoregressive.random(seed, vocabulary=2, longest=longest)
    reward = normals(seed + 1, len(policy.outputs))
    laws = (policy.logps().detach(), tilted(policy.probabilities(), reward[None], beta).log())
    starts = [
        {
            prefix: law[0, [i for i, s in enumerate(policy.outputs) if s[: len(prefix)] == prefix]].logsumexp(0)
            for prefix in policy.outputs
        }
        for law in laws
    ]
    ends = {string: place for place, string in enumerate(policy.outputs)}
    rows: list[list[Tensor]] = [[], [], []]
    # Backwards through the soft Bellman equation: V(s) = beta·log Σ_a before(a|s)·e^(Q(s, a)/beta).
    value = {string: reward[ends[string]] for string in policy.outputs if len(string) == longest}
    for prefix in reversed([string for string in policy.outputs if len(string) < longest]):
        choices = [(*prefix, token) for token in (0, 1)]
        for law, start, row in zip(laws, starts, rows, strict=False):
            row.append(torch.stack([*(start[choice] for choice in choices), law[0, ends[prefix]]]) - start[prefix])
        q = torch.stack([*(value[choice] for choice in choices), reward[ends[prefix]]])
        value[prefix] = beta * torch.logsumexp(rows[0][-1] + q / beta, 0)
        rows[2].append(q - value[prefix])
    return Aligned(*(torch.stack(row) for row in rows))


def _expected(
    objective: Objective, student: Float[Tensor, "states actions"], world: Aligned
) -> Float[Tensor, " states"]:
    """What the objective adds for one sample in each state, with its sign; the likelihood of its answer is 1."""
    (name,) = derived_names(objective)
    count = len(student)
    models = {"after": world.after, "before": world.before}
    values = FUNCTIONALS["advantage"](student, *(models[model] for model in name.partition(":")[2].split("|")))
    # A record is an answer to imitate, then a sample.
    derived = torch.stack([torch.zeros_like(values), values], -1).flatten()
    place = torch.arange(count)
    answers = Batch(place.repeat_interleave(2), count, 2 * place, place[:0], paired=False, own=2 * place)
    samples = replace(answers, chosen=2 * place + 1, own=2 * place + 1)
    scores = Scores(torch.zeros_like(derived), torch.arange(2 * count), 2 * count, derived={name: derived})
    return objective(scores, replace(answers, parts={"samples": samples})).per_example


def _certain(world: Aligned) -> tuple[Aligned, Tensor]:
    """Every state once for each action, and students that are certain of that action there."""
    states, actions = world.before.shape
    student = torch.full((actions, actions), -torch.inf, dtype=torch.float64).fill_diagonal_(0.0).repeat(states, 1)
    rows = (values.repeat_interleave(actions, 0) for values in (world.before, world.after, world.advantage))
    return Aligned(*rows), student


_MODELS = {"teacher": "after", "teacher_start": "before"}


@claim(
    method="adpa",
    statement="With a teacher that is DPO's optimum, a student that is certain of an action gains gamma·A, where A is "
    "the soft advantage Q* − V* of the Bellman equation, divided by beta: largest error 1e-8 over all states and "
    "actions.",
    source="2502.17927: log teacher − log of its start is the advantage; 2404.12358 for the token decision process",
)
def soft_advantage(make: Factory, seed: int) -> Measurement:
    gamma, beta = 0.3, 0.5
    world, student = _certain(_aligned(seed, beta))
    gain = -_expected(make(gamma=gamma, **_MODELS), student, world) / gamma
    wanted = torch.diagonal(world.advantage.view(-1, 3, 3), dim1=1, dim2=2).flatten() / beta
    return equals(0.0, float((gain - wanted).abs().max()), 1e-8, "nats")


@claim(
    method="adpa",
    statement="The teacher gains in every state, and what it was before its alignment loses in every state: over 20 "
    "worlds the smaller of both is above 0.",
    source="2502.17927: they are KL(after ‖ before) and −KL(before ‖ after)",
)
def the_teacher_gains_and_its_start_loses(make: Factory, seed: int) -> Measurement:
    objective = make(gamma=1.0, **_MODELS)
    smallest = []
    for world in (_aligned(100 * seed + place, 0.5) for place in range(20)):
        gain, loss = (-_expected(objective, student, world) for student in (world.after, world.before))
        smallest.append(min(float(gain.min()), float(-loss.max())))
    return above(0.0, min(smallest), "nats")


@claim(
    method="adpa",
    statement="Looking at all tokens makes the gradient of a sample vary less than looking at the one that was "
    "sampled: in 20 worlds the largest ratio of variances, by enumeration, is below 1.",
    source="2502.17927: distribution-level advantage; Rao–Blackwell",
)
def varies_less_than_the_sampled_token(make: Factory, seed: int) -> Measurement:
    objective = make(gamma=1.0, **_MODELS)
    ratios = []
    for place in range(20):
        world = _aligned(100 * seed + place, 0.5)
        logits = normals(100 * seed + place + 50, *world.before.shape).requires_grad_()
        student = torch.log_softmax(logits, -1)
        (whole,) = torch.autograd.grad(_expected(objective, student, world).sum(), logits)
        chance, advantage = student.detach().exp(), world.after - world.before
        # d log π(a)/d logits, times the advantage of a, for every a that can be sampled.
        sampled = -(torch.eye(3) - chance[:, None, :]) * advantage[:, :, None]
        # States are equally likely; the sample decides on the token.
        mean = whole.mean(0)
        varies = [((whole - mean) ** 2).sum(-1).mean()]
        varies.append((chance * ((sampled - mean) ** 2).sum(-1)).sum(-1).mean())
        # An estimate of something else may vary less: both have the same mean.
        off = float((whole - (chance[:, :, None] * sampled).sum(1)).abs().max())
        ratios.append(float(varies[0] / varies[1]) if off < 1e-9 else float("inf"))
    return below(1.0, max(ratios), "ratio of variances")


# -- KL: keeping distributions where they are -----------------------------------------------------------------


@claim(
    method="kl",
    statement="At the reference the loss and every partial derivative are 0, to 1e-12.",
    source="2401.06121: the KL term of its baselines",
)
def at_rest_at_the_reference(make: Factory, seed: int) -> Measurement:
    room, objective = _classroom(seed), make()
    loss, slope = _slope(objective, room, room.student.table.detach())
    return equals(0.0, max(abs(loss), float(slope.abs().max())), 1e-12, "nats")


@claim(
    method="kl",
    statement="After a move the gradient is that of the mean over answers of mean_t KL(ref ‖ π): at each position "
    "π − ref in the logits; largest error 1e-10, and it leads back: its product with the move is positive.",
    source="2401.06121: the KL term of its baselines; the gradient of a cross entropy",
)
def leads_back(make: Factory, seed: int) -> Measurement:
    room, objective = _classroom(seed), make()
    move = normals(seed + 5, *room.student.table.shape)
    start = room.student.table.detach()
    _, slope = _slope(objective, room, start + move)
    chosen = room.setting.answers[0::2]
    met = torch.bincount(room.student.contexts(chosen), minlength=len(start)).double() / chosen.numel()
    wanted = met[:, None] * (torch.softmax(start + move, -1) - torch.softmax(start, -1))
    back = float((slope * move).sum())
    return equals(0.0, float((slope - wanted).abs().max()) if back > 0 else -back + 1.0, 1e-10, "nats")


def _slope(objective: Objective, room: Classroom, table: Tensor) -> tuple[float, Tensor]:
    policy = Chain(table)
    loss = objective(room.setting.scores(policy, derived_names(objective)), Batch.pairs(PAIRS)).loss
    (slope,) = torch.autograd.grad(loss, policy.table)
    return float(loss.detach()), slope
