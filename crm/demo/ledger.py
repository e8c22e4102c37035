"""One account from its first booking to its last: bookings in order of time become lines with their balance.

Amounts are whole cents, signed as the customer sees them. A debt's balance is what is owed, so it is the
negative of the position; every balance row follows from the bookings, except where a break is planted on
purpose.
"""

from crm.demo.catalogue import DEBTS, PRODUCTS
from crm.demo.horizon import Horizon
from crm.demo.sheets import Sheets, money

DAY = 86_400
# How a booking behaves when the money is short: it shrinks or stays away; it is funded first; or it is
# worked out here.
OPTIONAL, FUNDED, SETTLE, EMPTY, LATE, BREAK, UNDO = range(7)

TOP_UP = "transfer_in,mobile,北原银行,,{name},本人他行转入"
SHRINK_BELOW = 1_000  # a payment of less than 10 is not worth making


class Account:
    """An account with its bookings and with what changed about it on which day (``changes``: day, column,
    value)."""

    __slots__ = (  # noqa: RUF023  (in the order of the file's columns)
        "no",
        "owner",
        "product",
        "currency",
        "branch",
        "opened",
        "status",
        "closed",
        "rate",
        "transfer_rate",
        "principal",
        "limit",
        "matures",
        "five_class",
        "overdue",
        "collateral",
        "bookings",
        "changes",
        "holders",
        "floor",
    )

    def __init__(self, no, owner, product, currency, branch, opened):
        self.no, self.owner, self.product, self.currency, self.branch, self.opened = (
            no,
            owner,
            product,
            currency,
            branch,
            opened,
        )
        self.status, self.closed, self.rate, self.transfer_rate = "open", "", "", ""
        self.principal = self.limit = self.matures = self.five_class = self.overdue = self.collateral = ""
        self.bookings: list[tuple[int, int, int, str]] = []
        self.changes: list[tuple[int, str, str]] = []
        self.holders: list[tuple[int, str, str]] = [(opened, owner, "owner")]
        self.floor = 0  # an overdraft is a floor below zero

    @property
    def is_debt(self) -> bool:
        return PRODUCTS[self.product].family in DEBTS

    def book(self, day: int, second: int, cents: int, tail: str, how: int = OPTIONAL) -> None:
        self.bookings.append((day * DAY + second, cents, how, tail))

    def change(self, day: int, column: str, value: str) -> None:
        self.changes.append((day, column, value))

    def close(self, day: int, horizon: Horizon) -> None:
        self.change(day, "status", "closed")
        self.change(day, "closed", horizon.text(day))

    def cells(self, horizon: Horizon) -> list[str]:
        return [
            self.no,
            self.owner,
            self.product,
            self.currency,
            self.branch,
            self.status,
            horizon.text(self.opened),
            self.closed,
            self.rate,
            self.transfer_rate,
            self.principal,
            self.limit,
            self.matures,
            self.five_class,
            self.overdue,
            self.collateral,
        ]


def first_batch(day: int, horizon: Horizon) -> int:
    return horizon.batch[day] if day > 0 else 0


def write_versions(thing, name: str, horizon: Horizon, sheets: Sheets) -> None:
    """Write a row as it stood at the full batch (or when it came into being) and again in every night that
    changed it."""
    appears = first_batch(thing.opened, horizon)
    if not thing.changes:
        sheets.add(name, appears, thing.cells(horizon))
        return
    pending: dict[int, list[tuple[str, str]]] = {}
    for day, column, value in sorted(thing.changes, key=lambda change: change[0]):
        pending.setdefault(max(appears, first_batch(day, horizon)), []).append((column, value))
    for batch in sorted({appears, *pending}):
        for column, value in pending.get(batch, ()):
            setattr(thing, column, value)
        sheets.add(name, batch, thing.cells(horizon))


def write_account(
    account: Account, horizon: Horizon, sheets: Sheets, numbers: list[int], prefix: str, holder_name: str
) -> None:
    """Write the account, its holders, its bookings and its balances. ``numbers`` counts the customer's
    bookings."""
    for day, customer_no, role in account.holders:
        sheets.add(
            "account_holders.csv",
            max(first_batch(account.opened, horizon), first_batch(day, horizon)),
            (account.no, customer_no, role),
        )
    write_versions(account, "accounts.csv", horizon, sheets)
    if account.bookings:
        account.bookings.sort()
        _Walk(account, horizon, sheets, numbers, prefix, holder_name).run()


class _Walk:
    """Goes through the bookings once, keeping the position, the last balance written and the interest
    earned."""

    def __init__(self, account, horizon, sheets, numbers, prefix, holder_name):
        self.account, self.horizon, self.sheets, self.numbers, self.prefix = (
            account,
            horizon,
            sheets,
            numbers,
            prefix,
        )
        self.sign = -1 if account.is_debt else 1
        self.top_up = TOP_UP.format(name=holder_name)
        self.amounts, self.amount_rows = sheets.totals_of("transactions.csv", account.currency)
        self.balances, self.balance_rows = sheets.totals_of("balances.csv", account.currency)
        self.bookings = sheets.lines["transactions.csv"]
        self.rows = sheets.lines["balances.csv"]
        self.rate = float(account.rate or 0) / 36_000  # per day, of 360 days

    def run(self) -> None:
        """One pass; the loop is kept flat because a large bank goes round it tens of millions of times."""
        account, horizon, sign, rate = self.account, self.horizon, self.sign, self.rate
        batch_of, iso = horizon.batch, horizon.iso
        floor, write, position, written = account.floor, self.write, 0, None
        today, earned, can_run_short = -1, 0, sign > 0
        for moment, cents, how, tail in account.bookings:
            day = moment // DAY
            if day != today:
                if today >= 0:
                    if position != written:
                        written = self.end_of_day(today, batch_of[today], position)
                    earned += position * (day - today)
                today = day
            if how == OPTIONAL:
                if can_run_short and cents < 0 and position + cents < floor:
                    cents = -((position - floor) // 3)
                    if cents > -SHRINK_BELOW:
                        continue
            elif how == FUNDED:
                if can_run_short and position + cents < floor:
                    missing = (floor - position - cents + 99_99) // 100_00 * 100_00
                    position += missing
                    write(moment, iso[day], batch_of[day], missing, position, self.top_up)
            elif how == SETTLE:
                cents, earned = int(earned * rate + 0.5), 0
                if cents <= 0:
                    continue
            elif how == EMPTY:
                cents = floor - position if can_run_short else -position
                if cents == 0:
                    continue
            elif how == LATE:
                # Booked today for yesterday: yesterday's end of day is told anew in today's batch.
                position += cents
                write(moment - 10, iso[day - 1], batch_of[day], cents, position, tail)
                written = self.end_of_day(day - 1, batch_of[day], position)
                continue
            elif how == UNDO:
                undone, cents = self.last
                cents, tail = -cents, f"{tail}{undone}"
            else:
                # A break: the balance moves and no booking says why.
                self.sheets.breaks.append((account.no, iso[day], account.currency, cents))
                position += cents
                continue
            position += cents
            write(moment, iso[day], batch_of[day], cents, position, tail)
        if today >= 0 and position != written:
            self.end_of_day(today, batch_of[today], position)

    def write(self, moment, date, batch, cents, position, tail) -> None:
        self.numbers[0] += 1
        number = f"{self.prefix}{self.numbers[0]}"
        self.last = (number, cents)
        minute, second = divmod(moment % DAY, 60)
        hour, minute = divmod(minute, 60)
        amount = f"{cents // 100}.{cents % 100:02d}" if cents >= 0 else f"-{-cents // 100}.{-cents % 100:02d}"
        self.bookings[batch].append(
            f"{number},{self.account.no},{date},{date}T{hour:02d}:{minute:02d}:{second:02d}+08:00,"
            f"{amount},{money(self.sign * position)},{tail}\n"
        )
        self.amounts[batch] += cents
        self.amount_rows[batch] += 1

    def end_of_day(self, day, batch, position) -> int:
        balance = self.sign * position
        self.rows[batch].append(f"{self.account.no},{self.horizon.iso[day]},{money(balance)}\n")
        self.balances[batch] += balance
        self.balance_rows[batch] += 1
        return position
