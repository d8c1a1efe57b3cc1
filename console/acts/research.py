"""The owner's word on a proposal."""

from django.urls import reverse

from console.acts.base import Act, Ask, Asked, act_register
from core.errors import NotFound
from research.models import Proposal
from research.services import proposal_approve, proposal_reject


def _ask(proposal_id: str, title: str, says: str, button: str) -> Ask:
    proposal = Proposal.objects.filter(pk=proposal_id).first()
    if proposal is None:
        raise NotFound("There is no such proposal.")
    return Ask(
        title=title,
        says=says,
        button=button,
        back=reverse("admin:research_proposal_change", args=[proposal_id]),
        facts=[("Proposal", proposal.title), ("Score", f"{proposal.score:.0f} of 100")],
    )


def _approve_ask(proposal_id: str) -> Ask:
    return _ask(
        proposal_id, "Approve this proposal", "It is marked as wanted and waits for its turn.", "Approve"
    )


def _approve(asked: Asked) -> str:
    proposal_approve(proposal_id=asked.subject, actor=asked.actor, reason=asked.reason)
    return "Approved."


def _reject_ask(proposal_id: str) -> Ask:
    return _ask(proposal_id, "Reject this proposal", "The same idea is not proposed again.", "Reject")


def _reject(asked: Asked) -> str:
    proposal_reject(proposal_id=asked.subject, actor=asked.actor, reason=asked.reason)
    return "Rejected."


act_register(Act("approve_proposal", _approve_ask, _approve))
act_register(Act("reject_proposal", _reject_ask, _reject))
