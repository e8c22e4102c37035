"""Models of the ground floor, one noun a file."""

from crm.core.models.approvals import Approval, ApprovalState
from crm.core.models.audit import AuditEntry, AuditSeal, Outcome
from crm.core.models.jobs import Chunk, Run, RunState
from crm.core.models.outbox import OutboxItem
from crm.core.models.parameters import Parameter
from crm.core.models.people import Branch, BranchKind, BranchPlacement, Post, Staff, User
from crm.core.models.sign_in import (
    FailedSignIns,
    Invitation,
    KnownPlace,
    LiveSession,
    OldPassword,
    Reveal,
    RevealPurpose,
)

__all__ = [
    "Approval",
    "ApprovalState",
    "AuditEntry",
    "AuditSeal",
    "Branch",
    "BranchKind",
    "BranchPlacement",
    "Chunk",
    "FailedSignIns",
    "Invitation",
    "KnownPlace",
    "LiveSession",
    "OldPassword",
    "OutboxItem",
    "Outcome",
    "Parameter",
    "Post",
    "Reveal",
    "RevealPurpose",
    "Run",
    "RunState",
    "Staff",
    "User",
]
