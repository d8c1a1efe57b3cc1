"""The tone: short, warm, honest, no jargon, no emoji."""

import re

import pytest

from notifications.messages import IncidentBody, Kind, Stage
from notifications.wording import BUTTONS, words

EVERYTHING = [(kind, stage) for kind in Kind for stage in Stage]
JARGON = re.compile(
    r"\b(server|backend|frontend|API|HTTP|error code|exception|stack|bug|deploy\w*|release|rollback|"
    r"rolled back|cache|database|ledger|token|cookie|timeout|null|incident|report|canary|patch|config\w*|"
    r"provider|request|retry|\d{3})\b",
    re.I,
)
BLAME = re.compile(
    r"\b(you (did|made|failed|forgot|should have|must)|invalid|wrong input|user error)\b", re.I
)


@pytest.mark.parametrize(("kind", "stage"), EVERYTHING)
def test_the_words_are_short_plain_and_kind(kind, stage):
    said = words(kind, stage)
    both = f"{said.title} {said.body}"
    assert 0 < len(said.title) <= 60
    assert 0 < len(said.body) < 240
    assert both.isascii(), "no emoji, no typographic surprises"
    assert not JARGON.search(both), JARGON.search(both)
    assert not BLAME.search(both.replace("You did nothing wrong", ""))
    assert said.body[-1] in ".!?"
    assert both.count("!") <= 2


@pytest.mark.parametrize(("kind", "stage"), EVERYTHING)
def test_fixed_is_said_when_it_is_and_never_before(kind, stage):
    both = " ".join([words(kind, stage).title, words(kind, stage).body])
    assert bool(re.search(r"\bfixed\b", both, re.I)) == (stage is Stage.RESOLVED)


@pytest.mark.parametrize("kind", Kind)
def test_a_failed_remedy_is_owned_up_to(kind):
    rolled_back = words(kind, Stage.ROLLED_BACK).body
    assert "took it back" in rolled_back
    assert "orry" in rolled_back
    assert "orry" in words(kind, Stage.ESCALATED).body
    assert "person" in words(kind, Stage.ESCALATED).body


@pytest.mark.parametrize("kind", Kind)
def test_the_first_words_fit_the_trouble(kind):
    others = {words(other, Stage.DETECTED) for other in Kind if other != kind}
    assert words(kind, Stage.DETECTED) not in others


@pytest.mark.parametrize(("kind", "stage"), EVERYTHING)
def test_every_state_is_one_that_the_browser_takes(kind, stage):
    said = words(kind, stage)
    IncidentBody(
        incident="inc_1",
        stage=stage,
        kind=kind,
        title=said.title,
        body=said.body,
        actions=BUTTONS[stage],
        at=0,
    )


def test_trying_again_is_offered_when_it_will_work():
    assert [stage for stage in Stage if "try_again" in BUTTONS[stage]] == [Stage.RESOLVED]
