"""The SDK's files: public, cached for minutes, and a clear word when they were never built."""

import pytest

from incidents.views import assets


@pytest.fixture
def dist(tmp_path, monkeypatch):
    folder = tmp_path / "dist"
    folder.mkdir()
    monkeypatch.setattr(assets, "dist_folder", lambda: folder)
    (tmp_path / "secret.js").write_text("not yours")
    return folder


@pytest.fixture
def built(dist):
    (dist / "kriptik.js").write_text("console.log(1)")
    (dist / "kriptik-overlay.js").write_text("console.log(2)")
    (dist / "notes.txt").write_text("no")
    return dist


def test_an_sdk_that_was_never_built_says_what_to_do(client, dist):
    response = client.get("/sdk/v1/kriptik.js")
    assert response.status_code == 503
    assert "npm run build" in response.json()["error"]["message"]


@pytest.mark.parametrize("name", ["kriptik.js", "kriptik-overlay.js"])
def test_any_page_may_load_the_sdk(client, built, name):
    response = client.get(f"/sdk/v1/{name}", headers={"origin": "https://anybody.example"})
    assert response.status_code == 200
    assert response["Content-Type"] == "text/javascript; charset=utf-8"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "max-age=300" in response["Cache-Control"]
    assert response["X-Content-Type-Options"] == "nosniff"


def test_an_unchanged_file_is_not_sent_again_and_a_changed_one_is(client, built):
    tag = client.get("/sdk/v1/kriptik.js")["ETag"]
    assert client.get("/sdk/v1/kriptik.js", headers={"if-none-match": tag}).status_code == 304
    (built / "kriptik.js").write_text("console.log(3)")
    assert client.get("/sdk/v1/kriptik.js", headers={"if-none-match": tag}).content == b"console.log(3)"


@pytest.mark.parametrize(
    "name",
    [
        "nothing.js",
        "notes.txt",
        "../secret.js",
        "%2e%2e/secret.js",
        "..%2fsecret.js",
        ".hidden.js",
        "a//b.js",
    ],
)
def test_nothing_else_is_served(client, built, name):
    assert client.get(f"/sdk/v1/{name}").status_code == 404
