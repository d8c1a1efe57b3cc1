import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from core import safe_http
from core.errors import Permanent


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/redirect":
                self.send_response(302)
                self.send_header("Location", "/secret")
                self.end_headers()
                return
            body = b"x" * (2000 if self.path == "/long" else 5)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    httpd = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield httpd.server_address[1]
    httpd.shutdown()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://127.1:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://2130706433:{port}/",
        "http://user@127.0.0.1:{port}/",
        "file:///etc/passwd",
        "http:///nohost",
        "http://169.254.169.254/latest/meta-data",
    ],
)
def test_it_refuses_addresses_that_are_not_public(server, url):
    with pytest.raises(safe_http.AddressRefused):
        safe_http.fetch("GET", url.format(port=server))


def test_it_reaches_an_allow_listed_address(server, settings):
    settings.SAFE_HTTP_ALLOW = [f"127.0.0.1:{server}"]
    assert safe_http.fetch("GET", f"http://127.0.0.1:{server}/").text == "xxxxx"


def test_it_follows_no_redirect(server, settings):
    settings.SAFE_HTTP_ALLOW = [f"127.0.0.1:{server}"]
    assert safe_http.fetch("GET", f"http://127.0.0.1:{server}/redirect").status_code == 302


def test_it_refuses_an_answer_that_is_too_long(server, settings):
    settings.SAFE_HTTP_ALLOW = [f"127.0.0.1:{server}"]
    with pytest.raises(Permanent, match="longer than 1000"):
        safe_http.fetch("GET", f"http://127.0.0.1:{server}/long", max_bytes=1000)
