"""Making a host known."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ValidationError

from core.errors import Permanent
from incidents.models import Autonomy, Host

# A name outside ASCII never matches: browsers send its xn-- form.
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


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
    said = _autonomy(manifest_toml)  # read even when `autonomy` overrules it: it must hold together
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
        autonomy=autonomy or said,
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
    match = _ORIGIN.fullmatch(text)
    if match is None:
        raise BadHost(f"origins: {text!r} should be scheme and host only, such as https://app.example.com.")
    port = _split(text, "origins").port
    usual = {"http": 80, "https": 443}[match["scheme"]]
    return f"{match['scheme']}://{match['host'].lower()}" + ("" if port in {None, usual} else f":{port}")


def _split(text: str, field: str) -> SplitResult:
    """The address in parts, its port read too: urlsplit looks at that only when asked."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise BadHost(f"{field}: {text!r} is not an address: {error}.") from error
    return parts


def _base_url(text: str) -> str:
    parts = _split(text, "base_url")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadHost(f"base_url: {text!r} is not an http or https address.")
    return text.rstrip("/")


def _autonomy(manifest_toml: str) -> str:
    try:
        policy = tomllib.loads(manifest_toml).get("policy", {})
    except RecursionError as error:
        raise BadHost("manifest: nested too deeply to be read. Write it with fewer brackets.") from error
    except ValueError as error:  # TOMLDecodeError, and what int() says to a number of 5,000 digits
        raise BadHost(f"manifest: not TOML: {error}.") from error
    found = policy.get("autonomy", Autonomy.PROPOSE) if isinstance(policy, dict) else Autonomy.PROPOSE
    if found not in Autonomy.values:
        raise BadHost(f"manifest: policy.autonomy is one of {', '.join(Autonomy.values)}, not {found!r}.")
    return str(found)
