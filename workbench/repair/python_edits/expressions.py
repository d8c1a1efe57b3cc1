"""Expressions wrapped, unwrapped, extended, or replaced by one that the same function uses elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import libcst as cst

from workbench.repair.python_edits.base import (
    Proposal,
    Template,
    call_name,
    docstring_like,
    is_condition,
    is_load,
)
from workbench.repair.python_edits.source import Site

WRAPPERS = (
    "list",
    "sorted",
    "set",
    "len",
    "str",
    "int",
    "reversed",
    "abs",
    "tuple",
    "sum",
    "max",
    "min",
    "enumerate",
)
ITERATED = {"list", "sorted", "set", "reversed", "tuple", "enumerate"}
MOST_DONORS = 40


class Wrap(Template):
    """`x` to `sorted(x)`, `abs(x)`, `[x]`, `-x`."""

    name = "wrap_call"
    prior = 0.35
    kinds = (cst.Name, cst.Call, cst.Attribute, cst.Subscript, cst.BinaryOperation, cst.GeneratorExp)

    def propose(self, site: Site) -> Iterator[Proposal]:
        if not is_load(site) or isinstance(site.parent, cst.Attribute | cst.Expr) or _is_called(site):
            return
        iterated = isinstance(site.parent, cst.For | cst.CompFor)
        compared = isinstance(site.parent, cst.Comparison | cst.ComparisonTarget | cst.BinaryOperation)
        for wrapper in WRAPPERS:
            if wrapper in ("sum", "max", "min") and not isinstance(site.node, cst.GeneratorExp):
                continue
            if iterated and wrapper not in ITERATED:
                continue
            weight = 1.2 if compared and wrapper in ("len", "abs", "int", "str") else 0.7
            yield Proposal(f"{wrapper}({site.text})", weight=weight)
        if not iterated:
            yield Proposal(f"[{site.text}]", weight=0.9)
            yield Proposal(site.fit(f"-{site.atom_text}"), weight=0.6)
            yield Proposal(site.fit(f"{site.atom_text} ** 2"), weight=0.3)
            yield Proposal(site.fit(f"{site.atom_text} // 2"), weight=0.2)


class Unwrap(Template):
    """`f(x)` to `x`, `[x]` to `x`, `-x` to `x`, `x.m()` to `x`."""

    name = "unwrap_call"
    prior = 0.6
    kinds = (cst.Call, cst.List, cst.UnaryOperation)

    def propose(self, site: Site) -> Iterator[Proposal]:
        node = site.node
        if isinstance(site.parent, cst.Expr):
            return
        if isinstance(node, cst.Call):
            for arg in node.args:
                inner = site.source.text_of(arg.value)
                yield Proposal(
                    site.fit(inner) if not isinstance(arg.value, cst.GeneratorExp) else f"({inner})"
                )
            if isinstance(node.func, cst.Attribute) and not node.args:
                yield Proposal(site.source.text_of(node.func.value), weight=0.7)
        elif isinstance(node, cst.List) and len(node.elements) == 1:
            yield Proposal(site.source.text_of(node.elements[0].value))
        elif isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
            yield Proposal(site.source.text_of(node.expression))


class PartOfOperation(Template):
    """`a + b` to `a` or to `b`; `1 + f(x)` to `f(x)`; `max(a, b)` too."""

    name = "part_of_operation"
    prior = 0.6
    kinds = (cst.BinaryOperation, cst.IfExp)

    def propose(self, site: Site) -> Iterator[Proposal]:
        if isinstance(site.node, cst.BinaryOperation):
            for side in (site.node.left, site.node.right):
                yield Proposal(site.source.text_of(side))
        elif isinstance(site.node, cst.IfExp):
            test = site.source.text_of(site.node.test)
            body, other = site.source.text_of(site.node.body), site.source.text_of(site.node.orelse)
            yield Proposal(f"{other} if {test} else {body}", weight=1.5)


class ExtendedCondition(Template):
    """A condition joined with another one of the function, with a test for emptiness or for a bound."""

    name = "extended_condition"
    prior = 0.35
    kinds = (cst.BaseExpression,)

    def propose(self, site: Site) -> Iterator[Proposal]:
        if not is_condition(site):
            return
        here = _joined(site)
        for name in site.scope.local:
            for text in (f"{name} is None or", f"not {name} or", f"{name} is not None and", f"{name} and"):
                yield Proposal(f"{text} {here}")
            for attribute in _attributes_of(site, name):
                yield Proposal(f"{name}.{attribute} is None or {here}")
                yield Proposal(f"{name}.{attribute} is not None and {here}")
        for other in _conditions(site):
            yield Proposal(f"{here} and {other}", weight=0.5)
            yield Proposal(f"{here} or {other}", weight=0.5)
        for one, other in permutations(site.scope.local, 2):
            for text in (f"{one} < len({other})", f"{one} not in {other}", f"{one} in {other}"):
                yield Proposal(f"{here} and {text}", weight=0.25)
            yield Proposal(f"{here} or {one} == {other}", weight=0.15)


class OtherCondition(Template):
    """A whole condition replaced: by a name of the function, by always or never."""

    name = "other_condition"
    prior = 0.35
    kinds = (cst.BaseExpression,)

    def propose(self, site: Site) -> Iterator[Proposal]:
        if not is_condition(site):
            return
        for text in ("True", "False"):
            if site.text != text:
                yield Proposal(text, weight=0.4)
        endless = site.text in ("True", "1")
        for name in site.scope.local:
            yield Proposal(name, weight=1.8 if endless else 0.6)
            yield Proposal(f"not {name}", weight=0.6)
            yield Proposal(f"{name} is not None", weight=0.4)
            yield Proposal(f"len({name}) <= 1", weight=0.3)
            yield Proposal(f"len({name}) > 1", weight=0.3)
            yield Proposal(f"{name} <= 1", weight=0.2)
        for one in site.scope.local:
            for other in site.scope.local:
                if one != other:
                    yield Proposal(f"{one} in {other}", weight=0.15)
                    yield Proposal(f"{one} < {other}", weight=0.15)


class OtherExpression(Template):
    """An expression replaced by another one of the same function: a donor that the author wrote."""

    name = "other_expression"
    prior = 0.3
    kinds = (cst.Name, cst.Attribute, cst.Subscript, cst.Call, cst.BinaryOperation, cst.Integer)

    def propose(self, site: Site) -> Iterator[Proposal]:
        if not is_load(site) or isinstance(site.parent, cst.Attribute | cst.Expr) or _is_called(site):
            return
        compared = isinstance(site.parent, cst.Comparison | cst.ComparisonTarget)
        for donor, atomic in _donors(site):
            weight = 1.2 if compared else 0.8
            if isinstance(site.node, cst.Integer | cst.Name):
                weight *= 0.7
            yield Proposal(donor if atomic else site.fit(donor), weight=weight)


class AtLeast(Template):
    """A sum or difference held at a bound: `x` to `max(0, x)`, `max(a, x)`."""

    name = "at_least"
    prior = 0.4
    kinds = (cst.BinaryOperation, cst.Call)

    def propose(self, site: Site) -> Iterator[Proposal]:
        if not isinstance(site.parent, cst.Assign | cst.Arg | cst.Return | cst.AugAssign):
            return
        if isinstance(site.node, cst.Call) and call_name(site.node) in ("max", "min", "range"):
            return
        yield Proposal(f"max(0, {site.text})")
        if isinstance(site.parent, cst.Assign):
            target = site.source.text_of(site.parent.targets[0].target)
            yield Proposal(f"max({target}, {site.text})")
            yield Proposal(f"min({target}, {site.text})")


class Bounded(Template):
    """The larger or smaller of an expression and another one that the function uses."""

    name = "bounded"
    prior = 0.2
    kinds = (cst.Name, cst.Subscript, cst.Attribute)

    def propose(self, site: Site) -> Iterator[Proposal]:
        if not is_load(site) or not isinstance(site.parent, cst.Arg | cst.Element | cst.Return | cst.Assign):
            return
        for donor, _ in _donors(site):
            yield Proposal(f"max({site.text}, {donor})")
            yield Proposal(f"min({site.text}, {donor})", weight=0.8)


class Accumulated(Template):
    """What a comprehension or concatenation leaves out: `f(x)` to `x + f(x)`, `[...]` to `rest + [...]`."""

    name = "accumulated"
    prior = 0.3
    kinds = (cst.ListComp, cst.List, cst.Call, cst.BinaryOperation, cst.Name)

    def propose(self, site: Site) -> Iterator[Proposal]:
        if not isinstance(site.parent, cst.Return | cst.Assign | cst.Arg | cst.AugAssign | cst.ListComp):
            return
        if not is_load(site):
            return
        for name in site.scope.local:
            if name != site.text:
                yield Proposal(f"{name} + {site.text}", weight=0.7)
                yield Proposal(f"{site.text} + {name}", weight=0.7)
                yield Proposal(f"{site.text} + [{name}]", weight=0.5)
                yield Proposal(f"[{name}] + {site.text}", weight=0.3)
                yield Proposal(f"{site.text} - {name}", weight=0.3)


def _is_called(site: Site) -> bool:
    return isinstance(site.parent, cst.Call) and site.parent.func is site.node


def _joined(site: Site) -> str:
    """The condition, safe to be joined by `and` or `or`."""
    return (
        f"({site.text})"
        if isinstance(site.node, cst.BooleanOperation | cst.IfExp | cst.Lambda)
        else site.text
    )


def _attributes_of(site: Site, name: str) -> list[str]:
    """Attributes that the function reads from this variable."""
    found: dict[str, None] = {}
    for other in site.source.functions.get(site.function, []):
        node = other.node
        if isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name) and node.value.value == name:
            found[node.attr.value] = None
    return list(found)


def _conditions(site: Site) -> list[str]:
    """Other comparisons of the function."""
    found: dict[str, None] = {}
    for other in site.source.functions.get(site.function, []):
        if isinstance(other.node, cst.Comparison) and other.text != site.text:
            found[other.text] = None
    return list(found)


def _donors(site: Site) -> list[tuple[str, bool]]:
    """Texts of other expressions of the function, and whether they need no parentheses; the
    shortest first.
    """
    found: dict[str, bool] = {}
    kinds = (cst.Name, cst.Attribute, cst.Subscript, cst.Call, cst.BinaryOperation)
    for other in site.source.functions.get(site.function, []):
        if (
            isinstance(other.node, kinds)
            and is_load(other)
            and not _is_called(other)
            and not docstring_like(other)
        ):
            if isinstance(other.node, cst.Name) and isinstance(site.node, cst.Name):
                continue  # OtherName does that
            if other.text != site.text and "\n" not in other.text and not other.inside(cst.Lambda):
                found[other.text] = other.is_atom
    return sorted(found.items(), key=lambda item: len(item[0]))[:MOST_DONORS]
