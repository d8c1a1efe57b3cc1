"""The owner is told: once for the same trouble, at once when it matters, and never silently not."""

import email
import socket
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.db import transaction

from core import clock
from notifications.delivery import deliver_due, delivery_send
from notifications.models import Delivery, DeliveryState, OwnerAlert
from notifications.selectors import alerts_unread, deliveries_dead
from notifications.services import alert_read, delivery_retry, owner_alert
from tests.standins.refusing_smtp import RefusingSmtp

pytestmark = pytest.mark.django_db
NOON = "2026-11-22T12:10:00Z"


def alert(**changes):
    values = {"priority": "P1", "key": "incident:inc_1", "title": "Buying credits fails", "body": "3 users"}
    return owner_alert(**{**values, "url": "/console/incident/inc_1/", **changes})


def test_it_tells_the_same_trouble_once_and_counts():
    with time_machine.travel(NOON, tick=False):
        first, second = alert(), alert(title="Buying credits fails again")
    assert first.pk == second.pk
    assert OwnerAlert.objects.get().count == 2
    assert Delivery.objects.count() == 1


def test_it_tells_again_in_the_next_hour():
    with time_machine.travel(NOON, tick=False) as traveller:
        alert()
        traveller.shift(timedelta(hours=1))
        alert()
    assert OwnerAlert.objects.count() == 2


def test_it_writes_nothing_when_the_caller_takes_its_work_back():
    with pytest.raises(RuntimeError), transaction.atomic():
        alert()
        raise RuntimeError("the event did not happen")
    assert not OwnerAlert.objects.exists()
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(("priority", "mails"), [("P0", 1), ("P1", 1), ("P2", 0), ("P3", 0)])
def test_only_the_loud_priorities_leave_the_console(priority, mails):
    alert(priority=priority)
    deliver_due()
    assert len(mail.outbox) == mails
    assert alerts_unread().count() == 1


def test_a_rise_in_priority_sends_it_out_and_makes_it_unread_again():
    with time_machine.travel(NOON, tick=False):
        alert(priority="P2")
        alert_read()
        alert(priority="P0")
    assert deliver_due() == 1
    assert OwnerAlert.objects.get().priority == "P0"
    assert alerts_unread().count() == 1


def test_a_quieter_repeat_does_not_lower_it():
    with time_machine.travel(NOON, tick=False):
        alert(priority="P0")
        alert(priority="P3")
    assert OwnerAlert.objects.get().priority == "P0"


@pytest.mark.parametrize("changes", [{"priority": "P9"}, {"key": ""}])
def test_it_refuses_what_makes_no_sense(changes):
    with pytest.raises(ValueError, match=r"P9|key"):
        alert(**changes)


def test_the_mail_says_what_is_wrong_and_where_to_go(settings):
    settings.PUBLIC_URL = "https://ops.example"
    alert(title="Trouble\r\nBcc: mallory@evil.example", body="<script>alert(1)</script> & more")
    deliver_due()
    (message,) = mail.outbox
    assert message.subject == "[KripTik P1] Trouble Bcc: mallory@evil.example"
    assert message.to == ["mia@forge.example"]
    assert message.recipients() == ["mia@forge.example"]
    assert "https://ops.example/console/incident/inc_1/" in message.body
    assert "<script>alert(1)</script> & more" in message.body
    (html, _), *_ = message.alternatives
    assert "&lt;script&gt;" in html
    assert "<script" not in html


def test_the_file_mailbox_gets_a_readable_mail(settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path
    alert()
    assert deliver_due() == 1
    (file,) = Path(tmp_path).iterdir()
    assert email.message_from_bytes(file.read_bytes())["Subject"] == "[KripTik P1] Buying credits fails"


def test_a_delivery_goes_out_once_however_often_it_is_asked_for():
    alert()
    delivery = Delivery.objects.get()
    assert [delivery_send(delivery.pk) for _ in range(3)] == [True, False, False]
    assert len(mail.outbox) == 1


def test_a_worker_that_died_holding_it_is_followed_by_another():
    alert()
    delivery = Delivery.objects.get()
    Delivery.objects.update(lease_token="dead worker", lease_until=clock.now() + timedelta(seconds=30))
    assert deliver_due() == 0
    with time_machine.travel(clock.now() + timedelta(seconds=31)):
        assert deliver_due() == 1
    assert Delivery.objects.get(pk=delivery.pk).state == DeliveryState.SENT


@pytest.fixture
def dead_mail_server(settings):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings.EMAIL_PORT = probe.getsockname()[1]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_USE_TLS = False


def test_a_dead_mail_server_is_tried_five_times_ever_later_and_then_shown(dead_mail_server):
    with time_machine.travel(NOON, tick=False) as traveller:
        alert()
        waits = []
        for _ in range(5):
            assert deliver_due() == 0
            delivery = Delivery.objects.get()
            waits.append((delivery.run_after - clock.now()).total_seconds())
            assert deliver_due() == 0, "it must not be tried again before its time"
            traveller.move_to(delivery.run_after)
    assert waits[:4] == sorted(waits[:4])
    assert waits[0] >= 10
    assert waits[3] >= 640
    assert list(deliveries_dead()) == [delivery]
    assert "refused" in delivery.error


@pytest.mark.parametrize(("code", "state"), [(550, "failed"), (451, "pending")])
def test_a_refusal_for_good_is_not_tried_again_and_a_passing_one_is(settings, code, state):
    with RefusingSmtp(code) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", server.port, False
        alert()
        assert deliver_due() == 0
        assert server.recipients == 1
    delivery = Delivery.objects.get()
    assert delivery.state == state
    assert "no such mailbox" in delivery.error
    assert deliveries_dead().exists() is (state == "failed")


def test_the_owner_can_send_a_dead_letter_again(dead_mail_server, settings):
    alert()
    Delivery.objects.update(state=DeliveryState.FAILED, attempts=5)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert delivery_retry(delivery_id=Delivery.objects.get().pk)
    assert deliver_due() == 1
    assert not deliveries_dead().exists()
    assert not delivery_retry(delivery_id=Delivery.objects.get().pk), "what was sent is not sent again"


def test_without_an_address_it_writes_to_every_owner(settings):
    settings.OWNER_EMAIL = ""
    User.objects.create_user("mia@forge.example", "mia@forge.example", is_staff=True)
    User.objects.create_user("bob@forge.example", "bob@forge.example")
    alert()
    deliver_due()
    assert mail.outbox[0].to == ["mia@forge.example"]


def test_with_nobody_to_write_to_it_says_so_and_stays_pending(settings):
    settings.OWNER_EMAIL = ""
    alert()
    assert deliver_due() == 0
    delivery = Delivery.objects.get()
    assert "owner_create" in delivery.error
    assert delivery.state == DeliveryState.PENDING


@pytest.mark.django_db(transaction=True)
def test_the_commit_puts_it_on_the_queue_at_once(monkeypatch):
    from notifications import receivers

    asked = []
    monkeypatch.setattr(receivers.deliver, "apply_async", lambda **call: asked.append(call["args"]))
    with transaction.atomic():
        alert()
        assert asked == []
    assert asked == [(Delivery.objects.get().pk,)]
