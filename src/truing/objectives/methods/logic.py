"""A loss from a formula, and two new losses found in this way (2412.17696).

    logic    any formula over "the policy accepts the chosen, the rejected answer", and the same of the reference
    ccpo     log p_w − log(p_l (1 − p_w)): CPO that does not count both answers for both sides
    uncpo    log(1 − p_l (1 − p_w)) − log(p_l (1 − p_w)): the same demand, without a condition

All three take p = exp(mean log π), since the complement of a whole answer's probability is 1 to all digits.
"""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field

from truing.errors import ObjectiveError
from truing.objectives.algebra import Hinge, Link, Logistic, Objective, Squared
from truing.objectives.method import objective
from truing.objectives.parameters import Scale, TargetMargin
from truing.objectives.semantics import Formula, Structure, compile, parse, ratio
from truing.objectives.semantics.parsing import GRAMMAR, LONGEST
from truing.parameters import Doc
from truing.registry import Paper

PAPER = Paper("Understanding the Logic of Direct Preference Alignment through Logic", 2024, "2412.17696")

_TEXT = Field(min_length=1, max_length=LONGEST)
_BOUND = f"length <= {LONGEST}; {GRAMMAR}"
_ALIKE = f"length <= {LONGEST}; written as the formula is, with true and false in quotes"

_LINKS: dict[str, Callable[[float], Link]] = {
    "logistic": Logistic,
    "hinge": Hinge,
    "square": lambda beta: Squared(1 / (2 * beta)),
}


@objective(
    name="logic",
    slug="loss-logic",
    paper=PAPER,
    summary="Makes a formula about the two answers probable: a loss is written as what it demands.",
    use_when="What the policy should accept can be said in words, and no published loss says it.",
    avoid_when="The formula is that of a published loss: that one has its own defaults and its own evidence.",
)
def logic(
    formula: Annotated[str, _TEXT, Doc("what is demanded (P)", _BOUND)] = "M_l -> M_w",
    given: Annotated[str, _TEXT, Doc("under which condition (P_C)", _ALIKE)] = "M_w | M_l",
    also: Annotated[str, _TEXT, Doc("what counts for both sides (P_A)", _ALIKE)] = "false",
    link: Annotated[
        Literal["logistic", "hinge", "square"],
        Doc(
            "loss as a function of rho = log N/D: −log σ(beta·rho), max(0, 1 − beta·rho) or (rho − 1/(2·beta))²",
            '"logistic", "hinge" or "square"; nothing else is defined',
        ),
    ] = "logistic",
    beta: Scale = 1.0,
    gamma: TargetMargin = 0.0,
    against: Annotated[
        Literal["nothing", "reference"],
        Doc(
            "whether the same log-ratio under the reference is subtracted",
            '"nothing" or "reference"; nothing else is defined',
        ),
    ] = "nothing",
    reduction: Annotated[
        Literal["mean", "sum"],
        Doc(
            "an atom's probability: that of a token on average, or of the whole answer",
            '"mean" or "sum"; nothing else is defined',
        ),
    ] = "mean",
) -> Objective:
    """f(log N − log D), N = WMC((P | P_A) & P_C), D = WMC((!P | P_A) & P_C)."""
    structure = Structure(_read("formula", formula), _read("given", given), _read("also", also))
    if against == "reference":
        if any(atom.startswith("Ref") for atom in structure.atoms):
            raise ObjectiveError(
                "the formula speaks of the reference already, so that `against: reference` would count it twice",
                fix="leave Ref_w and Ref_l out of the formula, or `against` out",
            )
        structure = structure.against_reference()
    return compile(structure, _LINKS[link](beta), reduction=reduction, margin=gamma / beta if gamma else None)


@objective(
    name="ccpo",
    slug="loss-logic",
    paper=PAPER,
    summary="Asks that a rejected answer is accepted only together with the chosen one, where either is accepted.",
    use_when="CPO's comparison should not be content with two improbable answers in the right order.",
    avoid_when="The model must stay close to where it started: nothing anchors it.",
)
def ccpo(beta: Scale = 1.0) -> Objective:
    """−log σ(beta [log p_w − log(p_l (1 − p_w))])."""
    return compile(ratio("P_w", "P_l * (1 - P_w)"), Logistic(beta))


@objective(
    name="uncpo",
    slug="loss-logic",
    paper=PAPER,
    summary="Asks that a rejected answer is accepted only together with the chosen one, whatever else holds.",
    use_when="It is enough that the rejected answer loses: the loss is low where both answers are improbable.",
    avoid_when="The chosen answers should become likely: once the rejected ones are improbable nothing is learned.",
)
def uncpo(beta: Scale = 1.0) -> Objective:
    """−log σ(beta [log(1 − p_l (1 − p_w)) − log(p_l (1 − p_w))])."""
    return compile(ratio("1 - P_l * (1 - P_w)", "P_l * (1 - P_w)"), Logistic(beta))


def _read(name: str, text: str) -> Formula:
    """A formula from a recipe; the error names the key. A margin is given by gamma."""
    try:
        found = parse(text)
    except ObjectiveError as error:
        raise ObjectiveError(
            f"{name} = {text!r} cannot be used: it {error.what.removeprefix(f'formula {text!r} ')}",
            allowed=_BOUND,
            fix=error.fix,
        ) from None
    if any(atom.startswith("Mar") for atom in found.atoms):
        raise ObjectiveError(
            f"{name} = {text!r} cannot be used: the atoms of a margin are not written in a formula",
            allowed=_BOUND,
            fix="write the rest of the formula, and `gamma: 1.0` beside it",
        )
    return found
