import pytest


def test_a_description_becomes_a_build_and_costs_one_credit(browser):
    browser.sign_up()
    answer = browser.api("/api/generate", {"prompt": "A habit tracker for a running club"})
    assert answer.status_code == 201
    build = answer.json["build"]
    assert build["title"] == "Habit Tracker"
    assert len(build["steps"]) == 5
    assert "A habit tracker for a running club" in build["html"]
    assert answer.json["balance"] == 49
    assert browser.credits() == {"shown": 49, "ledger": 49}


def test_a_build_can_be_opened_again_by_its_owner_alone(browser, stranger):
    browser.sign_up()
    build = browser.api("/api/generate", {"prompt": "A recipe box"}).json["build"]
    assert browser.get(f"/api/builds/{build['id']}").json == {"build": build}
    stranger.sign_up(email="mallory@forge.example")
    assert stranger.get(f"/api/builds/{build['id']}").json["error"]["code"] == "not_found"


def test_what_the_user_wrote_is_escaped_in_the_page(browser):
    browser.sign_up()
    html = browser.api("/api/generate", {"prompt": "<script>alert(1)</script> page"}).json["build"]["html"]
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize("body", [{}, {"prompt": "  a "}, {"prompt": 7}, {"prompt": "x" * 2001}, []])
def test_a_bad_description_is_refused(browser, body):
    browser.sign_up()
    answer = browser.api("/api/generate", body)
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "invalid_prompt")


def test_nothing_is_built_without_credits(browser, db):
    browser.sign_up()
    db.execute("UPDATE users SET balance = 0")
    answer = browser.api("/api/generate", {"prompt": "A recipe box"})
    assert (answer.status_code, answer.json["error"]["code"]) == (402, "not_enough_credits")
    assert db.execute("SELECT count(*) FROM builds").fetchone()[0] == 0


def test_the_api_asks_strangers_to_log_in(browser):
    answer = browser.api("/api/generate", {"prompt": "A recipe box"})
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "login_required")
