"""The reader on real pages in a real browser: what a person sees, and nothing of what they don't."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from workbench.screen import READ_SCREEN_JS, ScreenFacts, screen_parse

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 800, "height": 600})
        browser.close()


def read(page: Any, html: str) -> ScreenFacts:
    page.set_content(html)
    facts = screen_parse(page.evaluate(READ_SCREEN_JS))
    assert facts is not None
    return facts


def test_it_reads_what_is_visible_and_leaves_out_what_is_not(page: Any) -> None:
    facts = read(
        page,
        """<title>Shop</title><script>var hidden = 'code'</script><style>.x{color:red}</style>
        <main><h1>Hello</h1><p hidden>secret 1</p><p style="display:none">secret 2</p>
        <p style="visibility:hidden">secret 3</p><p style="opacity:0">secret 4</p>
        <p>Tail <b>end</b></p></main>
        <div role="alert">Card refused</div><img src="data:," width=5 height=5>""",
    )
    assert [run.text for run in facts.texts] == ["Hello", "Tail", "end", "Card refused"]
    assert (facts.title, facts.width, facts.media, facts.alerts) == ("Shop", 800, 1, ("Card refused",))
    assert [each.role for each in facts.landmarks] == ["main"]
    assert facts.texts[0].box.h > 10


def test_it_names_controls_with_their_state(page: Any) -> None:
    facts = read(
        page,
        """<label>Name <input value="Ann"></label><input type=password value=pw aria-label=Password>
        <input type=checkbox checked aria-label=Terms><button disabled>Buy</button>
        <button aria-expanded=true><b>Menu</b></button><a href=/x>Link</a><a>no link</a>
        <div role=switch aria-checked=true aria-label=Dark style="width:9px;height:9px"></div>""",
    )
    told = [(each.role, each.name, each.enabled, each.state) for each in facts.controls]
    assert told == [
        ("textbox", "Name", True, "value=Ann"),
        ("textbox", "Password", True, ""),
        ("checkbox", "Terms", True, "checked=true"),
        ("button", "Buy", False, ""),
        ("button", "Menu", True, "expanded=true"),
        ("link", "Link", True, ""),
        ("switch", "Dark", True, "checked=true"),
    ]


def test_it_reads_shadow_roots(page: Any) -> None:
    page.set_content("<div id=host></div>")
    page.evaluate(
        "host.attachShadow({mode: 'open'}).innerHTML = '<p>In the shadow</p><button>Press</button>'"
    )
    facts = screen_parse(page.evaluate(READ_SCREEN_JS))
    assert facts is not None and "In the shadow" in facts.text
    assert [each.name for each in facts.controls] == ["Press"]


def test_an_empty_page_is_blank_and_a_picture_is_not(page: Any) -> None:
    assert read(page, "<main></main>").blank
    assert read(page, "<main><p style='visibility:hidden'>x</p></main>").blank
    assert not read(page, "<canvas width=50 height=50></canvas>").blank


def test_a_monstrous_page_stays_within_the_limits(page: Any) -> None:
    html = "<p>" + "word " * 500 + "</p>" + "<button>b</button>" * 900 + "<div><i>x</i>" * 2000
    facts = read(page, html)
    assert len(facts.controls) == 200
    assert len(facts.texts) == 400
    assert len(facts.texts[0].text) == 300


def test_the_signature_tells_a_visible_answer_from_none(page: Any) -> None:
    before = read(page, "<button>Go</button>")
    page.evaluate("document.body.style.paddingTop = '40px'")
    moved = screen_parse(page.evaluate(READ_SCREEN_JS))
    page.evaluate("document.querySelector('button').disabled = true")
    disabled = screen_parse(page.evaluate(READ_SCREEN_JS))
    assert moved is not None and disabled is not None
    assert before.signature() == moved.signature()
    assert before.signature() != disabled.signature()
