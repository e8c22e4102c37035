"""A tier against the figures: one person proposes it on the customer's page, another one approves it at his desk."""

import pytest


@pytest.mark.parametrize(("number", "language", "phone"), [("C002", "en", False), ("C009", "zh-hans", True)])
def test_a_supervisor_proposes_a_tier_and_another_approves_it(reader, number, language, phone):
    from customers.models import Customer

    customer = Customer.rows.get(customer_no=number)
    cai = reader("cai", language=language, phone=phone, expects=(422,))
    cai.goto(f"/customers/{customer.pk}/tier/")
    box = cai.page.locator("#tier-override")
    cai.click("#tier-override button.btn-primary")
    box.locator(".field-error").first.wait_for()
    assert box.locator(".field-error").count() == 2  # tier and reason
    faults = cai.breaks_accessibility()
    cai.choose("#tier-override select[name=tier]", "diamond")
    cai.fill("#tier-override textarea", "the whole family banks here")
    cai.click("#tier-override button.btn-primary")
    box.locator("a[href^='/approvals/']").wait_for()
    assert box.locator("form").count() == 0 and not cai.overflows()
    faults += cai.breaks_accessibility()

    rita = reader("rita", language=language, phone=phone)
    rita.goto(f"/customers/{customer.pk}/tier/")
    rita.click("#tier-override a[href^='/approvals/']")
    rita.page.locator("button[value=approve]").wait_for()
    rita.click("button[value=approve]")
    rita.page.locator("#confirm[open]").wait_for()
    with rita.page.expect_navigation():
        rita.click("#confirm-yes")
    rita.goto(f"/customers/{customer.pk}/tier/")
    row = rita.page.locator("#tier-override .override-row")
    assert row.count() == 1 and "the whole family banks here" in row.inner_text() and not rita.overflows()
    faults += rita.breaks_accessibility()
    assert not faults, "\n".join(faults)
