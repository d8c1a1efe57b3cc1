"""An exact test that may be looked at after every request: is the candidate worse than stable, now?

Two streams of good and bad answers, the candidate's and the concurrent control's, come in blocks of one
candidate request and k control requests. Each block is a bet that the candidate is worse; if it is not, the
bet's expected gain is at most nothing (an e-variable for two Bernoulli streams with the pooled rate as the
fair price), so the capital passes 1/alpha with a chance of at most alpha, however often we look. Rates are
predicted from what came before the block only, starting from Beta(0.18, 0.18).
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

PRIOR = 0.18


@dataclass(frozen=True)
class EProcess:
    """The test's whole state. `log_peak` is the highest capital so far: evidence once won stays won."""

    log_capital: float = 0.0
    log_peak: float = 0.0
    canary_bad: int = 0
    canary: int = 0
    control_bad: int = 0
    control: int = 0

    def block(self, canary_bad: bool, control_bad: Sequence[bool]) -> Self:
        """The state after one candidate request and its control requests (True: bad)."""
        log_capital = self.log_capital + self._log_gain(canary_bad, control_bad)
        return type(self)(
            log_capital=log_capital,
            log_peak=max(self.log_peak, log_capital),
            canary_bad=self.canary_bad + canary_bad,
            canary=self.canary + 1,
            control_bad=self.control_bad + sum(control_bad),
            control=self.control + len(control_bad),
        )

    def against_past_control(self, canary_bad: bool) -> Self:
        """The state after a candidate request without concurrent control: it is compared with the most that
        the control's rate can well have been, so the test only gets milder.
        """
        p_canary = _predicted(self.canary_bad, self.canary)
        worst = (self.control_bad + 2) / (self.control + 4)
        gain = _log_ratio(p_canary, worst, canary_bad) if p_canary > worst else 0.0
        log_capital = self.log_capital + gain
        return replace(
            self,
            log_capital=log_capital,
            log_peak=max(self.log_peak, log_capital),
            canary_bad=self.canary_bad + canary_bad,
            canary=self.canary + 1,
        )

    def rejects(self, alpha: float) -> bool:
        """Whether the candidate is worse, with a chance of error of at most alpha over all looks."""
        return self.log_peak >= -math.log(alpha)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any] | None) -> Self:
        return cls(**(value or {}))

    def _log_gain(self, canary_bad: bool, control_bad: Sequence[bool]) -> float:
        p_canary = _predicted(self.canary_bad, self.canary)
        p_control = _predicted(self.control_bad, self.control)
        if not control_bad or p_canary <= p_control:
            return 0.0  # one-sided: a candidate that looks better is not bet on
        fair = (p_canary + len(control_bad) * p_control) / (1 + len(control_bad))
        gain = _log_ratio(p_canary, fair, canary_bad)
        bad = sum(control_bad)
        gain += bad * _log_ratio(p_control, fair, True)
        return gain + (len(control_bad) - bad) * _log_ratio(p_control, fair, False)


def _predicted(bad: int, total: int) -> float:
    return (bad + PRIOR) / (total + 2 * PRIOR)


def _log_ratio(p: float, fair: float, bad: bool) -> float:
    return math.log(p / fair) if bad else math.log((1 - p) / (1 - fair))


def detectable_rate(requests: int, confidence: float = 0.95) -> float | None:
    """The smallest error rate that so many clean requests rule out; None when there were none.

    For 59 requests it is 5 %: had the rate been higher, one of them would have failed.
    """
    return None if requests <= 0 else 1 - (1 - confidence) ** (1 / requests)
