"""Storing what stands beside the reports: recordings, server events, healthy outcomes."""

import base64
import binascii
import hashlib
import json
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q, Sum
from django.db.models.functions import Length

from core import clock, redact
from incidents.fingerprint import path_pattern
from incidents.models import Host, Outcome, Recording, Report, ServerEvent, Session
from incidents.sentry.event import event_facts
from incidents.signals import send_on_commit, server_event_stored
from incidents.wire import ChunkFrame, FrameRefused
from incidents.wire import Outcome as WireOutcome

RECORDING_BYTES = 10 * 1024 * 1024  # of one report, compressed
OUTCOME_SHAPES = 20  # per element: beyond that it is noise, or somebody filling the table
OUTCOME_USERS = 20


def chunk_store(*, session: Session, frame: ChunkFrame) -> Recording:
    """Stores one chunk of a replay, once. The gzip is checked against its hash and never opened here:
    a bomb stays a small file.

    Raises FrameRefused: not_found without the report, invalid_frame for a wrong hash or bad base64,
    too_large when the report's recording is full.
    """
    chunk_id = chunk_event_id(frame)
    # The visit may be another by now: the user logged in between the report and its recording.
    own = Q(session=session) | Q(subject=session.subject, host_id=session.host_id)
    report = Report.objects.filter(own, client_event_id=frame.client_event_id).first()
    if report is None:
        raise FrameRefused("not_found", "Send the report before its recording.", client_event_id=chunk_id)
    known = report.recordings.filter(seq=frame.seq).first()
    if known:
        return known
    blob = _chunk_bytes(frame)
    stored = report.recordings.aggregate(total=Sum(Length("blob")))["total"] or 0
    if stored + len(blob) > RECORDING_BYTES:
        raise FrameRefused("too_large", "The recording is larger than 10 MiB.", client_event_id=chunk_id)
    try:
        with transaction.atomic():
            return Recording.objects.create(
                report=report, seq=frame.seq, last=frame.last, sha256=frame.sha256, blob=blob
            )
    except IntegrityError:  # the same chunk on two sockets at once
        return report.recordings.get(seq=frame.seq)


def chunk_event_id(frame: ChunkFrame) -> str:
    """What an error about a chunk names: with the report's own id the SDK would drop the report."""
    return f"{frame.client_event_id}:{frame.seq}"


def _chunk_bytes(frame: ChunkFrame) -> bytes:
    try:
        blob = base64.b64decode(frame.data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FrameRefused(
            "invalid_frame", "data: not base64", client_event_id=chunk_event_id(frame)
        ) from error
    if hashlib.sha256(blob).hexdigest() != frame.sha256:
        raise FrameRefused(
            "invalid_frame",
            "sha256: not the hash of the gzip bytes",
            client_event_id=chunk_event_id(frame),
        )
    if not blob.startswith(b"\x1f\x8b"):
        raise FrameRefused("invalid_frame", "data: not gzip", client_event_id=chunk_event_id(frame))
    return blob


def outcome_store(*, session: Session, outcome: WireOutcome) -> Outcome | None:
    """Counts a healthy outcome under its shape; None when this element has too many shapes already."""
    payload: dict[str, Any] = redact.scrub(outcome.model_dump(mode="json"))
    route = path_pattern(outcome.route)
    key = {"host_id": session.host_id, "route": route, "element": outcome.element.fingerprint}
    shape = outcome_shape(outcome)
    user = hashlib.sha256(session.subject.encode()).hexdigest()[:16]
    with transaction.atomic():
        row = Outcome.objects.select_for_update().filter(**key, shape=shape).first()
        if row is None:
            if Outcome.objects.filter(**key).count() >= OUTCOME_SHAPES:
                return None
            row, created = Outcome.objects.get_or_create(
                **key, shape=shape, defaults={"payload": payload, "users": [user]}
            )
            if created:
                return row
        users = row.users if user in row.users else [*row.users, user][:OUTCOME_USERS]
        Outcome.objects.filter(pk=row.pk).update(
            count=F("count") + 1, payload=payload, users=users, last_seen=clock.now()
        )
        row.refresh_from_db()
    return row


def outcome_shape(outcome: WireOutcome) -> str:
    """A hash of what happened, without times and ids."""
    what = {
        "requests": sorted({f"{r.method} {path_pattern(r.path)} {r.status}" for r in outcome.requests}),
        "navigated": path_pattern(outcome.navigated) if outcome.navigated else None,
        "appeared": sorted(json.dumps(a.model_dump(), sort_keys=True) for a in outcome.appeared),
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def server_event_store(
    *, host: Host, event: dict[str, Any], trusted: bool, trace_id: str = ""
) -> ServerEvent:
    """Stores an event of a server SDK once per event id, scrubbed. See incidents/sentry/ for its parts."""
    facts = event_facts(event, trace_id)
    try:
        with transaction.atomic():
            row = ServerEvent.objects.create(host=host, from_server=trusted, **facts)
            send_on_commit(server_event_stored, server_event_id=row.pk)
            return row
    except IntegrityError:  # SDKs resend when the answer got lost
        return ServerEvent.objects.get(host=host, event_id=facts["event_id"])
