"""contract/*.json: the same golden examples that the SDK's tests read, so that neither side can drift."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from pydantic import ValidationError

from incidents import wire
from incidents.wire import FRAMES, FrameRefused, Leniency, frame_parse
from notifications import messages

FOLDER = Path(settings.BASE_DIR) / "contract"
SERVER = {
    "welcome": messages.Welcome,
    "snapshot": messages.Snapshot,
    "ack": messages.Ack,
    "chunk_ack": messages.ChunkAck,
    "error": messages.ErrorFrame,
    "pong": messages.Pong,
    "incident": messages.IncidentState,
}
SHAPES = {
    "Report": wire.Report,
    "Outcome": wire.Outcome,
    "IncidentState": messages.IncidentState,
}


def examples(part):
    return [
        pytest.param(path.stem, example, id=f"{path.stem}-{number}")
        for path in sorted(FOLDER.glob("*.json"))
        for number, example in enumerate(json.loads(path.read_text())[part])
    ]


def read(name, value):
    """The example as the code reads it, with what was let go."""
    leniency = Leniency()
    direction, _, kind = name.partition(".")
    if direction == "client":
        return frame_parse(value, leniency), leniency
    model = SERVER[kind] if direction == "server" else SHAPES[name]
    return model.model_validate(value, context=leniency), leniency


def missing(expected, said, path=""):
    """Where `said` does not have what was expected; it may have more (defaults)."""
    if isinstance(expected, dict) and isinstance(said, dict):
        parts = [(f"{path}.{key}", value, said.get(key, ...)) for key, value in expected.items()]
    elif isinstance(expected, list) and isinstance(said, list) and len(expected) == len(said):
        parts = [(f"{path}[{n}]", *pair) for n, pair in enumerate(zip(expected, said, strict=True))]
    else:
        return [] if expected == said else [path]
    return [found for where, one, other in parts for found in missing(one, other, where)]


def test_there_is_a_file_for_every_frame_and_shape():
    expected = {f"client.{t}" for t in FRAMES} | {f"server.{t}" for t in SERVER} | set(SHAPES)
    assert {path.stem for path in FOLDER.glob("*.json")} == expected


@pytest.mark.parametrize(("name", "value"), examples("valid"))
def test_a_valid_example_is_read_whole(name, value):
    found, leniency = read(name, value)
    assert leniency == Leniency(), "nothing in a golden example is dropped or cut"
    said = found.wire() if isinstance(found, messages.Message) else found.model_dump(mode="json")
    assert missing(value, said) == []
    if isinstance(found, messages.Message):
        assert said == value, "what we say is exactly what the example says"


@pytest.mark.parametrize(("name", "example"), examples("invalid"))
def test_an_invalid_example_is_refused(name, example):
    with pytest.raises((ValidationError, FrameRefused)) as refusal:
        read(name, example["value"])
    if isinstance(refusal.value, FrameRefused):
        assert refusal.value.code == example["code"]
