import pytest
from forge.db import now_ms


def test_a_new_user_lands_in_the_studio_with_the_welcome_credits(browser):
    browser.sign_up()
    assert "What shall we build?" in browser.get("/studio").text
    assert browser.credits() == {"shown": 50, "ledger": 50}


def test_a_user_logs_out_and_in_again(browser):
    browser.sign_up()
    browser.submit("/logout")
    assert browser.get("/studio").headers["Location"] == "/login"
    assert browser.log_in().request.path == "/studio"


def test_a_wrong_password_is_refused_without_saying_which_part_was_wrong(browser):
    browser.sign_up()
    browser.submit("/logout")
    wrong, unknown = browser.log_in(password="not-it-at-all"), browser.log_in(email="nobody@forge.example")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    for page in (wrong, unknown):
        assert "This e-mail and password don&#39;t belong together." in page.text


def test_guessing_passwords_is_slowed_down(browser, db):
    browser.sign_up()
    browser.submit("/logout")
    for _ in range(9):
        db.execute("INSERT INTO login_failures VALUES ('dora@forge.example', ?)", (now_ms(),))
    assert browser.log_in(password="the-tenth-guess").status_code == 401
    assert browser.log_in().status_code == 429


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": " "}, "Please tell us your name."),
        ({"email": "dora"}, "doesn&#39;t look like an e-mail"),
        ({"password": "short"}, "at least 8 characters"),
    ],
)
def test_a_bad_sign_up_says_what_is_wrong(browser, fields, words):
    page = browser.submit(
        "/signup", **{"name": "Dora", "email": "dora@forge.example", "password": "dora-builds", **fields}
    )
    assert page.status_code == 422
    assert words in page.text


def test_an_email_has_one_account(browser, stranger):
    browser.sign_up(email="Dora@Forge.example")
    page = stranger.submit("/signup", name="Dora", email="dora@forge.example", password="other-password")
    assert "There is an account with this e-mail already." in page.text


def test_changing_the_password_ends_the_sessions_on_other_devices(browser, stranger):
    browser.sign_up()
    stranger.log_in()
    page = browser.submit("/account/password", current="dora-builds", new="dora-builds-more")
    assert "Your password is changed." in page.text
    assert browser.get("/studio").status_code == 200
    assert stranger.get("/studio").headers["Location"] == "/login?expired=1"
    assert stranger.log_in(password="dora-builds-more").request.path == "/studio"


def test_the_current_password_is_needed_to_change_it(browser):
    browser.sign_up()
    page = browser.submit("/account/password", current="not-it-at-all", new="dora-builds-more")
    assert "The current password isn&#39;t right." in page.text


def test_signing_out_everywhere_ends_every_session(browser, stranger):
    browser.sign_up()
    stranger.log_in()
    assert "signed out on all your devices" in browser.submit("/account/sign-out-everywhere").text
    assert stranger.get("/studio").status_code == 303
    assert browser.get("/studio").status_code == 303


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(browser):
    answer = browser.submit(
        "/signup", follow=False, name="Dora", email="dora@forge.example", password="dora-builds"
    )
    cookies = answer.headers.getlist("Set-Cookie")
    assert {cookie.split("=")[0] for cookie in cookies} >= {"forge_session", "kriptik_identity"}
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in cookies)


def test_a_form_without_the_token_is_refused(browser):
    assert browser.client.post("/signup", data={"name": "Dora"}).status_code == 403


def test_a_form_from_another_site_is_refused(browser):
    answer = browser.client.post(
        "/signup", data={"csrf": browser.token}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403


def test_a_password_is_never_stored_readably(browser, db):
    browser.sign_up()
    assert db.execute("SELECT password_hash FROM users").fetchone()[0].startswith("scrypt:")
