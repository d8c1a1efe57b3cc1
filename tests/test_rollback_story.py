"""A fix that passed every check fails its user: it is taken back, and she is told so honestly.

A demo of its own, because what is merged in the other story would be missing here.
"""

import pytest

from tests.stories import Demo, empty_demo  # noqa: F401 (the fixture)

pytestmark = [pytest.mark.story, pytest.mark.browser, pytest.mark.sandbox, pytest.mark.xdist_group("story")]


@pytest.fixture(scope="module")
def story(empty_demo: Demo):  # noqa: F811
    return empty_demo.run_story("rolled_back")


def test_the_fix_was_proved_and_went_to_her_first(story):
    assert story["verification"]["clone"]["passed"] == 5
    assert story["rollout"][0]["phase"] == "affected_user"


def test_it_was_taken_back_when_it_failed_her(story):
    assert story["outcome"] == "rolled_back", story["reason"]
    assert story["rollout"][-1]["phase"] == "rolled_back"
    assert "full" not in [step["phase"] for step in story["rollout"]]


def test_she_is_told_so_honestly(story):
    stages = [words["stage"] for words in story["words"]]
    assert stages[-1] == "rolled_back"
    assert "took it back" in story["words"][-1]["body"]


def test_nothing_was_merged(story, empty_demo):  # noqa: F811
    assert len(empty_demo.git("log", "--format=%s", "main").splitlines()) == 1
