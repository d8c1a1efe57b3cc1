"""Writing and checking the audit chain.

Each entry's MAC covers its content and the MAC before it, under a key that is not in the database. A cut
tail is the one edit such a chain can't see, so every head is also appended to a file that the database
user can't rewrite (var/audit/heads.log) and compared with it.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from console.models import AuditEntry, AuditHead
from core import clock


@dataclass(frozen=True)
class AuditReport:
    """What a check found: `broken_at` is the first sequence number that does not hold, None when all do."""

    checked: int
    broken_at: int | None
    reason: str


def audit_write(
    *, actor: str, action: str, subject: str = "", detail: dict[str, Any] | None = None, ip: str = ""
) -> AuditEntry:
    """Appends one entry, in the caller's transaction when there is one."""
    with transaction.atomic():
        AuditHead.objects.get_or_create(id=1)
        head = AuditHead.objects.select_for_update().get(id=1)
        entry = AuditEntry(
            sequence=head.sequence + 1,
            at=clock.now(),
            actor=actor[:150],
            action=action[:64],
            subject=subject[:200],
            detail=json.loads(json.dumps(detail or {}, default=str)),
            ip=ip[:64],
            previous=head.mac,
        )
        entry.mac = entry_mac(entry)
        entry.save()
        AuditHead.objects.filter(id=1).update(sequence=entry.sequence, mac=entry.mac)
        transaction.on_commit(lambda: _anchor(entry))
    return entry


def entry_mac(entry: AuditEntry) -> str:
    content = [
        entry.sequence,
        int(entry.at.timestamp() * 1_000_000),
        entry.actor,
        entry.action,
        entry.subject,
        entry.detail,
        entry.ip,
        entry.previous,
    ]
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    key = hashlib.sha256(b"kriptik audit chain\0" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def audit_verify() -> AuditReport:
    """Reads the whole chain; cost: one pass over the table."""
    previous, expected = "", 1
    anchors = _anchors()
    for entry in AuditEntry.objects.order_by("sequence").iterator(chunk_size=2000):
        reason = _fault(entry, expected, previous, anchors)
        if reason:
            return AuditReport(expected - 1, expected, reason)
        previous, expected = entry.mac, expected + 1
    last = max(anchors, default=0)
    head = AuditHead.objects.filter(id=1).first()
    if head is not None:
        last = max(last, head.sequence)
    if last >= expected:
        return AuditReport(expected - 1, expected, f"the end is missing: it once reached entry {last}")
    return AuditReport(expected - 1, None, "every entry holds")


def anchor_path() -> Path:
    return Path(settings.VAR_DIR) / "audit" / "heads.log"


def _fault(entry: AuditEntry, expected: int, previous: str, anchors: dict[int, str]) -> str:
    if entry.sequence != expected:
        return f"entry {expected} is missing"
    if entry.previous != previous or not hmac.compare_digest(entry.mac, entry_mac(entry)):
        return f"entry {expected} was changed"
    if anchors.get(expected, entry.mac) != entry.mac:
        return f"entry {expected} is not the one that was written then"
    return ""


def _anchor(entry: AuditEntry) -> None:
    path = anchor_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(f"{entry.sequence} {entry.mac}\n")


def _anchors() -> dict[int, str]:
    if not anchor_path().exists():
        return {}
    lines = (line.split() for line in anchor_path().read_text().splitlines())
    return {int(parts[0]): parts[1] for parts in lines if len(parts) == 2}
