"""Parameters on the screen: what is in force on a day and since when, and setting one with a second person."""

import datetime
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import translation

from crm.core import approvals, clock, parameter_desk, parameter_values, parameters
from crm.core.models import Approval, AuditEntry, Parameter
from crm.core.views.parameters import ParameterForm
from segmentation import nights
from segmentation.models import PublishedNight
from tests.bank import FIRST_DAY, LAST_DAY
from tests.core.somebody import somebody

pytestmark = pytest.mark.django_db
TOMORROW = clock.business_date(clock.now()) + datetime.timedelta(days=1)


def answers(name: str, **changed: str) -> dict[str, str]:
    """Return what a browser posts that changes these leaves, given by their names joined with "_", and no other."""
    definition = parameters.defined(name)
    form = ParameterForm(definition, parameters.value(name, TOMORROW))
    posted = {"valid_from": TOMORROW.isoformat(), "why": "the board's decision"}
    for field, leaf in form.leaves.items():
        now = form.fields[field].initial
        posted[field] = ("on" if now else "") if isinstance(now, bool) else "" if now is None else str(now)
        key = "_".join(parameter_values.label(definition, leaf.path)) or "value"
        if key in changed:
            posted[field] = changed.pop(key)
    return posted | changed


def proposed(name: str, **changed: str) -> Approval:
    client_form = ParameterForm(
        parameters.defined(name), parameters.value(name, TOMORROW), answers(name, **changed)
    )
    assert client_form.is_valid(), client_form.errors
    return parameter_desk.propose(
        actor=somebody("han"),
        name=name,
        value=client_form.value,
        valid_from=TOMORROW,
        why="the board's decision",
        at=clock.now(),
    )


def test_the_list_shows_every_parameter_with_unit_source_and_who_set_it(bank, client):
    parameters.put("tax_rate", "0.20", valid_from=LAST_DAY, why="a law", at=clock.now(), actor=bank.han)
    client.force_login(bank.mira)
    page = client.get(reverse("parameters"), {"on": LAST_DAY.isoformat()})
    entries = {e.definition.name: e for _key, _words, found in page.context["groups"] for e in found}
    assert entries.keys() == {definition.name for definition in parameters.declared()}
    tax = entries["tax_rate"]
    assert (tax.value, tax.differs, tax.row.set_by, tax.row.why) == ("0.20", True, bank.han, "a law")
    assert "韩分析" in page.text
    # The day before, and what is left when only changed ones are asked for.
    page = client.get(reverse("parameters"), {"on": FIRST_DAY.isoformat()})
    assert not next(
        e for _k, _w, f in page.context["groups"] for e in f if e.definition.name == "tax_rate"
    ).differs
    page = client.get(reverse("parameters"), {"on": LAST_DAY.isoformat(), "show": "changed"})
    left = {e.definition.name for _key, _words, found in page.context["groups"] for e in found}
    assert "tax_rate" in left and "capital_ratio" not in left


def test_a_value_takes_two_people_and_holds_from_its_day_on(bank, client):
    client.force_login(bank.han)
    answer = client.post(reverse("parameter_propose", args=["tax_rate"]), answers("tax_rate", value="0.20"))
    approval = Approval.objects.get(verb="parameters.set")
    assert answer.headers["Location"] == reverse("approval", args=[approval.pk])
    assert parameters.value("tax_rate", TOMORROW) == "0.25"
    with pytest.raises(PermissionDenied):
        approvals.approve(bank.han, approval, clock.now())
    client.force_login(bank.adam)
    page = client.get(reverse("approval", args=[approval.pk])).text
    assert "0.25 → 0.20" in page and TOMORROW.isoformat() in page
    client.post(reverse("approval_decide", args=[approval.pk]), {"answer": "approve"})
    row = Parameter.objects.get(name="tax_rate")
    assert (row.value, row.valid_from, row.set_by, row.why) == (
        "0.20",
        TOMORROW,
        bank.han,
        "the board's decision",
    )
    assert parameters.value("tax_rate", TOMORROW) == "0.20"
    assert parameters.value("tax_rate", LAST_DAY) == "0.25" and not nights.is_stale(nights.published())
    entry = AuditEntry.objects.get(verb="parameters.set")
    assert (entry.actor_id, entry.payload["proposed_by"]) == (bank.adam.pk, bank.han.pk)
    client.force_login(bank.mira)
    assert "0.25 → 0.20" in client.get(reverse("parameter", args=["tax_rate"])).text  # the history


def test_a_value_from_a_past_day_says_how_many_nights_become_stale_and_wants_to_be_meant(bank, client):
    client.force_login(bank.han)
    posted = answers("tax_rate", value="0.20", valid_from=LAST_DAY.isoformat())
    answer = client.post(reverse("parameter_propose", args=["tax_rate"]), posted)
    assert answer.status_code == 422 and "1" in str(answer.context["form"].errors["known"])
    client.post(reverse("parameter_propose", args=["tax_rate"]), posted | {"known": "on"})
    approvals.approve(bank.adam, Approval.objects.get(verb="parameters.set"), clock.now())
    assert nights.is_stale(PublishedNight.objects.get(business_date=LAST_DAY))


@pytest.mark.parametrize(
    ("name", "changed", "field"),
    [
        ("tax_rate", {"value": "a third"}, "v0"),
        ("tax_rate", {"value": "1.5"}, "v0"),
        ("tax_rate", {"value": "-0.1"}, "v0"),
        ("tax_rate", {"value": "NaN"}, "v0"),
        ("tax_rate", {"value": ""}, "v0"),
        ("tax_rate", {"value": "0.123456789"}, "v0"),
        ("interest_day_base", {"value": "0"}, "v0"),
        ("interest_day_base", {"value": "360.5"}, "v0"),
        ("personal_tiers", {"gold": "900000"}, "v2"),  # above platinum, which then does not rise
        ("loyalty_weights", {"tenure": "-1"}, "v0"),
        ("tax_rate", {"value": "0.20", "why": ""}, "why"),
        ("tax_rate", {"value": "0.20", "valid_from": "2026-02-30"}, "valid_from"),
        ("tax_rate", {"value": "0.20", "valid_from": "2999-01-01"}, "valid_from"),
        ("tax_rate", {"value": "0.25"}, "__all__"),  # nothing changes
    ],
)
def test_a_value_that_cannot_be_is_told_so_beside_its_field(bank, client, name, changed, field):
    client.force_login(bank.han)
    answer = client.post(reverse("parameter_propose", args=[name]), answers(name, **changed))
    assert answer.status_code == 422 and list(answer.context["form"].errors) == [field]
    assert not Approval.objects.exists()


def test_weights_may_not_all_be_zero(bank):
    definition = parameters.defined("loyalty_weights")
    assert parameter_values.faults(definition, dict.fromkeys(definition.default, "0"))
    assert not parameter_values.faults(definition, definition.default)


def test_every_default_keeps_to_its_own_shape_and_range():
    for definition in parameters.declared():
        for leaf in parameter_values.leaves(definition):
            stored = parameter_values.at(definition.default, leaf.path)
            text = "\n".join(stored) if isinstance(stored, list) else "" if stored is None else str(stored)
            assert parameter_values.read(definition, leaf, text, stored) == stored, (
                definition.name,
                leaf.path,
            )
        assert not parameter_values.faults(definition, definition.default), definition.name


def test_the_form_of_every_parameter_gives_back_what_it_was_given(bank, client):
    client.force_login(bank.han)
    for definition in parameters.declared():
        if definition.settable:
            value = parameters.value(definition.name, TOMORROW)
            form = ParameterForm(definition, value, answers(definition.name))
            assert form.is_valid() and form.value == value, (definition.name, form.errors)
        assert client.get(reverse("parameter", args=[definition.name])).status_code == 200


def test_the_same_number_spelled_otherwise_is_no_change(bank):
    with pytest.raises(ValidationError):
        proposed("tax_rate", value="0.2500")
    assert proposed("tax_rate", value="0.24").payload["value"] == '"0.24"'


def test_one_proposal_at_a_time(bank):
    proposed("tax_rate", value="0.20")
    with pytest.raises(ValidationError):
        proposed("tax_rate", value="0.21")


def test_one_leaf_changes_and_the_rest_stays(bank):
    approval = proposed("personal_tiers", gold="60,000")
    approvals.approve(bank.adam, approval, clock.now())
    was, now = parameters.defined("personal_tiers").default, parameters.value("personal_tiers", TOMORROW)
    assert [row for row in now if row not in was] == [["gold", "60000"]] and len(now) == len(was)
    floors = [Decimal(floor) for _tier, floor in now]
    assert floors == sorted(floors)


def test_codes_that_look_like_numbers_are_a_list_to_be_written_anew(bank):
    approval = proposed("enterprise_size_industries", F_wholesale="51\n521")
    approvals.approve(bank.adam, approval, clock.now())
    assert parameters.value("enterprise_size_industries", TOMORROW)["F"]["wholesale"] == ["51", "521"]


def test_the_base_currency_is_not_set_on_a_screen(bank, client):
    client.force_login(bank.han)
    assert client.get(reverse("parameter", args=["base_currency"])).context["form"] is None
    with pytest.raises(ValidationError):
        parameter_desk.propose(
            actor=bank.han, name="base_currency", value="USD", valid_from=TOMORROW, why="x", at=clock.now()
        )


@pytest.mark.parametrize("username", ["ann", "cai", "mira", "audi", "sean"])
def test_only_analyst_and_administrator_propose(bank, client, username):
    client.force_login(getattr(bank, username))
    answer = client.post(reverse("parameter_propose", args=["tax_rate"]), answers("tax_rate", value="0.20"))
    assert answer.status_code == 403 and not Approval.objects.exists()


def test_a_name_nobody_declared_is_not_there(bank, client):
    client.force_login(bank.han)
    assert client.get(reverse("parameter", args=["tax_rates"])).status_code == 404


def test_every_parameter_has_words_in_both_languages():
    definitions = parameters.declared()
    assert all(definition.title for definition in definitions)
    with translation.override("en"):
        said = {str(text) for d in definitions for text in (d.title, d.unit, d.note) if text}
    with translation.override("zh-hans"):
        assert [text for text in said if translation.gettext(text) == text] == []
