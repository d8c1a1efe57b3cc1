"""A clone is one account, scrubbed, on which a second Forge runs with the user's troubles."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from hostkit.client import HostClient, clone_files
from hostkit.errors import HostAnswerError

from .conftest import SECRET, Forge, environment, program

TABLES = ("users", "epoch_cache", "sessions", "login_failures", "purchases", "ledger", "builds", "action_log")


def laid_out(host: HostClient, user: str | None, into: Path) -> str:
    reply = host.clone(user)
    for name, content in clone_files(reply).items():
        (into / name).write_bytes(content)
    return reply["user"]


def owners(path: Path) -> dict[str, set[str]]:
    with closing(sqlite3.connect(path)) as db:
        found = {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
        db.row_factory = sqlite3.Row
        users = {row["id"] for row in db.execute("SELECT id FROM users")}
        rows = {
            table: {row["user_id"] for row in db.execute(f"SELECT user_id FROM {table}")}
            for table in TABLES
            if table not in ("users", "login_failures")
        }
    return {"users": users, **rows, "login_failures": {row[0] for row in found["login_failures"]}}


def test_a_clone_holds_one_user_and_no_keys(host: HostClient, tmp_path: Path):
    assert laid_out(host, "u2", tmp_path) == "u2"
    held = owners(tmp_path / "forge.db")
    assert held["users"] == held["builds"] == held["ledger"] == {"u2"}
    assert held["sessions"] == held["action_log"] == held["login_failures"] == set()


def test_nobody_can_be_recognised_in_a_clone(host: HostClient, forge: Forge, tmp_path: Path):
    laid_out(host, "u2", tmp_path)
    content = (tmp_path / "forge.db").read_bytes()
    with closing(sqlite3.connect(forge.data / "forge.db")) as db:
        people = db.execute("SELECT email, password_hash FROM users").fetchall()
    assert len(people) == 3
    for secret in [value for person in people for value in person]:
        assert secret.encode() not in content


def test_a_clone_of_nobody_is_a_healthy_account_made_afresh(host: HostClient, tmp_path: Path):
    user = laid_out(host, None, tmp_path)
    assert owners(tmp_path / "forge.db")["users"] == {user}
    with closing(sqlite3.connect(tmp_path / "forge.db")) as db:
        assert db.execute("SELECT balance FROM users").fetchone() == (50,)


def test_the_clone_of_an_unknown_user_is_refused(host: HostClient):
    with pytest.raises(HostAnswerError, match="unknown_user"):
        host.clone("nobody")


@pytest.mark.parametrize("user", ["u1", None])
def test_a_login_works_on_a_forge_that_runs_on_the_clone(
    host: HostClient, forge: Forge, tmp_path: Path, user: str | None
):
    cloned = laid_out(host, user, tmp_path)
    secret = "a-throw-away-secret-for-one-sandbox"
    env = environment(FORGE_DATA=str(tmp_path), FORGE_MODEL_URL=forge.model_url, KRIPTIK_SECRET=secret)
    with program("forge", env=env) as url, HostClient(url, secret) as sandboxed:
        (cookie,) = sandboxed.login(cloned)["cookies"]
        assert (cookie["path"], cookie["httpOnly"]) == ("/", True)
        cookies = {cookie["name"]: cookie["value"]}
        assert httpx.get(f"{url}/studio", cookies=cookies).status_code == 200
        assert httpx.get(f"{url}/api/credits", cookies=cookies).json()["shown"] >= 48
        assert "kriptik.js" not in httpx.get(f"{url}/").text


def test_no_session_is_minted_where_real_accounts_are(forge: Forge):
    env = environment(FORGE_DATA=str(forge.data), KRIPTIK_SECRET=SECRET, KRIPTIK_URL="http://127.0.0.1:9")
    with (
        program("forge", env=env) as url,
        HostClient(url, SECRET) as connected,
        pytest.raises(HostAnswerError) as refused,
    ):
        connected.login("u1")
    assert (refused.value.status, refused.value.code) == (501, "not_offered")


def test_a_cookie_of_the_clone_opens_nothing_on_the_real_forge(host: HostClient, forge: Forge):
    assert httpx.get(f"{forge.url}/studio", cookies={"forge_session": "made-up"}).status_code == 303


def test_describe_says_what_helps_and_not_who(host: HostClient):
    told = host.describe("u2")
    assert (told["user"], told["plan"], told["role"]) == ("u2", "starter", "member")
    assert isinstance(told["created"], int)
    assert told["facts"]["builds"] == 2
    assert "ben" not in json.dumps(told).lower()


def test_the_wrong_secret_gets_nothing(forge: Forge):
    with HostClient(forge.url, SECRET[::-1]) as client, pytest.raises(HostAnswerError, match="bad_signature"):
        client.clone("u1")
