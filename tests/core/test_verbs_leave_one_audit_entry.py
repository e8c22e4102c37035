"""Every verb that writes leaves exactly one entry in the audit trail: not none, not two."""

import pytest

from crm.core.access import VERBS
from crm.core.models import AuditEntry
from tests.verbs import VERB_CASES, discover, only_reads

discover()
WRITES = sorted(verb for verb in VERBS if not only_reads(verb))


def test_every_verb_that_writes_has_a_case():
    assert not [verb for verb in WRITES if verb not in VERB_CASES]


def test_every_case_is_of_a_verb_that_exists():
    assert not [verb for verb in VERB_CASES if verb not in VERBS]


@pytest.mark.django_db
@pytest.mark.parametrize("verb", [verb for verb in WRITES if verb in VERB_CASES])
def test_a_verb_leaves_one_entry(verb, request):
    case = VERB_CASES[verb]
    names = case.__code__.co_varnames[: case.__code__.co_argcount]
    act = case(*(request.getfixturevalue(name) for name in names))
    before = AuditEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0
    act()
    left = list(AuditEntry.objects.filter(id__gt=before).values_list("verb", "outcome"))
    assert left == [(verb, "ok")]
