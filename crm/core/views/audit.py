"""Screens of the auditor: the trail, one entry with its seal, and whether the chain holds."""

import datetime

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from crm.core import anchors, audit, audit_chain, clock
from crm.core.access import VERBS, needs
from crm.core.listing import Filter, Listing, Sort, respond
from crm.core.models import AuditEntry, Outcome

# A screen waits two seconds for a chain of this length; a longer one is a command's work.
VERIFIED_ON_SCREEN = 200_000
ANCHORS_SHOWN = 14
# What each kind of finding means, in the reader's language; the command says the same in English.
FINDINGS = {
    "changed": gettext_lazy("The entry, its seal or the one before is not what was sealed."),
    "gap": gettext_lazy("Seals are missing before this one."),
    "missing": gettext_lazy("The sealed entry is gone."),
    "unsealed": gettext_lazy("The entry was put in afterwards, behind the sealer."),
    "cut": gettext_lazy("An anchor has seen this seal; the chain has it no longer."),
    "replaced": gettext_lazy("An anchor has seen another hash here: this part was written anew."),
    "anchor": gettext_lazy("A line of the anchors cannot be believed."),
}
VERIFICATIONS = ("audit.verify", "audit.verified")


def _by_actor(entries: QuerySet, text: str) -> QuerySet:
    # Two ways to name one person; both are exact, so that the index on the actor serves.
    people = AuditEntry._meta.get_field("actor").related_model.objects
    who = people.filter(username=text) | people.filter(staff__employee_no=text)
    return entries.filter(actor_id__in=list(who.values_list("pk", flat=True)))


def _by_object(entries: QuerySet, text: str) -> QuerySet:
    kind, _space, key = text.partition(" ")
    return entries.filter(object_type=kind, **({"object_id": key.strip()} if key.strip() else {}))


def _by_day(entries: QuerySet, text: str) -> QuerySet:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        return entries
    start = datetime.datetime.combine(day, datetime.time(), clock.SHANGHAI)
    return entries.filter(at__gte=start, at__lt=start + datetime.timedelta(days=1))


def _verbs(request: HttpRequest) -> list[tuple[str, str]]:
    return [(verb, verb) for verb in sorted({*VERBS, *audit.SYSTEM_VERBS})]


ENTRIES = Listing(
    name="audit",
    sorts={"newest": Sort(("-id",))},
    default="newest",
    filters=(
        Filter("actor", gettext_lazy("User name or employee number"), narrow=_by_actor),
        Filter(
            "verb",
            gettext_lazy("Verb"),
            narrow=lambda entries, verb: entries.filter(verb=verb),
            choices=_verbs,
        ),
        Filter(
            "outcome",
            gettext_lazy("Outcome"),
            narrow=lambda entries, outcome: entries.filter(outcome=outcome),
            choices=Outcome.choices,
        ),
        Filter("object", gettext_lazy("Object, such as customers.customer 12"), narrow=_by_object),
        Filter("day", gettext_lazy("Day"), narrow=_by_day, kind="date"),
    ),
)


@needs("audit.view")
@require_GET
def audit_list(request: HttpRequest) -> HttpResponse:
    entries = AuditEntry.objects.select_related("actor__staff", "seal")
    page = ENTRIES.page(request, entries)
    return respond(request, page, "core/audit_list.html", "core/_audit_list.html")


@needs("audit.view")
@require_GET
def audit_entry(request: HttpRequest, pk: int) -> HttpResponse:
    entry = get_object_or_404(AuditEntry.objects.select_related("actor__staff", "seal"), pk=pk)
    payload = sorted(entry.payload.items()) if isinstance(entry.payload, dict) else [("", entry.payload)]
    seal = getattr(entry, "seal", None)
    context = {"entry": entry, "payload": payload, "hash": bytes(seal.hash).hex() if seal else ""}
    return render(request, "core/audit_entry.html", context)


@needs("audit.view")
@require_GET
def audit_chain_page(request: HttpRequest) -> HttpResponse:
    return render(request, "core/audit_chain.html", _state())


class VerifyForm(forms.Form):
    """Nothing to fill in; says why a long chain is not verified here."""

    def clean(self) -> dict:
        top = anchors.head()
        if top and top.seq > VERIFIED_ON_SCREEN:
            raise forms.ValidationError(
                _("The chain has %(count)s entries: verify it with manage.py verify_audit.")
                % {"count": f"{top.seq:,}"}
            )
        return self.cleaned_data


@needs("audit.verify")
@require_POST
def audit_verify(request: HttpRequest) -> HttpResponse:
    """Seal what is pending, verify, and show what was found; the verification is itself an entry."""
    form = VerifyForm(request.POST)
    if not form.is_valid():
        return render(request, "core/audit_chain.html", {**_state(), "form": form}, status=422)
    audit_chain.seal(clock.now())
    result = audit_chain.verify()
    audit_chain.note(request.user, "audit.verify", result)
    findings = [(finding, FINDINGS[finding.kind]) for finding in result.findings]
    return render(request, "core/audit_chain.html", {**_state(), "result": result, "findings": findings})


def _state() -> dict:
    expected = anchors.expectations()
    last = (
        AuditEntry.objects.filter(verb__in=VERIFICATIONS)
        .select_related("actor__staff")
        .order_by("-id")
        .first()
    )
    top = anchors.head()
    return {
        "head": top,
        "head_hash": top.hash.hex() if top else "",
        "pending": audit_chain.pending(),
        "last": last,
        "anchors": expected.anchors[-ANCHORS_SHOWN:][::-1],
        "problems": expected.problems,
        "key": anchors.public_key(),
    }
