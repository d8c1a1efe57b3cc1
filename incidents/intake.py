"""What a frame does, whichever way it came: the socket and the HTTP fallback both call this.

Each function takes a typed frame and returns the messages to answer with; all of them are synchronous
(they use the database) and return after their commit, so an ack is never a promise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core import clock
from core.errors import NotFound
from incidents import services
from incidents.counts import count
from incidents.identity import identity_verify
from incidents.limits import per_window, take
from incidents.models import Host, Session
from incidents.selectors import host_by_key
from incidents.wire import (
    AnswerFrame,
    ChunkFrame,
    Frame,
    FrameRefused,
    Hello,
    IdentifyFrame,
    Leniency,
    OutcomeFrame,
    PingFrame,
    RatingFrame,
    ReportFrame,
    SeenFrame,
    TryAgainFrame,
    frame_parse,
)
from notifications.feed import feed_entry, feed_seen, feed_snapshot
from notifications.messages import (
    Ack,
    ChunkAck,
    ErrorFrame,
    Message,
    Pong,
    Snapshot,
    Welcome,
    WelcomeConfig,
)


@dataclass
class Visit:
    """A browser that said hello: which host, which visit, from where."""

    host: Host
    session: Session
    capability: str
    address: str

    def welcome(self) -> Welcome:
        return Welcome(
            session=self.capability,
            user=self.session.user or None,
            config=WelcomeConfig(shadow=self.host.shadow, popup=not self.host.shadow),
            server_time=clock.now_ms(),
        )

    def snapshot(self) -> Snapshot:
        return Snapshot(incidents=[] if self.host.shadow else feed_snapshot(self.session.subject))


def visit_open(hello: Hello, *, origin: str | None, address: str) -> tuple[Visit, list[Message]]:
    """Judges a hello. Returns the visit and what to tell besides the welcome (a refused identity).

    Raises FrameRefused: bad_key for an unknown key or a killed host, bad_origin, rate_limited.
    A refused identity refuses the identity only: the visitor's report is still worth having.
    """
    host = host_by_key(hello.key)
    if host is None:
        raise FrameRefused("bad_key", "Unknown key: copy `data-key` from the console again.")
    if host.killed:
        raise FrameRefused("bad_key", "This host is switched off in the console; it takes no reports.")
    if origin is None or origin not in host.origins:
        raise FrameRefused("bad_origin", f"The host's list of origins does not have {origin!r:.200}.")
    wait = take(per_window(f"hello:{address}", host.quota_address * 20))
    if wait:
        raise FrameRefused("rate_limited", "Too many connections from here.", retry_after=wait)
    said: list[Message] = []
    identity = None
    if hello.identity:
        try:
            identity = identity_verify(host, hello.identity)
        except FrameRefused as refusal:
            said.append(error_frame(refusal))
    opened = services.session_open(
        host=host,
        capability=hello.session,
        identity=identity,
        locale=hello.locale,
        user_agent=hello.user_agent,
        sdk=hello.sdk,
    )
    return Visit(host, opened.session, opened.capability, address), said


def frame_take(visit: Visit, value: Any) -> list[Message]:
    """Handles one parsed JSON value of a visit; every refusal becomes an error frame."""
    leniency = Leniency()
    try:
        frame = frame_parse(value, leniency)
        if isinstance(frame, Hello):
            raise FrameRefused("invalid_frame", "There was a hello already.")
        answers = _HANDLERS[type(frame)](visit, frame)
    except FrameRefused as refusal:
        count(visit.host.pk, {f"refused.{refusal.code}": 1})
        return [error_frame(refusal)]
    except NotFound as refusal:
        return [ErrorFrame(code="not_found", message=refusal.message, client_event_id=_event_id(value))]
    dropped = {"dropped_fields": leniency.dropped_fields, "cut_values": leniency.cut_values}
    count(visit.host.pk, dropped)
    return answers


def error_frame(refusal: FrameRefused) -> ErrorFrame:
    return ErrorFrame(
        code=refusal.code,
        message=refusal.message,
        client_event_id=refusal.client_event_id,
        retry_after=None if refusal.retry_after is None else round(refusal.retry_after, 1),
    )


def _report(visit: Visit, frame: ReportFrame) -> list[Message]:
    _meter(visit, "report", frame.report.client_event_id)
    stored = services.report_store(session=visit.session, report=frame.report)
    answers: list[Message] = [Ack(client_event_id=frame.report.client_event_id, incident=stored.incident_id)]
    # With the ack, not by way of the channel layer: the popup should not wait for a broker.
    entry = None if visit.host.shadow else feed_entry(visit.session.subject, stored.incident_id)
    return [*answers, entry] if entry else answers


def _chunk(visit: Visit, frame: ChunkFrame) -> list[Message]:
    services.chunk_store(session=visit.session, frame=frame)
    return [ChunkAck(client_event_id=frame.client_event_id, seq=frame.seq)]


def _outcome(visit: Visit, frame: OutcomeFrame) -> list[Message]:
    _meter(visit, "outcome", None, times=10)
    services.outcome_store(session=visit.session, outcome=frame.outcome)
    return []


def _answer(visit: Visit, frame: AnswerFrame) -> list[Message]:
    _meter(visit, "feedback", frame.client_event_id)
    services.answer_store(session=visit.session, frame=frame)
    return [Ack(client_event_id=frame.client_event_id, incident=frame.incident)]


def _rating(visit: Visit, frame: RatingFrame) -> list[Message]:
    _meter(visit, "feedback", frame.client_event_id)
    services.rating_store(session=visit.session, frame=frame)
    return [Ack(client_event_id=frame.client_event_id, incident=frame.incident)]


def _try_again(visit: Visit, frame: TryAgainFrame) -> list[Message]:
    _meter(visit, "feedback", frame.client_event_id)
    services.try_again_store(session=visit.session, frame=frame)
    return [Ack(client_event_id=frame.client_event_id, incident=frame.incident)]


def _seen(visit: Visit, frame: SeenFrame) -> list[Message]:
    feed_seen(subject=visit.session.subject, topic=frame.incident, version=frame.version)
    return []


def _identify(visit: Visit, frame: IdentifyFrame) -> list[Message]:
    identity = identity_verify(visit.host, frame.identity)
    other = services.session_identify(session=visit.session, identity=identity)
    if other is None:
        return [visit.snapshot()]
    visit.session, visit.capability = other.session, other.capability
    return [visit.welcome(), visit.snapshot()]


def _ping(visit: Visit, frame: PingFrame) -> list[Message]:
    return [Pong()]


_HANDLERS: dict[type[Frame], Callable[[Visit, Any], list[Message]]] = {
    ReportFrame: _report,
    ChunkFrame: _chunk,
    OutcomeFrame: _outcome,
    AnswerFrame: _answer,
    RatingFrame: _rating,
    TryAgainFrame: _try_again,
    SeenFrame: _seen,
    IdentifyFrame: _identify,
    PingFrame: _ping,
}


def _meter(visit: Visit, what: str, client_event_id: str | None, *, times: int = 1) -> None:
    """Quotas of the visit, the address and the host; outcomes are small and may be `times` as many."""
    host = visit.host
    wait = take(
        per_window(f"{what}:session:{visit.session.pk}", host.quota_session * times),
        per_window(f"{what}:address:{host.pk}:{visit.address}", host.quota_address * times),
        per_window(f"{what}:host:{host.pk}", host.quota * times),
    )
    if wait:
        raise FrameRefused(
            "rate_limited",
            f"Too many of these; the next is taken in {wait:.0f} s.",
            client_event_id=client_event_id,
            retry_after=wait,
        )


def _event_id(value: Any) -> str | None:
    found = value.get("client_event_id") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None
