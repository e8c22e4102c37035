"""People and places: the dated tree of the bank's branches, its staff with a post, and who may sign in."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _


class DateSpan(Func):
    """``daterange(starts_on, ends_on)``: half-open, an open end has no bound."""

    function = "daterange"
    output_field = DateRangeField()


def span_of(start: str, end: str) -> DateSpan:
    return DateSpan(F(start), F(end), RangeBoundary())


class BranchKind(models.TextChoices):
    HEAD_OFFICE = "head_office", _("head office")
    REGION = "region", _("region")
    BRANCH = "branch", _("branch")
    OUTLET = "outlet", _("outlet")


class Post(models.TextChoices):
    RELATIONSHIP_MANAGER = "relationship_manager", _("relationship manager")
    BRANCH_SUPERVISOR = "branch_supervisor", _("branch supervisor")
    ANALYST = "analyst", _("analyst")
    TELLER = "teller", _("teller")
    LOBBY_MANAGER = "lobby_manager", _("lobby manager")
    COMPLAINT_OFFICER = "complaint_officer", _("complaint officer")
    PRODUCT_MANAGER = "product_manager", _("product manager")
    COMPLIANCE_OFFICER = "compliance_officer", _("compliance officer")
    AUDITOR = "auditor", _("auditor")
    ADMINISTRATOR = "administrator", _("system administrator")
    SECURITY_OFFICER = "security_officer", _("security officer")


class FedRow(models.Model):
    """What every row remembers of the batch that wrote it. The batch itself lives a floor higher, so only its number
    stands here."""

    source = models.CharField(max_length=40, default="crm")
    batch_no = models.BigIntegerField(null=True)
    known_on = models.DateField(null=True)

    class Meta:
        abstract = True


class Branch(FedRow):
    """A place of the bank. ``path`` lists the ids from the root down (``/1/5/12/``), so a subtree is a prefix."""

    branch_no = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=BranchKind.choices)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    path = models.CharField(max_length=400, default="")
    region_code = models.CharField(max_length=20, null=True)
    opened_on = models.DateField(null=True)
    closed_on = models.DateField(null=True)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, related_name="absorbed")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=BranchKind.values), name="branch_kind_is_known"),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True)
                | Q(opened_on__isnull=True)
                | Q(closed_on__gte=F("opened_on")),
                name="branch_closes_after_it_opens",
            ),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="branch_is_not_its_own_parent"),
        ]
        indexes = [
            models.Index(fields=["path"], name="branch_path_prefix", opclasses=["varchar_pattern_ops"])
        ]

    def __str__(self) -> str:
        return self.name


class BranchPlacement(models.Model):
    """Under which parent a branch stood from when to when: the tree as it was on any day."""

    branch = models.ForeignKey(Branch, models.CASCADE, related_name="placements")
    parent = models.ForeignKey(Branch, models.PROTECT, null=True, related_name="+")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="branch_stands_in_one_place_a_day",
                expressions=[
                    ("branch", RangeOperators.EQUAL),
                    (span_of("starts_on", "ends_on"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gt=F("starts_on")),
                name="placement_ends_after_it_starts",
            ),
        ]


class Staff(FedRow):
    """Somebody who works here. One post a person: so nobody can hold two of auditor, administrator, security officer."""

    employee_no = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    branch = models.ForeignKey(Branch, models.PROTECT, related_name="staff")
    post = models.CharField(max_length=30, choices=Post.choices)
    joined_on = models.DateField(null=True)
    left_on = models.DateField(null=True)

    class Meta:
        verbose_name_plural = "staff"
        constraints = [
            models.CheckConstraint(condition=Q(post__in=Post.values), name="staff_post_is_known"),
            models.CheckConstraint(
                condition=Q(left_on__isnull=True)
                | Q(joined_on__isnull=True)
                | Q(left_on__gte=F("joined_on")),
                name="staff_leave_after_they_join",
            ),
        ]
        indexes = [models.Index(fields=["branch", "post"], name="staff_of_a_branch")]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager):
    def get_queryset(self) -> models.QuerySet:
        # The post and the branch are asked on every request: one query, not three.
        return super().get_queryset().select_related("staff__branch")


class User(AbstractBaseUser):
    """An account to sign in with. Its rights come from the staff row it belongs to, read anew on every request."""

    username = models.CharField(max_length=80, unique=True)
    staff = models.OneToOneField(Staff, models.PROTECT, null=True, related_name="user")
    language = models.CharField(max_length=10, blank=True, default="")
    is_active = models.BooleanField(default=True)
    password_set_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()
    USERNAME_FIELD = "username"

    def __str__(self) -> str:
        return self.username

    @property
    def name(self) -> str:
        return self.staff.name if self.staff else self.username

    @property
    def post(self) -> str | None:
        return self.staff.post if self.staff_id else None

    @property
    def branch_id(self) -> int | None:
        return self.staff.branch_id if self.staff_id else None
