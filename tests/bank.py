"""The small bank: named people and one of every awkward kind of customer, delivered through the real feed door.

Dates: a full batch for 2026-10-30 (known from their own dates on), a delta for 2026-10-31, and the night of that day.
Money that moves is listed once, as bookings; end-of-day balances are added up from them, except where a break is wanted.
"""

import datetime
import tempfile
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

FIRST_DAY = datetime.date(2026, 10, 30)
LAST_DAY = datetime.date(2026, 10, 31)
PASSWORD = "Small-bank-2026!"  # the accounts of the test bank only

BRANCHES = [
    {
        "branch_no": "HO",
        "name": "海州银行总行",
        "parent_no": None,
        "kind": "head_office",
        "opened_on": "1996-01-01",
    },
    {"branch_no": "R1", "name": "东区", "parent_no": "HO", "kind": "region", "opened_on": "1996-01-01"},
    {"branch_no": "B1", "name": "鼓楼支行", "parent_no": "R1", "kind": "branch", "opened_on": "1998-05-04"},
    {
        "branch_no": "B11",
        "name": "鼓楼支行学院路网点",
        "parent_no": "B1",
        "kind": "outlet",
        "opened_on": "2003-03-03",
    },
    {"branch_no": "B2", "name": "江滨支行", "parent_no": "R1", "kind": "branch", "opened_on": "2001-09-01"},
]

# username, employee number, name, branch, post
PEOPLE = [
    ("ann", "E001", "安宁", "B1", "relationship_manager"),
    ("bob", "E002", "白波", "B1", "relationship_manager"),
    ("cai", "E003", "蔡主任", "B1", "branch_supervisor"),
    ("dora", "E004", "董主任", "B2", "branch_supervisor"),
    ("eva", "E005", "易华", "B2", "relationship_manager"),
    ("han", "E006", "韩分析", "HO", "analyst"),
    ("tess", "E007", "唐柜员", "B1", "teller"),
    ("lou", "E008", "楼大堂", "B1", "lobby_manager"),
    ("clara", "E009", "柯投诉", "HO", "complaint_officer"),
    ("petra", "E010", "裴产品", "HO", "product_manager"),
    ("mira", "E011", "米合规", "HO", "compliance_officer"),
    ("audi", "E012", "欧审计", "HO", "auditor"),
    ("adam", "E013", "敖系统", "HO", "administrator"),
    ("gone", "E014", "郭离职", "B1", "relationship_manager"),  # left the bank
    ("idle", "E015", "殷停用", "B1", "relationship_manager"),  # account suspended
    ("rita", "E016", "任区长", "R1", "branch_supervisor"),
]
LEFT = {"E014": "2026-06-30"}

PRODUCTS = [
    {"product_code": "DD", "name": "活期储蓄", "family": "demand_deposit"},
    {"product_code": "TD", "name": "一年定期", "family": "term_deposit"},
    {
        "product_code": "WM",
        "name": "稳健理财",
        "family": "wealth",
        "risk_rating": "R2",
        "sales_fee_rate": "0.6",
    },
    {"product_code": "ML", "name": "个人住房贷款", "family": "mortgage"},
    {"product_code": "BL", "name": "流动资金贷款", "family": "business_loan"},
    {"product_code": "CL", "name": "信用消费贷款", "family": "consumer_loan"},
    {"product_code": "IL", "name": "分期付款", "family": "instalment_loan"},
    {"product_code": "MB", "name": "手机银行", "family": "mobile_banking"},
]


def person(customer_no: str, name: str, branch: str, manager: str | None, **facts) -> dict:
    return {
        "customer_no": customer_no,
        "kind": "individual",
        "name": name,
        "branch_no": branch,
        "manager_no": manager,
        "opened_on": "2019-03-01",
        "birth_on": "1980-05-06",
        "gender": "F",
        **facts,
    }


# Identity numbers carry region 110105 and a valid checksum, as the national standard's own example does.
CUSTOMERS = [
    person("C001", "张伟", "B1", "E001", id_type="citizen_id", id_no="11010519491231002X", birth_on="1949-12-31",
           mobile="13800138001", email="zhang.wei@example.com", address="海州市鼓楼区学院路1号", occupation="教师",
           kyc_grade="low", risk_tolerance="C2", risk_assessed_on="2026-03-01", annual_income="180000.00"),
    person("C002", "欧阳娜娜", "B1", "E001", mobile="13800138002", gender="F"),
    person("C003", "曾单", "B1", "E002", id_type="citizen_id", id_no="110105194912310021"),  # checksum fails
    person("C004", "李娜", "B11", "E002", id_type="passport", id_no="E12345678", id_expires_on="2026-01-01"),
    person("C005", "王芳", "B2", "E005", id_type="citizen_id", id_no="11010519491231002X"),  # shares C001's number
    person("C006", "赵关", "B1", "E001", closed_on="2026-08-31"),
    person("C007", "钱故", "B1", "E001"),  # deceased, marked in the CRM
    person("C008", "孙限", "B1", "E001"),  # under a processing stop
    person("C009", "周池", "B1", None),  # nobody looks after him
    person("C010", "㐂𠮷", "B2", "E005"),  # characters outside the first plane
    person("C011", "吴零", "B2", "E005"),  # holds nothing
    person("C012", "郑授", "B1", "E002"),  # authorised on another's account
    {"customer_no": "C101", "kind": "corporate", "name": "海州市远航贸易有限公司", "branch_no": "B1", "manager_no": "E001",
     "opened_on": "2015-06-01", "uscc": "91350100M000100Y43", "industry_code": "F51", "registered_capital": "5000000.00",
     "staff_count": "42", "annual_revenue": "60000000.00", "total_assets": "30000000.00", "legal_representative": "张伟",
     "established_on": "2012-02-02", "group_no": "G1"},
    {"customer_no": "C102", "kind": "corporate", "name": "海州市宏图制造有限公司", "branch_no": "B2", "manager_no": "E005",
     "opened_on": "2016-06-01", "uscc": "91350100M000100Y44", "industry_code": "C34"},  # credit code fails
]  # fmt: skip

RELATIONS = [
    {"customer_no": "C101", "related_no": "C001", "kind": "legal_representative"},
    {"customer_no": "C101", "related_no": "C102", "kind": "supplier"},
    {"customer_no": "C001", "related_no": "C002", "kind": "spouse"},
]


def account(account_no: str, customer_no: str, product: str, branch: str, opened_on: str, **facts) -> dict:
    return {
        "account_no": account_no,
        "customer_no": customer_no,
        "product_code": product,
        "currency": "CNY",
        "branch_no": branch,
        "status": "open",
        "opened_on": opened_on,
        **facts,
    }


ACCOUNTS = [
    account("C001CNYDD01", "C001", "DD", "B1", "2025-12-01", interest_rate="0.2", transfer_rate="2.15"),
    account("C001CNYTD01", "C001", "TD", "B1", "2026-01-05", interest_rate="1.5", transfer_rate="2.35", matures_on="2027-01-05"),
    account("C001USDDD01", "C001", "DD", "B1", "2026-02-01", currency="USD", interest_rate="0.1", transfer_rate="3.0"),
    account("C001CNYWM01", "C001", "WM", "B1", "2026-03-01"),
    account("C002CNYDD01", "C002", "DD", "B1", "2026-01-10"),
    account("C002CNYML01", "C002", "ML", "B1", "2026-02-10", interest_rate="3.6", transfer_rate="2.9", principal="800000.00",
            matures_on="2046-02-10", five_class="normal", days_past_due="0", collateral_value="1200000.00"),
    account("C003CNYDD01", "C003", "DD", "B1", "2026-05-01"),  # overdrawn
    account("C003CNYCL01", "C003", "CL", "B1", "2026-05-02", interest_rate="7.2", five_class="special_mention", days_past_due="35"),
    account("C004CNYDD01", "C004", "DD", "B11", "2026-06-01", status="dormant"),
    account("C005CNYDD01", "C005", "DD", "B2", "2026-04-01"),
    account("C006CNYDD01", "C006", "DD", "B1", "2026-01-01", status="closed", closed_on="2026-08-31"),
    account("C007CNYDD01", "C007", "DD", "B1", "2026-01-01"),
    account("C008CNYDD01", "C008", "DD", "B1", "2026-01-01"),
    account("C009CNYDD01", "C009", "DD", "B1", "2026-01-01"),
    account("C010CNYDD01", "C010", "DD", "B2", "2026-01-01"),
    account("C101CNYDD01", "C101", "DD", "B1", "2025-11-01", interest_rate="0.25", transfer_rate="2.0"),
    account("C101CNYBL01", "C101", "BL", "B1", "2026-03-15", interest_rate="4.25", transfer_rate="3.35", principal="3000000.00",
            matures_on="2027-03-15", five_class="normal", days_past_due="0"),
    account("C102CNYDD01", "C102", "DD", "B2", "2026-01-01"),
]  # fmt: skip

HOLDERS = [
    {"account_no": "C001CNYDD01", "customer_no": "C001", "role": "owner"},
    {"account_no": "C001CNYDD01", "customer_no": "C002", "role": "joint"},
    {"account_no": "C101CNYDD01", "customer_no": "C101", "role": "owner"},
    {"account_no": "C101CNYDD01", "customer_no": "C012", "role": "authorised"},
]

# account, day, amount as the customer sees it, kind, channel
BOOKINGS = [
    ("C001CNYDD01", "2025-12-01", "50000.00", "cash_deposit", "counter"),
    ("C001CNYDD01", "2026-01-05", "-20000.00", "transfer_out", "mobile"),
    ("C001CNYDD01", "2026-10-10", "18000.00", "salary", "batch"),
    ("C001CNYDD01", "2026-10-12", "-25.00", "fee", "online"),
    ("C001CNYTD01", "2026-01-05", "620000.00", "transfer_in", "counter"),
    ("C001USDDD01", "2026-02-01", "10000.00", "fx", "counter"),
    ("C001CNYWM01", "2026-03-01", "300000.00", "purchase", "mobile"),
    ("C002CNYDD01", "2026-01-10", "96000.00", "transfer_in", "counter"),
    ("C002CNYDD01", "2026-10-20", "-4321.09", "card_payment", "card_network"),
    ("C002CNYML01", "2026-02-10", "-800000.00", "loan_disbursement", "batch"),
    ("C002CNYML01", "2026-10-10", "5000.00", "loan_repayment", "batch"),
    ("C003CNYDD01", "2026-05-01", "100.00", "cash_deposit", "counter"),
    ("C003CNYDD01", "2026-10-15", "-350.50", "card_payment", "card_network"),
    ("C003CNYCL01", "2026-05-02", "-30000.00", "loan_disbursement", "online"),
    ("C004CNYDD01", "2026-06-01", "12.34", "cash_deposit", "counter"),
    ("C005CNYDD01", "2026-04-01", "7000000.00", "transfer_in", "counter"),
    ("C006CNYDD01", "2026-01-01", "9000.00", "cash_deposit", "counter"),
    ("C006CNYDD01", "2026-08-31", "-9000.00", "cash_withdrawal", "counter"),
    ("C007CNYDD01", "2026-01-01", "3000.00", "cash_deposit", "counter"),
    ("C008CNYDD01", "2026-01-01", "4000.00", "cash_deposit", "counter"),
    ("C009CNYDD01", "2026-01-01", "260000.00", "transfer_in", "online"),
    ("C010CNYDD01", "2026-01-01", "1234567.89", "transfer_in", "online"),
    ("C101CNYDD01", "2025-11-01", "2000000.00", "transfer_in", "counter"),
    ("C101CNYDD01", "2026-10-25", "-3200.00", "fee", "counter"),
    ("C101CNYBL01", "2026-03-15", "-3000000.00", "loan_disbursement", "counter"),
    ("C102CNYDD01", "2026-01-01", "80000.00", "transfer_in", "online"),
]
NEXT_BOOKINGS = [
    ("C001CNYDD01", "2026-10-31", "1000.00", "cash_deposit", "counter"),
    ("C005CNYDD01", "2026-10-31", "-500000.00", "transfer_out", "online"),
]
# One day does not add up on purpose: the bank's core rounds.
BREAKS = {("C102CNYDD01", "2026-01-01"): Decimal("0.10")}

RATES = [
    {"kind": "fx", "currency": "USD", "term_days": "0", "valid_from": "2025-12-01", "rate": "7.10"},
    {"kind": "transfer", "currency": "CNY", "term_days": "0", "valid_from": "2025-01-01", "rate": "1.90"},
    {"kind": "transfer", "currency": "CNY", "term_days": "365", "valid_from": "2025-01-01", "rate": "2.30"},
]
OUTSIDE = [
    {"customer_no": "C001", "bank_name": "东海银行", "family": "term_deposit", "as_of": "2026-06-30", "amount": "200000.00",
     "currency": "CNY", "source": "declared"},
]  # fmt: skip

DEBT_PRODUCTS = {"ML", "BL", "CL", "IL"}


def _bookings(rows: list[tuple], first_number: int) -> list[dict]:
    return [
        {
            "txn_no": f"T{first_number + n:04}",
            "account_no": a,
            "booked_on": d,
            "amount": m,
            "kind": k,
            "channel": c,
        }
        for n, (a, d, m, k, c) in enumerate(rows)
    ]


def _balances(rows: list[tuple], since: list[tuple] = ()) -> list[dict]:
    """End of day per account and day with a booking in ``rows``, on top of ``since``."""
    debts = {a["account_no"] for a in ACCOUNTS if a["product_code"] in DEBT_PRODUCTS}
    running: defaultdict[str, Decimal] = defaultdict(Decimal)
    result = {}
    for number, (account_no, day, amount, *_) in enumerate([*since, *rows]):
        running[account_no] += Decimal(amount) * (-1 if account_no in debts else 1)
        running[account_no] += BREAKS.get((account_no, day), Decimal(0))
        if number >= len(since):
            result[account_no, day] = running[account_no]
    return [{"account_no": a, "on_date": d, "balance": str(b)} for (a, d), b in sorted(result.items())]


def first_batch() -> dict[str, list[dict]]:
    """The files of the full batch, as rows."""
    return {
        "branches.csv": BRANCHES,
        "employees.csv": [
            {
                "employee_no": no,
                "name": name,
                "branch_no": branch,
                "post": post,
                "joined_on": "2018-01-01",
                "left_on": LEFT.get(no),
            }
            for _, no, name, branch, post in PEOPLE
        ],
        "products.csv": PRODUCTS,
        "customers.csv": CUSTOMERS,
        "relations.csv": RELATIONS,
        "accounts.csv": ACCOUNTS,
        "account_holders.csv": HOLDERS,
        "transactions.csv": _bookings(BOOKINGS, 1),
        "balances.csv": _balances(BOOKINGS),
        "rates.csv": RATES,
        "outside_holdings.csv": OUTSIDE,
    }


def second_batch() -> dict[str, list[dict]]:
    """The next day: two bookings, nothing else."""
    return {
        "transactions.csv": _bookings(NEXT_BOOKINGS, 900),
        "balances.csv": _balances(NEXT_BOOKINGS, BOOKINGS),
    }


def load() -> None:
    """Deliver the bank, run its night, open the accounts, and mark what no feed can say."""
    from importlib.util import find_spec

    if find_spec("customers.feeds.load") is None:
        return
    from crm.core import clock
    from customers.feeds.load import load_paths
    from tests.feed_files import write_batch

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_batch(root / "1", FIRST_DAY, first_batch(), mode="full")
        write_batch(root / "2", LAST_DAY, second_batch())
        for result in load_paths([root], at=clock.now()):
            assert result.outcome == "loaded" and not result.rejected, result
    _mark_what_no_feed_says()
    _open_accounts()
    _run_the_night()


def _mark_what_no_feed_says() -> None:
    from crm.core.models import Staff
    from customers.models import Assignment, Customer

    bob = Staff.objects.get(employee_no="E002")
    Customer.rows.filter(customer_no="C007").update(deceased_on="2026-09-09")
    Customer.rows.filter(customer_no="C008").update(restricted_on="2026-09-10")
    shared = Customer.rows.get(customer_no="C002")
    Assignment.rows.create(
        customer=shared, manager=bob, role="assist", starts_on=FIRST_DAY, origin="crm", reason="team"
    )
    Customer.rows.filter(pk=shared.pk).update(shares=[bob.pk])


def _open_accounts() -> None:
    from django.contrib.auth.hashers import make_password
    from django.utils import timezone

    from crm.core.models import Branch, Staff, User

    head_office = Branch.objects.get(branch_no="HO")
    Staff.objects.create(
        employee_no="S001", name="沈安全", branch=head_office, post="security_officer", source="crm"
    )
    secret = make_password(PASSWORD)  # once: the hash is slow on purpose
    for username, employee_no, *_ in [*PEOPLE, ("sean", "S001")]:
        User.objects.create(
            username=username,
            staff=Staff.objects.get(employee_no=employee_no),
            password=secret,
            password_set_at=timezone.now(),
            is_active=username != "idle",
        )


def _run_the_night() -> None:
    from importlib.util import find_spec

    from django.core.management import call_command

    if find_spec("segmentation.management") is None:
        return
    call_command("nightly", as_of=LAST_DAY.isoformat(), json=True, stdout=open("/dev/null", "w"))  # noqa: SIM115
