"""Sign up, log in, log out, account."""

import re
from typing import Any

from flask import Blueprint, current_app, g, redirect, render_template, request
from forge.auth.sessions import (
    SESSION_COOKIE,
    SESSION_S,
    session_end,
    session_mint,
    sessions_end_everywhere,
)
from forge.auth.users import (
    MIN_PASSWORD,
    EmailTaken,
    TooManyFailures,
    password_change,
    user_create,
    user_verify,
)
from forge.db import request_db
from forge.web import login_required, set_cookie

auth = Blueprint("auth", __name__)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s.]{2,}")


@auth.get("/signup")
def signup_page() -> Any:
    return redirect("/studio", 303) if g.user else render_template("signup.html")


@auth.post("/signup")
def signup() -> Any:
    name, email, password = (request.form.get(field, "") for field in ("name", "email", "password"))
    problem = _signup_problem(name, email, password)
    if problem is None:
        try:
            return _logged_in(user_create(request_db(), name=name, email=email, password=password))
        except EmailTaken:
            problem = "There is an account with this e-mail already. Log in instead?"
    return render_template("signup.html", problem=problem, name=name, email=email), 422


@auth.get("/login")
def login_page() -> Any:
    if g.user:
        return redirect("/studio", 303)
    return render_template("login.html", expired=request.args.get("expired") == "1")


@auth.post("/login")
def login() -> Any:
    email, password = request.form.get("email", ""), request.form.get("password", "")
    try:
        user = user_verify(request_db(), email, password)
    except TooManyFailures:
        problem = "Too many attempts. Please wait five minutes and try again."
        return render_template("login.html", problem=problem, email=email), 429
    if user is None:
        problem = "This e-mail and password don't belong together."
        return render_template("login.html", problem=problem, email=email), 401
    return _logged_in(user["id"])


@auth.post("/logout")
def logout() -> Any:
    session_end(request_db(), request.cookies.get(SESSION_COOKIE, ""))
    return _logged_out("/")


@auth.get("/account")
@login_required
def account() -> Any:
    return render_template("account.html", changed=request.args.get("changed") == "1")


@auth.post("/account/password")
@login_required
def account_password() -> Any:
    current, new = request.form.get("current", ""), request.form.get("new", "")
    try:
        verified = user_verify(request_db(), g.user["email"], current) is not None
    except TooManyFailures:
        verified = False
    if not verified:
        return render_template("account.html", problem="The current password isn't right."), 422
    if len(new) < MIN_PASSWORD:
        return render_template("account.html", problem=_TOO_SHORT), 422
    password_change(request_db(), g.user["id"], new)
    return _logged_in(g.user["id"], "/account?changed=1")


@auth.post("/account/sign-out-everywhere")
@login_required
def account_sign_out_everywhere() -> Any:
    sessions_end_everywhere(request_db(), g.user["id"])
    return _logged_out("/login?signed_out=1")


def _logged_in(user_id: str, target: str = "/studio") -> Any:
    response = redirect(target, 303)
    set_cookie(response, SESSION_COOKIE, session_mint(request_db(), user_id), SESSION_S)
    current_app.extensions["hostkit"].remember(response.headers, user_id)
    return response


def _logged_out(target: str) -> Any:
    response = redirect(target, 303)
    response.delete_cookie(SESSION_COOKIE)
    current_app.extensions["hostkit"].forget(response.headers)
    return response


_TOO_SHORT = f"A password needs at least {MIN_PASSWORD} characters."


def _signup_problem(name: str, email: str, password: str) -> str | None:
    if not 1 <= len(name.strip()) <= 80:
        return "Please tell us your name."
    if not _EMAIL.fullmatch(email.strip()):
        return "This doesn't look like an e-mail address."
    if len(password) < MIN_PASSWORD:
        return _TOO_SHORT
    return None
