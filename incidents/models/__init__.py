"""What this app stores. Text that a visitor wrote lives in Report, Feedback and Recording only."""

from incidents.models.evidence import IntakeCount, Outcome, Recording, ServerEvent
from incidents.models.host import Autonomy, Host
from incidents.models.incident import Incident, IncidentTransition, Severity
from incidents.models.report import Feedback, FeedbackKind, Report
from incidents.models.session import Session

__all__ = [
    "Autonomy",
    "Feedback",
    "FeedbackKind",
    "Host",
    "Incident",
    "IncidentTransition",
    "IntakeCount",
    "Outcome",
    "Recording",
    "Report",
    "ServerEvent",
    "Session",
    "Severity",
]
