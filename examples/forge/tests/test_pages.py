from dataclasses import replace

from forge.app import create_app


def test_the_front_page_invites(browser):
    assert "Describe it." in browser.get("/").text


def test_health(browser):
    assert browser.get("/healthz").json == {"status": "ok"}


def test_an_unknown_page_says_so_in_words_and_an_unknown_call_in_json(browser):
    assert "This page doesn&#39;t exist." in browser.get("/nowhere").text
    assert browser.get("/api/nowhere").json == {
        "error": {"code": "not_found", "message": "This page doesn't exist."}
    }


def test_pages_carry_security_headers(browser):
    headers = browser.get("/login").headers
    assert "script-src 'self';" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_sdk_is_loaded_only_when_it_is_configured(app, browser):
    assert "kriptik.js" not in browser.get("/").text
    connected = create_app(
        replace(app.config["FORGE"], kriptik_url="http://127.0.0.1:8000", kriptik_key="pk_1")
    )
    page = connected.test_client().get("/")
    assert '<script src="http://127.0.0.1:8000/sdk/v1/kriptik.js" data-key="pk_1"' in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self' http://127.0.0.1:8000;" in policy
    assert "connect-src 'self' http://127.0.0.1:8000 ws://127.0.0.1:8000;" in policy
