"""Which processes are started, and how."""

import pytest

from flags.gateway import haproxy
from kriptik_ops import fleet


@pytest.fixture
def web_command(monkeypatch):
    """Daphne's command line as `manage.py up` starts it."""
    monkeypatch.setattr(haproxy, "command", lambda _: (["haproxy"], {}))

    def command():
        (web,) = [program for program in fleet.programs() if program.name == "web"]
        return web.argv

    return command


def test_a_proxys_headers_are_trusted_only_when_asked_for(web_command, settings):
    assert settings.PROXY_HEADERS is False, "the default"
    assert "--proxy-headers" not in web_command()
    settings.PROXY_HEADERS = True
    assert "--proxy-headers" in web_command()


def test_daphne_understands_its_command_line(web_command, settings):
    from daphne.cli import CommandLineInterface

    settings.PROXY_HEADERS = True
    parsed = CommandLineInterface().parser.parse_args(web_command()[3:])  # after python -m daphne
    assert (parsed.proxy_headers, parsed.application) == (True, "kriptik_ops.asgi:application")
