"""Credits: balance, packs, checkout, the provider's webhook."""

import logging
import re
from typing import Any

import requests
from flask import Blueprint, current_app, g, jsonify, redirect, render_template, request
from forge.billing.ledger import balance_get, ledger_rows, ledger_sum
from forge.billing.payments import checkout_create, purchase_fetch
from forge.billing.purchases import PACKS, purchase_confirmed, purchase_open, purchase_returned
from forge.db import request_db
from forge.web import ApiError, login_required

billing = Blueprint("billing", __name__)
log = logging.getLogger("forge.billing")
_PURCHASE_ID = re.compile(r"pay_[a-z0-9]{8,40}")


@billing.get("/credits")
@login_required
def credits_page() -> Any:
    return _credits_page()


@billing.get("/api/credits")
@login_required
def credits() -> Any:
    db, user_id = request_db(), g.user["id"]
    return jsonify(shown=balance_get(db, user_id), ledger=ledger_sum(db, user_id))


@billing.post("/credits/checkout")
@login_required
def checkout() -> Any:
    pack = request.form.get("pack", "")
    cents = PACKS.get(int(pack)) if pack.isascii() and pack.isdigit() else None
    if cents is None:
        return _credits_page(problem="Please choose one of the packs.", status=422)
    config = current_app.config["FORGE"]
    try:
        purchase = checkout_create(config, user_id=g.user["id"], credits=int(pack), cents=cents)
    except requests.RequestException:
        log.exception("the payment provider failed at the checkout")
        return _credits_page(problem="The payment didn't go through. Nothing was charged.", status=502)
    purchase_open(request_db(), purchase["id"], g.user["id"], int(pack), cents)
    return redirect(f"/credits/return?purchase={purchase['id']}", 303)


@billing.get("/credits/return")
@login_required
def checkout_return() -> Any:
    purchase = _fetch(request.args.get("purchase", ""))
    if purchase is None or purchase["metadata"]["user"] != g.user["id"]:
        raise ApiError("unknown_purchase", "We don't know this purchase.", 404)
    if purchase["status"] != "paid":
        return _credits_page(problem="The payment didn't go through. Nothing was charged.", status=402)
    purchase_returned(request_db(), purchase)
    return _credits_page(bought=purchase["metadata"]["credits"])


@billing.post("/webhooks/payments")
def payments_webhook() -> Any:
    """Only the id is taken from the body; what was paid is asked of the provider itself."""
    body = request.get_json(silent=True)
    purchase_id = body.get("purchase") if isinstance(body, dict) else None
    purchase = _fetch(purchase_id) if isinstance(purchase_id, str) else None
    if purchase is None:
        raise ApiError("unknown_purchase", "The provider knows no such purchase.", 404)
    if purchase["status"] == "paid":
        purchase_confirmed(request_db(), purchase)
    return jsonify(received=True)


def _fetch(purchase_id: str) -> dict[str, Any] | None:
    if not _PURCHASE_ID.fullmatch(purchase_id):
        return None
    try:
        return purchase_fetch(current_app.config["FORGE"], purchase_id)
    except requests.RequestException as error:
        log.exception("the payment provider didn't answer about a purchase")
        raise ApiError("payments_unavailable", "The payment provider doesn't answer.", 502) from error


def _credits_page(*, problem: str | None = None, bought: int | None = None, status: int = 200) -> Any:
    rows = ledger_rows(request_db(), g.user["id"])
    return render_template("credits.html", packs=PACKS, rows=rows, problem=problem, bought=bought), status
