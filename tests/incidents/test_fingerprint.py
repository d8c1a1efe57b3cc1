"""Which reports are the same trouble, and which are not."""

import pytest

from incidents.classify import kind_of
from incidents.fingerprint import app_frames, fingerprint_of, message_template, path_pattern
from incidents.wire import Report
from tests.incidents.conftest import report_json

STACK = """TypeError: x is undefined
    at render (https://forge.example/static/app.3f2a1b9c.js:10:5)
    at async load (https://forge.example/static/app.3f2a1b9c.js:99:1)
    at https://cdn.example/node_modules/react/index.js:1:1"""


def fingerprint(**values):
    report = Report.model_validate(report_json(**values))
    return fingerprint_of(report, kind_of(report))


def request(path="/api/generate", status=502, method="POST"):
    return [{"action_id": "a3", "method": method, "path": path, "status": status}]


def error(message="x is undefined", stack=STACK, kind="TypeError"):
    return {"kind": "ERROR", "error": {"type": kind, "message": message, "stack": stack}, "requests": []}


def expectation(name="projects", shown="5"):
    return {"kind": "DATA_INCONSISTENCY", "expectation": {"name": name, "shown": shown, "expected": "6"}}


SAME = {
    "users, ids and times": ({"route": "/studio/17"}, {"route": "/studio/18", "at": 5}),
    "a route that the SDK has patterned": ({"route": "/studio/:id"}, {"route": "/studio/18"}),
    "another answer of the same call": ({"requests": request(status=429)}, {"requests": request(status=502)}),
    "another record of the same call": (
        {"requests": request("/api/jobs/1?a=1")},
        {"requests": request("/api/jobs/2?a=2")},
    ),
    "other words in the message": ({"message": "a"}, {"message": "b"}),
    "the same error for other data": (
        error("Job 17 of 'Ann' failed"),
        error("Job 3 of 'Bob' failed"),
    ),
    "the same error on another page": (error() | {"route": "/a"}, error() | {"route": "/b"}),
    "another build of the same file": (error(), error(stack=STACK.replace("3f2a1b9c", "aabbccdd"))),
    "another line of the same function": (error(), error(stack=STACK.replace(":10:5", ":11:7"))),
    "another value of the same fact": (expectation(shown="5"), expectation(shown="7") | {"route": "/x"}),
}
DIFFERENT = {
    "another button": (
        {},
        {"element": {"tag": "button", "fingerprint": "button[buy]", "name": "Buy", "locators": []}},
    ),
    "another page": ({}, {"route": "/projects"}),
    "another call": ({}, {"requests": request("/api/publish")}),
    "another kind": ({}, {"kind": "SLOW_RESPONSE"}),
    "another error": (error(), error(kind="RangeError")),
    "another place of the same error": (error(), error(stack=STACK.replace("render", "paint"))),
    "another fact": (expectation(), expectation("members")),
    "another complaint": (
        {"kind": "USER_REPORTED", "text": "I can't log in"},
        {"kind": "USER_REPORTED", "text": "Where is my project?"},
    ),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME.keys())
def test_the_same_trouble_has_one_fingerprint(one, other):
    assert fingerprint(**one) == fingerprint(**other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_another_trouble_has_another_fingerprint(one, other):
    assert fingerprint(**one) != fingerprint(**other)


def test_the_value_says_by_which_rules_it_was_made():
    """A change of the rules must change the version, or old incidents would silently not match any more."""
    assert fingerprint() == "v1:9e94f9bb025b024f45f006e87843640f"


@pytest.mark.parametrize(
    ("message", "template"),
    [
        ("Job 17 failed after 1.5 s", "Job <n> failed after <n> s"),
        ("No user mia@forge.example", "No user <private>"),
        ("GET https://x.example/a?b=1 failed", "GET <url> failed"),
        ("Missing 7e3f6f0e-5a0a-4d5b-9a53-111111111111", "Missing <id>"),
        ("Missing proj_01HX7Z", "Missing <id>"),
        ("""Can't read "name" of `x`""", "Can't read <text> of <text>"),
        ("deadbeef is a word with a digit? no", "deadbeef is a word with a digit? no"),
        ("at 0badf00d1", "at <id>"),
        ("  much \n space ", "much space"),
    ],
)
def test_message_templates(message, template):
    assert message_template(message) == template


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/studio", "/studio"),
        ("/projects/17/files/3", "/projects/:id/files/:id"),
        ("/p/7e3f6f0e-5a0a-4d5b-9a53-111111111111", "/p/:id"),
        ("/p/proj_01HX7Z?tab=1#x", "/p/:id"),
        ("/p/aVeryLongTokenWith1Digit", "/p/:id"),
        ("/documentation/getting-started-with-apps", "/documentation/getting-started-with-apps"),
        ("", ""),
    ],
)
def test_path_patterns(path, pattern):
    assert path_pattern(path) == pattern


def test_frames_are_the_hosts_own_in_chrome_and_firefox():
    assert app_frames(STACK) == ["render /static/app.js", "load /static/app.js"]
    firefox = "render@https://forge.example/static/app.js:10:5\n@https://forge.example/main.js:1:1"
    assert app_frames(firefox) == ["render /static/app.js", "? /main.js"]
    assert app_frames(None) == app_frames("nonsense\n" * 10) == []


def test_a_hostile_stack_takes_no_time():
    line = "at " + "a " * 200 + "(" * 200
    assert app_frames("\n".join([line] * 100)) == []
