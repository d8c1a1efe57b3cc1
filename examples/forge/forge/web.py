"""What every request passes: who is asking, cross-site protection, security headers, errors."""

import hmac
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, current_app, g, jsonify, redirect, render_template, request
from forge.auth.sessions import SESSION_COOKIE, SessionExpired, session_user
from forge.db import close_request_db, request_db
from forge.telemetry import telemetry_tag
from werkzeug.exceptions import HTTPException

CSRF_COOKIE = "forge_csrf"
# The payment provider has no page of ours to read a token from; its word is checked with the provider.
CSRF_EXEMPT = {"/webhooks/payments"}
MAX_BODY_BYTES = 64 * 1024

pages = Blueprint("pages", __name__)


class ApiError(Exception):
    """Answered as {"error": {"code", "message"}} with this status."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def login_required(view: Callable[..., Any]) -> Callable[..., Any]:
    """Pages send a stranger to the login; the API answers 401."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if g.user is not None:
            return view(*args, **kwargs)
        if request.path.startswith("/api/"):
            raise ApiError("login_required", "Please log in.", 401)
        response = redirect("/login?expired=1" if g.session_expired else "/login", 303)
        response.delete_cookie(SESSION_COOKIE)
        return response

    return guarded


def set_cookie(response: Response, name: str, value: str, max_age: int | None = None) -> None:
    secure = current_app.config["FORGE"].https
    response.set_cookie(name, value, max_age=max_age, httponly=True, samesite="Lax", secure=secure)


def install(app: Flask) -> None:
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.before_request(_identify)
    app.before_request(_refuse_cross_site)
    app.after_request(_finish)
    app.teardown_appcontext(close_request_db)
    app.register_error_handler(ApiError, _api_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_blueprint(pages)
    app.jinja_env.globals["csrf_token"] = lambda: g.csrf
    app.jinja_env.globals["kriptik"] = lambda: _sdk(app)


@pages.get("/")
def landing() -> Any:
    return redirect("/studio", 303) if g.user else render_template("landing.html")


@pages.get("/healthz")
def healthz() -> Any:
    request_db().execute("SELECT 1 FROM users LIMIT 1").fetchone()
    return jsonify(status="ok")


def _identify() -> None:
    g.csrf = request.cookies.get(CSRF_COOKIE) or secrets.token_urlsafe(24)
    g.user, g.session_expired = None, False
    if request.path.startswith("/static/"):
        return
    try:
        g.user = session_user(request_db(), request.cookies.get(SESSION_COOKIE, ""))
    except SessionExpired:
        g.session_expired = True
    telemetry_tag(g.user["id"] if g.user else None, request.headers.get("x-kriptik-action"))


def _refuse_cross_site() -> None:
    if request.method in ("GET", "HEAD", "OPTIONS") or request.path in CSRF_EXEMPT:
        return
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise ApiError("cross_site", "This request came from another site.", 403)
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf", "")
    kept = request.cookies.get(CSRF_COOKIE, "")
    if not kept or not hmac.compare_digest(kept.encode(), given.encode()):
        raise ApiError("csrf", "Your page is out of date. Reload it and try again.", 403)


def _finish(response: Response) -> Response:
    if request.path.startswith("/static/"):
        return response
    if request.cookies.get(CSRF_COOKIE) != g.csrf:
        set_cookie(response, CSRF_COOKIE, g.csrf)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Content-Security-Policy"] = _csp()
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _csp() -> str:
    """Scripts from here and from Ops alone. Styles may be inline: a preview inherits this policy."""
    ops = current_app.config["FORGE"].kriptik_url
    socket = "ws" + ops.removeprefix("http") if ops else ""
    rules = {
        "default-src": "'self'",
        "script-src": f"'self' {ops}",
        "connect-src": f"'self' {ops} {socket}",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "object-src": "'none'",
    }
    return "; ".join(f"{name} {' '.join(value.split())}" for name, value in rules.items())


def _api_error(error: ApiError) -> Any:
    if request.path.startswith(("/api/", "/webhooks/")):
        return jsonify(error={"code": error.code, "message": error.message}), error.status
    return render_template("error.html", status=error.status, message=error.message), error.status


def _http_error(error: HTTPException) -> Any:
    code = (error.name or "error").lower().replace(" ", "_")
    message = "This page doesn't exist." if error.code == 404 else (error.description or error.name)
    return _api_error(ApiError(code, message, error.code or 500))


def _sdk(app: Flask) -> dict[str, str] | None:
    config = app.config["FORGE"]
    if not (config.kriptik_url and config.kriptik_key):
        return None
    if urlsplit(config.kriptik_url).scheme not in ("http", "https"):
        return None
    return {"src": f"{config.kriptik_url}/sdk/v1/kriptik.js", "key": config.kriptik_key}
