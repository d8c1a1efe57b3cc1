"""What other apps may wake up on. Sent after the commit, with send_robust: a receiver can't lose a report.

A signal is a hint: whoever must not miss anything sweeps its own rows.
"""

from typing import Any

from django.db import transaction
from django.dispatch import Signal

incident_opened = Signal()  # incident_id; also when a resolved incident came back
incident_grew = Signal()  # incident_id; one more report joined an open incident
incident_answered = Signal()  # incident_id, question, choice, text_present
incident_rated = Signal()  # incident_id, stars
report_stored = Signal()  # report_id
server_event_stored = Signal()  # server_event_id


def send_on_commit(signal: Signal, **values: Any) -> None:
    transaction.on_commit(lambda: signal.send_robust(sender=None, **values) and None)
