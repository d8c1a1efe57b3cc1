"""Forge's three troubles happen as people meet them, and the offered actions heal what actions can heal."""

import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from hostkit.client import HostClient
from hostkit.errors import HostAnswerError

from .conftest import FORGE, Forge, Person, environment, other_tenants, program, wait_until


def act(host: HostClient, name: str, user: str, key: str, mode="apply", args=None):
    return host.action(name, user, mode=mode, idempotency_key=key, args=args)


def test_generate_fails_while_other_tenants_use_up_the_key_and_works_again_later(
    forge: Forge, person: Person
):
    person.log_in("ada")
    before = person.credits()
    other_tenants(forge)
    refused = person.api("/api/generate", {"prompt": "A recipe box"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (502, "generation_failed")
    assert person.credits() == before, "a build that failed costs nothing"
    wait_until(
        lambda: person.api("/api/generate", {"prompt": "A recipe box"}).status_code == 201,
        "Generate works after the burst",
        30,
        every=1.2,  # refused requests count as well: who asks faster than Retry-After stays out
    )


RETRIES = """    for _ in range(8):
        response = requests.post(
            f"{config.model_url}/v1/generate",
            json={"prompt": prompt},
            headers={"Authorization": f"Bearer {config.model_key}"},
            timeout=TIMEOUT_S,
        )
        if response.status_code != 429:
            break
        time.sleep(float(response.headers["Retry-After"]))
"""


def test_a_bounded_retry_in_the_one_function_that_calls_the_provider_is_all_that_generate_lacks(
    forge: Forge, tmp_path: Path
):
    tree = tmp_path / "tree"
    shutil.copytree(FORGE, tree, ignore=shutil.ignore_patterns("__pycache__", "data"))
    provider = tree / "forge" / "studio" / "provider.py"
    source = provider.read_text()
    call = source[
        source.index("    response = requests.post(") : source.index("    response.raise_for_status()")
    ]
    provider.write_text(
        source.replace(call, RETRIES).replace("import requests\n", "import time\n\nimport requests\n")
    )
    env = environment(FORGE_DATA=str(forge.data), FORGE_MODEL_URL=forge.model_url)
    with program("forge", env=env, tree=tree) as url:
        fixed, shipped = Person(replace(forge, url=url)), Person(forge)
        fixed.log_in("ada")
        shipped.log_in("ada")
        other_tenants(forge)
        with ThreadPoolExecutor(1) as pool:
            patient = pool.submit(fixed.api, "/api/generate", {"prompt": "A recipe box"})
            assert shipped.api("/api/generate", {"prompt": "A recipe box"}).status_code == 502
        assert patient.result().status_code == 201


def test_the_provider_says_when_to_come_back_and_then_lets_in(forge: Forge):
    def ask() -> httpx.Response:
        url, key = f"{forge.model_url}/v1/generate", {"Authorization": "Bearer patient"}
        return httpx.post(url, json={"prompt": "A recipe box"}, headers=key)

    answers = [ask() for _ in range(12)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert answers[0].status_code == 200
    assert refused
    assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
    time.sleep(float(refused[-1].headers["Retry-After"]))  # the wait is what the provider asks for
    assert ask().status_code == 200


def test_bought_credits_do_not_show_until_the_balance_is_resynced(person: Person, host: HostClient):
    person.log_in("ben")
    balance = person.credits()["shown"]
    person.submit("/credits/checkout", pack="100")
    stuck = {"shown": balance, "ledger": balance + 100}
    assert person.credits() == stuck
    facts = {"balance": balance, "ledger": balance + 100}
    assert host.invariant("credits_match_ledger", "u2") == {"holds": False, "facts": facts}

    plan = act(host, "resync_credits", "u2", "k-dry", mode="dry_run")
    assert (plan["applicable"], plan["changed"]) == (True, {"balance": [balance, balance + 100]})
    assert person.credits() == stuck, "a dry run changes nothing"

    done = act(host, "resync_credits", "u2", "k-1")
    assert done["undo"] == {"balance": balance}
    assert person.credits() == {"shown": balance + 100, "ledger": balance + 100}
    assert host.invariant("credits_match_ledger", "u2")["holds"]
    assert act(host, "resync_credits", "u2", "k-1") == done, "the same key gives the same answer"
    assert not act(host, "resync_credits", "u2", "k-2")["applicable"]

    undone = act(host, "restore_credits", "u2", "k-3", args=done["undo"])
    assert undone["changed"] == {"balance": [balance + 100, balance]}
    assert person.credits() == stuck


def test_chloe_is_thrown_out_right_after_logging_in_until_her_session_is_refreshed(
    forge: Forge, person: Person, host: HostClient
):
    page = person.log_in("chloe")
    assert (page.url.path, page.url.query) == ("/login", b"expired=1")
    assert "Your session has expired." in page.text
    identity = person.http.get("/__kriptik__/identity")
    assert identity.status_code == 200, "she proved her password, so she is known"
    assert not host.invariant("session_usable", "u3")["holds"]

    done = act(host, "refresh_session", "u3", "s-1")
    assert (done["applicable"], done["undo"]) == (True, {"cached_epoch": 0})
    assert host.invariant("session_usable", "u3")["holds"]
    assert person.log_in("chloe").url.path == "/studio"

    act(host, "restore_session", "u3", "s-2", args=done["undo"])
    assert not host.invariant("session_usable", "u3")["holds"]
    act(host, "refresh_session", "u3", "s-3")


def test_healthy_users_need_no_action(host: HostClient):
    assert host.invariant("session_usable", "u1")["holds"]
    assert host.invariant("credits_match_ledger", "u1")["holds"]
    for name in ("resync_credits", "refresh_session"):
        healthy = act(host, name, "u1", f"healthy-{name}")
        assert (healthy["applicable"], healthy["changed"], healthy["undo"]) == (False, {}, None)


@pytest.mark.parametrize(
    ("name", "user", "args", "status", "code"),
    [
        ("resync_credits", "nobody", {}, 404, "unknown_user"),
        ("restore_credits", "u1", {}, 400, "invalid_field"),
        ("restore_credits", "u1", {"balance": "1000000"}, 400, "invalid_field"),
        ("restore_session", "u1", {"cached_epoch": True}, 400, "invalid_field"),
        ("grant_credits", "u1", {}, 404, "unknown_action"),
    ],
)
def test_a_wrong_action_is_refused(host: HostClient, name, user, args, status, code):
    with pytest.raises(HostAnswerError) as refused:
        act(host, name, user, f"wrong-{name}-{args}", args=args)
    assert (refused.value.status, refused.value.code) == (status, code)


def test_a_key_used_for_something_else_is_refused(host: HostClient):
    act(host, "resync_credits", "u1", "taken")
    with pytest.raises(HostAnswerError, match="idempotency_conflict"):
        act(host, "refresh_session", "u1", "taken")


def test_seeding_again_leaves_everybody_as_they_are(forge: Forge, person: Person):
    person.log_in("ada")
    before = person.credits()
    argv = [sys.executable, "-m", "forge.seed", "--data", str(forge.data)]
    told = subprocess.run(argv, cwd=FORGE, env=environment(), check=True, capture_output=True, text=True)
    assert told.stdout == "0 accounts made, 3 there already\n"
    assert person.credits() == before
