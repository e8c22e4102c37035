"""The customer list, search and one customer's page: who sees whom, in which words, and how many questions a page asks."""

import datetime
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.core.models import AuditEntry
from customers.models import (
    Account,
    Assignment,
    ContactPerson,
    Customer,
    Identity,
    QualityIssue,
    Relation,
    Transaction,
)

pytestmark = pytest.mark.django_db


def numbers(response) -> list[str]:
    return [row.customer.customer_no for row in response.context["page"].rows]


def listed(client, **query) -> list[str]:
    return numbers(client.get(reverse("customers"), query))


def found(client, text: str, name: str = "search") -> list[str]:
    response = client.post(reverse(name), {"q": text})
    assert response.status_code == 200
    return numbers(response)


def sign_in(client, user):
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    ("username", "expected"),
    [
        ("ann", {"C001", "C002", "C006", "C007", "C101"}),
        ("bob", {"C002", "C003", "C004", "C012"}),  # C002 is shared with him
        ("eva", {"C005", "C010", "C011", "C102"}),
        ("dora", {"C005", "C010", "C011", "C102"}),
        ("tess", {"C001", "C002", "C003", "C004", "C006", "C007", "C009", "C012", "C101"}),
    ],
)
def test_everybody_lists_exactly_his_customers_in_every_order(bank, client, username, expected):
    sign_in(client, getattr(bank, username))
    for sort in ("", "number", "-number", "contribution", "-contribution", "assets", "deposits", "loans"):
        assert set(listed(client, sort=sort)) == expected, sort


def test_restricted_customers_are_listed_for_compliance_alone(bank, client):
    assert "C008" not in listed(sign_in(client, bank.han))
    assert "C008" in listed(sign_in(client, bank.mira))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("欧阳", ["C002"]),
        ("阳娜", ["C002"]),
        ("张", ["C001"]),
        ("13800138001", ["C001"]),
        ("138 0013 8001", ["C001"]),
        ("11010519491231002X", ["C001"]),  # C005 bears the same number, outside her scope
        ("c001", ["C001"]),
        ("C101CNYBL01", ["C101"]),
        ("91350100M000100Y43", ["C101"]),
        ("王芳", []),  # another branch's
        ("孙限", []),  # under a processing stop
        ("%", []),
        ("", ["C001", "C002", "C006", "C007", "C101"]),
    ],
)
def test_search_by_every_shape_stays_within_scope(bank, client, text, expected):
    sign_in(client, bank.ann)
    if text:
        assert sorted(found(client, text)) == expected
        assert sorted(found(client, text, "customers")) == expected
    else:
        assert client.post(reverse("search"), {"q": " "}).headers["Location"] == reverse("customers")
        assert sorted(listed(client)) == expected


def test_a_search_combines_with_a_filter_and_a_figure_order(bank, client):
    sign_in(client, bank.han)
    response = client.post(reverse("customers"), {"q": "海州", "sort": "contribution", "kind": "corporate"})
    assert numbers(response) == ["C101", "C102"] or numbers(response) == ["C102", "C101"]


def test_what_was_searched_never_stands_in_an_address(bank, client):
    sign_in(client, bank.ann)
    for name in ("search", "customers"):
        response = client.post(reverse(name), {"q": "13800138001"})
        assert "13800138001" in response.content.decode()  # still in the box
        for address in re.findall(r'(?:href|action|hx-get|hx-post)="([^"]*)"', response.content.decode()):
            assert "1380013" not in address
    box = client.post(
        reverse("search"), {"q": "13800138001"}, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="content"
    )
    assert numbers(box) == ["C001"] and box.headers["HX-Push-Url"].startswith(reverse("customers"))
    assert "1380013" not in box.headers["HX-Push-Url"]
    htmx = client.post(
        reverse("customers"), {"q": "13800138001"}, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="list-customers"
    )
    assert "1380013" not in htmx.headers["HX-Push-Url"]
    assert numbers(client.get(reverse("customers"), {"q": "13800138001"})) == listed(client)


def test_the_palette_answers_a_post_with_at_most_eight_of_ones_own(bank, client):
    sign_in(client, bank.ann)
    answer = client.post(
        reverse("search"), {"q": "海州"}, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="palette-found"
    ).content.decode()
    assert answer.count('role="option"') == 1 and "远航" in answer and "<html" not in answer
    assert client.get(reverse("search")).status_code == 405
    many(bank, 12)
    answer = client.post(
        reverse("search"), {"q": "同名"}, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="palette-found"
    ).content.decode()
    assert answer.count('role="option"') == 8


def test_at_the_counter_people_are_masked_and_nobody_is_worth_anything(bank, client):
    for user in (bank.tess, bank.lou):
        sign_in(client, user)
        page = client.get(reverse("customers")).content.decode()
        assert "张*" in page and "欧阳*" in page and "海州市远航贸易有限公司" in page
        assert "张伟" not in page and "万元" not in page and "contribution" not in page
        facts = client.get(reverse("customer", args=[bank.customer("C001").pk])).content.decode()
        assert "张*" in facts and "张伟" not in facts and "180,000" not in facts and "1949-12-31" not in facts
        assert "138****8001" in facts and "?ask" not in facts
        firm = client.get(reverse("customer", args=[bank.customer("C101").pk])).content.decode()
        assert "张伟" not in firm  # its legal representative
        palette = client.post(
            reverse("search"), {"q": "张伟"}, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="palette-found"
        ).content.decode()
        assert "张*" in palette and "张伟" not in palette


def test_filters_narrow_to_what_they_say(bank, client):
    sign_in(client, bank.han)
    assert set(listed(client, kind="corporate")) == {"C101", "C102"}
    assert set(listed(client, branch="B2")) == {"C005", "C010", "C011", "C102"}
    assert set(listed(client, manager="E002")) == {"C003", "C004", "C012"}
    assert set(listed(client, manager="none")) == {"C009"}
    assert set(listed(client, open="no")) == {"C006"}
    assert listed(client, kind="no-such-thing") == listed(client)
    issues = set(QualityIssue.objects.visible_to(bank.han).values_list("customer__customer_no", flat=True))
    assert set(listed(client, fix="yes")) == issues
    assert set(listed(client, fix="yes", sort="contribution")) == issues
    assert set(listed(sign_in(client, bank.dora), branch="B1")) == set(listed(client))  # not hers: ignored


def test_names_are_sorted_by_pinyin_with_surnames_read_as_surnames(bank, client):
    sign_in(client, bank.cai)
    order = listed(client, sort="name", kind="individual")
    assert order == sorted(order, key=lambda no: bank.customer(no).name_sort)
    assert order.index("C003") < order.index("C001")  # 曾 is zeng, before zhang


def test_the_list_turns_its_pages_without_losing_or_repeating_anybody(bank, client):
    sign_in(client, bank.han)
    for sort in ("name", "contribution", "-assets"):
        seen, query = [], {"sort": sort, "size": 4}
        while True:
            page = client.get(reverse("customers"), query).context["page"]
            seen += [row.customer.customer_no for row in page.rows]
            if page.next is None:
                break
            query["after"] = page.next.value
        assert len(seen) == len(set(seen)) == 13, sort


@pytest.mark.parametrize(
    "tab",
    ["customer", "customer_relations", "customer_history", "customer_accounts", "customer_contribution"],
)
def test_a_tab_of_somebody_elses_customer_does_not_exist(bank, client, tab):
    url = reverse(tab, args=[bank.customer("C005").pk])
    assert sign_in(client, bank.ann).get(url).status_code == 404
    assert sign_in(client, bank.eva).get(url).status_code == 200
    missing = client.get(reverse(tab, args=[10**9]))
    assert missing.status_code == 404


def test_facts_say_where_they_are_from_and_how_they_came_to_be_known(bank, client):
    sign_in(client, bank.ann)
    response = client.get(reverse("customer", args=[bank.customer("C001").pk]))
    groups = {group.key: {fact.name: fact for fact in group.facts} for group in response.context["groups"]}
    occupation = groups["person"]["occupation"]
    assert (occupation.value, occupation.kind, occupation.source) == ("教师", "stated", "core")
    assert occupation.known_on == datetime.date(2026, 10, 30)
    assert groups["bank"]["opened_on"].kind == "observed"
    page = response.content.decode()
    assert "13800138001" not in page and "11010519491231002X" not in page and "zhang.wei@" not in page
    assert "110***********002X" in page and page.count("?ask") >= 4


def test_every_field_a_screen_masks_can_be_asked_for(bank, client):
    sign_in(client, bank.ann)
    customer, account = bank.customer("C001"), bank.account("C001CNYTD01")
    identity = Identity.rows.get(customer=customer)
    places = [
        ("customers.Customer", "mobile", customer.pk, "13800138001"),
        ("customers.Customer", "email", customer.pk, "zhang.wei@example.com"),
        ("customers.Customer", "address", customer.pk, "海州市鼓楼区学院路1号"),
        ("customers.Identity", "number", identity.pk, "11010519491231002X"),
        ("customers.Account", "account_no", account.pk, "C001CNYTD01"),
    ]
    for model, field, key, value in places:
        before = AuditEntry.objects.filter(verb="privacy.reveal").count()
        url = reverse("reveal", args=[model, field, key])
        assert client.post(url, {"purpose": ""}).status_code == 422
        assert value in client.post(url, {"purpose": "contact"}).content.decode(), field
        assert AuditEntry.objects.filter(verb="privacy.reveal").count() == before + 1


def test_related_customers_outside_ones_scope_have_no_name(bank, client):
    sign_in(client, bank.ann)
    page = client.get(reverse("customer_relations", args=[bank.customer("C101").pk]))
    related = page.context["related"]
    assert [(pair.relation.kind, pair.other and pair.other.customer_no) for pair in related] == [
        ("legal_representative", "C001"),
        ("supplier", None),
    ]
    text = page.content.decode()
    assert "张伟" in text and "宏图" not in text and "C102" not in text
    back = client.get(reverse("customer_relations", args=[bank.customer("C001").pk])).context["related"]
    assert {(pair.outgoing, pair.relation.kind) for pair in back} == {
        (True, "spouse"),
        (False, "legal_representative"),
    }


def test_what_is_held_at_other_banks_is_told_with_its_source_but_not_at_the_counter(bank, client):
    url = reverse("customer_relations", args=[bank.customer("C001").pk])
    (row,) = sign_in(client, bank.ann).get(url).context["elsewhere"]
    assert (row.bank_name, row.source, str(row.amount)) == ("东海银行", "declared", "200000.00")
    assert "东海银行" in client.get(url).content.decode()
    assert "东海银行" not in sign_in(client, bank.tess).get(url).content.decode()


def test_the_marks_of_closed_deceased_and_merged_customers_stand_in_the_head(bank, client):
    sign_in(client, bank.mira)
    merged = bank.customer("C011")
    Customer.rows.filter(pk=merged.pk).update(merged_into=bank.customer("C010"))
    words = {"C006": "2026-08-31", "C007": "2026-09-09", "C008": "2026-09-10", "C011": "C010"}
    for customer_no, word in words.items():
        page = client.get(reverse("customer", args=[bank.customer(customer_no).pk])).content.decode()
        assert word in page.split('id="customer-tab"')[0], customer_no


def test_the_history_shows_every_stretch_and_who_decided_it(bank, client):
    sign_in(client, bank.ann)
    rows = client.get(reverse("customer_history", args=[bank.customer("C002").pk])).context["assignments"]
    assert {(row.role, row.origin) for row in rows} == {("main", "feed"), ("assist", "crm")}
    assert len(rows) == Assignment.rows.filter(customer=bank.customer("C002")).count()


def test_an_account_shows_its_bookings_by_month_and_whom_else_it_belongs_to(bank, client):
    sign_in(client, bank.ann)
    url = reverse("account", args=[bank.account("C001CNYDD01").pk])
    newest = client.get(url)
    assert [str(b.row.amount) for b in newest.context["month"].bookings] == ["1000.00", "-25.00", "18000.00"]
    assert [h.customer.customer_no for h in newest.context["account"].others] == ["C002"]
    assert newest.context["month"].earlier == datetime.date(2026, 1, 1)
    december = client.get(url, {"month": "2025-12"}).context["month"]
    assert len(december.bookings) == 1 and december.later == datetime.date(2026, 1, 1)
    assert client.get(url, {"month": "nonsense"}).context["month"].first == datetime.date(2026, 10, 1)
    assert "C001CNYDD01" not in newest.content.decode()
    fragment = client.get(url, {"month": "2025-12"}, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="bookings")
    assert "<html" not in fragment.content.decode()


def test_a_holder_outside_ones_scope_is_not_named(bank, client):
    sign_in(client, bank.ann)  # C012, authorised on the firm's account, is bob's
    page = client.get(reverse("account", args=[bank.account("C101CNYDD01").pk]))
    assert [holder.customer for holder in page.context["account"].others] == [
        None
    ] and "郑授" not in page.content.decode()
    tab = client.get(reverse("customer_accounts", args=[bank.customer("C101").pk])).content.decode()
    assert "郑授" not in tab


def test_reversed_bookings_are_marked_on_both_sides_and_breaks_are_shown(bank, client):
    account = bank.account("C001CNYDD01")
    booking = Transaction.rows.get(account_id=account.pk, txn_no="T0004")
    Transaction.rows.create(
        account_id=account.pk, customer_id=account.customer_id, booked_on="2026-10-13", txn_no="T0004R", amount="25.00",
        kind="fee", channel="online", reversal_of="T0004", batch_id=booking.batch_id, known_on=booking.known_on,
    )  # fmt: skip
    month = sign_in(client, bank.ann).get(reverse("account", args=[account.pk])).context["month"]
    assert [(b.row.txn_no, b.reversed_by, b.reverses) for b in month.bookings][1:3] == [
        ("T0004R", None, "T0004"),
        ("T0004", "T0004R", None),
    ]
    broken = bank.account("C102CNYDD01")
    page = sign_in(client, bank.dora).get(reverse("account", args=[broken.pk]), {"month": "2026-01"})
    assert [str(row.found - row.expected) for row in page.context["month"].breaks] == ["0.10"]


def test_a_month_of_many_bookings_is_paged_without_losing_one(bank, client):
    account = bank.account("C001CNYDD01")
    known = Transaction.rows.filter(account_id=account.pk).first()
    Transaction.rows.bulk_create(
        Transaction(
            account_id=account.pk, customer_id=account.customer_id, booked_on=f"2026-10-{1 + n % 28:02}", txn_no=f"M{n:04}",
            amount="1.00", kind="other", channel="batch", batch_id=known.batch_id, known_on=known.known_on,
        )
        for n in range(250)
    )  # fmt: skip
    sign_in(client, bank.ann)
    seen, query = [], {"month": "2026-10"}
    while True:
        month = client.get(reverse("account", args=[account.pk]), query).context["month"]
        seen += [b.row.txn_no for b in month.bookings]
        if not month.next:
            break
        query["after"] = month.next
    assert len(seen) == len(set(seen)) == 253
    assert client.get(reverse("account", args=[account.pk]), {"after": "forged"}).status_code == 200


def many(bank, count: int, first: int = 0) -> None:
    """``count`` more customers of ann's, each as awkward as a row can be: a relation, a thing to fix, an account."""
    ann, model = bank.ann.staff, bank.customer("C002")
    product = bank.account("C002CNYDD01")
    for n in range(first, first + count):
        customer = Customer.rows.create(
            customer_no=f"M{n:04}", kind="individual", name=f"同名{n}", name_sort=f"tong ming {n:04}", branch=ann.branch,
            manager=ann, opened_on="2020-01-01", known_on=model.known_on, batch_id=model.batch_id,
        )  # fmt: skip
        QualityIssue.rows.create(customer=customer, rule="mobile_missing", since="2026-10-31")
        Relation.rows.create(
            customer=model, related=customer, kind="buyer", known_on=model.known_on, batch_id=model.batch_id
        )
        Account.rows.create(
            account_no=f"M{n:04}CNY", customer=model, product=product.product, currency="CNY", branch=ann.branch,
            status="open", opened_on="2020-01-01", known_on=model.known_on, batch_id=model.batch_id,
        )  # fmt: skip
        ContactPerson.rows.create(customer=model, name=f"联系{n}", starts_on="2020-01-01")


def test_no_page_asks_more_questions_for_thirty_rows_than_for_three(bank, client):
    shared = bank.customer("C002").pk
    pages = {
        "list": reverse("customers"),
        "list by figure": reverse("customers") + "?sort=contribution",
        "list with every filter": reverse("customers")
        + "?kind=individual&open=yes&fix=yes&branch=B1&manager=E001",
        "fix list": reverse("quality"),
        **{
            tab: reverse(tab, args=[shared])
            for tab in (
                "customer",
                "customer_relations",
                "customer_history",
                "customer_accounts",
                "customer_contribution",
            )
        },
        "account": reverse("account", args=[bank.account("C001CNYDD01").pk]),
    }
    counts: dict[str, list[int]] = {page: [] for page in pages}
    had = 0
    for rows in (3, 30):
        many(bank, rows - had, first=had)
        had = rows
        for user in (bank.ann, bank.cai):
            sign_in(client, user)
            for page, url in pages.items():
                with CaptureQueriesContext(connection) as queries:
                    assert client.get(url).status_code == 200
                counts[page].append(len(queries))
    assert all(found[:2] == found[2:] for found in counts.values()), counts
    assert {page: found for page, found in counts.items() if max(found) > 12} == {}
