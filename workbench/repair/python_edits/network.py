"""A bounded retry where a service asked for patience."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import libcst as cst

from workbench.repair.python_edits.base import Proposal, Template
from workbench.repair.python_edits.source import Site

METHODS = ("get", "post", "put", "patch", "delete", "head", "request", "send")
CLIENTS = ("requests", "httpx", "session", "client", "http", "api")
BUSY = (429, 503)
ATTEMPTS = 5
TOTAL_WAIT_S = 20
LONGEST_WAIT_S = 10


class NetworkRetry(Template):
    """`response = requests.post(...)` asked again while the service answers 429 or 503.

    Waits as long as Retry-After says (seconds), else twice as long each time. Attempts and the total wait are
    bounded, so that a request of a user never hangs; the last answer is handed on, whatever it is.
    """

    name = "network_retry"
    prior = 0.3
    kinds = (cst.SimpleStatementLine,)

    def propose(self, site: Site) -> Iterator[Proposal]:
        assert isinstance(site.node, cst.SimpleStatementLine)
        if len(site.node.body) != 1:
            return
        statement = site.node.body[0]
        call = statement.value if isinstance(statement, cst.Assign | cst.Return) else None
        if not isinstance(call, cst.Call) or not _is_request(site, call) or site.inside(cst.Lambda):
            return
        if isinstance(statement, cst.Assign):
            target = statement.targets[0].target
            if len(statement.targets) != 1 or not isinstance(target, cst.Name):
                return
            answer = target.value
        else:
            answer = "response"
        yield Proposal(
            self._text(site, call, answer, isinstance(statement, cst.Return)),
            weight=self._weight(site),
            requires=("time",),
        )

    def _weight(self, site: Site) -> float:
        """Far ahead of everything else when the recording shows that a service was busy."""
        busy = [exchange for exchange in self.hints.upstream if exchange.get("status") in BUSY]
        if not busy:
            return 0.5
        around = site.source.text_of(site.function) if site.function else site.text
        return 400.0 if any(_names(around, exchange) for exchange in busy) else 200.0

    def _text(self, site: Site, call: cst.Call, answer: str, returns: bool) -> str:
        indent = site.source.indent_of(site.start)
        step = "    "
        request = site.source.text_of(call).replace("\n", "\n" + step)
        lines = [
            "waited = 0.0",
            f"for attempt in range({ATTEMPTS}):",
            f"{step}{answer} = {request}",
            f"{step}if {answer}.status_code not in {BUSY!r}:",
            f"{step}{step}break",
            f'{step}retry_after = {answer}.headers.get("Retry-After", "")',
            f"{step}pause = float(retry_after) if retry_after.isdigit() else 0.5 * 2**attempt",
            f"{step}pause = min(pause, {LONGEST_WAIT_S})",
            f"{step}if attempt == {ATTEMPTS - 1} or waited + pause > {TOTAL_WAIT_S}:",
            f"{step}{step}break",
            f"{step}time.sleep(pause)",
            f"{step}waited += pause",
        ]
        if returns:
            lines.append(f"return {answer}")
        return f"\n{indent}".join(lines)


def _names(text: str, exchange: Mapping[str, Any]) -> bool:
    """Whether the text holds the last fixed part of the exchange's path, or the service's name."""
    parts = [part for part in str(exchange.get("path", "")).split("/") if part and not part.startswith(":")]
    words = [*parts[-1:], str(exchange.get("service", ""))]
    return any(word and word in text for word in words)


def _is_request(site: Site, call: cst.Call) -> bool:
    """Whether this looks like a call of requests, httpx or a session of theirs."""
    function = call.func
    if not isinstance(function, cst.Attribute) or function.attr.value not in METHODS:
        return False
    owner = site.source.text_of(function.value).lower()
    return any(client in owner.split(".")[-1] or owner.split(".")[0] == client for client in CLIENTS)
