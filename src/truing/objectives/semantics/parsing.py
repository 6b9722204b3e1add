"""Reading formulas: Boolean ones, and products and sums of probabilities.

Nothing is evaluated: a recipe is data, so the text goes through a grammar of a few lines.

    formula   M_w & !M_l        M_l -> M_w        implies(M_l, M_w)        (M_w | M_l) & true
    ratio     P_w * (1 - P_l)   over              P_l * (1 - P_w)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from truing.errors import ObjectiveError, did_you_mean
from truing.objectives.semantics.formulas import ATOMS, FALSE, TRUE, Formula, atom

GRAMMAR = (
    "M_w, M_l (the policy accepts the chosen, the rejected answer), Ref_w, Ref_l (the reference does), "
    "! & | -> <->, implies(a, b), true, false, brackets; e.g. `M_w & !M_l`"
)
PROBABILITIES = {"P_w": "M_w", "P_l": "M_l", "R_w": "Ref_w", "R_l": "Ref_l"}
ARITHMETIC = (
    "P_w, P_l (probability of the chosen, the rejected answer), R_w, R_l (under the reference), products, "
    "`1 - x`, and sums of what cannot be true together; e.g. `P_w * (1 - P_l)`"
)
LONGEST = 400
"""Characters in a formula."""

_DEEPEST = 40
_TOKEN = re.compile(r"\s*(<->|->|[A-Za-z_]\w*|[!~&|()+*,·−-]|\d+(?:\.\d+)?)")
_SAME = {"~": "!", "not": "!", "and": "&", "or": "|", "·": "*", "−": "-", "True": "true", "False": "false"}


@dataclass
class _Reader:
    """Tokens one after the other; mistakes are reported with their column."""

    text: str
    grammar: str
    tokens: list[tuple[str, int]] = field(default_factory=list)
    place: int = 0
    depth: int = 0

    def __post_init__(self) -> None:
        if len(self.text) > LONGEST:
            raise self.mistake(f"has {len(self.text)} characters; at most {LONGEST} can be read")
        start, end = 0, len(self.text.rstrip())
        while start < end:
            found = _TOKEN.match(self.text, start)
            if found is None:
                column = start + len(self.text[start:]) - len(self.text[start:].lstrip()) + 1
                raise self.mistake(f"cannot be read at column {column}: {self.text[column - 1]!r}")
            self.tokens.append((_SAME.get(found[1], found[1]), found.start(1) + 1))
            start = found.end()

    @property
    def next(self) -> str:
        return self.tokens[self.place][0] if self.place < len(self.tokens) else ""

    def take(self, *wanted: str) -> str | None:
        """The next token if it is one of these."""
        if self.next not in wanted or not self.next:
            return None
        self.place += 1
        return self.tokens[self.place - 1][0]

    def need(self, wanted: str) -> None:
        if self.take(wanted) is None:
            raise self.unexpected(f"{wanted!r} is missing")

    def inside(self, rule: Callable[[_Reader], Formula]) -> Formula:
        """What stands in brackets, where the opening one has been read."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.mistake(f"has more than {_DEEPEST} brackets inside one another")
        found = rule(self)
        self.depth -= 1
        return found

    def whole(self, rule: Callable[[_Reader], Formula]) -> Formula:
        found = self.inside(rule)
        if self.next:
            raise self.unexpected(f"{self.next!r} was not expected")
        return found

    def unexpected(self, what: str) -> ObjectiveError:
        at = f"at column {self.tokens[self.place][1]}" if self.next else "at its end"
        return self.mistake(f"cannot be read {at}: {what}")

    def mistake(self, what: str, fix: str | None = None) -> ObjectiveError:
        return ObjectiveError(f"formula {self.text!r} {what}", allowed=self.grammar, fix=fix)


def parse(text: str) -> Formula:
    """A Boolean formula from text.

    ``!`` binds closest, then ``&``, ``|``, ``->`` (to the right), ``<->``.

    Raises:
        ObjectiveError: on what is no formula; names the column.
    """
    return _Reader(text, GRAMMAR).whole(_equivalence)


def probability(text: str) -> Formula:
    """The formula whose probability is a product, complement or disjoint sum of probabilities.

    A product becomes *and*, ``1 - x`` *not*, a sum *or*. That is sound only if the factors share no atom (``P_w * P_w``
    is no probability of any formula) and the summands exclude each other; both are looked up in truth tables.

    Raises:
        ObjectiveError: on what cannot be read, a repeated atom, or a sum that is not disjoint; names the parts.
    """
    return _Reader(text, ARITHMETIC).whole(_sum)


def product(left: Formula, right: Formula) -> Formula | None:
    """The formula whose probability is the product of both, or ``None`` where they share an atom."""
    return None if set(left.atoms) & set(right.atoms) else left & right


def disjoint_sum(left: Formula, right: Formula) -> Formula | None:
    """The formula whose probability is the sum of both, or ``None`` where both can be true."""
    return None if (left & right).possible else left | right


# -- Boolean grammar -------------------------------------------------------------------------------------


def _equivalence(read: _Reader) -> Formula:
    left = _implication(read)
    while read.take("<->"):
        right = _implication(read)
        left = left.implies(right) & right.implies(left)
    return left


def _implication(read: _Reader) -> Formula:
    parts = [_disjunction(read)]
    while read.take("->"):
        parts.append(_disjunction(read))
    found = parts.pop()
    while parts:
        found = parts.pop().implies(found)
    return found


def _disjunction(read: _Reader) -> Formula:
    found = _conjunction(read)
    while read.take("|"):
        found |= _conjunction(read)
    return found


def _conjunction(read: _Reader) -> Formula:
    found = _literal(read)
    while read.take("&"):
        found &= _literal(read)
    return found


def _literal(read: _Reader) -> Formula:
    denied = False
    while read.take("!"):
        denied = not denied
    found = _unsigned(read)
    return ~found if denied else found


def _unsigned(read: _Reader) -> Formula:
    if read.take("("):
        found = read.inside(_equivalence)
        read.need(")")
        return found
    if read.take("implies"):
        read.need("(")
        left = read.inside(_equivalence)
        read.need(",")
        right = read.inside(_equivalence)
        read.need(")")
        return left.implies(right)
    for word, constant in (("true", TRUE), ("false", FALSE)):
        if read.take(word):
            return constant
    return _name(read, {name: name for name in ATOMS})


def _name(read: _Reader, names: dict[str, str]) -> Formula:
    name = read.next
    if not re.match(r"[A-Za-z_]", name):
        raise read.unexpected(f"{name!r} was not expected" if name else "something is missing")
    if name not in names:
        raise read.mistake(f"has an unknown atom {name!r}", did_you_mean(name, [*names, "true", "false"]))
    read.take(name)
    return atom(names[name])


# -- arithmetic grammar ----------------------------------------------------------------------------------


def _sum(read: _Reader) -> Formula:
    found = _product(read)
    while sign := read.take("+", "-"):
        right = _product(read)
        if sign == "-":
            if found != TRUE:
                raise read.mistake("subtracts from something else than 1", "write a complement as `1 - x`")
            found = ~right
            continue
        total = disjoint_sum(found, right)
        if total is None:
            both = next((found & right).rows())
            shown = ", ".join(name for name, value in both.items() if value) or "nothing"
            raise read.mistake(
                f"adds `{found}` and `{right}`, which can both be true (where {shown} holds): "
                "their sum is no probability of either",
                "multiply one by the complement of the other, e.g. `P_w + (1 - P_w) * P_l`",
            )
        found = total
    return found


def _product(read: _Reader) -> Formula:
    found = _factor(read)
    while read.take("*"):
        right = _factor(read)
        both = product(found, right)
        if both is None:
            shared = ", ".join(name for name in found.atoms if name in right.atoms)
            raise read.mistake(
                f"multiplies `{found}` and `{right}`, which share {shared}: the product is no probability of "
                "their conjunction",
                "use each atom in one factor only",
            )
        found = both
    return found


def _factor(read: _Reader) -> Formula:
    if read.take("("):
        found = read.inside(_sum)
        read.need(")")
        return found
    for number, constant in (("1", TRUE), ("0", FALSE)):
        if read.take(number):
            return constant
    return _name(read, PROBABILITIES)
