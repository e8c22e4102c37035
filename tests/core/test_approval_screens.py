"""The approvals desk: what waits for me, and one proposal to decide on."""

import pytest
from django.urls import reverse

from crm.core import approvals
from crm.core.models import ApprovalState
from tests.core.somebody import somebody
from tests.core.test_approvals import AT, PAYLOAD, VERB, colleague, executed  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposal(executed):  # noqa: F811
    return approvals.propose(
        somebody("adam"), VERB, PAYLOAD, ("customers.feedbatch", 7), reason="late & <late>"
    )


@pytest.fixture
def checker(client):
    client.force_login(colleague("abel", "adam"))
    return client


def decide(client, proposal, **data):
    return client.post(reverse("approval_decide", args=[proposal.pk]), data)


def test_the_desk_shows_what_waits_for_me(checker, proposal):
    page = checker.get(reverse("approvals"))
    assert list(page.context["waiting"]) == [proposal] and page.context["page"].rows == [proposal]
    page = checker.get(reverse("approval", args=[proposal.pk]))
    text = page.content.decode()
    assert "12.50" in text and "late &amp; &lt;late&gt;" in text and page.context["may_decide"]


def test_approving_carries_out_and_says_so(checker, proposal, executed):  # noqa: F811
    answer = decide(checker, proposal, answer="approve")
    assert answer.status_code == 302 and len(executed) == 1
    page = checker.get(answer.url)
    assert page.context["approval"].state == ApprovalState.EXECUTED and not page.context["may_decide"]
    again = decide(checker, proposal, answer="approve")
    assert again.status_code == 422 and len(executed) == 1


def test_a_rejection_needs_a_reason(checker, proposal, executed):  # noqa: F811
    answer = decide(checker, proposal, answer="reject", decision="")
    assert answer.status_code == 422
    assert decide(checker, proposal, answer="burn").status_code == 422
    answer = decide(checker, proposal, answer="reject", decision="the other batch, please")
    assert answer.status_code == 302 and not executed
    proposal.refresh_from_db()
    assert proposal.state == ApprovalState.REJECTED


def test_the_maker_sees_no_buttons_and_is_refused(client, proposal):
    client.force_login(somebody("adam"))
    page = client.get(reverse("approval", args=[proposal.pk]))
    assert not page.context["may_decide"] and page.context["may_withdraw"]
    assert decide(client, proposal, answer="approve").status_code == 403
    assert client.post(reverse("approval_withdraw", args=[proposal.pk])).status_code == 302
    assert client.post(reverse("approval_withdraw", args=[proposal.pk])).status_code == 422


def test_out_of_scope_is_not_found_and_without_the_post_forbidden(client, proposal):
    client.force_login(somebody("cai"))
    assert client.get(reverse("approvals")).status_code == 200
    assert client.get(reverse("approval", args=[proposal.pk])).status_code == 404
    assert decide(client, proposal, answer="approve").status_code == 404
    assert client.post(reverse("approval_withdraw", args=[proposal.pk])).status_code == 404
    client.force_login(somebody("ann"))
    assert client.get(reverse("approvals")).status_code == 403
    assert decide(client, proposal, answer="approve").status_code == 403


def test_nothing_changes_by_get(checker, proposal):
    for name in ("approval_decide", "approval_withdraw"):
        assert checker.get(reverse(name, args=[proposal.pk])).status_code == 405
