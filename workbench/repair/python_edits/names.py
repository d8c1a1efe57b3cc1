"""Names, attributes and arguments."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from itertools import combinations

import libcst as cst

from workbench.repair.python_edits.base import Proposal, Template, call_name, is_load
from workbench.repair.python_edits.source import BUILTINS, Site

SIBLING_CALLS = (
    ("any", "all"),
    ("min", "max"),
    ("append", "extend"),
    ("append", "insert"),
    ("add", "update"),
    ("add", "discard"),
    ("pop", "popleft"),
    ("append", "appendleft"),
    ("lower", "upper"),
    ("strip", "rstrip"),
    ("strip", "lstrip"),
    ("split", "rsplit"),
    ("find", "rfind"),
    ("index", "rindex"),
    ("find", "index"),
    ("startswith", "endswith"),
    ("keys", "values"),
    ("keys", "items"),
    ("values", "items"),
    ("remove", "discard"),
    ("sort", "reverse"),
    ("sorted", "reversed"),
    ("union", "intersection"),
    ("difference", "union"),
    ("floor", "ceil"),
    ("int", "round"),
    ("isdigit", "isalpha"),
    ("isalpha", "isalnum"),
    ("isdigit", "isalnum"),
    ("heappush", "heappushpop"),
    ("bisect_left", "bisect_right"),
    ("get", "setdefault"),
    ("replace", "strip"),
    ("combinations", "permutations"),
    ("combinations", "combinations_with_replacement"),
    ("zip", "zip_longest"),
    ("islice", "takewhile"),
    ("first", "last"),
    ("left", "right"),
    ("start", "end"),
    ("next", "prev"),
    ("next", "previous"),
    ("head", "tail"),
    ("lower", "casefold"),
    ("ljust", "rjust"),
)


class OtherName(Template):
    """A variable for another of the function; those that look alike come first."""

    name = "other_name"
    prior = 0.55
    kinds = (cst.Name,)

    def propose(self, site: Site) -> Iterator[Proposal]:
        assert isinstance(site.node, cst.Name)
        here = site.node.value
        scope = site.scope
        if not is_load(site) or here in ("True", "False", "None"):
            return
        called = isinstance(site.parent, cst.Call) and site.parent.func is site.node
        names = scope.module if called or here not in scope.local else scope.local
        if here not in (*scope.local, *scope.module) and here not in BUILTINS:
            names, boost = (*scope.local, *scope.module), 2.0
        else:
            boost = 0.5 if called else 1.0
        for other in dict.fromkeys(names):
            if other != here and not other.startswith("__"):
                alike = difflib.SequenceMatcher(None, here, other).ratio()
                yield Proposal(other, weight=boost * (0.6 + 0.6 * alike))


class OtherTarget(Template):
    """Assign to another variable: `a = ...` to `b = ...`."""

    name = "other_target"
    prior = 0.3
    kinds = (cst.Name,)

    def propose(self, site: Site) -> Iterator[Proposal]:
        assert isinstance(site.node, cst.Name)
        if isinstance(site.parent, cst.AssignTarget) or (
            isinstance(site.parent, cst.AugAssign) and site.parent.target is site.node
        ):
            for other in site.scope.local:
                if other != site.node.value:
                    yield Proposal(other)


class SiblingCall(Template):
    """A function or method for its sibling: any and all, min and max, append and extend; near-miss
    spellings.
    """

    name = "sibling_call"
    prior = 1.0
    kinds = (cst.Call, cst.Attribute)

    def propose(self, site: Site) -> Iterator[Proposal]:
        if isinstance(site.node, cst.Attribute):
            yield from self._attribute(site, site.node)
            return
        if isinstance(site.node, cst.Call) and isinstance(site.node.func, cst.Name):
            start, end = site.source.span(site.node.func)
            for other in siblings(site.node.func.value):
                yield Proposal(other, start, end)
            if site.node.func.value not in BUILTINS:
                for other in difflib.get_close_matches(site.node.func.value, sorted(BUILTINS), 2, 0.75):
                    yield Proposal(other, start, end, weight=0.5)

    def _attribute(self, site: Site, node: cst.Attribute) -> Iterator[Proposal]:
        here = node.attr.value
        start, end = site.source.span(node.attr)
        for other in siblings(here):
            yield Proposal(other, start, end)
        known = [name for name in site.source.attribute_names if name != here]
        close = difflib.get_close_matches(here, [*known, *COMMON_METHODS], 3, 0.75)
        for other in close:
            yield Proposal(other, start, end, weight=0.9)
        for other in known:
            if other not in close and site.source.attribute_names[other] > 0:
                yield Proposal(other, start, end, weight=0.35)


COMMON_METHODS = sorted(
    {name for kind in (str, list, dict, set, bytes, int) for name in dir(kind) if not name.startswith("_")}
)


def siblings(name: str) -> Iterator[str]:
    for one, other in SIBLING_CALLS:
        if name == one:
            yield other
        elif name == other:
            yield one


class Arguments(Template):
    """Arguments swapped, left out, given once more or passed on changed."""

    name = "arguments"
    prior = 0.8
    kinds = (cst.Call,)

    def propose(self, site: Site) -> Iterator[Proposal]:
        assert isinstance(site.node, cst.Call)
        function = site.source.text_of(site.node.func)
        args = [
            site.source.text_of(arg.with_changes(comma=cst.MaybeSentinel.DEFAULT)) for arg in site.node.args
        ]
        for one, other in combinations(range(len(args)), 2):
            swapped = list(args)
            swapped[one], swapped[other] = args[other], args[one]
            yield Proposal(f"{function}({', '.join(swapped)})", weight=1.2 if other == one + 1 else 0.8)
        for number in range(len(args)):
            if len(args) > 1:
                yield Proposal(f"{function}({', '.join(args[:number] + args[number + 1 :])})", weight=0.3)
        for name in (*site.scope.params, *site.scope.assigned):
            if name not in args:
                yield Proposal(f"{function}({', '.join([*args, name])})", weight=0.25)


class RecursionArgument(Template):
    """What a function passes to itself: one less, halved, the rest of a sequence, another of its
    variables.
    """

    name = "recursion_argument"
    prior = 0.7
    kinds = (cst.Arg,)

    def propose(self, site: Site) -> Iterator[Proposal]:
        assert isinstance(site.node, cst.Arg)
        function = site.function
        if function is None or call_name(site.parent) != function.name.value:
            return
        text = site.source.text_of(site.node.value)
        start, end = site.source.span(site.node.value)
        plain = isinstance(site.node.value, cst.Name)
        for other in (f"{text} - 1", f"{text} + 1", f"{text}[1:]", f"{text}[:-1]", f"{text} // 2"):
            if plain:
                yield Proposal(other, start, end)
        for local in site.scope.local:
            if local != text:
                yield Proposal(local, start, end, weight=0.8)
        for one in site.scope.local:
            for other in site.scope.local:
                if one != other:
                    for operator in ("-", "+", "%"):
                        yield Proposal(f"{one} {operator} {other}", start, end, weight=0.2)
