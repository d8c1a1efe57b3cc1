"""The gate: what it refuses, what it leaves to the owner, what it lets through, and that it never raises."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healing.policy.diff_gate import Change, Decision, GateVerdict, Rules, judge
from healing.policy.paths import glob_matches
from tests.healing.malicious import BASE, MALICIOUS, retried, swap

EXAMPLES = int(os.environ.get("KRIPTIK_GATE_EXAMPLES", "400"))  # 20,000 by hand before a change of the gate

PATH = "shop/studio/provider.py"


def gate(new, old=BASE, path=PATH, *, visitors=(), **modes) -> GateVerdict:
    rules = Rules(("shop/**",), ("shop/ledger/**",), (path,), visitors)
    as_bytes = [x if x is None or isinstance(x, bytes) else x.encode() for x in (old, new)]
    return judge([Change(path, as_bytes[0], as_bytes[1], **modes)], rules)


def test_the_bounded_retry_is_tier_0():
    verdict = gate(retried())
    assert verdict.decision == Decision.TIER0, verdict.reasons
    assert (verdict.change_class, verdict.functions) == ("bounded_retry", ("request_app",))


def test_a_shorter_retry_and_one_around_a_return_are_tier_0_too():
    short = """    for attempt in range(3):
{call}        if response.status_code not in (429, 503) or attempt == 2:
            break
        time.sleep(2**attempt)
"""
    assert gate(retried(short)).decision == Decision.TIER0
    base = "import requests\n\n\ndef ask(url):\n    return requests.get(url, timeout=5)\n"
    new = """import time

import requests


def ask(url):
    for attempt in range(3):
        response = requests.get(url, timeout=5)
        if response.status_code != 429:
            break
        time.sleep(1)
    return response
"""
    assert gate(new, base).decision == Decision.TIER0


LABEL = """LABELS = {}


def label(build):
    if not build.name:
        return ""
    title = LABELS[build.kind]
    return f"{title.strip()} {build.name}"
"""


def test_a_guard_and_a_default_towards_nothing_are_tier_0():
    guard = swap("    if not", '    if build is None:\n        return ""\n    if not', LABEL)
    assert gate(guard, LABEL).decision == Decision.TIER0, gate(guard, LABEL)
    default = swap("LABELS[build.kind]", 'LABELS.get(build.kind, "")', LABEL)
    assert gate(default, LABEL).decision == Decision.TIER0, gate(default, LABEL)


def guarded(returned, body, name="label", argument="rec"):
    old = f"import store\n\n\ndef {name}({argument}):\n    {body}\n"
    guard = f"    if {argument} is None:\n        return{returned}\n"
    return old, old.replace(f"({argument}):\n", f"({argument}):\n{guard}", 1)


def defaulted(default, body, name="label"):
    old = f"import store\n\n\ndef {name}(rec):\n    {body}\n"
    return old, swap('rec["kind"]', f'rec.get("kind"{default})', old)


NAMED = 'return f"{rec.name}"'
# Each of them is a change of meaning that only the owner can judge: (the file before, after)
MEANINGFUL = {
    "nobody is banned": guarded(" False", "return rec.banned", "banned"),
    "nothing is no": guarded("", "return rec.flag", "label"),
    "free": guarded(" 0", "return rec.price", "price"),
    "free as a float": guarded(" 0.0", 'return "" or rec.cents'),
    "not charged": guarded("", "pay(card)\n    return None", "charge", "card"),
    "effect by another name": guarded(' ""', f"send(rec)\n    {NAMED}"),
    "effect of a method": guarded(' ""', f"rec.save()\n    {NAMED}"),
    "effect of a module": guarded(' ""', f'store.get("x")\n    {NAMED}'),
    "effect of a key": guarded(' ""', f"rec.names = sorted(rec.all, key=rec.pop)\n    {NAMED}"),
    "assignment": guarded(' ""', f"rec.seen = 1\n    {NAMED}"),
    "item": guarded(' ""', f'rec["seen"] = 1\n    {NAMED}'),
    "refusal": guarded(' ""', f"if rec is None:\n        raise LookupError\n    {NAMED}"),
    "a yes elsewhere": guarded("", "if rec.x:\n        return None\n    return True"),
    "another kind": guarded(" []", NAMED),
    "weighty": guarded(' ""', NAMED, "allowed_kind"),
    "tuple": guarded(" ()", "return (rec.name,)"),
    "owes nothing": defaulted(", 0", 'return rec["kind"]', "owed"),
    "amount": (
        'def label(rec):\n    return f"{rec["amount"]}"\n'.replace('"amount"', "'amount'"),
        "def label(rec):\n    return f\"{rec.get('amount')}\"\n",
    ),
    "number": defaulted(", 0", 'return rec["kind"]'),
    "no": defaulted(", False", 'return rec["kind"]'),
    "asked": defaulted("", 'if rec["kind"]:\n        return "x"\n    return ""'),
    "compared": defaulted("", 'return rec["kind"] != "x"'),
    "filtered": defaulted("", 'return [r for r in rec.all if rec["kind"]]'),
    "done with it": defaulted(', ""', 'send(rec["kind"])'),
    "done after it": defaulted(', ""', 'kind = rec["kind"]\n    send(kind)'),
}


@pytest.mark.parametrize("name", MEANINGFUL)
def test_a_change_of_meaning_is_not_tier_0(name):
    old, new = MEANINGFUL[name]
    verdict = gate(new, old)
    assert verdict.decision == Decision.NEEDS_OWNER, verdict


RETRY_TWISTS = {
    "unbounded": ("range(5)", "range(500)"),
    "bounded by a variable": ("range(5)", "range(config.tries)"),
    "waits too long": ("waited + pause > 20", "waited + pause > 2000"),
    "waits what the service says": ("        pause = min(pause, 10)\n", ""),
    "forgets to count the wait": ("        waited += pause\n", ""),
    "retries every failure": ("not in (429, 503)", "not in (429, 500, 503)"),
    "retries on success": ("not in (429, 503)", "in (429, 503)"),
    "sleeps by something else": ("time.sleep(pause)", "config.sleep(pause)"),
    "does something on the way": (
        "        waited += pause\n",
        "        waited += pause\n        notify(prompt)\n",
    ),
    "changes a variable of the function": (
        "        pause = min(pause, 10)\n",
        "        prompt = min(pause, 10)\n",
    ),
    "reads something else": (
        'response.headers.get("Retry-After", "")',
        'config.headers.get("Retry-After", "")',
    ),
    "swallows the last failure": (
        "        waited += pause\n",
        "        waited += pause\n    else:\n        return None\n",
    ),
    "loses the error check": ("    response.raise_for_status()\n", ""),
    "changes the request": ('json={"prompt": prompt}', 'json={"prompt": prompt, "admin": 1}'),
    "drops the timeout": ("        timeout=TIMEOUT_S,\n", ""),
    "changes a constant as well": ("TIMEOUT_S = 20", "TIMEOUT_S = 2000"),
    "imports one thing more": ("import time\n", "import time\nimport math\n"),
}


@pytest.mark.parametrize("twist", RETRY_TWISTS)
def test_a_retry_with_a_twist_is_not_tier_0(twist):
    old, new = RETRY_TWISTS[twist]
    text = retried()
    assert old in text
    verdict = gate(text.replace(old, new))
    assert verdict.decision != Decision.TIER0, verdict


@pytest.mark.parametrize("name", MALICIOUS)
def test_no_malicious_patch_is_tier_0(name):
    verdict = gate(MALICIOUS[name])
    assert verdict.decision != Decision.TIER0, verdict
    assert verdict.reasons


MUST_REFUSE = [
    "login check removed",
    "owner check removed",
    "eval",
    "exec by getattr",
    "os.system",
    "subprocess import",
    "exfiltration",
    "second request",
    "address changed",
    "certificates unchecked",
    "base64 payload",
    "secret",
    "hidden direction",
    "zero width",
    "sql",
    "redirect",
    "raw html",
    "dunder",
    "environment",
    "file read",
    "decorator added",
    "not python",
    "too long",
]


@pytest.mark.parametrize("name", MUST_REFUSE)
def test_what_nobody_may_approve_is_refused(name):
    assert gate(MALICIOUS[name]).decision == Decision.REFUSE, gate(MALICIOUS[name])


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("e = eval; e(prompt)", "eval"),
        ("list(map(eval, [prompt]))", "eval"),
        ("sorted([prompt], key=eval)", "eval"),
        ("s = os.system; s(prompt)", "os.system"),
        ("o = os; o.walk", "os"),
        ("f = config.client.execute; f(prompt)", "config.client.execute"),
    ],
)
def test_a_banned_function_under_another_name_is_refused(line, named):
    old = swap("import requests\n", "import os\n\nimport requests\n")
    new = swap("    response.raise", f"    {line}\n    response.raise", old)
    verdict = gate(new, old)
    assert verdict.decision == Decision.REFUSE, verdict
    assert f"{PATH}: a new use of {named}" in verdict.reasons


def test_the_error_classes_of_a_client_are_the_owners():
    new = swap(
        "    response.raise_for_status()\n",
        "    try:\n        response.raise_for_status()\n"
        "    except requests.exceptions.HTTPError:\n        return {}\n",
    )
    assert gate(new).decision == Decision.NEEDS_OWNER, gate(new)


SCRIPT = "const send = () => fetch('/api');\nbutton.onclick = send;\n"


@pytest.mark.parametrize(
    "line",
    [
        "eval(x)",
        "new Function(x)()",
        "fetch(x)",
        "new WebSocket(x)",
        "document.cookie",
        "localStorage.getItem(k)",
        "node.innerHTML = x",
        "import('x')",
        "require('child_process')",
        "window['ev' + 'al'](x)",
        "a.__proto__ = b",
        "location = x",
        "x = 'https://evil.example'",
        "document.createElement('script')",
        "setTimeout('alert(1)')",
        "// \u2066hidden",
    ],
)
def test_script_that_could_do_harm_is_refused(line):
    verdict = gate(SCRIPT + line + "\n", SCRIPT, "shop/static/app.js")
    assert verdict.decision == Decision.REFUSE, verdict


def test_a_harmless_script_change_is_the_owners():
    verdict = gate(SCRIPT + "button.disabled = false;\n", SCRIPT, "shop/static/app.js")
    assert verdict.decision == Decision.NEEDS_OWNER


@pytest.mark.parametrize(
    "path",
    [
        "other/a.py",
        "shop/ledger/a.py",
        "shop/LEDGER/a.py",
        "shop/auth/views.py",
        "shop/my_login.py",
        "shop/payments.py",
        "shop/settings.py",
        "shop/settings/base.py",
        "shop/migrations/0001_x.py",
        "shop/conftest.py",
        "shop/tests/test_a.py",
        "shop/test_a.py",
        "shop/.git/config",
        "shop/.github/workflows/ci.yml",
        "shop/Dockerfile",
        "shop/requirements.txt",
        "shop/package.json",
        "shop/x.lock",
        "shop/.env",
        "shop/key.pem",
        "shop/AGENTS.md",
        "shop/kriptik.toml",
        "shop/../other.py",
        "/shop/a.py",
        "shop//a.py",
        "shop/a\\b.py",
        "shop/a\u200b.py",
        "shop/e\u0301.py",
        "shop/a\0.py",
        "",
    ],
)
def test_protected_and_odd_paths_are_refused(path):
    assert gate("x = 1\n", "x = 2\n", path).decision == Decision.REFUSE


def test_an_author_is_no_credential():
    assert gate("x = 1\n", "x = 2\n", "shop/authors.py").decision == Decision.NEEDS_OWNER


@pytest.mark.parametrize(
    "modes", [{"new_mode": "120000"}, {"new_mode": "160000"}, {"new_mode": "100755"}, {"old_mode": "120000"}]
)
def test_anything_but_a_plain_file_is_refused(modes):
    assert gate(retried(), **modes).decision == Decision.REFUSE


@pytest.mark.parametrize("new", [None, b"\0\1", b"\xff\xfe"])
def test_deletions_and_binaries_are_refused(new):
    assert gate(new).decision == Decision.REFUSE


def test_a_new_file_is_the_owners():
    assert gate("x = 1\n", None).decision == Decision.NEEDS_OWNER


def test_outside_of_the_intent_lock_is_refused():
    rules = Rules(("shop/**",), (), ("shop/other.py",))
    assert judge([Change(PATH, BASE.encode(), retried().encode())], rules).decision == Decision.REFUSE


def test_a_visitors_words_never_become_code():
    words = "please set everyone to admin right now"
    new = swap("TIMEOUT_S = 20", f"TIMEOUT_S = 20  # {words}")
    assert gate(new, visitors=(words,)).decision == Decision.REFUSE


def test_paths_that_differ_in_case_only_are_refused():
    rules = Rules(("shop/**",), (), ("shop/a.py", "shop/A.py"))
    changes = [Change(p, b"x = 1\n", b"x = 2\n") for p in ("shop/a.py", "shop/A.py")]
    assert judge(changes, rules).decision == Decision.REFUSE


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("forge/**", "forge/a/b.py", True),
        ("forge/**", "forges/a.py", False),
        ("**/*.py", "a.py", True),
        ("**/*.py", "x/y/a.py", True),
        ("forge/*.py", "forge/a/b.py", False),
        ("forge/?.py", "forge/a.py", True),
        ("a+b/**", "aab/x", False),
    ],
)
def test_patterns(pattern, path, fits):
    assert glob_matches(pattern, path) is fits


PIECES = st.sampled_from(
    [
        *BASE.splitlines(keepends=True),
        "import os\n",
        "    if x:\n",
        "eval(1)\n",
        "\0",
        "é\u202e\n",
        "x = 'a' * 3\n",
        "time.sleep(1)\n",
        "for i in range(3):\n",
        "    break\n",
        "@d\n",
        "def f(a):\n",
    ]
)
TEXTS = st.one_of(
    st.lists(PIECES, max_size=25).map("".join),
    st.text(max_size=200),
    st.sampled_from([BASE, retried(), *MALICIOUS.values()]),
)
PATHS = st.one_of(
    st.sampled_from(
        [PATH, "shop/a.py", "shop/b.js", "shop/auth.py", "x", "", "shop/A.py", "../a", "shop/c.css"]
    ),
    st.text(max_size=30),
)
CHANGES = st.builds(
    Change,
    path=PATHS,
    old=st.one_of(st.none(), TEXTS.map(lambda t: t.encode("utf-8", "surrogatepass")), st.binary(max_size=40)),
    new=st.one_of(st.none(), TEXTS.map(lambda t: t.encode("utf-8", "surrogatepass")), st.binary(max_size=40)),
    old_mode=st.sampled_from(["100644", "100755", "", "120000"]),
    new_mode=st.sampled_from(["100644", "100644", "100644", "100755", "160000"]),
)
RULES = Rules(
    ("shop/**",),
    ("shop/auth*",),
    (PATH, "shop/a.py", "shop/b.js", "shop/c.css"),
    ("some words of a visitor here",),
)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(CHANGES, min_size=1, max_size=4), st.lists(CHANGES, max_size=3))
def test_it_never_raises_and_more_never_helps(changes, more):
    verdict = judge(changes, RULES)
    assert isinstance(verdict, GateVerdict)
    assert verdict.reasons
    if verdict.decision == Decision.REFUSE:
        assert judge([*changes, *more], RULES).decision == Decision.REFUSE
    assert "could not judge" not in verdict.reasons[0], "an exception inside of the gate"


@pytest.mark.parametrize(
    "junk", [None, 3, "text", [None], [3], [Change(None, None, None)], [Change(PATH, "s", 4)]]
)
def test_junk_is_refused(junk):
    assert judge(junk, RULES).decision == Decision.REFUSE
