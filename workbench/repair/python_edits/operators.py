"""One operator for another."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from workbench.repair.python_edits.base import Proposal, Template, is_condition
from workbench.repair.python_edits.source import Site

COMPARISONS: dict[type[cst.BaseCompOp], tuple[str, ...]] = {
    cst.LessThan: ("<=", ">", ">=", "!=", "=="),
    cst.LessThanEqual: ("<", ">=", ">", "=="),
    cst.GreaterThan: (">=", "<", "<=", "!=", "=="),
    cst.GreaterThanEqual: (">", "<=", "<", "=="),
    cst.Equal: ("!=", "<=", ">=", "<", ">", "is", "in"),
    cst.NotEqual: ("==", "<", ">", "is not", "not in"),
    cst.In: ("not in", "=="),
    cst.NotIn: ("in", "!="),
    cst.Is: ("is not", "=="),
    cst.IsNot: ("is", "!="),
}
ARITHMETIC: dict[type[cst.BaseBinaryOp], tuple[str, ...]] = {
    cst.Add: ("-", "*"),
    cst.Subtract: ("+", "*", "//", "%"),
    cst.Multiply: ("+", "**", "/", "//"),
    cst.Divide: ("//", "*", "%"),
    cst.FloorDivide: ("/", "%", "*", "-"),
    cst.Modulo: ("//", "/", "-"),
    cst.Power: ("*",),
    cst.BitAnd: ("|", "^", "-"),
    cst.BitOr: ("&", "^", "+"),
    cst.BitXor: ("&", "|", "**"),
    cst.LeftShift: (">>",),
    cst.RightShift: ("<<",),
}
AUGMENTED = ("+=", "-=", "*=", "//=", "/=", "|=", "&=", "^=", "%=", "<<=", ">>=", "=")
KINDRED = ({"*=", "+=", "//=", "/="}, {"&=", "|=", "^="}, {"<<=", ">>="})


class ComparisonOperator(Template):
    """`a < b` to `a <= b` and so on; the boundary changes come first."""

    name = "comparison_operator"
    prior = 1.0
    kinds = (cst.Comparison,)

    def propose(self, site: Site) -> Iterator[Proposal]:
        assert isinstance(site.node, cst.Comparison)
        before = site.source.span(site.node.left)[1]
        for target in site.node.comparisons:
            after = site.source.span(target.comparator)[0]
            between = site.source.slice(before, after)
            closing = between[: len(between) - len(between.lstrip(") "))]
            opening = between.rstrip("( ")
            tail = between[len(opening) :].lstrip() if len(opening) < len(between) else ""
            for rank, text in enumerate(COMPARISONS.get(type(target.operator), ())):
                middle = f"{closing.rstrip()} {text} {tail.strip()}"
                yield Proposal(middle, before, after, weight=1.0 if rank < 2 else 0.6 if rank < 3 else 0.3)
            before = site.source.span(target.comparator)[1]


class ArithmeticOperator(Template):
    """`a + b` to `a - b` and so on."""

    name = "arithmetic_operator"
    prior = 0.7
    kinds = (cst.BinaryOperation,)

    def propose(self, site: Site) -> Iterator[Proposal]:
        assert isinstance(site.node, cst.BinaryOperation)
        left, right = (site.source.text_of(side) for side in (site.node.left, site.node.right))
        for rank, text in enumerate(ARITHMETIC.get(type(site.node.operator), ())):
            yield Proposal(f"{left} {text} {right}", weight=1.0 if rank == 0 else 0.6)


class BooleanOperator(Template):
    """`and` for `or`, and the other way round."""

    name = "boolean_operator"
    prior = 1.0
    kinds = (cst.BooleanOperation,)

    def propose(self, site: Site) -> Iterator[Proposal]:
        assert isinstance(site.node, cst.BooleanOperation)
        left, right = (site.source.text_of(side) for side in (site.node.left, site.node.right))
        yield Proposal(f"{left} {'or' if isinstance(site.node.operator, cst.And) else 'and'} {right}")
        yield Proposal(left, weight=0.5)
        yield Proposal(right, weight=0.5)


class NegatedCondition(Template):
    """`if x` to `if not x`."""

    name = "negated_condition"
    prior = 0.7
    kinds = (cst.BaseExpression,)

    def propose(self, site: Site) -> Iterator[Proposal]:
        in_boolean = isinstance(site.parent, cst.BooleanOperation)
        if isinstance(site.node, cst.UnaryOperation) and isinstance(site.node.operator, cst.Not):
            yield Proposal(site.fit(site.source.text_of(site.node.expression)))
        elif (is_condition(site) or in_boolean or isinstance(site.parent, cst.Return)) and not isinstance(
            site.node, cst.Comparison
        ):
            yield Proposal(
                f"not {site.atom_text}", weight=0.5 if isinstance(site.parent, cst.Return) else 1.0
            )


class AugmentedAssignment(Template):
    """`x += 1` to `x -= 1`, `x = 1`; `x = 1` to `x += 1`."""

    name = "augmented_assignment"
    prior = 0.6
    kinds = (cst.AugAssign, cst.Assign)

    def propose(self, site: Site) -> Iterator[Proposal]:
        if isinstance(site.node, cst.AugAssign):
            target, value = site.source.text_of(site.node.target), site.source.text_of(site.node.value)
            present = site.text[len(target) :].lstrip().split("=")[0] + "="
            for text in AUGMENTED:
                if text != present:
                    likely = text in ("+=", "-=", "=") or any({text, present} <= kin for kin in KINDRED)
                    yield Proposal(f"{target} {text} {value}", weight=1.0 if likely else 0.3)
        elif isinstance(site.node, cst.Assign) and len(site.node.targets) == 1:
            target = site.source.text_of(site.node.targets[0].target)
            value = site.source.text_of(site.node.value)
            if not isinstance(site.node.targets[0].target, cst.Tuple):
                yield Proposal(f"{target} += {value}", weight=0.8)
                yield Proposal(f"{target} = {target} + {value}", weight=0.1)
                if isinstance(site.node.targets[0].target, cst.Name) and site.inside(cst.For, cst.While):
                    yield Proposal(f"{target} = max({target}, {value})", weight=0.7)
                    yield Proposal(f"{target} = min({target}, {value})", weight=0.6)


class SwappedOperands(Template):
    """`a - b` to `b - a`, `f(a) + g(b)` to `g(b) + f(a)`, `a < b` to `b < a`."""

    name = "swapped_operands"
    prior = 0.5
    kinds = (cst.BinaryOperation, cst.Comparison)

    def propose(self, site: Site) -> Iterator[Proposal]:
        if isinstance(site.node, cst.BinaryOperation):
            left, right = site.source.span(site.node.left), site.source.span(site.node.right)
            operator = site.source.slice(left[1], right[0])
            texts = [site.source.text_of(side) for side in (site.node.right, site.node.left)]
            if "(" not in operator and ")" not in operator:
                yield Proposal(operator.join(texts))
