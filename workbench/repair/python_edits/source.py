"""A Python file as the templates see it: nodes with their place in the text, what surrounds them,
what is in scope.
"""

from __future__ import annotations

import bisect
import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper

ATOMS = (
    cst.Name,
    cst.Call,
    cst.Attribute,
    cst.Subscript,
    cst.List,
    cst.Dict,
    cst.Set,
    cst.ListComp,
    cst.SetComp,
    cst.DictComp,
    cst.Integer,
    cst.Float,
    cst.SimpleString,
    cst.FormattedString,
)
BINDS_TIGHTER = (
    cst.BinaryOperation,
    cst.UnaryOperation,
    cst.Attribute,
    cst.Subscript,
    cst.Comparison,
    cst.ComparisonTarget,
    cst.BooleanOperation,
    cst.Await,
    cst.Call,
)


@dataclass(frozen=True, eq=False)
class Site:
    """One node with its place: start and end are byte offsets, parents go from the module inwards."""

    source: Source
    node: cst.CSTNode
    start: int
    end: int
    parents: tuple[cst.CSTNode, ...]

    @property
    def text(self) -> str:
        return self.source.slice(self.start, self.end)

    @property
    def parent(self) -> cst.CSTNode:
        return self.parents[-1]

    @property
    def line(self) -> int:
        return self.source.line_of(self.start)

    @cached_property
    def function(self) -> cst.FunctionDef | None:
        """The innermost function around the node."""
        for parent in reversed(self.parents):
            if isinstance(parent, cst.FunctionDef):
                return parent
        return None

    @cached_property
    def scope(self) -> Scope:
        return self.source.scope_of(self.function)

    @property
    def is_atom(self) -> bool:
        """Whether the text can stand inside any expression without parentheses."""
        return isinstance(self.node, ATOMS) or bool(getattr(self.node, "lpar", ()))

    def inside(self, *kinds: type[cst.CSTNode]) -> bool:
        """Whether a node of one of the kinds lies around this one, within its function."""
        for parent in reversed(self.parents):
            if isinstance(parent, kinds):
                return True
            if isinstance(parent, cst.FunctionDef):
                return False
        return False

    def fit(self, text: str) -> str:
        """The text of a compound expression, with parentheses where this place needs them."""
        if isinstance(self.parent, BINDS_TIGHTER) and not getattr(self.node, "lpar", ()):
            in_call_arguments = isinstance(self.parent, cst.Call) and self.parent.func is not self.node
            return text if in_call_arguments else f"({text})"
        return text

    @property
    def atom_text(self) -> str:
        return self.text if self.is_atom else f"({self.text})"


@dataclass(frozen=True)
class Scope:
    """The names that a function can use: parameters in order, locals, and those of the module."""

    function: cst.FunctionDef | None
    params: tuple[str, ...]
    assigned: tuple[str, ...]
    module: tuple[str, ...]

    @cached_property
    def local(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.params, *self.assigned)))


class Source:
    """One file, parsed. Raises libcst.ParserSyntaxError for what isn't Python."""

    def __init__(self, path: str, content: bytes) -> None:
        self.path = path
        self.content = content
        wrapper = MetadataWrapper(cst.parse_module(content), unsafe_skip_copy=True)
        self.module = wrapper.module
        self._spans = wrapper.resolve(ByteSpanPositionProvider)
        self._line_starts = [0]
        for offset, byte in enumerate(content):
            if byte == 10:
                self._line_starts.append(offset + 1)

    def slice(self, start: int, end: int) -> str:
        return self.content[start:end].decode()

    def text_of(self, node: cst.CSTNode) -> str:
        """Source of a node, with its own parentheses."""
        return self.module.code_for_node(node)

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        span = self._spans[node]
        return span.start, span.start + span.length

    def line_of(self, offset: int) -> int:
        return bisect.bisect_right(self._line_starts, offset)

    def line_start(self, offset: int) -> int:
        return self._line_starts[self.line_of(offset) - 1]

    def line_end(self, offset: int) -> int:
        """Offset behind the line's newline."""
        line = self.line_of(offset)
        return self._line_starts[line] if line < len(self._line_starts) else len(self.content)

    def indent_of(self, offset: int) -> str:
        start = self.line_start(offset)
        return self.slice(start, offset) if not self.slice(start, offset).strip() else ""

    @cached_property
    def sites(self) -> list[Site]:
        collector = _Collector(self)
        self.module.visit(collector)
        return collector.sites

    @cached_property
    def functions(self) -> dict[cst.FunctionDef | None, list[Site]]:
        """The sites of every function by the innermost function they stand in; None is the module itself."""
        found: dict[cst.FunctionDef | None, list[Site]] = {}
        for site in self.sites:
            found.setdefault(site.function, []).append(site)
        return found

    @cached_property
    def _scopes(self) -> dict[cst.FunctionDef | None, Scope]:
        return {}

    def scope_of(self, function: cst.FunctionDef | None) -> Scope:
        if function not in self._scopes:
            self._scopes[function] = self._scope(function)
        return self._scopes[function]

    def _scope(self, function: cst.FunctionDef | None) -> Scope:
        module = tuple(_bound_names(self.module))
        if function is None:
            return Scope(None, (), module, module)
        params = tuple(param.name.value for param in _all_params(function.params))
        assigned = tuple(dict.fromkeys(_bound_names(function.body)))
        return Scope(function, params, assigned, module)

    @cached_property
    def attribute_names(self) -> Mapping[str, int]:
        """Attributes used in the file and how often."""
        counts: dict[str, int] = {}
        for site in self.sites:
            if isinstance(site.node, cst.Attribute):
                name = site.node.attr.value
                counts[name] = counts.get(name, 0) + 1
        return counts


class _Collector(cst.CSTVisitor):
    def __init__(self, source: Source) -> None:
        self._source = source
        self._parents: list[cst.CSTNode] = []
        self.sites: list[Site] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.BaseParenthesizableWhitespace | cst.Comma | cst.EmptyLine | cst.Annotation):
            return False
        if isinstance(node, cst.BaseExpression | cst.BaseSmallStatement | cst.BaseStatement | cst.Arg):
            start, end = self._source.span(node)
            self.sites.append(Site(self._source, node, start, end, tuple(self._parents)))
        self._parents.append(node)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if self._parents and self._parents[-1] is original_node:
            self._parents.pop()


class _Bound(cst.CSTVisitor):
    """Names that a body binds."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}

    def _targets(self, target: cst.BaseExpression) -> Iterator[str]:
        if isinstance(target, cst.Name):
            yield target.value
        elif isinstance(target, cst.Tuple | cst.List):
            for element in target.elements:
                yield from self._targets(element.value)

    def _add(self, target: cst.BaseExpression) -> None:
        self.names.update(dict.fromkeys(self._targets(target)))

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._add(node.target)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._add(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._add(node.target)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self._add(node.target)

    def visit_For(self, node: cst.For) -> None:
        self._add(node.target)

    def visit_CompFor(self, node: cst.CompFor) -> None:
        self._add(node.target)

    def visit_AsName(self, node: cst.AsName) -> None:
        if isinstance(node.name, cst.Name):
            self.names[node.name.value] = None

    def visit_ImportAlias(self, node: cst.ImportAlias) -> None:
        if node.asname is None and isinstance(node.name, cst.Name):
            self.names[node.name.value] = None

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        self.names[node.name.value] = None
        return False

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:
        self.names[node.name.value] = None
        return False

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        return False


def _bound_names(body: cst.CSTNode) -> list[str]:
    visitor = _Bound()
    body.visit(visitor)
    return list(visitor.names)


def _all_params(parameters: cst.Parameters) -> list[cst.Param]:
    found = [*parameters.posonly_params, *parameters.params, *parameters.kwonly_params]
    for star in (parameters.star_arg, parameters.star_kwarg):
        if isinstance(star, cst.Param):
            found.append(star)
    return found


BUILTINS = frozenset(dir(builtins))
