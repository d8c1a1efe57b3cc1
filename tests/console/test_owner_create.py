"""`manage.py owner_create`: one owner, with a second factor that works."""

import json

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django_otp.plugins.otp_totp.models import TOTPDevice

from console.models import AuditEntry
from tests.console.conftest import token_of
from tests.console.test_login import login

pytestmark = pytest.mark.django_db


def created(capsys, *args):
    call_command("owner_create", *args, "--json")
    return json.loads(capsys.readouterr().out)


def test_the_new_owner_can_log_in(client, capsys):
    owner = created(capsys, "mia@forge.example")
    assert len(owner["password"]) >= 12
    assert owner["otpauth_url"].startswith("otpauth://totp/KripTik%20Ops%3Amia")
    assert owner["totp_secret"] in owner["otpauth_url"]
    assert login(client, password=owner["password"]).status_code == 302


def test_the_address_may_be_an_option(capsys):
    assert created(capsys, "--email", "Mia@Forge.example")["email"] == "mia@forge.example"


def test_it_shows_the_secret_with_a_code_to_scan(capsys):
    call_command("owner_create", "mia@forge.example")
    shown = capsys.readouterr().out
    device = TOTPDevice.objects.get()
    assert "mia@forge.example" in shown
    assert "█" in shown
    assert all(line.strip() for line in shown.split("type the secret in):\n")[1].splitlines()[1:20])
    assert str(device.key) not in shown, "the raw key is hex; people type base32"


def test_a_second_owner_wants_force(capsys):
    created(capsys, "mia@forge.example")
    with pytest.raises(CommandError, match=r"There is an owner already: mia@forge\.example"):
        call_command("owner_create", "eve@forge.example")
    created(capsys, "eve@forge.example", "--force")
    assert User.objects.filter(is_staff=True).count() == 2


def test_force_renews_password_and_secret(client, capsys):
    first = created(capsys, "mia@forge.example")
    second = created(capsys, "mia@forge.example", "--force")
    assert first["totp_secret"] != second["totp_secret"]
    assert TOTPDevice.objects.count() == 1
    assert login(client, password=first["password"]).status_code == 200
    assert login(client, password=second["password"], token=token_of("mia@forge.example")).status_code == 302
    assert list(AuditEntry.objects.values_list("action", flat=True).order_by("sequence"))[:2] == [
        "owner.created",
        "owner.renewed",
    ]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "owner_create YOU@EXAMPLE"),
        (["not-an-address"], "valid email"),
        (["mia@forge.example", "--password", "short"], "at least 12"),
        (["mia@forge.example", "--password", "1qaz2wsx3edc"], "too common"),
    ],
)
def test_bad_input_is_refused_with_the_reason(args, says):
    with pytest.raises(CommandError, match=says):
        call_command("owner_create", *args)
    assert not User.objects.exists()


def test_the_password_may_come_from_the_environment(capsys, monkeypatch):
    monkeypatch.setenv("KRIPTIK_OWNER_PASSWORD", "a long enough phrase")
    assert created(capsys, "mia@forge.example")["password"] == "a long enough phrase"
