"""Constants, boundaries and initial values."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from workbench.repair.python_edits.base import Proposal, Template, call_name, is_condition, is_load
from workbench.repair.python_edits.source import Site

LITERALS: dict[str, tuple[tuple[str, float], ...]] = {
    "True": (("False", 1.0),),
    "False": (("True", 1.0),),
    "None": tuple((other, 0.3) for other in ("[]", "0", "{}", '""', "False", "True")),
    "[]": (("[[]]", 0.8), ("None", 0.3), ("set()", 0.3), ("{}", 0.3)),
    "{}": (("[]", 0.3), ("set()", 0.3)),
    "()": (("[]", 0.3),),
    "set()": (("[]", 0.3), ("{}", 0.3)),
    '""': (('" "', 0.5),),
    "''": (("' '", 0.5),),
    '" "': (('""', 0.5),),
    "' '": (("''", 0.5),),
    'float("inf")': (('-float("inf")', 1.0), ("0", 1.0)),
    "float('inf')": (("-float('inf')", 1.0), ("0", 1.0)),
}


class Constant(Template):
    """A whole number one more or less, or 0, 1, 2, -1."""

    name = "constant"
    prior = 0.9
    kinds = (cst.Integer,)

    def propose(self, site: Site) -> Iterator[Proposal]:
        value = int(site.text.replace("_", ""), 0)
        negative = isinstance(site.parent, cst.UnaryOperation)
        for other, weight in ((value + 1, 1.0), (value - 1, 1.0), (0, 0.5), (1, 0.5), (2, 0.3), (-1, 0.3)):
            if other != value and not (other < 0 and negative):
                yield Proposal(str(other), weight=weight)


class OffByOne(Template):
    """`x` to `x + 1` or `x - 1`, and `x + 1` to `x`, where a number is likely."""

    name = "off_by_one"
    prior = 0.8
    kinds = (cst.Name, cst.BinaryOperation, cst.Call, cst.Attribute, cst.Subscript)

    def propose(self, site: Site) -> Iterator[Proposal]:
        if not is_load(site):
            return
        node = site.node
        if isinstance(node, cst.BinaryOperation):
            if isinstance(node.right, cst.Integer) and isinstance(node.operator, cst.Add | cst.Subtract):
                yield Proposal(site.source.text_of(node.left), weight=0.9)
            weight = 0.5
        elif isinstance(site.parent, cst.Arg) and call_name(site.parents[-2]) == "range":
            weight = 1.4
        elif isinstance(site.parent, cst.Index | cst.Slice | cst.Comparison | cst.ComparisonTarget):
            weight = 0.8
        elif isinstance(site.parent, cst.Arg | cst.Return | cst.Assign | cst.BinaryOperation):
            weight = 0.35
        else:
            return
        if isinstance(node, cst.Call) and call_name(node) not in ("len", "min", "max", "sum", "int", "abs"):
            weight *= 0.5
        for text in ("+ 1", "- 1"):
            yield Proposal(site.fit(f"{site.text} {text}"), weight=weight)


class RangeBounds(Template):
    """`range(n)` to `range(1, n)`, `range(1, n)` to `range(n)`, counting down, and enumerate from 1."""

    name = "range_bounds"
    prior = 0.7
    kinds = (cst.Call,)

    def propose(self, site: Site) -> Iterator[Proposal]:
        assert isinstance(site.node, cst.Call)
        name = call_name(site.node)
        args = [site.source.text_of(arg.value) for arg in site.node.args]
        if name == "range" and len(args) == 1:
            yield Proposal(f"range(1, {args[0]})")
            yield Proposal(f"range(1, {args[0]} + 1)")
            yield Proposal(f"range({args[0]} - 1, -1, -1)", weight=0.5)
            yield Proposal(f"range(2, {args[0]})", weight=0.3)
        elif name == "range" and len(args) == 2:
            yield Proposal(f"range({args[1]})", weight=0.6)
            yield Proposal(f"range({args[0]}, {args[1]}, -1)", weight=0.4)
            for local in site.scope.local:
                yield Proposal(f"range({local}, {args[1]})", weight=0.3)
        elif name == "range" and len(args) == 3:
            yield Proposal(f"range({args[0]}, {args[1]})", weight=0.6)
        elif name == "enumerate" and len(args) == 1:
            yield Proposal(f"enumerate({args[0]}, 1)", weight=0.6)


class SliceBounds(Template):
    """A slice's bounds left out, given, or one further."""

    name = "slice_bounds"
    prior = 0.7
    kinds = (cst.Subscript,)

    def propose(self, site: Site) -> Iterator[Proposal]:
        assert isinstance(site.node, cst.Subscript)
        if len(site.node.slice) != 1:
            return
        value = site.source.text_of(site.node.value)
        part = site.node.slice[0].slice
        if isinstance(part, cst.Slice):
            lower, upper, step = (
                site.source.text_of(bound) if bound else "" for bound in (part.lower, part.upper, part.step)
            )
            tail = f":{step}" if step else ""
            for low, high in _slices(lower, upper):
                yield Proposal(f"{value}[{low}:{high}{tail}]")
            if not step:
                yield Proposal(f"{value}[{lower}:{upper}:-1]", weight=0.3)
        elif isinstance(part, cst.Index) and is_load(site):
            index = site.source.text_of(part.value)
            for text in (f"{value}[{index}:]", f"{value}[:{index}]"):
                yield Proposal(text, weight=0.2)


def _slices(lower: str, upper: str) -> Iterator[tuple[str, str]]:
    if lower:
        yield "", upper
        yield f"{lower} + 1", upper
        yield f"{lower} - 1", upper
    else:
        yield "1", upper
    if upper:
        yield lower, ""
        yield lower, f"{upper} + 1"
        yield lower, f"{upper} - 1"
    else:
        yield lower, "-1"
    if bool(lower) != bool(upper):
        yield upper, lower


class NegativeIndex(Template):
    """First for last: `x[0]` to `x[-1]`, `pop()` to `pop(0)`."""

    name = "other_end"
    prior = 0.7
    kinds = (cst.Subscript, cst.Call)

    def propose(self, site: Site) -> Iterator[Proposal]:
        if isinstance(site.node, cst.Subscript):
            value = site.source.text_of(site.node.value)
            for here, there in (("[0]", "[-1]"), ("[-1]", "[0]")):
                if site.text == value + here:
                    yield Proposal(value + there)
        elif isinstance(site.node, cst.Call) and isinstance(site.node.func, cst.Attribute):
            function = site.source.text_of(site.node.func)
            if site.node.func.attr.value == "pop":
                for arguments in ("()", "(0)", "(-1)"):
                    if site.text != function + arguments:
                        yield Proposal(function + arguments)


class InitialValue(Template):
    """Another literal: True for False, [] for None, 0 for 1, infinity for 0, [[]] for []."""

    name = "initial_value"
    prior = 0.7
    kinds = (cst.Name, cst.Integer, cst.List, cst.Dict, cst.Tuple, cst.Call, cst.SimpleString, cst.Float)

    def propose(self, site: Site) -> Iterator[Proposal]:
        if not is_load(site) or (is_condition(site) and not isinstance(site.node, cst.Name)):
            return
        for other, weight in LITERALS.get(site.text, ()):
            yield Proposal(other, weight=weight)
        if isinstance(site.node, cst.Integer) and isinstance(site.parent, cst.Assign | cst.Arg):
            for other in ('float("inf")', '-float("inf")', "None"):
                yield Proposal(other, weight=0.4)
