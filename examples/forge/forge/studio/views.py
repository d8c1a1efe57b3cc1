"""The studio: describe an app, have it built, look at it."""

import logging
from typing import Any

import requests
from flask import Blueprint, current_app, g, jsonify, render_template, request
from forge.billing.ledger import NotEnoughCredits, balance_get
from forge.db import request_db
from forge.studio.builds import BUILD_PRICE, build_add, build_get, builds_recent
from forge.studio.provider import request_app
from forge.web import ApiError, login_required

studio = Blueprint("studio", __name__)
log = logging.getLogger("forge.studio")
MAX_PROMPT = 2000
IDEAS = (
    "A habit tracker for a small running club",
    "A landing page for a neighbourhood bakery",
    "A sales dashboard for a bicycle shop",
    "A recipe box for quick weekday dinners",
)


@studio.get("/studio")
@login_required
def studio_page() -> Any:
    return render_template("studio.html", builds=builds_recent(request_db(), g.user["id"]), ideas=IDEAS)


@studio.post("/api/generate")
@login_required
def generate() -> Any:
    db, user_id = request_db(), g.user["id"]
    prompt = _prompt()
    if balance_get(db, user_id) < BUILD_PRICE:
        raise ApiError("not_enough_credits", "You have no credits left.", 402)
    try:
        app = request_app(current_app.config["FORGE"], prompt)
    except requests.RequestException as error:
        log.exception("the model provider failed")
        raise ApiError("generation_failed", "The model could not be reached.", 502) from error
    try:
        build_id = build_add(db, user_id, prompt, app)
    except NotEnoughCredits as error:
        raise ApiError("not_enough_credits", "You have no credits left.", 402) from error
    return jsonify(build=build_get(db, user_id, build_id), balance=balance_get(db, user_id)), 201


@studio.get("/api/builds/<build_id>")
@login_required
def build(build_id: str) -> Any:
    found = build_get(request_db(), g.user["id"], build_id)
    if found is None:
        raise ApiError("not_found", "There is no such build.", 404)
    return jsonify(build=found)


def _prompt() -> str:
    body = request.get_json(silent=True)
    prompt = body.get("prompt") if isinstance(body, dict) else None
    if not isinstance(prompt, str) or not 3 <= len(prompt.strip()) <= MAX_PROMPT:
        raise ApiError("invalid_prompt", f"Describe your app in 3 to {MAX_PROMPT} characters.", 422)
    return prompt.strip()
