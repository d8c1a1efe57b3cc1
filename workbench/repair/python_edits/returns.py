"""What a function gives back."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from workbench.repair.python_edits.base import Proposal, Template
from workbench.repair.python_edits.source import Site


class ReturnValue(Template):
    """Return another variable, a test of one, a constant, or one more thing."""

    name = "return_value"
    prior = 0.6
    kinds = (cst.Return,)

    def propose(self, site: Site) -> Iterator[Proposal]:
        assert isinstance(site.node, cst.Return)
        text = site.source.text_of(site.node.value) if site.node.value else "None"
        for name in site.scope.local:
            if name != text:
                yield Proposal(f"return {name}", weight=0.8)
                for other, weight in _instead(text, name):
                    yield Proposal(f"return {other}", weight=weight)
        for constant in ("[]", "0", "1", "-1", "True", "False", "None", "[[]]"):
            if constant != text:
                yield Proposal(f"return {constant}", weight=0.3 if constant == "[]" else 0.25)


class MissingReturn(Template):
    """The result of a call that stands alone returned; `yield` for `yield from`."""

    name = "missing_return"
    prior = 0.7
    kinds = (cst.Expr,)

    def propose(self, site: Site) -> Iterator[Proposal]:
        assert isinstance(site.node, cst.Expr)
        value = site.node.value
        if isinstance(value, cst.Call):
            yield Proposal(f"return {site.text}")
            yield Proposal(f"yield from {site.text}", weight=0.4)
        elif isinstance(value, cst.Yield) and value.value is not None:
            inner = site.text[len("yield") :].strip()
            if inner.startswith("from "):
                yield Proposal(f"yield {inner[len('from ') :].strip()}")
            else:
                yield Proposal(f"yield from {inner}")


def _instead(text: str, name: str) -> Iterator[tuple[str, float]]:
    if text in ("True", "False"):
        for test in (f"{name} == 0", f"not {name}", f"{name} is None", f"len({name}) == 0"):
            yield test, 0.9
        return
    yield f"{text} + {name}", 0.25
    yield f"{name} + {text}", 0.25
    yield f"max({text}, {name})", 0.25
    yield f"min({text}, {name})", 0.2
    yield f"{text} or {name}", 0.1
