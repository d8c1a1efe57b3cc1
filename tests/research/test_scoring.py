"""The rubric: each part does what its sentence says, and the same inputs give the same score."""

from datetime import UTC, datetime, timedelta

import pytest

from research.relevance import Trouble, relevance, words_of
from research.scoring import WEIGHTS, score

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


def trouble(title, kind="ERROR", severity="P1", reports=1):
    return Trouble(f"inc_{title}", title, kind, severity, reports, words_of(title))


def judge(text, troubles=(), published=NOW, earlier=()):
    return score(
        text=text,
        found=relevance(text, troubles),
        published_at=published,
        now=NOW,
        earlier=[words_of(e) for e in earlier],
    )


def test_graver_and_more_frequent_trouble_weighs_more():
    text = "Checkout webhook idempotent retries"
    grave = trouble("Checkout fails", "BILLING_ISSUE", "P0", 100)
    slight = trouble("Avatar upload broken", "ERROR", "P3", 1)
    both = judge(text, [grave, slight]).parts["impact"].value
    other = judge("Avatar upload broken image error", [grave, slight]).parts["impact"].value
    assert both > 0.9
    assert other < 0.1


def test_one_shared_word_is_chance():
    assert not relevance("The checkout line at the supermarket", [trouble("Checkout fails")]).troubles


def test_a_repeated_idea_is_less_new():
    fresh, stale = judge("Retry on 429"), judge("Retry on 429", earlier=["Retry on 429"])
    assert fresh.parts["novelty"].value == 1
    assert stale.parts["novelty"].value == 0
    assert stale.total == pytest.approx(fresh.total - WEIGHTS["novelty"], abs=0.1)


def test_recency_halves_every_thirty_days():
    assert judge("x", published=NOW - timedelta(days=30)).parts["recency"].value == 0.5
    assert judge("x", published=NOW + timedelta(days=3)).parts["recency"].value == 1
    assert judge("x", published=None).parts["recency"].value == 0.25


@pytest.mark.parametrize(
    ("text", "value"), [("add a retry", 0.9), ("rewrite the retry", 0.2), ("roses", 0.5)]
)
def test_ease_follows_the_words(text, value):
    assert judge(text).parts["ease"].value == value


def test_the_weights_make_a_hundred_and_nothing_exceeds_it():
    assert sum(WEIGHTS.values()) == 100
    assert judge("Retry checkout fails error", [trouble("Checkout fails")]).total <= 100


def test_the_same_inputs_give_the_same_score():
    troubles = [trouble(f"Checkout fails {n}") for n in range(20)]
    assert judge("Checkout error", troubles) == judge("Checkout error", troubles)
