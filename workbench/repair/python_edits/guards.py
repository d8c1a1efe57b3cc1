"""Guards against what is not there: None, a missing key, an attribute, input that isn't a number."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from workbench.repair.python_edits.base import Proposal, Template, is_load
from workbench.repair.python_edits.source import Site

DEFAULTS = ("None", "0", "[]", '""', "{}")


class DictDefault(Template):
    """`d[k]` to `d.get(k)` or `d.get(k, default)`; `d.get(k)` with a default."""

    name = "dict_default"
    prior = 0.5
    kinds = (cst.Subscript, cst.Call)

    def propose(self, site: Site) -> Iterator[Proposal]:
        node = site.node
        if isinstance(node, cst.Subscript) and is_load(site) and len(node.slice) == 1:
            part = node.slice[0].slice
            if isinstance(part, cst.Index) and not isinstance(part.value, cst.Integer | cst.UnaryOperation):
                value, key = site.source.text_of(node.value), site.source.text_of(part.value)
                text_key = isinstance(part.value, cst.SimpleString)
                for default in DEFAULTS:
                    arguments = key if default == "None" else f"{key}, {default}"
                    yield Proposal(f"{value}.get({arguments})", weight=1.2 if text_key else 0.5)
        elif isinstance(node, cst.Call) and len(node.args) == 1 and site.text.endswith(")"):
            function = site.source.text_of(node.func)
            if function.endswith(".get"):
                key = site.source.text_of(node.args[0].value)
                for default in DEFAULTS[1:]:
                    yield Proposal(f"{function}({key}, {default})", weight=0.8)


class NoneGuard(Template):
    """`x.y` to `x.y if x is not None else None`, `x` to `x or []` where it is iterated or measured."""

    name = "none_guard"
    prior = 0.4
    kinds = (cst.Attribute, cst.Name, cst.Call, cst.Subscript)

    def propose(self, site: Site) -> Iterator[Proposal]:
        if not is_load(site) or (isinstance(site.parent, cst.Call) and site.parent.func is site.node):
            return
        if isinstance(site.node, cst.Attribute) and isinstance(site.node.value, cst.Name | cst.Attribute):
            owner = site.source.text_of(site.node.value)
            if owner not in ("self", "cls"):
                for default in ("None", '""', "0"):
                    text = f"{site.text} if {owner} is not None else {default}"
                    yield Proposal(
                        site.fit(text) if not isinstance(site.parent, cst.Arg) else text, weight=0.5
                    )
        if isinstance(site.parent, cst.For | cst.CompFor | cst.Arg | cst.Assign | cst.Return):
            iterated = isinstance(site.parent, cst.For | cst.CompFor)
            for default in ("[]",) if iterated else ("[]", "0", '""', "{}"):
                yield Proposal(f"{site.atom_text} or {default}", weight=1.0 if iterated else 0.4)


class SkipNone(Template):
    """`if x is None: continue` or `return` before a statement that uses x."""

    name = "skip_none"
    prior = 0.3
    kinds = (cst.SimpleStatementLine,)

    def propose(self, site: Site) -> Iterator[Proposal]:
        if site.function is None:
            return
        start = site.source.line_start(site.start)
        indent = site.source.indent_of(site.start)
        in_loop = site.inside(cst.For, cst.While)
        for name in site.scope.local:
            if name in site.text and name not in ("self", "cls"):
                for leave in ("continue",) if in_loop else ("return None", "return []", "return 0"):
                    for test in (f"{name} is None", f"not {name}"):
                        yield Proposal(f"{indent}if {test}:\n{indent}    {leave}\n", start, start)
