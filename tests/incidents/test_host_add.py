"""manage.py host_add."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from incidents.models import Host
from incidents.services import host_add
from incidents.services.hosts import BadHost, origin_normal

MANIFEST = '[host]\nname = "Forge"\n[policy]\nautonomy = "auto"\n'


@pytest.fixture
def manifest(tmp_path):
    path = tmp_path / "kriptik.toml"
    path.write_text(MANIFEST)
    return path


def run(*arguments, **changes):
    options = {"--name": "Forge", "--slug": "forge", "--base-url": "http://127.0.0.1:5000/"}
    options |= {"--origin": "https://Forge.Example:443"} | changes
    out = StringIO()
    given = [part for name, value in options.items() if value is not None for part in (name, value)]
    call_command("host_add", *given, *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_it_prints_the_keys_once_and_what_the_environment_needs(manifest, tmp_path):
    said = run("--manifest", str(manifest), "--git-dir", str(tmp_path), "--env", "A_URL=http://a:1?x=1")
    host = Host.objects.get()
    for part in (host.public_key, host.secret, f"SENTRY_DSN=http://{host.dsn_key}@", "KRIPTIK_HOST=forge"):
        assert part in said
    assert host.origins == ["https://forge.example"], "as browsers write it"
    assert host.base_url == "http://127.0.0.1:5000"
    assert (host.autonomy, host.manifest_toml, host.git_dir) == ("auto", MANIFEST, str(tmp_path))
    assert host.environment == {"A_URL": "http://a:1?x=1"}


@pytest.mark.django_db
def test_json_is_for_scripts():
    known = json.loads(run("--json"))
    host = Host.objects.get()
    assert known == {
        "id": host.pk,
        "slug": "forge",
        "key": host.public_key,
        "secret": host.secret,
        "dsn": known["dsn"],
    }
    assert f"{host.dsn_key}@" in known["dsn"]


def test_a_new_host_proposes_unless_its_accepted_manifest_says_more(db):
    host = host_add(name="F", slug="f", base_url="http://f", origins=["https://f.example"])
    assert host.autonomy == "propose"
    more = host_add(
        name="G", slug="g", base_url="http://g", origins=["https://g.example"], manifest_toml=MANIFEST
    )
    less = host_add(
        name="H",
        slug="h",
        base_url="http://h",
        origins=["https://h.example"],
        manifest_toml=MANIFEST,
        autonomy="observe",
    )
    assert (more.autonomy, less.autonomy) == ("auto", "observe")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "changes", "says"),
    [
        ([], {"--origin": None}, "at least one"),
        ([], {"--origin": "https://forge.example/app"}, "scheme and host only"),
        ([], {"--origin": "forge.example"}, "scheme and host only"),
        ([], {"--origin": "*"}, "scheme and host only"),
        ([], {"--origin": "http://[a"}, "scheme and host only"),
        ([], {"--origin": "https://[1:2]"}, "origins: .* is not an address"),
        ([], {"--origin": "https://a:65536"}, "origins: .* is not an address"),
        ([], {"--origin": "https://a b"}, "scheme and host only"),
        ([], {"--origin": "https://me@a"}, "scheme and host only"),
        ([], {"--base-url": "http://[::1"}, "base_url: .* is not an address"),
        ([], {"--base-url": "http://a:65536"}, "base_url: .* is not an address"),
        ([], {"--base-url": "http://:80"}, "base_url"),
        ([], {"--slug": "Forge One"}, "slug"),
        ([], {"--base-url": "ftp://x"}, "base_url"),
        (["--git-dir", "/nowhere/at/all"], {}, "--git-dir /nowhere/at/all is not a folder"),
        (["--manifest", "/nowhere/kriptik.toml"], {}, "can't be read"),
        (["--env", "NAME"], {}, "NAME=VALUE"),
    ],
)
def test_every_mistake_is_named(arguments, changes, says):
    with pytest.raises(CommandError, match=says):
        run(*arguments, **changes)
    assert not Host.objects.exists()


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("https://A.example:0443", "https://a.example"),
        ("http://a.example:443", "http://a.example:443"),
        ("http://[::1]:80", "http://[::1]"),
        ("http://[::1]:5000", "http://[::1]:5000"),
    ],
)
def test_an_origin_becomes_what_browsers_send(given, known):
    assert origin_normal(given) == known


@pytest.mark.django_db
def test_a_manifest_is_read_even_when_its_autonomy_is_overruled(tmp_path):
    bad = tmp_path / "kriptik.toml"
    bad.write_text("[policy")
    with pytest.raises(CommandError, match="not TOML"):
        run("--manifest", str(bad), "--autonomy", "observe")


@pytest.mark.django_db
def test_a_slug_is_given_once():
    run()
    with pytest.raises(CommandError, match="slug"):
        run()


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ("[policy", "not TOML"),
        ('[policy]\nautonomy = "yolo"', "observe, propose, auto"),
        (f"a = {'[' * 5000}{']' * 5000}", "nested too deeply"),
        (f"a = {'1' * 5000}", "not TOML"),
        ("policy = 1", None),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_manifest_that_does_not_hold(db, manifest, says):
    def add():
        return host_add(
            name="F", slug="f", base_url="http://f", origins=["https://f.example"], manifest_toml=manifest
        )

    if says is None:
        assert add().autonomy == "propose"
        return
    with pytest.raises(BadHost, match=says):
        add()
