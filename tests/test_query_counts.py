"""How many questions a page asks the database: at most twelve, and as many for thirty rows as for three.

Counted is everything between request and answer, the session, the account and its time limits (three) included; what a
process asks once (content types, the catalogue) was asked before.
"""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.core import approvals, audit, clock, jobs
from crm.core.models import Branch, Staff, User
from customers.feeds.load import load_paths
from customers.models import FeedBatch
from segmentation import nightly
from tests import bank as small
from tests.feed_files import write_batch
from tests.test_urls import every_name, row_parameters

MOST = 12
READERS = ["ann", "cai", "han", "tess", "mira", "audi", "adam", "sean"]
# Answers to a monitor; a link that is good once; orders, which a GET is refused.
NOT_PAGES = {"health", "welcome"}
# Beside the plain page: the list sorted and narrowed by what the night worked out, and what a search finds.
MORE = {
    "customers by contribution": "/customers/?sort=contribution",
    "customers by loyalty": "/customers/?sort=loyalty&columns=scores&life=active&open=yes",
    "customers of quality": "/customers/?quality=high&near=up&columns=money&r=5",
    "customers narrowed": "/customers/?kind=individual&open=yes&fix=yes&branch=B1",
    "overview narrowed": "/overview/?branch=B1&kind=individual&by=loans&top=20",
    "audit narrowed": "/audit/?verb=customers.assign",
}


# The most a page asks for any of its readers. Lower a number when a page gets better; raising one needs a reason.
PINNED = {
    "account": 11,
    "alerts": 11,
    "approval": 7,
    "approvals": 9,
    "audit": 6,
    "audit narrowed": 6,
    "audit_chain": 8,
    "audit_entry": 5,
    "change_password": 6,
    "customer": 11,
    "customer_accounts": 11,
    "customer_contribution": 12,
    "customer_history": 11,
    "customer_loyalty": 11,
    "customer_relations": 11,
    "customer_risk": 11,
    "customer_score": 12,
    "customer_score_line": 9,
    "customer_tier": 12,
    "customers": 12,
    "customers by contribution": 11,
    "customers by loyalty": 11,
    "customers narrowed": 12,
    "customers of quality": 11,
    "feed_batch": 9,
    "feed_breaks": 10,
    "feed_differences": 9,
    "feed_rejects": 9,
    "feed_upload": 6,
    "feed_uploaded": 7,
    "feeds": 11,
    "home": 12,
    "night": 11,
    "nights": 11,
    "org": 8,
    "overview": 11,
    "overview narrowed": 11,
    "parameter": 8,
    "parameters": 7,
    "quality": 9,
    "retention": 11,
    "reveal": 8,
    "rfm": 9,
    "rights": 5,
    "staff": 9,
    "staff_page": 8,
    "tier_propose": 12,
    "trends": 10,
}


def person(n: int) -> dict:
    # Malformed numbers and no occupation: each is on the fix list.
    return small.person(f"Q{n:03}", f"同名{n}", "B1", "E001", mobile="12", id_type="citizen_id", id_no="1")


def rows_of(numbers: range, day: datetime.date) -> dict[str, list[dict]]:
    """A batch with one more of everything for each number; C001 owns, knows and books it all, so his page is full."""
    stamp = day.isoformat()
    accounts = [small.account(f"C001CNYDD{n + 10}", "C001", "DD", "B1", "2026-02-01") for n in numbers]
    bookings = [(f"C001CNYDD{n + 10}", stamp, "100.00", "cash_deposit", "counter") for n in numbers]
    bookings += [("C001CNYDD01", stamp, "1.00", "transfer_in", "mobile") for _ in numbers]
    transactions = [
        {"txn_no": f"Q{stamp}-{i}", "account_no": a, "booked_on": d, "amount": m, "kind": k, "channel": c}
        for i, (a, d, m, k, c) in enumerate(bookings)
    ]
    rejected = [{**transactions[0], "txn_no": f"bad{stamp}-{n}", "kind": "no such kind"} for n in numbers]
    # Fed balances that no booking explains: one break each.
    balances = [{"account_no": f"C001CNYDD{n + 10}", "on_date": stamp, "balance": "777.00"} for n in numbers]
    return {
        "branches.csv": [
            {"branch_no": f"Q{n:03}", "name": f"网点{n}", "parent_no": "B1", "kind": "outlet", "opened_on": "2020-01-01"}
            for n in numbers
        ],
        "employees.csv": [
            {
                "employee_no": f"Q{n:03}",
                "name": f"同事{n}",
                "branch_no": "B1",
                "post": "relationship_manager",
                "joined_on": "2020-01-01",
            }
            for n in numbers
        ],
        "customers.csv": [person(n) for n in numbers],
        "relations.csv": [
            {"customer_no": "C001", "related_no": f"Q{n:03}", "kind": "child"} for n in numbers
        ],
        "accounts.csv": accounts,
        "account_holders.csv": [
            {"account_no": "C001CNYDD01", "customer_no": f"Q{n:03}", "role": "authorised"} for n in numbers
        ],
        "transactions.csv": transactions + rejected,
        "balances.csv": balances,
    }  # fmt: skip


def grow(bank, folder, numbers: range) -> None:
    """Deliver a day a number, all rows with the last of them; run its night; leave entries, proposals and runs."""
    day = small.LAST_DAY
    for n in numbers:
        day = small.LAST_DAY + datetime.timedelta(days=n + 1)
        last = n == numbers[-1]
        write_batch(
            folder / f"day{n}", day, rows_of(numbers, day) if last else {"customers.csv": [person(n)]}
        )
        [result] = load_paths([folder / f"day{n}"], at=clock.now())
        assert result.outcome == "loaded" and (not last or result.rejected == len(numbers)), result
        payload = {"file": "0.zip", "source": f"s{n}", "business_date": "2026-11-01", "manifest": "ab" * 32}
        payload |= {"replace": True, "accept_gap": False}
        approvals.propose(
            bank.adam, "feeds.override", payload, ("feed", f"s{n}"), reason="corrected by the core"
        )
        audit.record(bank.ann, "customers.assign", bank.customer("C001"))
        audit.record(bank.ann, "privacy.reveal", bank.customer("C001"), customer_id=bank.customer("C001").pk)
        jobs.ensure_run("feeds.load", day, at=clock.now())
        colleague = Staff.objects.create(
            employee_no=f"QA{n:03}",
            name=f"审批{n}",
            branch=Branch.objects.get(branch_no="HO"),
            post="analyst",
        )
        User.objects.create(username=f"qa{n}", staff=colleague)
    run = nightly.run_for(day, at=clock.now())
    jobs.work_on(run.pk, worker="test", at=clock.now(), seconds=600)
    run.refresh_from_db()
    assert run.state == "done", run.error


def counted(bank, client) -> dict[tuple[str, str], int]:
    """Return how many questions each page asks for each reader whom it answers with 200."""
    found = {}
    for username in READERS:
        client.force_login(User.objects.get(username=username), backend="crm.core.sessions.AccountBackend")
        for name, url in addresses(bank).items():
            connection.queries_log.clear()  # it keeps the last nine thousand and no more
            with CaptureQueriesContext(connection) as captured:
                answer = client.get(url)
            if answer.status_code == 200:
                found[username, name] = len(captured)
    return found


def addresses(bank) -> dict[str, str]:
    plain = {
        name: reverse(name, kwargs=row_parameters(bank, name, "C001"))
        for name in every_name()
        if name not in NOT_PAGES
    }
    newest = FeedBatch.objects.latest("business_date").pk  # the one with the rejected rows and the breaks
    feeds = {name: reverse(name, args=[newest]) for name in ("feed_batch", "feed_rejects", "feed_breaks")}
    return plain | feeds | MORE


@pytest.mark.slow
def test_a_page_asks_as_many_questions_for_thirty_rows_as_for_three(bank, client, tmp_path, settings):
    settings.FEED_REJECT_SHARE = "1"
    settings.SESSION_CONCURRENT_LIMIT = 99
    grow(bank, tmp_path, range(0, 3))
    counted(bank, client)
    few = counted(bank, client)
    grow(bank, tmp_path, range(3, 30))
    many = counted(bank, client)
    assert few.keys() == many.keys()
    grown = {page: (few[page], many[page]) for page in few if few[page] != many[page]}
    assert not grown, grown
    most: dict[str, int] = {}
    for (_username, name), number in many.items():
        most[name] = max(most.get(name, 0), number)
    assert most.keys() == PINNED.keys()
    over = {name: (number, PINNED[name]) for name, number in most.items() if number > PINNED[name]}
    assert not over, f"(asked, pinned): {over}"


def test_no_page_is_pinned_above_the_most_a_page_may_ask():
    assert max(PINNED.values()) <= MOST
