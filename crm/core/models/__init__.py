"""Models of the ground floor, one noun a file."""

from crm.core.models.people import Branch, BranchKind, BranchPlacement, Post, Staff, User

__all__ = ["Branch", "BranchKind", "BranchPlacement", "Post", "Staff", "User"]
