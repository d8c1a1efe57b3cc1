"""Statements left out, repeated, moved or put in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from workbench.repair.python_edits.base import Proposal, Template
from workbench.repair.python_edits.source import Site

GROWS = {"append": "list", "add": "set", "appendleft": "deque", "extend": "list"}


class DeleteStatement(Template):
    """A simple statement replaced by pass, or an `else:`-less if by its body."""

    name = "delete_statement"
    prior = 0.35
    kinds = (cst.SimpleStatementLine, cst.If)

    def propose(self, site: Site) -> Iterator[Proposal]:
        if isinstance(site.node, cst.SimpleStatementLine):
            inner = site.node.body[0]
            if isinstance(inner, cst.Return):
                yield Proposal("pass", weight=0.5)
            elif not isinstance(inner, cst.Import | cst.ImportFrom | cst.Pass) and not _is_docstring(inner):
                yield Proposal("pass")
        elif isinstance(site.node, cst.If) and site.node.orelse is None:
            start, end = site.source.span(site.node.test)
            yield Proposal("True", start, end, weight=0.6)


class MoveStatement(Template):
    """A statement one place up or down, out of its block, or to the end of the block before it."""

    name = "move_statement"
    prior = 0.4
    kinds = (cst.SimpleStatementLine, cst.If)

    def propose(self, site: Site) -> Iterator[Proposal]:
        siblings = _siblings(site)
        index = next((i for i, other in enumerate(siblings) if other is site.node), -1)
        if index < 0:
            return
        source = site.source
        if index + 1 < len(siblings):
            yield from self._swap(site, siblings[index + 1])
        start, end = source.line_start(site.start), source.line_end(site.end)
        own = source.slice(start, end)
        if not own.endswith("\n") or not isinstance(site.node, cst.SimpleStatementLine):
            return
        owner = next(
            (parent for parent in reversed(site.parents[:-1]) if isinstance(parent, cst.BaseStatement)), None
        )
        if owner is not None and index == len(siblings) - 1 and index > 0 and _is_block(owner):
            # Out of the block, behind it: the same line, less deep.
            outer = source.indent_of(source.span(owner)[0])
            yield Proposal(outer + own.lstrip(), start, end, weight=1.2)
        if index > 0 and _is_block(siblings[index - 1]):
            deeper = self._deeper(site, siblings[index - 1])
            if deeper:
                yield Proposal(deeper + own.lstrip(), start, end, weight=1.2)

    def _swap(self, site: Site, other: cst.CSTNode) -> Iterator[Proposal]:
        if not isinstance(other, cst.SimpleStatementLine) or not isinstance(
            site.node, cst.SimpleStatementLine
        ):
            return
        start, end = site.source.span(other)
        between = site.source.slice(site.end, start)
        yield Proposal(site.source.slice(start, end) + between + site.text, site.start, end)

    def _deeper(self, site: Site, block: cst.CSTNode) -> str:
        """Indent of a block's last statement, so that a line can join it."""
        body = getattr(block, "body", None)
        orelse = getattr(block, "orelse", None)
        if orelse is not None:
            body = getattr(orelse, "body", None)
        if not isinstance(body, cst.IndentedBlock) or not body.body:
            return ""
        return site.source.indent_of(site.source.span(body.body[-1])[0])


class InsertStatement(Template):
    """A line put in before or behind a statement: grow a collection, update a variable, leave early.

    Collections that nothing fills and variables that a loop reads but never sets come first.
    """

    name = "insert_statement"
    prior = 0.4
    kinds = (cst.SimpleStatementLine, cst.If, cst.For, cst.While)

    def propose(self, site: Site) -> Iterator[Proposal]:
        if site.function is None or _is_docstring_line(site.node):
            return
        indent = site.source.indent_of(site.start)
        start = site.source.line_start(site.start)
        siblings = _siblings(site)
        last = bool(siblings) and siblings[-1] is site.node
        for text, weight in _insertions(site):
            yield Proposal(f"{indent}{text}\n", start, start, weight=weight)
            if last and not _leaves(site.node):
                end = site.source.line_end(site.end)
                if site.source.slice(end - 1, end) == "\n":
                    yield Proposal(f"{indent}{text}\n", end, end, weight=weight)


class EarlyReturn(Template):
    """`if not x: return ...` at the top of a function."""

    name = "early_return"
    prior = 0.4
    kinds = (cst.FunctionDef,)

    def propose(self, site: Site) -> Iterator[Proposal]:
        assert isinstance(site.node, cst.FunctionDef)
        body = site.node.body
        if not isinstance(body, cst.IndentedBlock) or not body.body:
            return
        first = body.body[1] if len(body.body) > 1 and _is_docstring_line(body.body[0]) else body.body[0]
        at = site.source.span(first)[0]
        indent, start = site.source.indent_of(at), site.source.line_start(at)
        values = ["[]", "0", "None", "False", "True", "1", '""', "[[]]"]
        params = site.source.scope_of(site.node).params
        values += list(params)
        for name in params:
            if name in ("self", "cls"):
                continue
            for test in (
                f"not {name}",
                f"{name} is None",
                f"len({name}) <= 1",
                f"{name} == 0",
                f"{name} <= 1",
            ):
                for value in values:
                    text = f"{indent}if {test}:\n{indent}    return {value}\n"
                    yield Proposal(
                        text, start, start, weight=1.0 if value in ("[]", "0", "None", name) else 0.5
                    )


class LoopControl(Template):
    """break for continue and return, a missing break, `while` for `if`."""

    name = "loop_control"
    prior = 0.6
    kinds = (cst.Break, cst.Continue, cst.Pass, cst.If, cst.While)

    def propose(self, site: Site) -> Iterator[Proposal]:
        node = site.node
        if isinstance(node, cst.Break | cst.Continue):
            yield Proposal("continue" if isinstance(node, cst.Break) else "break")
        elif isinstance(node, cst.If | cst.While):
            keyword = "if" if site.text.startswith("if") else "while" if site.text.startswith("while") else ""
            other = {"if": "while", "while": "if"}.get(keyword)
            if other and (isinstance(node, cst.While) or node.orelse is None):
                yield Proposal(other, site.start, site.start + len(keyword), weight=0.7)
            if keyword == "if" and isinstance(site.parents[-1], cst.If):
                return
            if site.text.startswith("elif"):
                yield Proposal("if", site.start, site.start + 4, weight=0.5)


class Unpacking(Template):
    """Two targets or values swapped in a multiple assignment, or its values given one after the other."""

    name = "unpacking"
    prior = 0.7
    kinds = (cst.Assign,)

    def propose(self, site: Site) -> Iterator[Proposal]:
        assert isinstance(site.node, cst.Assign)
        target = site.node.targets[0].target
        for side in (site.node.value, target):
            if isinstance(side, cst.Tuple) and len(side.elements) == 2:
                texts = [site.source.text_of(element.value) for element in side.elements]
                start, end = site.source.span(side)
                yield Proposal(f"{texts[1]}, {texts[0]}", start, end)
                if side is site.node.value:
                    for name in site.scope.local:
                        yield Proposal(f"{texts[0]}, {name}", start, end, weight=0.4)
                        yield Proposal(f"{name}, {texts[1]}", start, end, weight=0.4)


def _insertions(site: Site) -> Iterator[tuple[str, float]]:
    """Lines that could be missing here, with a weight."""
    scope = site.scope
    body = site.source.text_of(site.function) if site.function else ""
    in_loop = site.inside(cst.For, cst.While)
    for name in scope.local:
        yield from _growth(name, scope.local, body, in_loop)
    for one in scope.assigned:
        yield from _updates(one, scope.local, body, in_loop)
    if in_loop:
        yield "break", 0.3
        yield "continue", 0.3
    for name in scope.local:
        yield f"return {name}", 0.2


def _growth(name: str, names: Sequence[str], body: str, in_loop: bool) -> Iterator[tuple[str, float]]:
    """`name.append(other)` for what looks like a collection; far more likely when nothing ever fills it."""
    methods = [method for method in GROWS if f"{name}.{method}(" in body]
    emptied = any(f"{name} = {empty}" in body for empty in ("[]", "set()", "deque("))
    if not (emptied or methods or f"in {name}" in body):
        return
    missing = emptied and not methods
    grown = methods or (["add"] if f"{name} = set" in body else ["append"] if emptied else ["add", "append"])
    weight = 0.5 if not missing else 1.5 if in_loop else 0.9
    for method in grown:
        for other in names:
            if other != name:
                yield f"{name}.{method}({other})", weight


def _updates(one: str, names: Sequence[str], body: str, in_loop: bool) -> Iterator[tuple[str, float]]:
    """`one = other`, `one += 1`; likelier for a variable that a loop reads and nothing sets again."""
    stale = in_loop and body.count(f"{one} =") + body.count(f"{one} +=") <= 1
    for other in names:
        if one != other:
            yield f"{one} = {other}", (0.8 if stale else 0.25)
    if in_loop:
        if f"{one} = 0" in body or f"{one} = 1" in body:
            yield f"{one} = 0", 0.5
            yield f"{one} = 1", 0.5
        yield f"{one} += 1", 0.8 if stale else 0.2
        yield f"{one} -= 1", 0.3


def _siblings(site: Site) -> Sequence[cst.CSTNode]:
    body = getattr(site.parent, "body", ())
    return body if isinstance(body, tuple | list) else ()


def _is_block(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.For | cst.While | cst.If | cst.With | cst.Try)


def _leaves(node: cst.CSTNode) -> bool:
    """Whether nothing behind this statement runs."""
    ends = (cst.Return, cst.Raise, cst.Break, cst.Continue)
    return isinstance(node, cst.SimpleStatementLine) and isinstance(node.body[-1], ends)


def _is_docstring_line(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.SimpleStatementLine) and _is_docstring(node.body[0])


def _is_docstring(node: object) -> bool:
    return isinstance(node, cst.Expr) and isinstance(node.value, cst.SimpleString | cst.ConcatenatedString)
