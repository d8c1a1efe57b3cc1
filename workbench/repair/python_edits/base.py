"""What a template is, and the catalogue that a new one joins by being defined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import libcst as cst

from workbench.repair.model import Hints
from workbench.repair.python_edits.source import Site


@dataclass(frozen=True)
class Proposal:
    """A replacement for the bytes start to end (default: the site's own).

    weight scales the template's prior: 1 is an ordinary instance of it. requires names modules that must
    be imported.
    """

    text: str
    start: int = -1
    end: int = -1
    weight: float = 1.0
    requires: tuple[str, ...] = ()


class Template:
    """One kind of edit. Subclasses give a name, a prior and the kinds of node they look at.

    The prior orders the search: how likely, among edits that make a failing test pass, this kind is the
    right one, divided by how many of its instances an ordinary function has. It is tuned on programs
    with planted faults.
    """

    name: ClassVar[str]
    prior: ClassVar[float]
    kinds: ClassVar[tuple[type[cst.CSTNode], ...]]
    catalogue: ClassVar[list[type[Template]]] = []

    def __init_subclass__(cls) -> None:
        if hasattr(cls, "name"):
            Template.catalogue.append(cls)

    def __init__(self, hints: Hints) -> None:
        self.hints = hints

    def propose(self, site: Site) -> Iterator[Proposal]:
        """Edits for one node; the search takes care of duplicates and of what does not compile."""
        raise NotImplementedError


def is_condition(site: Site) -> bool:
    """Whether the expression decides: test of an if, while, assert, conditional expression or
    comprehension.
    """
    parent = site.parent
    decides = (cst.If, cst.While, cst.Assert, cst.IfExp, cst.CompIf)
    return isinstance(parent, decides) and getattr(parent, "test", None) is site.node


def is_load(site: Site) -> bool:
    """Whether the expression is read (not assigned to, not a name of a parameter, keyword or attribute)."""
    parent = site.parent
    targets = (
        cst.AssignTarget,
        cst.Param,
        cst.ImportAlias,
        cst.AsName,
        cst.NameItem,
        cst.FunctionDef,
        cst.ClassDef,
    )
    if isinstance(parent, targets):
        return isinstance(parent, cst.Param) and parent.default is site.node
    if isinstance(parent, cst.AugAssign | cst.AnnAssign | cst.For | cst.CompFor | cst.NamedExpr):
        return parent.target is not site.node
    if isinstance(parent, cst.Attribute):
        return parent.value is site.node
    if isinstance(parent, cst.Arg):
        return parent.value is site.node
    if isinstance(parent, cst.Element) and len(site.parents) > 2:
        return not isinstance(site.parents[-3], cst.AssignTarget | cst.For | cst.CompFor)
    return True


def call_name(node: cst.CSTNode) -> str:
    """Plain name of what a call calls, else empty."""
    return node.func.value if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) else ""


def docstring_like(site: Site) -> bool:
    return isinstance(site.parent, cst.Expr) and isinstance(site.node, cst.SimpleString)
