"""The two tables: what kind of trouble, and how bad."""

import pytest

from incidents.classify import KIND_RULES, SEVERITY_RULES, Facts, kind_of, severity_of
from incidents.wire import Report
from notifications.messages import Kind
from tests.incidents.conftest import report_json

K = Kind


def report(kind, path=None, status=502, route="/studio", reasons=(), expectation=None):
    requests = [{"action_id": "a3", "method": "POST", "path": path, "status": status}] if path else []
    return Report.model_validate(
        report_json(kind=kind, route=route, reasons=list(reasons), requests=requests, expectation=expectation)
    )


CREDITS = {"name": "credits", "shown": "50", "expected": "150"}

KINDS = [
    # (what came, how it is filed)
    (report(K.SILENT_FAILURE, "/api/generate"), K.SILENT_FAILURE),
    (report(K.SILENT_FAILURE, "/api/generate", route="/credits"), K.SILENT_FAILURE),
    (report(K.SILENT_FAILURE, "/api/payments/42"), K.BILLING_ISSUE),
    (report(K.SILENT_FAILURE, route="/billing"), K.BILLING_ISSUE),
    (report(K.ERROR, "/checkout?session=1"), K.BILLING_ISSUE),
    (report(K.ERROR, "/api/payload"), K.ERROR),
    (report(K.ERROR, "/api/buyers_guide"), K.ERROR),
    (report(K.ERROR, "/api/buy_credits"), K.BILLING_ISSUE),
    (report(K.DATA_INCONSISTENCY, expectation=CREDITS), K.BILLING_ISSUE),
    (report(K.DATA_INCONSISTENCY, expectation=CREDITS | {"name": "credit_balance"}), K.BILLING_ISSUE),
    (report(K.DATA_INCONSISTENCY, expectation=CREDITS | {"name": "projects"}), K.DATA_INCONSISTENCY),
    (report(K.SILENT_FAILURE, "/api/projects", status=401), K.AUTH_ISSUE),
    (report(K.ERROR, "/api/projects", status=403), K.ERROR),
    (report(K.ERROR, "/login", status=403), K.AUTH_ISSUE),
    (report(K.SILENT_FAILURE, "/login", status=500), K.AUTH_ISSUE),
    (report(K.ERROR, route="/sign-in"), K.AUTH_ISSUE),
    (report(K.ERROR, reasons=["login_then_expired"]), K.AUTH_ISSUE),
    (report(K.AUTH_ISSUE, "/api/payments", status=500), K.AUTH_ISSUE),
    (report(K.USER_REPORTED, route="/billing"), K.USER_REPORTED),
    (report(K.UX_CONFUSION, route="/billing"), K.UX_CONFUSION),
    (report(K.SLOW_RESPONSE, "/api/generate", status=200), K.SLOW_RESPONSE),
]


@pytest.mark.parametrize(("came", "filed"), KINDS)
def test_the_kind(came, filed):
    assert kind_of(came) == filed


def test_only_the_reported_actions_failures_count():
    other = {"action_id": "a1", "method": "POST", "path": "/api/payments", "status": 500}
    own = {"action_id": "a3", "method": "POST", "path": "/api/generate", "status": 500}
    found = Report.model_validate(report_json(requests=[other, own]))
    assert kind_of(found) == K.SILENT_FAILURE


def test_every_rule_of_the_kinds_is_used_by_a_line_above():
    first = {next((i for i, rule in enumerate(KIND_RULES) if rule.fits(came)), None) for came, _ in KINDS}
    assert first >= set(range(len(KIND_RULES)))


def facts(kind=K.ERROR, users=1, comebacks=0, server_failed=False):
    return Facts(kind, users, users, comebacks, server_failed)


SEVERITIES = [
    (facts(K.UX_CONFUSION, users=25), "P0", "25 or more"),
    (facts(K.AUTH_ISSUE, users=5), "P0", "can't log in or pay"),
    (facts(K.BILLING_ISSUE, users=5), "P0", "can't log in or pay"),
    (facts(K.BILLING_ISSUE), "P1", "money"),
    (facts(K.BILLING_ISSUE, users=0), "P1", "money"),
    (facts(K.AUTH_ISSUE), "P1", "logging in"),
    (facts(K.ERROR, users=5), "P1", "5 or more"),
    (facts(K.UX_CONFUSION, comebacks=1), "P1", "came back"),
    (facts(K.SILENT_FAILURE, server_failed=True), "P2", "the server failed"),
    (facts(K.SILENT_FAILURE), "P2", "did nothing"),
    (facts(K.DATA_INCONSISTENCY), "P2", "wrong data"),
    (facts(K.ERROR), "P2", "reached a user"),
    (facts(K.USER_REPORTED), "P2", "wrote to us"),
    (facts(K.SLOW_RESPONSE, users=4), "P3", "not well"),
    (facts(K.UX_CONFUSION), "P3", "not well"),
]


@pytest.mark.parametrize(("found", "severity", "reason"), SEVERITIES)
def test_the_severity_and_its_reason(found, severity, reason):
    got, reasons = severity_of(found)
    assert got == severity
    assert any(reason in text for text in reasons), reasons


def test_every_rule_of_the_severities_gives_its_reason_to_a_line_above():
    said = {text for found, *_ in SEVERITIES for text in severity_of(found)[1]}
    assert said == {rule.reason for rule in SEVERITY_RULES}
