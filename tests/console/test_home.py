"""The home page: says what is wrong, and costs the same however much is."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flags.models import Release, Rollout
from healing.models import HealRun
from notifications.models import Channel, Delivery, DeliveryState, OwnerAlert
from notifications.services import owner_alert
from tests.console.conftest import incident_make

pytestmark = pytest.mark.django_db
MAX_QUERIES = 20


def home(owner):
    return owner.get("/console/").content.decode()


def test_it_says_that_all_is_quiet_only_when_it_is(owner, host):
    assert "All quiet" in home(owner)
    incident_make(host)
    assert "1 open incident" in home(owner)


def test_twenty_queries_are_enough_with_hundreds_of_rows(owner, host):
    for number in range(150):
        incident = incident_make(host, number, status="detected" if number % 2 else "resolved")
        HealRun.objects.create(host=host, incident=incident, phase="settled" if number % 3 else "diagnosing")
        owner_alert(priority="P2", key=f"k{number}", title=f"Alert {number}")
    for number in range(30):
        release = Release.objects.create(
            host=host, kind="candidate", commit=str(number), directory="/x", spec={}
        )
        Rollout.objects.create(host=host, release=release, phase="affected_user")
    with CaptureQueriesContext(
        connection,
    ) as few:
        page = home(owner)
    assert len(few) <= MAX_QUERIES, "\n".join(query["sql"][:150] for query in few)
    assert "75 open incidents" in page
    assert page.count('class="k-spin"') <= 12


def test_what_waits_for_the_owner_is_named_with_its_page(owner, host):
    waiting = incident_make(host, 1, title="Buying credits fails", status="awaiting_owner")
    HealRun.objects.create(host=host, incident=waiting, phase="awaiting_owner", outcome="Touches billing")
    dead = incident_make(host, 2, status="diagnosing")
    HealRun.objects.create(host=host, incident=dead, phase="diagnosing", attempts=5)
    release = Release.objects.create(host=host, kind="candidate", commit="c", directory="/x", spec={})
    Rollout.objects.create(host=host, release=release, phase="held", reason="no telemetry")
    alert = OwnerAlert.objects.create(key="k", slot=1, priority="P1", title="t")
    Delivery.objects.create(alert=alert, channel=Channel.MAIL, state=DeliveryState.FAILED)
    page = home(owner)
    assert "4 things wait for you" in " ".join(page.split())
    for words in (
        "Touches billing",
        "no telemetry",
        "1 heal run",
        "1 alert",
        f"/console/incident/{waiting.pk}/",
    ):
        assert words in page, words


def test_the_figures_count_what_happened(owner, host):
    from datetime import timedelta

    from core import clock

    for number, (phase, seconds, rung) in enumerate(
        [
            ("settled", 4, "runbook"),
            ("settled", 10, "runbook"),
            ("settled", 90, "offline"),
            ("gave_up", 5, ""),
        ]
    ):
        begun = clock.now() - timedelta(hours=1)
        HealRun.objects.create(
            host=host,
            incident=incident_make(host, number, status="resolved"),
            phase=phase,
            remedy={"rung": rung} if rung else {},
            created_at=begun,
            finished_at=begun + timedelta(seconds=seconds),
        )
    page = " ".join(home(owner).split())
    assert "<strong>4</strong><span>detected in 24 h" in page
    assert "<strong>3</strong><span>healed in 24 h" in page
    assert "<strong>10 s</strong><span>median time to heal" in page
    assert "<strong>1</strong><span>handed to you" in page
    assert "runbook <b>2</b>" in page


def test_the_bell_is_emptied_by_one_click(owner):
    owner_alert(priority="P2", key="k", title="Something to know")
    assert "Something to know" in home(owner)
    owner.post("/console/bell/read/")
    assert "Something to know" not in home(owner)
    assert OwnerAlert.objects.get().read_at is not None
