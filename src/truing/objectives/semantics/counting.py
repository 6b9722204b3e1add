"""Weighted model counting: the probability of a formula whose atoms are independent.

WMC(F) is the sum, over the assignments that make F true, of the product of their atoms' probabilities. In torch it is
taken in log space and can be differentiated; over whole numbers it is exact, which decides whether two
expressions are the same polynomial.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product

import torch
from jaxtyping import Float, Int
from torch import Tensor

from truing.objectives.algebra.scores import Batch, Scores
from truing.objectives.algebra.sequence_scores import LogProb, SequenceScore, log1mexp, missing_reference
from truing.objectives.semantics.formulas import Formula

# An answer of probability 1 has log(1 − p) = −inf; the log-odds of ORPO stop at the same place.
_LARGEST_LOGP = -1e-6
# Three values of each variable tell polynomials of degree two apart.
_POINTS = (1, 2, 3)
_WHOLE = 4
_EXCHANGED = {"M_w": "M_l", "M_l": "M_w", "Ref_w": "Ref_l", "Ref_l": "Ref_w"}


def log_count(formula: Formula, logps: Mapping[str, Float[Tensor, " pairs"]]) -> Float[Tensor, " pairs"] | float:
    """Log WMC of a formula, nats, shape ``[pairs]``; 0 for the true formula.

    Args:
        formula: must be possible, since the log of the false one is −inf.
        logps: log-probability of each of its atoms, at most 0.
    """
    if not formula.atoms:
        return 0.0
    true = {name: logps[name].clamp(max=_LARGEST_LOGP) for name in formula.atoms}
    false = {name: log1mexp(value) for name, value in true.items()}
    rows = [
        torch.stack([true[name] if value else false[name] for name, value in row.items()]).sum(0)
        for row in formula.rows()
    ]
    return torch.logsumexp(torch.stack(rows), 0)


def count(formula: Formula, probabilities: Mapping[str, float]) -> float:
    """WMC of a formula."""
    total = 0.0
    for row in formula.rows():
        weight = 1.0
        for name, value in row.items():
            weight *= probabilities[name] if value else 1 - probabilities[name]
        total += weight
    return total


def same_products(left: tuple[Formula, Formula], right: tuple[Formula, Formula]) -> bool:
    """Whether WMC(a)·WMC(b) = WMC(c)·WMC(d) for all probabilities.

    Both sides are polynomials of degree at most two in each probability, so that three values of each decide it;
    the arithmetic is in whole numbers.
    """
    atoms = tuple(sorted({name for formula in (*left, *right) for name in formula.atoms}))
    for values in product(_POINTS, repeat=len(atoms)):
        point = dict(zip(atoms, values, strict=True))
        a, b, c, d = (_exact(formula, point, atoms) for formula in (*left, *right))
        if a * b != c * d:
            return False
    return True


def _exact(formula: Formula, point: Mapping[str, int], atoms: tuple[str, ...]) -> int:
    """WMC in units of ``4^−atoms``, at probabilities that are quarters."""
    total = 0
    for row in formula.rows():
        weight = int(_WHOLE ** (len(atoms) - len(formula.atoms)))
        for name, value in row.items():
            weight *= point[name] if value else _WHOLE - point[name]
        total += weight
    return total


@dataclass(frozen=True)
class Counted:
    """A pairing whose gap is log WMC(N) − log WMC(D), in place of a difference of two scores.

    Args:
        numerator: N, whose probability rises.
        denominator: D, whose probability falls.
    """

    numerator: Formula
    denominator: Formula
    coupled = False

    @property
    def atoms(self) -> set[str]:
        """The atoms of both formulas."""
        return {*self.numerator.atoms, *self.denominator.atoms}

    @property
    def compares_with_reference(self) -> bool:
        """Whether the reference's log-probabilities are needed."""
        return any(name.startswith("Ref") for name in self.atoms)

    def exchanged(self) -> Counted:
        """The pairing with chosen and rejected exchanged in both formulas."""
        return Counted(self.numerator.renamed(_EXCHANGED), self.denominator.renamed(_EXCHANGED))

    def __call__(
        self, score: SequenceScore, scores: Scores, batch: Batch
    ) -> tuple[Float[Tensor, " pairs"], Int[Tensor, " pairs"]]:
        """Rho of each pair; ``score`` gives the log-probability of an atom."""
        sides = {"M": score(scores, batch)}
        if self.compares_with_reference:
            if scores.reference is None:
                raise missing_reference()
            sides["Ref"] = score(replace(scores, token_logps=scores.reference), batch)
        logps = {
            f"{model}_{side}": values[index]
            for model, values in sides.items()
            for side, index in (("w", batch.chosen), ("l", batch.rejected))
        }
        gap = log_count(self.numerator, logps) - log_count(self.denominator, logps)
        return torch.as_tensor(gap), batch.example[batch.chosen]

    def count(self, batch: Batch) -> Tensor:
        return batch.weights[batch.example[batch.chosen]].sum()

    def sides(self, score: SequenceScore, better: str = "w", worse: str = "l") -> tuple[str, str]:
        own = self if better == "w" else self.exchanged()
        return log_text(own.numerator, score), log_text(own.denominator, score)


def log_text(formula: Formula, score: SequenceScore) -> str:
    """Log WMC as a formula of probabilities, e.g. ``log(p_l·(1 − p_w))``."""
    body = _probability_text(formula, score)
    if all(sign not in body for sign in "+−·"):
        return f"log {body}"
    # A single complement has brackets already.
    alone = len(formula.atoms) == 1
    return f"log{body}" if alone else f"log({body})"


def _probability_text(formula: Formula, score: SequenceScore) -> str:
    cubes = formula.cubes()
    if not cubes:
        return "0"
    if len(cubes) == 1:
        return "·".join(_literal_text(name, sign, score) for name, sign in cubes[0]) or "1"
    other = (~formula).cubes()
    if len(other) == 1:
        return f"1 − {'·'.join(_literal_text(name, sign, score) for name, sign in other[0])}"
    # Split on the first atom: the two cases exclude each other, so that their probabilities add up.
    first = formula.atoms[0]
    cases = []
    for value in (True, False):
        rest = formula.given(first, value)
        if rest.possible:
            literal, body = _literal_text(first, value, score), _probability_text(rest, score)
            grouped = f"({body})" if " + " in body or (" − " in body and "·" not in body) else body
            cases.append(literal if body == "1" else f"{literal}·{grouped}")
    return " + ".join(cases)


def _literal_text(name: str, sign: bool, score: SequenceScore) -> str:
    model, side = name.split("_")
    averaged = isinstance(score, LogProb) and score.reduction == "mean"
    symbol = {
        ("M", True): f"p_{side}",
        ("M", False): f"π(y_{side})",
        ("Ref", True): f"q_{side}",
        ("Ref", False): f"ref(y_{side})",
    }[model, averaged]
    if isinstance(score, LogProb) and score.tokens is not None:
        symbol = score.tokens.text(symbol)
    return symbol if sign else f"(1 − {symbol})"
