"""Making a host known."""

import tomllib
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from core.errors import Permanent
from incidents.models import Autonomy, Host


class BadHost(Permanent):
    """What was said of a host does not hold together."""

    code = "bad_host"


def host_add(
    *,
    name: str,
    slug: str,
    base_url: str,
    origins: Sequence[str],
    git_dir: str = "",
    branch: str = "main",
    manifest_toml: str = "",
    data_dir: str = "",
    environment: Mapping[str, str] | None = None,
    autonomy: str | None = None,
) -> Host:
    """Adds a host with fresh keys. Whoever calls this accepts `manifest_toml`, its autonomy included
    (unless `autonomy` is given). Raises BadHost with every mistake named.
    """
    if not origins:
        raise BadHost("origins: give at least one site that loads the SDK, such as https://app.example.com.")
    host = Host(
        name=name,
        slug=slug,
        base_url=_base_url(base_url),
        origins=list(dict.fromkeys(origin_normal(origin) for origin in origins)),
        git_dir=git_dir,
        branch=branch,
        manifest_toml=manifest_toml,
        data_dir=data_dir,
        environment=dict(environment or {}),
        autonomy=autonomy or _autonomy(manifest_toml),
    )
    try:
        host.full_clean()
    except ValidationError as error:
        mistakes = [f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items()]
        raise BadHost("; ".join(mistakes)) from error
    host.save()
    return host


def origin_normal(text: str) -> str:
    """The origin as browsers write it: lower-case host, no usual port. They are compared letter by letter."""
    parts = urlsplit(text)
    if (
        parts.scheme not in {"http", "https"}
        or text != f"{parts.scheme}://{parts.netloc}"
        or not parts.netloc
    ):
        raise BadHost(f"origins: {text!r} should be scheme and host only, such as https://app.example.com.")
    usual = {"http": ":80", "https": ":443"}[parts.scheme]
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(usual)}"


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise BadHost(f"base_url: {text!r} is not an http or https address.")
    return text.rstrip("/")


def _autonomy(manifest_toml: str) -> str:
    try:
        policy = tomllib.loads(manifest_toml).get("policy", {})
    except tomllib.TOMLDecodeError as error:
        raise BadHost(f"manifest: not TOML: {error}.") from error
    found = policy.get("autonomy", Autonomy.PROPOSE) if isinstance(policy, dict) else Autonomy.PROPOSE
    if found not in Autonomy.values:
        raise BadHost(f"manifest: policy.autonomy is one of {', '.join(Autonomy.values)}, not {found!r}.")
    return str(found)
