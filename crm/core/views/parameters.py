"""Screens of the parameters: all of them as in force on a day, one with its history, and the form that proposes a value."""

import datetime
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_date
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from crm.core import clock, parameter_desk, parameter_values, parameters
from crm.core.access import may, needs
from crm.core.models import Parameter

SHOWN_INLINE = 3
SOURCES = {"V": _("read in a source"), "M": _("professional memory"), "D": _("our design choice")}
GROUPS = {
    "contribution": _("Contribution"),
    "tiers": _("Tiers"),
    "behaviour": _("What customers do and hold"),
    "related": _("Related customers"),
    "loyalty": _("Loyalty"),
    "risk": _("Risk"),
    "alerts": _("Alerts"),
    "peers": _("Peers and sizes"),
    "keeping": _("How long rows are kept"),
    "other": _("Other"),
}


@dataclass(frozen=True)
class InForce:
    """One parameter on a day: its declaration, the value, the row that set it (None: the default holds)."""

    definition: parameters.Definition
    value: Any
    row: Parameter | None

    @property
    def note(self) -> str:
        return gettext(self.definition.note) if self.definition.note else ""

    @property
    def unit(self) -> str:
        return gettext(self.definition.unit) if self.definition.unit else ""

    @property
    def source(self) -> Any:
        return SOURCES.get(self.definition.source, self.definition.source)

    @property
    def differs(self) -> bool:
        return self.value != self.definition.default

    @property
    def shown(self) -> list[tuple[str, str]]:
        """The first leaves as (name, value)."""
        return _told(self.definition, self.value)[:SHOWN_INLINE]

    @property
    def more(self) -> int:
        return max(0, len(_told(self.definition, self.value)) - SHOWN_INLINE)


@dataclass(frozen=True)
class Line:
    """One leaf on the page of a parameter: its name, the value on the day, the default, whether they differ."""

    name: str
    value: str
    default: str
    differs: bool


def _told(definition: parameters.Definition, value: Any) -> list[tuple[str, str]]:
    return [
        (
            parameters.in_words(parameter_values.label(definition, leaf.path)),
            parameter_desk.spelled(parameter_values.at(value, leaf.path)),
        )
        for leaf in parameter_values.leaves(definition)
    ]


class ParameterForm(forms.Form):
    """The leaves of one parameter, the day and the reason. ``value`` is the whole value once the form is valid."""

    def __init__(self, definition: parameters.Definition, current: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.definition, self.current = definition, current
        self.leaves = {f"v{place}": leaf for place, leaf in enumerate(parameter_values.leaves(definition))}
        for name, leaf in self.leaves.items():
            self.fields[name] = _field(definition, leaf, parameter_values.at(current, leaf.path))
        day = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        self.fields["valid_from"] = forms.DateField(label=_("Holds from"), widget=day)
        self.fields["why"] = forms.CharField(
            label=_("Why"), max_length=300, widget=forms.Textarea({"rows": 2})
        )
        self.fields["known"] = forms.BooleanField(
            label=_("Make nights that have run already stale"), required=False
        )

    @property
    def value_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.leaves]

    def clean(self) -> dict:
        found = {}
        for name, leaf in self.leaves.items():
            before = parameter_values.at(self.current, leaf.path)
            try:
                text = str(self.cleaned_data.get(name) or "")
                found[leaf.path] = parameter_values.read(self.definition, leaf, text, before)
            except ValidationError as broken:
                self.add_error(name, broken)
        if not self.errors:
            self.value = parameter_values.build(self.definition, found)
            for path, problem in parameter_values.faults(self.definition, self.value).items():
                self.add_error(
                    next((n for n, leaf in self.leaves.items() if leaf.path == path), None), problem
                )
            self._must_know_of_stale_nights()
        return self.cleaned_data

    def _must_know_of_stale_nights(self) -> None:
        count = parameter_desk.nights_touched(self.definition.name, self.cleaned_data["valid_from"])
        if count and not self.cleaned_data.get("known"):
            told = ngettext(
                "%(count)d night that has run becomes stale. Tick it if that is what you want, or choose a later day.",
                "%(count)d nights that have run become stale. Tick it if that is what you want, or choose a later day.",
                count,
            )
            self.add_error("known", told % {"count": count})


def _field(definition: parameters.Definition, leaf: parameter_values.Leaf, now: Any) -> forms.Field:
    label = parameters.in_words(parameter_values.label(definition, leaf.path)) or pgettext(
        "parameter", "Value"
    )
    if leaf.kind == parameter_values.SWITCH:
        return forms.BooleanField(label=label, initial=bool(now), required=False)
    if leaf.kind == parameter_values.LINES:
        text = "\n".join(now or [])
        return forms.CharField(label=label, initial=text, required=False, widget=forms.Textarea({"rows": 4}))
    if leaf.kind == parameter_values.WORD and not parameter_values.takes_numbers(definition):
        choices = [(word, parameters.in_words([word])) for word in leaf.words]
        return forms.ChoiceField(label=label, initial=now, choices=choices)
    attrs = {} if leaf.kind == parameter_values.WORD else {"inputmode": "decimal"}
    # What is missing is told by the reader of the leaf, beside the field.
    return forms.CharField(
        label=label, initial=now, required=False, max_length=40, widget=forms.TextInput(attrs)
    )


def _day(request: HttpRequest) -> datetime.date:
    try:
        chosen = parse_date(request.GET.get("on", ""))
    except ValueError:
        chosen = None
    return chosen or clock.business_date(clock.now())


@needs("parameters.view")
@require_GET
def parameter_list(request: HttpRequest) -> HttpResponse:
    """Every declared parameter as in force on a day (``?on=DATE``); ``?show=changed`` those that are not the default's."""
    on, changed = _day(request), request.GET.get("show") == "changed"
    rows = Parameter.objects.filter(valid_from__lte=on).select_related("set_by__staff")
    newest = {row.name: row for row in rows.order_by(*parameters.IN_ORDER)}
    groups: dict[str, list[InForce]] = {key: [] for key in GROUPS}
    for definition in parameters.declared():
        row = newest.get(definition.name)
        entry = InForce(definition, row.value if row else definition.default, row)
        if entry.differs or not changed:
            groups[definition.group].append(entry)
    context = {
        "on": on,
        "changed": changed,
        "groups": [(key, GROUPS[key], found) for key, found in groups.items() if found],
        "differing": sum(entry.differs for found in groups.values() for entry in found),
    }
    return render(request, "core/parameters.html", context)


@needs("parameters.view")
@require_GET
def parameter_page(request: HttpRequest, parameter: str) -> HttpResponse:
    definition = _declared(parameter)
    return _page(request, definition, None)


@needs("parameters.set")
@require_POST
def parameter_propose(request: HttpRequest, parameter: str) -> HttpResponse:
    """Propose a value; the form comes back with 422 where something is wrong with it."""
    definition = _declared(parameter)
    today = clock.business_date(clock.now())
    form = ParameterForm(definition, parameters.value(parameter, today), request.POST)
    if form.is_valid():
        try:
            approval = parameter_desk.propose(
                actor=request.user,
                name=parameter,
                value=form.value,
                valid_from=form.cleaned_data["valid_from"],
                why=form.cleaned_data["why"],
                at=clock.now(),
            )
        except ValidationError as broken:
            form.add_error(None, broken)
        else:
            return redirect("approval", pk=approval.pk)
    return _page(request, definition, form)


def _declared(name: str) -> parameters.Definition:
    try:
        return parameters.defined(name)
    except KeyError:
        raise Http404(name) from None


def _page(
    request: HttpRequest, definition: parameters.Definition, form: ParameterForm | None
) -> HttpResponse:
    on = _day(request)
    rows = Parameter.objects.filter(name=definition.name).select_related("set_by__staff")
    history = list(rows.order_by(*parameters.IN_ORDER))
    row = next((found for found in reversed(history) if found.valid_from <= on), None)
    entry = InForce(definition, row.value if row else definition.default, row)
    waiting = parameter_desk.open_proposals(definition.name)
    may_set = definition.settable and may(request.user, parameter_desk.VERB)
    broken = form is not None
    if form is None and may_set and not waiting:
        form = ParameterForm(
            definition,
            entry.value,
            initial={"valid_from": clock.business_date(clock.now()) + parameter_desk.DAY},
        )
    context = {
        "entry": entry,
        "on": on,
        "lines": _lines(definition, entry.value),
        "history": _history(definition, history),
        "waiting": waiting,
        "form": form,
        "may_set": may_set,
    }
    return render(request, "core/parameter.html", context, status=422 if broken else 200)


def _lines(definition: parameters.Definition, value: Any) -> list[Line]:
    defaults = dict(_told(definition, definition.default))
    return [
        Line(name, told, defaults[name], told != defaults[name]) for name, told in _told(definition, value)
    ]


def _history(definition: parameters.Definition, rows: list[Parameter]) -> list[tuple[Parameter, list, bool]]:
    """Return (row, what it changed, whether a later version of the same day took its place), newest first."""
    found, before = [], definition.default
    for place, row in enumerate(rows):
        superseded = any(after.valid_from == row.valid_from for after in rows[place + 1 : place + 2])
        told = parameter_desk.differences(definition.name, before, row.value)
        lines = [
            (parameters.in_words(names), parameter_desk.spelled(old), parameter_desk.spelled(new))
            for names, old, new in told
        ]
        found.append((row, lines, superseded))
        before = row.value
    return found[::-1]
