"""`manage.py heal`: by hand, without the broker, with a line per phase."""

import json
import re

import pytest
from django.core.management import CommandError, call_command

from healing.management.commands import heal as command
from healing.models import HealRun
from healing.phases import Phase
from tests.healing.conftest import incident_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def short(shop):
    shop.balance["u1"], shop.ledger["u1"] = 50, 150
    return shop


def heal(*args):
    with pytest.raises(SystemExit) as ended:
        call_command("heal", *args)
    return ended.value.code


def test_it_shows_each_phase_with_its_time_and_ends_with_0(host, short, capsys):
    assert heal(incident_of(host).pk) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines[2:]] == ["triaging", "diagnosing", "remediating", "settled"]
    assert all(re.match(r"\s+\d+\.\d s  ", line) for line in lines[1:])


def test_json_is_one_object(host, short, capsys):
    assert heal(incident_of(host).pk, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["phase"] == "settled"
    assert facts["remedy"]["name"] == "resync_credits"


def test_what_could_not_be_healed_ends_with_3_and_a_question_with_4(host, shop):
    shop.balance["u1"] = shop.ledger["u1"] = 1
    assert heal(incident_of(host).pk, "--json") == 3
    assert heal(incident_of(host, "AUTH_ISSUE", reasons=["login_then_expired"]).pk, "--json") == 4


@pytest.mark.parametrize("bad", ["inc_00000000000000000000", "nonsense", "'; drop table"])
def test_an_unknown_incident_is_a_clear_error(db, bad):
    with pytest.raises(CommandError, match="There is no incident") as refused:
        call_command("heal", bad)
    assert refused.value.returncode == 2


def test_without_an_id_it_lists_what_is_open(host, capsys):
    incident = incident_of(host)
    call_command("heal")
    assert incident.pk in capsys.readouterr().out


def test_ctrl_c_leaves_a_run_that_goes_on(host, short, monkeypatch, capsys):
    incident = incident_of(host)

    def interrupted(_run_id):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(command, "advance", interrupted)
        assert heal(incident.pk) == 130
    assert "goes on where it stands" in capsys.readouterr().err
    assert heal(incident.pk, "--json") == 0
    assert HealRun.objects.get().phase == Phase.SETTLED
