"""What individuals and firms have in common: a number, a branch, a manager, accounts, and what later
nights change."""

from math import exp
from random import Random
from statistics import NormalDist

from crm.demo.bank import Bank, Unit
from crm.demo.catalogue import FOREIGN_MARGIN, PRODUCTS, percent, transfer_price
from crm.demo.horizon import Horizon
from crm.demo.ledger import DAY, EMPTY, FUNDED, SETTLE, Account, write_account, write_versions
from crm.demo.names import BANK, OTHER_BANKS
from crm.demo.sheets import COLUMNS, Sheets

_NORMAL = NormalDist()
# Lognormal factors with mean 1 and sigma 1: one random number picks how far an amount is from the usual.
FACTORS = [exp(_NORMAL.inv_cdf((n + 0.5) / 1024) - 0.5) for n in range(1024)]
OPENING = "other,batch,,,,期初余额"
_CELLS = COLUMNS["customers.csv"]


def lognormal(rng: Random, median: float, sigma: float) -> float:
    return median * exp(sigma * _NORMAL.inv_cdf(min(max(rng.random(), 1e-9), 1 - 1e-9)))


def hundreds(cents: float) -> int:
    """Whole hundreds of the currency, in cents."""
    return int(cents) // 100_00 * 100_00


def pick(rng: Random, table):
    return table[int(rng.random() * len(table))]


class Truth:
    """What the bank does not know yet: later work is checked against it. Never loaded."""

    __slots__ = (  # noqa: RUF023  (in the order of the file's columns)
        "activity",
        "leaves_on",
        "defaults_on",
        "cured_on",
        "income",
        "outside",
        "responds",
        "flaw",
        "kind",
    )

    def __init__(self):
        self.activity = self.income = self.outside = 0
        self.responds = 0.0
        self.leaves_on = self.defaults_on = self.cured_on = self.flaw = self.kind = ""


class Party:
    """A customer on the way to the feed. Attributes named like columns are the row; ``changes`` are told
    in later batches."""

    def __init__(self, bank: Bank, index: int, unit: Unit, kind: str, rng: Random):
        self.bank, self.index, self.unit, self.kind, self.rng = bank, index, unit, kind, rng
        for column in _CELLS:
            if column != "kind":
                setattr(self, column, "")
        self.customer_no = f"{'1' if kind == 'individual' else '2'}{index + 1:09d}"
        self.branch_no = unit.branch_no
        self.accounts: list[Account] = []
        self.changes: list[tuple[int, str, str]] = []
        self.truth = Truth()
        self.opened = 0
        self.dues = 0.0  # what his loans take a month, in cents
        self.trouble: int | None = None  # the day from which what he owes is not paid any more
        self.quits: int | None = None  # the day the customer relation ends, if it does before the as-of day
        self._serials: dict[str, int] = {}

    @property
    def horizon(self) -> Horizon:
        return self.bank.horizon

    @property
    def main(self) -> Account:
        return self.accounts[0]

    @property
    def other_bank(self) -> str:
        """Bank and number of the account he keeps elsewhere, as two cells."""
        return f"{OTHER_BANKS[self.index % len(OTHER_BANKS)]},{self.index * 7_654_321 % 10**12:012d}"

    @property
    def first(self) -> int:
        """First day of his history on which he is a customer."""
        return max(0, self.opened)

    @property
    def until(self) -> int:
        """Last day on which he does anything."""
        return self.horizon.last if self.quits is None else self.quits - 1

    def change(self, day: int, column: str, value: str) -> None:
        self.changes.append((day, column, value))

    def assign_manager(self) -> None:
        """Two of a hundred have nobody; firms go to the branch's first managers, the wealthy rather to the
        next."""
        managers, rng = self.unit.managers, self.rng
        if rng.random() < 0.02:
            return
        chosen = managers[int(len(managers) * rng.random() ** (2.2 if self.kind == "corporate" else 0.9))]
        self.manager_no = chosen
        if chosen == self.bank.leaver:
            if self.opened >= self.bank.leaves:
                self.manager_no = self.bank.successor
            else:
                self.change(self.bank.leaves, "manager_no", self.bank.successor)

    def open(self, product: str, opened: int, currency: str = "CNY") -> Account:
        """Open an account: its number is customer, currency, product and a serial number."""
        opened = max(opened, self.opened)
        key = currency + product
        self._serials[key] = serial = self._serials.get(key, 0) + 1
        account = Account(
            f"{self.customer_no}{key}{serial:02d}",
            self.customer_no,
            product,
            currency,
            self.branch_no,
            opened,
        )
        kind, year = PRODUCTS[product], self.horizon.as_of.year
        if kind.rate:
            agreed = self.horizon.day(opened).year
            price = transfer_price(currency, kind.days, agreed, year)
            account.transfer_rate = percent(price)
            account.rate = (
                kind.rate if currency == "CNY" else percent(max(1, price - FOREIGN_MARGIN[currency]))
            )
            if account.is_debt:
                # What the bank lent in dearer years costs more.
                dearer = 15 * min(max(year - agreed, 0), 5)
                account.rate = percent(round(float(kind.rate) * 100) + dearer)
                account.five_class, account.overdue = "normal", "0"
        self.accounts.append(account)
        return account

    def service(self, product: str, opened: int) -> None:
        """A contract without money in it: a card, a channel, a mandate."""
        self.open(product, opened)

    def inherit(self, account: Account, cents: int) -> None:
        """What the account held when the history begins, if it is older."""
        account.book(0, 0, -cents if account.is_debt else cents, OPENING)

    def move_in(self, day: int, second: int, cents: int, account: Account, kind: str, memo: str) -> None:
        """Pay from the main account into another of his own; the main account is funded first where it is
        short."""
        channel = "mobile" if self.kind == "individual" else "online"
        self.main.book(
            day, second, -cents, f"{kind},{channel},{BANK},{account.no},{self.name},{memo}", FUNDED
        )
        into = "purchase" if kind in ("purchase", "insurance_premium") else "transfer_in"
        account.book(day, second + 1, cents, f"{into},{channel},{BANK},{self.main.no},{self.name},{memo}")

    def move_out(
        self, day: int, second: int, cents: int, account: Account, kind: str, memo: str, gain: int = 0
    ) -> None:
        """Pay from another of his accounts into the main one, with what it earned."""
        if gain:
            account.book(day, second, gain, "interest_credit,batch,,,,收益入账")
        out = "redemption" if kind == "redemption" else "transfer_out"
        account.book(
            day, second + 1, -(cents + gain), f"{out},batch,{BANK},{self.main.no},{self.name},{memo}"
        )
        self.main.book(day, second + 2, cents + gain, f"{kind},batch,{BANK},{account.no},{self.name},{memo}")

    def settle_interest(self, account: Account) -> None:
        for day in self.horizon.settlements:
            if self.first < day <= self.until:
                account.book(day, 60, 0, "interest_credit,batch,,,,结息", SETTLE)

    def cells(self, _horizon) -> list[str]:
        return [getattr(self, column) for column in _CELLS]

    def withdraw_everything(self, memo: str, closes: bool) -> None:
        """On the day he goes every account is emptied to another bank; he may leave the main account
        behind, empty."""
        day, horizon = self.quits, self.horizon
        tail = f"transfer_out,counter,{self.other_bank},{self.name},{memo}"
        for account in self.accounts:
            if any(column == "closed" for _, column, _ in account.changes):
                continue
            if account.bookings:
                account.bookings = [booking for booking in account.bookings if booking[0] < day * DAY]
                account.book(day, 60_000, 0, tail, EMPTY)
            if closes or account is not self.main:
                account.close(day, horizon)
        if closes:
            self.change(day, "closed_on", horizon.text(day))

    def write(self, sheets: Sheets) -> None:
        horizon = self.horizon
        self.opened_on = horizon.text(self.opened)
        write_versions(self, "customers.csv", horizon, sheets)
        numbers, prefix = [0], f"T{self.index + 1:09d}-"
        for account in self.accounts:
            write_account(account, horizon, sheets, numbers, prefix, self.name)
        truth = self.truth
        sheets.truth.append(
            ",".join(
                [
                    self.customer_no,
                    self.kind,
                    truth.kind,
                    f"{truth.activity:.2f}",
                    truth.leaves_on,
                    truth.defaults_on,
                    truth.cured_on,
                    str(truth.income // 100),
                    str(truth.outside // 100),
                    f"{truth.responds:.3f}",
                    truth.flaw,
                ]
            )
            + "\n"
        )


TRUTH_HEADER = (
    "customer_no,kind,segment,bookings_a_month,leaves_on,defaults_on,cured_on,income_a_year,outside_wealth,"
    "response_probability,flaw\n"
)
