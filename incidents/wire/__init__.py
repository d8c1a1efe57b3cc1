"""What a browser sends, as types (INTERFACES: docs/protocol.md; examples: contract/).

Unknown fields are dropped and counted, so that a newer SDK can talk to an older Ops. Free text and
histories that are too long are cut (losing a report over a long stack would be absurd); structure that is
too large or wrong is refused. Pass `context=Leniency()` to count what was dropped.
"""

from incidents.wire.fields import FRAME_BYTES, MAX_MS, Leniency, shape_of
from incidents.wire.frames import (
    FRAMES,
    AnswerFrame,
    ChunkFrame,
    Frame,
    FrameRefused,
    Hello,
    IdentifyFrame,
    OutcomeFrame,
    PingFrame,
    RatingFrame,
    ReportFrame,
    SeenFrame,
    TryAgainFrame,
    frame_parse,
)
from incidents.wire.things import Element, ErrorInfo, Outcome, Report, Request

__all__ = [
    "FRAMES",
    "FRAME_BYTES",
    "MAX_MS",
    "AnswerFrame",
    "ChunkFrame",
    "Element",
    "ErrorInfo",
    "Frame",
    "FrameRefused",
    "Hello",
    "IdentifyFrame",
    "Leniency",
    "Outcome",
    "OutcomeFrame",
    "PingFrame",
    "RatingFrame",
    "Report",
    "ReportFrame",
    "Request",
    "SeenFrame",
    "TryAgainFrame",
    "frame_parse",
    "shape_of",
]
