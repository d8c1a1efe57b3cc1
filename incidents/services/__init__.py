"""Everything that writes in this app; each file is one family of writes."""

from incidents.services.evidence import chunk_store, outcome_store, server_event_store
from incidents.services.feedback import answer_store, rating_store, try_again_store
from incidents.services.hosts import host_add
from incidents.services.incidents import (
    UNSET,
    incident_ask,
    incident_dismiss,
    incident_move,
    incident_reopen,
    incident_tell,
)
from incidents.services.reports import report_store
from incidents.services.sessions import session_identify, session_open

__all__ = [
    "UNSET",
    "answer_store",
    "chunk_store",
    "host_add",
    "incident_ask",
    "incident_dismiss",
    "incident_move",
    "incident_reopen",
    "incident_tell",
    "outcome_store",
    "rating_store",
    "report_store",
    "server_event_store",
    "session_identify",
    "session_open",
    "try_again_store",
]
