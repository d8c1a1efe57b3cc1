"""Who tries a candidate after the affected user: similar users, explained, never more than a tenth."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from core import clock
from flags import limits
from flags.bucketing import bucket
from flags.models import Rollout
from incidents.models import Incident, Report, Session

# The host's owners decide about fixes; they must see what everyone else sees.
_EXCLUDED_ROLES = frozenset({"owner", "admin", "superuser", "staff"})


@dataclass(frozen=True)
class Person:
    """One recently seen user, as far as similarity goes."""

    subject: str
    plan: str = ""
    role: str = ""
    locale: str = ""
    browser: str = ""
    routes: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Chosen:
    subject: str
    why: tuple[str, ...]


@dataclass(frozen=True)
class Cohort:
    """`users` were seen lately; a tenth of them, rounded down, is `quota`."""

    users: int
    quota: int
    chosen: tuple[Chosen, ...]

    def as_json(self) -> dict[str, Any]:
        return {"users": self.users, "quota": self.quota, "chosen": len(self.chosen)}


def cohort_choose(rollout: Rollout) -> Cohort:
    """The similar users of a rollout: the same ones whenever it is asked about the same facts."""
    people = _people(rollout)
    affected = next((p for p in people if p.subject == rollout.affected_subject), None)
    kind = Incident.objects.filter(pk=rollout.incident_id).values_list("kind", flat=True).first() or ""
    wanted = affected or Person(rollout.affected_subject)
    wanted_routes = wanted.routes | set(rollout.touched_routes)
    return choose(people, wanted, routes=wanted_routes, kind=kind, salt=rollout.pk)


def choose(
    people: Sequence[Person], like: Person, *, routes: frozenset[str] | set[str], kind: str, salt: str
) -> Cohort:
    """The most similar, a tenth of all, ties broken by salted hash; without owners and `like` himself."""
    quota = math.floor(len(people) * limits.SIMILAR_SHARE / 100)
    eligible = [p for p in people if p.subject != like.subject and p.role.lower() not in _EXCLUDED_ROLES]
    scored = [(_similarity(person, like, routes, kind), person) for person in eligible]
    scored.sort(key=lambda pair: (-len(pair[0]), bucket(salt, pair[1].subject)))
    chosen = (Chosen(p.subject, why or ("drawn by lot",)) for why, p in scored[:quota])
    return Cohort(len(people), quota, tuple(chosen))


def _similarity(
    person: Person, like: Person, routes: frozenset[str] | set[str], kind: str
) -> tuple[str, ...]:
    shared = sorted(person.routes & routes)
    facts = (
        (bool(shared), f"had trouble on {', '.join(shared[:3])}"),
        (bool(kind) and kind in person.kinds, "had the same kind of trouble"),
        (bool(like.plan) and person.plan == like.plan, f"has the same plan ({like.plan})"),
        (bool(like.browser) and person.browser == like.browser, f"uses the same browser ({like.browser})"),
        (bool(like.locale) and person.locale == like.locale, f"uses the same language ({like.locale})"),
    )
    return tuple(why for holds, why in facts if holds)


def _people(rollout: Rollout) -> list[Person]:
    """Verified users seen in the last day. Anonymous visits have no bucket that would outlive the visit."""
    since = clock.now() - timedelta(seconds=limits.SIMILAR_WINDOW_S)
    sessions = Session.objects.filter(host_id=rollout.host_id, last_seen__gte=since).exclude(user="")
    reports = Report.objects.filter(host_id=rollout.host_id, verified=True, received_at__gte=since)
    routes: dict[str, set[str]] = {}
    kinds: dict[str, set[str]] = {}
    for subject, route, kind in reports.values_list("subject", "route", "kind"):
        routes.setdefault(subject, set()).add(route)
        kinds.setdefault(subject, set()).add(kind)
    people = {}
    for session in sessions.order_by("last_seen"):
        people[session.subject] = Person(
            subject=session.subject,
            plan=str(session.claims.get("plan", "")),
            role=str(session.claims.get("role", "")),
            locale=session.locale,
            browser=browser_of(session.user_agent),
            routes=frozenset(routes.get(session.subject, ())),
            kinds=frozenset(kinds.get(session.subject, ())),
        )
    return list(people.values())


def browser_of(user_agent: str) -> str:
    """The browser's family; the order matters, because each one claims to be those after it."""
    for mark, name in (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome")):
        if mark in user_agent:
            return name
    return "Safari" if "Safari/" in user_agent else ""
