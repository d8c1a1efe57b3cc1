"""The audit log: what was written stays, and any edit is found at the right line."""

import random

import pytest
from django.core.management import call_command

from console.audit import anchor_path, audit_verify, audit_write, entry_mac
from console.models import AuditEntry, AuditHead

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def chain(transactional_db):
    for number in range(1, 21):
        audit_write(actor="mia", action="act.test", subject=f"s{number}", detail={"n": number, "ü": "é"})


def test_an_untouched_chain_holds(chain, capsys):
    call_command("audit_verify")
    assert "ok: 20 entries" in capsys.readouterr().out


@pytest.mark.parametrize(
    "edit",
    [
        {"actor": "mallory"},
        {"action": "other"},
        {"subject": "s9x"},
        {"detail": {"n": 0}},
        {"ip": "1.2.3.4"},
        {"previous": "0" * 64},
        {"mac": "0" * 64},
    ],
)
def test_each_edit_is_found_where_it_is(chain, edit):
    AuditEntry.objects.filter(sequence=9).update(**edit)
    assert audit_verify().broken_at == 9


def test_a_changed_time_is_found(chain):
    entry = AuditEntry.objects.get(sequence=5)
    AuditEntry.objects.filter(pk=entry.pk).update(at=entry.at.replace(year=2001))
    assert audit_verify().broken_at == 5


def test_a_removed_line_is_found(chain):
    AuditEntry.objects.filter(sequence=7).delete()
    assert audit_verify().broken_at == 7


def test_swapped_lines_are_found(chain):
    for old, new in ((3, 1003), (4, 3), (1003, 4)):
        AuditEntry.objects.filter(sequence=old).update(sequence=new)
    assert audit_verify().broken_at == 3


def test_a_cut_tail_is_found_by_the_head_and_by_the_anchor(chain):
    AuditEntry.objects.filter(sequence__gt=15).delete()
    assert audit_verify().broken_at == 16
    last = AuditEntry.objects.get(sequence=15)
    AuditHead.objects.update(sequence=15, mac=last.mac)  # who can write the table can write this too
    assert audit_verify().broken_at == 16
    assert "20" in audit_verify().reason


def test_a_tail_rewritten_with_the_key_is_found_by_the_anchor(chain):
    entry = AuditEntry.objects.get(sequence=20)
    entry.subject = "forged"
    AuditEntry.objects.filter(pk=entry.pk).update(subject="forged", mac=entry_mac(entry))
    assert audit_verify().broken_at == 20


def test_random_edits_are_all_found(chain):
    rng = random.Random(7)
    macs = dict(AuditEntry.objects.values_list("sequence", "mac"))
    for _ in range(60):
        victim = rng.randint(1, 20)
        mac = macs[victim]
        position = rng.randrange(64)
        flipped = mac[:position] + ("0" if mac[position] != "0" else "1") + mac[position + 1 :]
        AuditEntry.objects.filter(sequence=victim).update(mac=flipped)
        assert audit_verify().broken_at == victim
        AuditEntry.objects.filter(sequence=victim).update(mac=mac)
    assert audit_verify().broken_at is None


def test_the_command_fails_on_a_broken_chain(chain, capsys):
    AuditEntry.objects.filter(sequence=2).update(actor="x")
    with pytest.raises(SystemExit) as stopped:
        call_command("audit_verify")
    assert stopped.value.code == 1
    assert "BROKEN at 2" in capsys.readouterr().err


def test_entries_are_neither_changed_nor_deleted_through_the_model(chain):
    entry = AuditEntry.objects.first()
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()


def test_an_entry_that_was_taken_back_leaves_no_anchor(chain):
    from django.db import transaction

    with pytest.raises(RuntimeError), transaction.atomic():
        audit_write(actor="mia", action="act.undone")
        raise RuntimeError("the work failed")
    assert len(anchor_path().read_text().splitlines()) == 20
    assert audit_verify().broken_at is None
