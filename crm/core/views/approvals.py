"""The approvals desk: what waits for me, what I proposed, and one proposal to decide on."""

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from crm.core import approvals, clock
from crm.core.access import may, needs, who_may
from crm.core.listing import Filter, Listing, Sort, respond
from crm.core.models import Approval, ApprovalState

WAITING_SHOWN = 20

APPROVALS = Listing(
    name="approvals",
    sorts={"newest": Sort(("-id",))},
    default="newest",
    filters=(
        Filter(
            "state",
            gettext_lazy("State"),
            narrow=lambda rows, state: rows.filter(state=state),
            choices=ApprovalState.choices,
        ),
        Filter(
            "person",
            gettext_lazy("User name or employee number"),
            narrow=lambda rows, text: _by_person(rows, text),
        ),
    ),
)


def _by_person(rows: QuerySet, text: str) -> QuerySet:
    maker = Q(maker__username=text) | Q(maker__staff__employee_no=text)
    return rows.filter(maker | Q(checker__username=text) | Q(checker__staff__employee_no=text))


class DecisionForm(forms.Form):
    """Approve or reject; a rejection says why."""

    answer = forms.ChoiceField(choices=[("approve", ""), ("reject", "")], widget=forms.HiddenInput)
    decision = forms.CharField(
        label=gettext_lazy("Remark; a rejection needs one"),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean(self) -> dict:
        if self.cleaned_data.get("answer") == "reject" and not self.cleaned_data.get("decision"):
            self.add_error("decision", _("Say why, so that the proposer knows what to do."))
        return self.cleaned_data


@needs("approvals.view")
@require_GET
def approval_list(request: HttpRequest) -> HttpResponse:
    people = ("maker__staff", "checker__staff")
    page = APPROVALS.page(request, approvals.visible_to(request.user).select_related(*people))
    waiting = approvals.waiting_for(request.user).select_related(*people).order_by("id")[:WAITING_SHOWN]
    return respond(
        request, page, "core/approvals_list.html", "core/_approvals_list.html", {"waiting": waiting}
    )


@needs("approvals.view")
@require_GET
def approval_page(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _visible(request, pk), DecisionForm())


@needs("approvals.decide")
@require_POST
def approval_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve (and carry out) or reject. Somebody who was faster is told of on the page itself."""
    approval = _visible(request, pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _page(request, approval, form, status=422)
    verb = approvals.approve if form.cleaned_data["answer"] == "approve" else approvals.reject
    try:
        verb(request.user, approval, clock.now(), decision=form.cleaned_data["decision"])
    except approvals.NotOpen:
        form.add_error(None, _("Somebody has decided this meanwhile."))
        return _page(request, _visible(request, pk), form, status=422)
    except ValidationError as broken:
        # What was proposed cannot be carried out any more: nothing was decided.
        form.add_error(None, broken.messages)
        return _page(request, _visible(request, pk), form, status=422)
    return redirect("approval", pk=pk)


@needs("approvals.view")
@require_POST
def approval_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    approval = _visible(request, pk)
    try:
        approvals.withdraw(request.user, approval, clock.now())
    except approvals.NotOpen:
        form = DecisionForm()
        form.cleaned_data = {}
        form.add_error(None, _("Somebody has decided this meanwhile."))
        return _page(request, _visible(request, pk), form, status=422)
    return redirect("approval", pk=pk)


def _visible(request: HttpRequest, pk: int) -> Approval:
    rows = approvals.visible_to(request.user).select_related("maker__staff", "checker__staff")
    return get_object_or_404(rows, pk=pk)


def _page(request: HttpRequest, approval: Approval, form: DecisionForm, status: int = 200) -> HttpResponse:
    user, is_open = request.user, approval.state == ApprovalState.PROPOSED
    own = approval.maker_id == user.pk
    context = {
        "approval": approval,
        "payload": approvals.described(approval),
        "form": form,
        "own": own,
        "may_decide": is_open and not own and may(user, "approvals.decide") and may(user, approval.verb),
        "may_withdraw": is_open and own,
        "posts": who_may(approval.verb),
    }
    return render(request, "core/approvals_page.html", context, status=status)
