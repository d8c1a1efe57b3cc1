"""What sort of trouble a report is, and how much it matters: two tables, read from top to bottom.

The browser proposes a kind; it sees symptoms. A failed button on the way to paying is the owner's billing
trouble, whatever it looked like. Pure functions over values, so the tables can be tested line by line.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from incidents.models import Severity
from incidents.wire import Report, Request
from notifications.messages import Kind

K = Kind
_TECHNICAL = frozenset({K.SILENT_FAILURE, K.ERROR, K.DATA_INCONSISTENCY})


@dataclass(frozen=True)
class KindRule:
    """When a report of one of `kinds` fits all that is given here, it is a `then`."""

    then: Kind
    kinds: frozenset[Kind]
    words: str = ""  # in the expectation's name and the failed requests' paths, or else the route
    reasons: frozenset[str] = frozenset()
    statuses: frozenset[int] = frozenset()  # of the failed requests

    def fits(self, report: Report) -> bool:
        failed = failed_requests(report)
        return (
            report.kind in self.kinds
            and (not self.words or re.search(self.words, _subject_words(report, failed), re.I) is not None)
            and (not self.reasons or not self.reasons.isdisjoint(report.reasons))
            and (not self.statuses or any(r.status in self.statuses for r in failed))
        )


_AUTH = r"\b(log-?in|sign-?in|log-?out|session|auth|oauth|password)\b"
_BILLING = r"\b(credits?|balance|billing|payments?|pay|checkout|invoices?|subscriptions?|purchases?|buy)\b"

KIND_RULES = [
    KindRule(K.AUTH_ISSUE, _TECHNICAL, reasons=frozenset({"login_then_expired"})),
    KindRule(K.AUTH_ISSUE, _TECHNICAL, statuses=frozenset({401, 419, 440})),
    KindRule(K.AUTH_ISSUE, _TECHNICAL, words=_AUTH, statuses=frozenset({403})),
    KindRule(K.BILLING_ISSUE, _TECHNICAL, words=_BILLING),
    KindRule(K.AUTH_ISSUE, _TECHNICAL, words=_AUTH),
]


def kind_of(report: Report) -> Kind:
    """The kind as we file it: the first rule that fits, else what the browser said."""
    return next((rule.then for rule in KIND_RULES if rule.fits(report)), report.kind)


def failed_requests(report: Report) -> list[Request]:
    """The requests without an answer or with an error, those of the reported action when it is known."""
    failed = [r for r in report.requests if r.status == 0 or r.status >= 400]
    own = [r for r in failed if report.action_id and r.action_id == report.action_id]
    return own or failed


def _subject_words(report: Report, failed: list[Request]) -> str:
    name = report.expectation.name if report.expectation else ""
    # What failed says more than where: the Generate button fails on the page of credits too.
    paths = [r.path.partition("?")[0] for r in failed] or [report.route]
    # Underscores are word characters to \b; in paths and names they part words.
    return " ".join([name, *paths]).replace("_", " ")


@dataclass(frozen=True)
class Facts:
    """What the severity is read from. Only verified users count: an attacker has any number of visits."""

    kind: Kind
    verified_users: int
    reports: int
    comebacks: int
    server_failed: bool  # a request of the reported action got a 5xx or no answer


@dataclass(frozen=True)
class SeverityRule:
    severity: Severity
    reason: str
    fits: Callable[[Facts], bool]


SEVERITY_RULES = [
    SeverityRule(Severity.P0, "25 or more signed-in users have it", lambda f: f.verified_users >= 25),
    SeverityRule(
        Severity.P0,
        "5 or more signed-in users can't log in or pay",
        lambda f: f.verified_users >= 5 and f.kind in {K.AUTH_ISSUE, K.BILLING_ISSUE},
    ),
    SeverityRule(Severity.P1, "it is about money", lambda f: f.kind == K.BILLING_ISSUE),
    SeverityRule(Severity.P1, "it is about logging in", lambda f: f.kind == K.AUTH_ISSUE),
    SeverityRule(Severity.P1, "5 or more signed-in users have it", lambda f: f.verified_users >= 5),
    SeverityRule(Severity.P1, "it came back after a remedy", lambda f: f.comebacks > 0),
    SeverityRule(
        Severity.P2,
        "the server failed an action",
        lambda f: f.server_failed and f.kind in {K.SILENT_FAILURE, K.ERROR},
    ),
    SeverityRule(Severity.P2, "an action did nothing", lambda f: f.kind == K.SILENT_FAILURE),
    SeverityRule(Severity.P2, "the page shows wrong data", lambda f: f.kind == K.DATA_INCONSISTENCY),
    SeverityRule(Severity.P2, "an error reached a user", lambda f: f.kind == K.ERROR),
    SeverityRule(Severity.P2, "a user wrote to us", lambda f: f.kind == K.USER_REPORTED),
    SeverityRule(Severity.P3, "it works, but not well", lambda _: True),
]


def severity_of(facts: Facts) -> tuple[Severity, list[str]]:
    """The highest severity that fits, with every reason for that severity, for the owner to read."""
    fitting = [rule for rule in SEVERITY_RULES if rule.fits(facts)]
    top = fitting[0].severity
    return top, [rule.reason for rule in fitting if rule.severity == top]


def server_failed(report: Report) -> bool:
    return any(r.status == 0 or r.status >= 500 for r in failed_requests(report))
