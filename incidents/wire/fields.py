"""The small types that frames are made of: how long, how many, what is cut and what is refused."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    model_validator,
)

FRAME_BYTES = 512 * 1024
MAX_MS = 253_402_300_799_000  # the end of the year 9999: the largest datetime
STATE_BYTES = 8 * 1024


@dataclass
class Leniency:
    """Counts what was let go in one frame."""

    dropped_fields: int = 0
    cut_values: int = 0


def cut(length: int) -> Callable[[Any, ValidationInfo], Any]:
    def shorten(value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str) and len(value) > length:
            count_cut(info)
            return value[:length]
        return value

    return shorten


def last(length: int) -> Callable[[Any, ValidationInfo], Any]:
    def newest(value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, list) and len(value) > length:
            count_cut(info)
            return value[-length:]
        return value

    return newest


def count_cut(info: ValidationInfo) -> None:
    if isinstance(info.context, Leniency):
        info.context.cut_values += 1


def whole(value: Any) -> Any:
    """performance.now() and friends give fractions of a millisecond."""
    return round(value) if isinstance(value, float) else value


Ms = Annotated[int, BeforeValidator(whole), Field(ge=0, le=MAX_MS)]  # an instant, ms since the epoch
Duration = Annotated[int, BeforeValidator(whole), Field(ge=0, le=86_400_000)]  # ms
Status = Annotated[int, Field(ge=0, le=999)]  # 0: no answer came
Name = Annotated[str, BeforeValidator(cut(200))]
Line = Annotated[str, BeforeValidator(cut(500))]
Text = Annotated[str, BeforeValidator(cut(4000))]
Url = Annotated[str, BeforeValidator(cut(2000))]
Path = Annotated[str, BeforeValidator(cut(300))]
Word = Annotated[str, StringConstraints(max_length=60, pattern=r"^[A-Za-z0-9_.:-]+$")]
EventId = Annotated[str, StringConstraints(max_length=36, min_length=8, pattern=r"^[A-Za-z0-9-]+$")]
IncidentId = Annotated[str, StringConstraints(max_length=32, pattern=r"^inc_[a-z0-9]+$")]
TraceId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class BrowserModel(BaseModel):
    """Base of what comes from a browser."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _count_unknown(cls, data: Any, info: ValidationInfo) -> Any:
        if isinstance(data, dict) and isinstance(info.context, Leniency):
            info.context.dropped_fields += len(data.keys() - cls.model_fields.keys())
        return data


def shape_of(text: str) -> str:
    """`Mia.Lang42@x.io` -> `Aaa.Aaaa99@a.aa`: enforced here: a forged client might send values."""
    return "".join(_shape_char(char) for char in text)


def _shape_char(char: str) -> str:
    if char.isdigit():
        return "9"
    if char.isalpha():
        return "A" if char.isupper() else "a"
    return char
