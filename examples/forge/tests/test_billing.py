import time

import pytest
import requests


def wait_for(read, wanted, seconds=5):
    until = time.monotonic() + seconds
    while (seen := read()) != wanted and time.monotonic() < until:
        time.sleep(0.02)
    assert seen == wanted


def test_bought_credits_are_there_when_the_webhook_is_quick(browser):
    browser.sign_up()
    page = browser.submit("/credits/checkout", pack="100")
    assert "Your payment for 100 credits went through." in page.text
    assert browser.credits() == {"shown": 150, "ledger": 150}


@pytest.mark.parametrize("payments_url", [0.2], indirect=True)
def test_bought_credits_arrive_when_the_customer_never_comes_back(browser):
    browser.sign_up()
    browser.submit("/credits/checkout", follow=False, pack="500")
    wait_for(browser.credits, {"shown": 550, "ledger": 550})


def test_a_webhook_that_comes_twice_counts_once(browser, app, db):
    browser.sign_up()
    browser.submit("/credits/checkout", pack="100")
    purchase = db.execute("SELECT id FROM purchases").fetchone()[0]
    again = requests.post(f"{app.config['FORGE'].public_url}/webhooks/payments", json={"purchase": purchase})
    assert again.json() == {"received": True}
    assert browser.credits() == {"shown": 150, "ledger": 150}


@pytest.mark.parametrize("body", [{"purchase": "pay_0123456789abcdef"}, {"purchase": "../x"}, {}, ["pay"]])
def test_a_made_up_webhook_gives_no_credits(browser, body):
    browser.sign_up()
    assert browser.client.post("/webhooks/payments", json=body).status_code == 404
    assert browser.credits() == {"shown": 50, "ledger": 50}


def test_somebody_elses_purchase_is_unknown(browser, stranger, db):
    browser.sign_up()
    browser.submit("/credits/checkout", pack="100")
    purchase = db.execute("SELECT id FROM purchases").fetchone()[0]
    stranger.sign_up(email="mallory@forge.example")
    assert stranger.get(f"/credits/return?purchase={purchase}").status_code == 404
    assert stranger.credits() == {"shown": 50, "ledger": 50}


def test_an_unknown_pack_is_refused(browser):
    browser.sign_up()
    assert "Please choose one of the packs." in browser.submit("/credits/checkout", pack="7").text


def test_the_history_names_what_happened(browser):
    browser.sign_up()
    browser.submit("/credits/checkout", pack="100")
    page = browser.get("/credits").text
    assert page.index("100 credits") < page.index("Welcome to Forge")
