"""Logging in: password and code together, a brake on guessing, and sessions that end."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User

from console.models import AuditEntry, OwnerSession
from core import clock
from tests.console.conftest import PASSWORD, token_of

pytestmark = pytest.mark.django_db
LOGIN = "/console/login/?next=/console/"


def login(client, password=PASSWORD, token=None, email="mia@forge.example", **extra):
    token = token_of(email) if token is None else token
    data = {"username": email, "password": password, "otp_token": token, "next": "/console/"}
    return client.post(LOGIN, data, **extra)


def test_password_and_code_open_the_console(client, mia):
    answer = login(client)
    assert answer.status_code == 302
    assert client.get("/console/").status_code == 200
    session = OwnerSession.objects.get()
    assert session.key_hash != client.session.session_key, "the key itself must not be stored"
    assert AuditEntry.objects.get(action="login").actor == mia.email


def test_the_code_may_be_typed_with_a_space(client, mia):
    code = token_of(mia.email)
    assert login(client, token=f"{code[:3]} {code[3:]}").status_code == 302


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"token": "000000"}, "That code is not right"),
        ({"token": ""}, "Enter the code from your authenticator app"),
        ({"password": "wrong"}, "enter the correct"),
        ({"token": "abcdefgh"}, "That code is not right"),
    ],
)
def test_each_wrong_part_is_refused_and_said(client, mia, changes, says):
    answer = login(client, **changes)
    assert answer.status_code == 200
    assert says in answer.content.decode()
    assert client.get("/console/").status_code == 302


def test_a_code_works_once(client, mia):
    code = token_of(mia.email)
    assert login(client, token=code).status_code == 302
    client.post("/console/logout/")
    assert login(client, token=code).status_code == 200


def test_a_recovery_code_works_once(client, mia):
    code = mia.recovery_codes[0]
    assert login(client, token=code).status_code == 302
    client.post("/console/logout/")
    assert login(client, token=code).status_code == 200


def test_a_wrong_recovery_code_does_not_block_the_authenticator(client, mia):
    login(client, token="wrongone")
    assert login(client).status_code == 302


def test_staff_without_a_device_cannot_log_in(client, mia):
    User.objects.create_user("sam@forge.example", password=PASSWORD, is_staff=True)
    answer = login(client, email="sam@forge.example", token="123456")
    assert answer.status_code == 200


def test_ten_failures_brake_an_address_but_not_the_owner_elsewhere(client, mia):
    for _ in range(10):
        login(client, password="guess", token="000000", REMOTE_ADDR="203.0.113.9")
    braked = login(client, REMOTE_ADDR="203.0.113.9")
    assert "Too many failed attempts" in braked.content.decode()
    assert login(client, REMOTE_ADDR="198.51.100.7").status_code == 302


def test_the_brake_lets_go_after_a_quarter_of_an_hour(client, mia):
    for _ in range(10):
        login(client, password="guess", token="000000")
    with time_machine.travel(clock.now() + timedelta(minutes=16), tick=False):
        assert login(client, token=token_of(mia.email)).status_code == 302


def test_wrong_codes_count_like_wrong_passwords(client, mia):
    login(client, token="000000")
    failed = AuditEntry.objects.get(action="login.failed")
    assert failed.subject == mia.email


def test_the_session_ends_after_half_an_hour_of_silence(owner):
    with time_machine.travel(clock.now() + timedelta(minutes=31), tick=False):
        answer = owner.get("/console/", follow=True)
    assert "away for more than 30 minutes" in answer.content.decode()
    assert OwnerSession.objects.get().end_reason == "expired"


def test_the_session_ends_after_twelve_hours_however_busy(owner):
    start = clock.now()
    for minutes in range(20, 12 * 60, 20):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            assert owner.get("/console/console/ownersession/").status_code == 200
    with time_machine.travel(start + timedelta(hours=12, minutes=1), tick=False):
        assert owner.get("/console/").status_code == 302


def test_a_session_that_was_ended_elsewhere_is_over_at_once(owner):
    OwnerSession.objects.update(ended_at=clock.now())
    assert owner.get("/console/").status_code == 302
    assert owner.get("/console/").status_code == 302


def test_the_owner_can_end_a_session_from_the_list(owner):
    session = OwnerSession.objects.get()
    owner.post("/console/console/ownersession/", {"action": "end_sessions", "_selected_action": [session.pk]})
    assert OwnerSession.objects.get().end_reason == "ended by the owner"
    assert AuditEntry.objects.filter(action="session.ended").exists()


def test_logging_out_ends_the_session_row(owner):
    owner.post("/console/logout/")
    assert OwnerSession.objects.get().end_reason == "logged out"
