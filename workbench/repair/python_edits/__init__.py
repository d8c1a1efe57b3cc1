"""The catalogue of edits for Python: `edits_propose` turns a file and its suspicious lines into ranked edits.

A new kind of edit is a subclass of Template in one of these modules; being defined, it is in the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import libcst as cst

from workbench.repair.model import Edit, Hints
from workbench.repair.python_edits import (
    expressions,
    guards,
    names,
    network,
    operators,
    returns,
    statements,
    values,
)
from workbench.repair.python_edits.base import Proposal, Template
from workbench.repair.python_edits.source import Site, Source

__all__ = [
    "Template",
    "edits_propose",
    "expressions",
    "guards",
    "names",
    "network",
    "operators",
    "returns",
    "statements",
    "values",
]

Suspicion = Callable[[int, int], float]
"""Of the lines first to last: 0 for surely not the fault, 1 for most likely."""


def edits_propose(path: str, content: bytes, hints: Hints, suspicion: Suspicion) -> Iterator[Edit]:
    """All edits of the catalogue for one file, in no order; nothing for a file that is no valid Python."""
    try:
        source = Source(path, content)
    except (cst.ParserSyntaxError, UnicodeDecodeError):
        return
    templates = [kind(hints) for kind in Template.catalogue]
    for site in source.sites:
        first, last = _lines(site)
        suspect = suspicion(first, last)
        if suspect <= 0:
            continue
        for template in templates:
            if isinstance(site.node, template.kinds):
                for proposal in template.propose(site):
                    yield _edit(site, template, proposal, suspect)


def _lines(site: Site) -> tuple[int, int]:
    """The lines whose running makes an edit at this site matter: of the statement, not of a block's body."""
    node = site.node
    if isinstance(node, cst.FunctionDef):
        body = node.body.body
        first = site.source.span(body[0])[0] if body else site.start
        return site.line, site.source.line_of(first)
    if isinstance(node, cst.If | cst.While):
        return site.line, site.source.line_of(site.source.span(node.test)[1])
    if isinstance(node, cst.For):
        return site.line, site.source.line_of(site.source.span(node.iter)[1])
    if isinstance(node, cst.BaseCompoundStatement):
        return site.line, site.line
    for parent in reversed(site.parents):
        if isinstance(parent, cst.SimpleStatementLine):
            start, end = site.source.span(parent)
            return site.source.line_of(start), site.source.line_of(end)
        if isinstance(parent, cst.BaseCompoundStatement):
            break
    return site.line, site.source.line_of(site.end)


def _edit(site: Site, template: Template, proposal: Proposal, suspect: float) -> Edit:
    start, end = (site.start, site.end) if proposal.start < 0 else (proposal.start, proposal.end)
    also = tuple(
        _import(site.source, name) for name in proposal.requires if not _is_imported(site.source, name)
    )
    score = template.prior * proposal.weight * suspect
    return Edit(site.source.path, start, end, proposal.text, template.name, site.line, score, also)


def _is_imported(source: Source, module: str) -> bool:
    return module in source.scope_of(None).module


def _import(source: Source, module: str) -> tuple[int, int, str]:
    """Insert `import module` among the imports, in alphabetical order, behind docstring and __future__."""
    at = 0
    for statement in source.module.body:
        if not isinstance(statement, cst.SimpleStatementLine):
            break
        first = statement.body[0]
        start, end = source.span(statement)
        if isinstance(first, cst.Expr) or (
            isinstance(first, cst.ImportFrom) and source.slice(start, end).startswith("from __future__")
        ):
            at = source.line_end(end)
        elif isinstance(first, cst.Import):
            if source.slice(start, end) > f"import {module}":
                return start, start, f"import {module}\n"
            at = source.line_end(end)
        else:
            break
    return at, at, f"import {module}\n"
