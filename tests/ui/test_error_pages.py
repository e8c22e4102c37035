"""What people see when something may not be, is not there, or broke: who could, nothing, and the number of the fault."""

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation


def test_a_403_names_the_posts_that_may(bank, client):
    client.force_login(bank.ann, backend="crm.core.sessions.AccountBackend")
    page = client.get(reverse("audit"))
    assert page.status_code == 403
    assert "审计员" in page.text


def test_a_404_is_the_same_for_what_is_hidden_and_what_never_was(bank, client):
    client.force_login(bank.bob, backend="crm.core.sessions.AccountBackend")
    hidden = client.get(reverse("customer", kwargs={"customer_id": bank.customer("C005").pk}))
    never = client.get(reverse("customer", kwargs={"customer_id": 999_999_999}))
    assert hidden.status_code == never.status_code == 404
    assert "C005" not in hidden.text and bank.customer("C005").name not in hidden.text


def test_the_last_resort_needs_nothing_that_may_be_broken():
    """No request, no database, no context: it still renders, in both languages, and tells the fault's number."""
    for language, words in (("zh-hans", "系统出错了"), ("en", "Something went wrong")):
        with translation.override(language):
            page = render_to_string("500.html", {"request_id": "abc123"})
            assert words in page and "abc123" in page
            assert words in render_to_string("500.html")
