"""The feed format, version 1, as data: files, columns, types, closed lists, references, and the order of loading.

Everything else in this room is driven by these tables; the rules they stand for are in ``docs/feed.md``.
"""

from dataclasses import dataclass, field

from crm.core.models.people import BranchKind, Post
from customers.models.accounts import AccountStatus, Family, FiveClass, HolderRole
from customers.models.bookings import BookingKind, Channel
from customers.models.parties import RISK_TOLERANCES, Gender, Grade, PartyKind, RelationKind

VERSION = 1
# Digits before and after the point. numeric(20,2) would hold three more, but a month of such moves, counted in cents and
# weighted by days, must fit a bigint: one absurd balance would otherwise fail the night.
MONEY = (15, 2)
PERCENT = (6, 6)  # annual percentages: numeric(12,6)


@dataclass(frozen=True)
class Column:
    """One column. ``type``: text, date, time, amount, number, integer or currency; ``ahead``: may lie after the business
    date; ``refers``: the file whose key it names; ``protect``: the kind under which the value is encrypted."""

    name: str
    type: str = "text"
    required: bool = False
    codes: frozenset[str] = frozenset()
    length: int = 200
    digits: tuple[int, int] = MONEY
    least: int | None = None
    most: int | None = None
    ahead: bool = False
    refers: str = ""
    protect: str = ""

    @property
    def sql_type(self) -> str:
        kinds = {
            "date": "date",
            "time": "timestamptz",
            "amount": "numeric",
            "number": "numeric",
            "integer": "integer",
        }
        return kinds.get(self.type, "text")


@dataclass(frozen=True)
class File:
    """One file. ``currency`` says how a row's currency is known: by its own column, by its account, or not at all.
    ``orders``: pairs of dates of which the second never precedes the first."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    currency: str = ""
    orders: tuple[tuple[str, str], ...] = ()
    by_name: dict[str, Column] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.by_name.update({column.name: column for column in self.columns})

    @property
    def stem(self) -> str:
        return self.name.removesuffix(".csv")

    @property
    def required(self) -> list[str]:
        return [column.name for column in self.columns if column.required]


def text(
    name: str, length: int = 200, *, required: bool = False, refers: str = "", protect: str = ""
) -> Column:
    return Column(name, required=required, length=length, refers=refers, protect=protect)


def code(name: str, codes, *, required: bool = False) -> Column:
    return Column(name, required=required, codes=frozenset(codes))


def date(name: str, *, required: bool = False, ahead: bool = False) -> Column:
    return Column(name, "date", required=required, ahead=ahead)


def amount(name: str, *, required: bool = False) -> Column:
    return Column(name, "amount", required=required)


def percent(name: str) -> Column:
    return Column(name, "number", digits=PERCENT)


def count(name: str, *, required: bool = False) -> Column:
    return Column(name, "integer", required=required, least=0)


CURRENCY = Column("currency", "currency", required=True)
CUSTOMER = text("customer_no", 40, required=True, refers="customers.csv")
ACCOUNT = text("account_no", 60, required=True, refers="accounts.csv")
BRANCH = text("branch_no", 40, required=True, refers="branches.csv")

BRANCHES = File(
    "branches.csv",
    ("branch_no",),
    (
        text("branch_no", 40, required=True),
        text("name", required=True),
        text("parent_no", 40),  # may name a row further down: resolved when the whole file is known
        code("kind", BranchKind.values, required=True),
        text("region_code", 20),
        date("opened_on"),
        date("closed_on"),
    ),
    orders=(("opened_on", "closed_on"),),
)
EMPLOYEES = File(
    "employees.csv",
    ("employee_no",),
    (
        text("employee_no", 40, required=True),
        text("name", required=True),
        BRANCH,
        # The security officer is made in the CRM alone: a feed must not hand out the right to grant rights.
        code("post", [post for post in Post.values if post != Post.SECURITY_OFFICER], required=True),
        date("joined_on"),
        date("left_on", ahead=True),
    ),
    orders=(("joined_on", "left_on"),),
)
PRODUCTS = File(
    "products.csv",
    ("product_code",),
    (
        text("product_code", 40, required=True),
        text("name", required=True),
        code("family", Family.values, required=True),
        code("risk_rating", ["R1", "R2", "R3", "R4", "R5"]),
        percent("sales_fee_rate"),
    ),
)
CUSTOMERS = File(
    "customers.csv",
    ("customer_no",),
    (
        text("customer_no", 40, required=True),
        code("kind", PartyKind.values, required=True),
        text("name", required=True),
        BRANCH,
        text("manager_no", 40, refers="employees.csv"),
        date("opened_on", required=True),
        date("closed_on"),
        text("id_type", 40),
        text("id_no", 60, protect="identity"),
        date("id_expires_on", ahead=True),
        text("mobile", 40, protect="mobile"),
        text("email", 190, protect="email"),
        text("address", 500, protect="address"),
        text("region_code", 20),
        code("risk_tolerance", RISK_TOLERANCES),
        date("risk_assessed_on"),
        code("kyc_grade", Grade.values),
        date("birth_on"),
        code("gender", Gender.values),
        text("marital_status", 40),
        text("education", 60),
        text("occupation", 100),
        text("employer"),
        amount("annual_income"),
        text("uscc", 40),
        text("industry_code", 20),
        amount("registered_capital"),
        count("staff_count"),
        amount("annual_revenue"),
        amount("total_assets"),
        text("legal_representative"),
        date("established_on"),
        text("group_no", 60),
    ),
    orders=(("opened_on", "closed_on"),),
)
RELATIONS = File(
    "relations.csv",
    ("customer_no", "related_no", "kind"),
    (
        CUSTOMER,
        text("related_no", 40, required=True, refers="customers.csv"),
        code("kind", RelationKind.values, required=True),
        Column("share_percent", "number", digits=(3, 6), least=0, most=100),
        date("since"),
        date("until", ahead=True),
    ),
    orders=(("since", "until"),),
)
ACCOUNTS = File(
    "accounts.csv",
    ("account_no",),
    (
        text("account_no", 60, required=True),
        CUSTOMER,
        text("product_code", 40, required=True, refers="products.csv"),
        CURRENCY,
        BRANCH,
        code("status", AccountStatus.values, required=True),
        date("opened_on", required=True),
        date("closed_on"),
        percent("interest_rate"),
        percent("transfer_rate"),
        amount("principal"),
        amount("credit_limit"),
        date("matures_on", ahead=True),
        code("five_class", FiveClass.values),
        count("days_past_due"),
        amount("collateral_value"),
    ),
    currency="own",
    orders=(("opened_on", "closed_on"),),
)
ACCOUNT_HOLDERS = File(
    "account_holders.csv",
    ("account_no", "customer_no"),
    (ACCOUNT, CUSTOMER, code("role", HolderRole.values, required=True)),
)
TRANSACTIONS = File(
    "transactions.csv",
    ("txn_no",),
    (
        text("txn_no", 60, required=True),
        ACCOUNT,
        date("booked_on", required=True),
        Column("booked_at", "time"),
        amount("amount", required=True),
        amount("balance_after"),
        code("kind", BookingKind.values, required=True),
        code("channel", Channel.values, required=True),
        text("counterparty_bank"),
        text("counterparty_account", 100, protect="account"),
        text("counterparty_name"),
        text("memo", 500),
    ),
    currency="account",
)
BALANCES = File(
    "balances.csv",
    ("account_no", "on_date"),
    (ACCOUNT, date("on_date", required=True), amount("balance", required=True)),
    currency="account",
)
RATES = File(
    "rates.csv",
    ("kind", "currency", "term_days", "valid_from"),
    (
        code("kind", ["fx", "transfer"], required=True),
        CURRENCY,
        count("term_days", required=True),
        date("valid_from", required=True, ahead=True),
        Column("rate", "number", required=True, digits=(10, 8)),
    ),
)
OUTSIDE_HOLDINGS = File(
    "outside_holdings.csv",
    ("customer_no", "bank_name", "family", "as_of"),
    (
        CUSTOMER,
        text("bank_name", required=True),
        code("family", Family.values, required=True),
        date("as_of", required=True),
        amount("amount", required=True),
        CURRENCY,
        code("source", ["declared", "credit_report", "inferred"], required=True),
    ),
    currency="own",
)

# A file comes after every file it refers to.
FILES = {
    file.name: file
    for file in (
        BRANCHES, EMPLOYEES, PRODUCTS, CUSTOMERS, RELATIONS, ACCOUNTS, ACCOUNT_HOLDERS, TRANSACTIONS, BALANCES, RATES,
        OUTSIDE_HOLDINGS,
    )
}  # fmt: skip
ORDER = list(FILES)

# Days on which a booking or balance may fall: a typing error must not make a table partition of the year 1066.
EARLIEST_BOOKING_YEAR = 1900
BOOKING_DATES = frozenset({"booked_on", "on_date"})
