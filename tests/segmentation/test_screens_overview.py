"""The overview, the homes and the contribution tab: every number is the sum of exactly the rows its link leads to."""

import datetime
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.core.models import Branch
from crm.core.scope import places_of
from customers.models import Customer, FeedBatch
from segmentation import nights, structure
from segmentation.models import BranchSummary, Contribution, Life, PublishedNight, Standing
from segmentation.views.customer import statement

pytestmark = pytest.mark.django_db
TABS = ("customer", "customer_relations", "customer_history", "customer_accounts", "customer_contribution")


def rows_behind(client, href: str) -> list[Standing]:
    """Follow a link of a dashboard through every page of the list."""
    found, address = [], href
    while True:
        page = client.get(address).context["page"]
        found += [row.standing for row in page.rows]
        if page.next is None:
            return found
        address = href.split("?")[0] + page.next.query


def counted(rows: list[Standing]) -> dict[str, Decimal | int]:
    """What a dashboard counts, from the rows themselves."""
    scores = {"loyalty": [row.loyalty for row in rows], "risk": [row.risk for row in rows]}
    known = {name: [score for score in of_all if score is not None] for name, of_all in scores.items()}
    return {
        "accounts": sum(row.account_count for row in rows),
        "deposit_holders": sum(row.deposit_year_sum > 0 for row in rows),
        "loan_holders": sum(row.loan_year_sum > 0 for row in rows),
        "loyalty_count": len(known["loyalty"]),
        "loyalty_sum": sum(known["loyalty"], Decimal(0)),
        "risk_count": len(known["risk"]),
        "risk_sum": sum(known["risk"], Decimal(0)),
        "closed_customers": sum(row.is_closed for row in rows),
        **{
            f"{life}_customers": sum(row.life == life for row in rows) for life in Life if life != Life.CLOSED
        },
    }


def sums(rows: list[Standing]) -> tuple:
    total = {name: sum((getattr(row, name) for row in rows), Decimal(0)) for name in structure.SUMS}
    return (len(rows), *total.values(), *counted(rows).values())


def of_cell(cell: structure.Cell) -> tuple:
    return (cell.customers, *[getattr(cell, name) for name in [*structure.SUMS, *structure.COUNTED]])


@pytest.mark.parametrize("username", ["ann", "bob", "cai", "dora", "rita", "han", "petra", "mira"])
def test_every_number_is_the_sum_of_the_rows_its_link_leads_to(bank, client, username):
    user = getattr(bank, username)
    client.force_login(user)
    found = structure.figures(user, nights.published())
    # A manager has no branch to narrow by.
    offered = {""} if username in ("ann", "bob") else {"", *(branch.branch_no for branch in places_of(user))}
    for narrowed in (
        {},
        {"kind": "individual"},
        {"kind": "corporate"},
        {"branch": "B1"},
        {"branch": "B2", "kind": "corporate"},
    ):
        if narrowed.get("branch", "") not in offered:
            continue  # no screen offers it
        shown = found.structure(**narrowed)
        for cell in [shown.total, *shown.cells]:
            assert of_cell(cell) == sums(rows_behind(client, cell.href)), (narrowed, cell.href)
    for line in found.by_branch(list(Branch.objects.filter(branch_no__in=["R1", "B1", "B11", "B2"]))):
        if username not in ("ann", "bob") and line.cell.customers:
            assert of_cell(line.cell) == sums(rows_behind(client, line.href)), line.label


def test_the_managers_of_a_branch_are_compared_by_the_rows_behind_them(bank, client):
    client.force_login(bank.cai)
    lines = client.get("/").context["managers"]
    assert [line.label for line in lines] == ["安宁", "白波"]
    for line in lines:
        assert of_cell(line.cell) == sums(rows_behind(client, line.href))


def test_a_customer_under_a_processing_stop_is_counted_for_compliance_alone(bank):
    night = nights.published()
    assert structure.figures(bank.han, night).structure().total.customers == 13
    assert structure.figures(bank.mira, night).structure().total.customers == 14
    assert structure.figures(bank.cai, night).structure(branch="B1").total.customers == 9
    assert structure.figures(bank.adam, night).structure().total.customers == 0


@pytest.mark.parametrize(
    ("by", "attribute"), [(by, order.lstrip("-")) for by, order in structure.INDICATORS.items()]
)
def test_the_first_are_the_largest_by_the_chosen_indicator(bank, client, by, attribute):
    client.force_login(bank.han)
    for count in (5, 10, 20):
        first = client.get(reverse("overview"), {"by": by, "top": count}).context["first"]
        everybody = sorted(
            Standing.objects.visible_to(bank.han).filter(run_id=nights.published().run_id),
            key=lambda row: (-getattr(row, attribute), -row.customer_id),
        )
        assert [row.customer_id for row in first] == [row.customer_id for row in everybody[:count]]
        assert [row.ranked_by for row in first] == [getattr(row, attribute) for row in everybody[:count]]


def test_the_overview_narrows_by_code_and_ignores_what_is_out_of_scope(bank, client):
    client.force_login(bank.dora)
    for query in ({"branch": "B1"}, {"kind": "x"}, {"by": "x"}, {"top": "999"}, {"branch": "' or 1=1"}):
        assert {
            row.customer.branch.branch_no for row in client.get(reverse("overview"), query).context["first"]
        } == {"B2"}
    client.force_login(bank.han)
    first = client.get(reverse("overview"), {"branch": "B2", "kind": "corporate"}).context["first"]
    assert [row.customer.customer_no for row in first] == ["C102"]


class Links(HTMLParser):
    """Collects the addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag, attributes) -> None:
        href = dict(attributes).get("href")
        if tag == "a" and href and (href.startswith("/") or href.startswith("?")):
            self.found.add(href)


@pytest.mark.parametrize(
    "username", ["ann", "cai", "han", "tess", "lou", "clara", "petra", "mira", "adam", "sean", "audi"]
)
def test_every_link_of_a_home_opens_for_the_person_it_is_shown_to(bank, client, username):
    client.force_login(getattr(bank, username))
    home = client.get("/", follow=True)
    assert home.status_code == 200
    links = Links()
    links.feed(home.content.decode())
    path = home.request["PATH_INFO"]
    for href in links.found:
        assert client.get(path + href if href.startswith("?") else href, follow=True).status_code == 200, href


@pytest.mark.slow
def test_every_link_of_a_page_opens_for_the_person_it_is_shown_to(bank, client):
    firm, person = bank.customer("C101").pk, bank.customer("C001").pk
    batch = FeedBatch.objects.earliest("pk").pk
    pages = [
        *[reverse(tab, args=[pk]) for tab in TABS for pk in (firm, person)],
        reverse("account", args=[bank.account("C001CNYDD01").pk]),
        *[
            reverse(name)
            for name in (
                "customers",
                "quality",
                "overview",
                "feeds",
                "feed_differences",
                "nights",
                "org",
                "staff",
                "rights",
            )
        ],
        *[reverse(name, args=[batch]) for name in ("feed_batch", "feed_rejects", "feed_breaks")],
        reverse("night", args=[nights.published().run_id]),
        reverse("staff_page", args=[bank.ann.staff_id]),
    ]
    broken, followed = [], 0
    for username in ("ann", "cai", "han", "tess", "adam", "sean"):
        client.force_login(getattr(bank, username))
        known: dict[str, int] = {}
        for page in pages:
            answer = client.get(page)
            if answer.status_code != 200:
                continue
            links = Links()
            links.feed(answer.content.decode().split('id="content"')[1])
            for href in links.found:
                address = page + href if href.startswith("?") else href
                if address not in known:
                    known[address] = client.get(address, follow=True).status_code
                if known[address] != 200:
                    broken.append((username, page, href, known[address]))
        followed += len(known)
    assert not broken and followed > 200, broken


def test_each_post_lands_on_its_own_page(bank, client):
    templates = {
        "ann": "crm/home_manager.html",
        "cai": "crm/home_supervisor.html",
        "han": "segmentation/overview.html",
        "tess": "crm/home_counter.html",
        "adam": "crm/home_administrator.html",
        "sean": "core/staff_list.html",
        "clara": "crm/home_officer.html",
    }
    for username, template in templates.items():
        client.force_login(getattr(bank, username))
        assert template in [t.name for t in client.get("/", follow=True).templates], username
    client.force_login(bank.audi)
    assert client.get("/").headers["Location"] == reverse("audit")


@pytest.mark.parametrize("username", ["ann", "cai", "han", "adam", "tess"])
def test_before_the_first_night_a_home_says_what_to_do(bank, client, username):
    PublishedNight.objects.update(kept=False)
    client.force_login(getattr(bank, username))
    for url in ("/", reverse("customers") if username != "adam" else reverse("nights")):
        assert client.get(url).status_code == 200
    if username in ("ann", "cai", "han"):
        customer = bank.customer("C001")
        for tab in ("customer", "customer_accounts", "customer_contribution"):
            page = client.get(reverse(tab, args=[customer.pk]))
            assert page.status_code == 200
        balances = client.get(reverse("customer_accounts", args=[customer.pk])).content.decode()
        assert "48,975.00" in balances  # the newest the feed gave
        assert (
            "No night has run yet"
            in client.get("/", headers={"accept-language": "en"}, **english(client)).content.decode()
        )


def english(client) -> dict:
    client.cookies["__Host-crm_language"] = "en"
    client.cookies["crm_language"] = "en"
    return {}


def test_the_contribution_is_a_statement_that_adds_up_in_every_period(bank, client):
    client.force_login(bank.mira)
    for customer in Customer.objects.visible_to(bank.mira):
        for period in ("mtd", "ytd", "r12"):
            page = client.get(reverse("customer_contribution", args=[customer.pk]), {"period": period})
            parts = page.context["parts"]
            running = Decimal(0)
            for part in parts:
                if part.total:
                    assert running == part.amount, (customer.customer_no, period, str(part.label))
                else:
                    running += part.amount
            assert (
                sum((line["pretax"] for line in page.context["lines"]), Decimal(0))
                == page.context["contribution"].pretax
            )


def test_a_statement_keeps_the_signs_of_costs():
    values = dict.fromkeys(
        [field.name for field in Contribution._meta.get_fields() if field.name not in ("pk", "customer")],
        Decimal(0),
    )
    row = Contribution(
        **{**values, "operation": Decimal("3.00"), "pretax": Decimal("-3.00"), "net": Decimal("-3.00")}
    )
    assert [part.amount for part in statement(row)][4] == Decimal("-3.00")


def test_the_tier_stands_on_its_ladder_with_thresholds(bank, client):
    client.force_login(bank.ann)
    for customer_no in ("C001", "C101"):
        page = client.get(reverse("customer_contribution", args=[bank.customer(customer_no).pk]))
        standing = Standing.rows.get(run_id=nights.published().run_id, customer=bank.customer(customer_no))
        assert standing.tier in [step.tier for step in page.context["ladder"]]
        assert 'class="is-here"' in page.content.decode()


SUMMED = [
    field.name
    for field in BranchSummary._meta.get_fields()
    if field.name.endswith(("_sum", "_balance", "_annual"))
    and field.name not in ("loyalty_sum", "risk_sum")  # these are 0 by themselves
] + ["contribution", "pretax"]


def more_branches(count: int, first: int) -> None:
    """Branches below B1, each with a line in the summary of the night."""
    above, run_id = Branch.objects.get(branch_no="B1"), nights.published().run_id
    for n in range(first, count):
        branch = Branch.objects.create(branch_no=f"Z{n:03}", name=f"网点{n}", kind="outlet", parent=above)
        Branch.objects.filter(pk=branch.pk).update(path=f"{above.path}{branch.pk}/")
        BranchSummary.objects.create(
            run_id=run_id, branch_id=branch.pk, kind="individual", tier="gold", customers=0, closed_customers=0, accounts=0,
            **dict.fromkeys(SUMMED, 0),
        )  # fmt: skip


def test_dashboards_ask_as_many_questions_for_thirty_branches_as_for_three(bank, client):
    counts: dict[tuple, list[int]] = {}
    had = 0
    for rows in (3, 30):
        more_branches(rows, had)
        had = rows
        for username in ("ann", "cai", "han", "adam"):
            client.force_login(getattr(bank, username))
            for url in ("/", "/overview/?branch=B1&kind=individual&by=loans&top=20", "/org/", "/staff/"):
                with CaptureQueriesContext(connection) as queries:
                    client.get(url)
                counts.setdefault((username, url), []).append(len(queries))
    assert all(len(set(found)) == 1 and found[0] <= 12 for found in counts.values()), counts


def test_an_average_is_over_the_days_of_the_month_so_far(bank):
    night = nights.published()
    assert night.business_date == datetime.date(2026, 10, 31)
    total = structure.figures(bank.han, night).structure().total
    assert total.deposits == total.deposit_month_sum / 31
