"""What customers owe: loans paid back by the month, bullet loans, bills, cards; some fall behind.

A missed instalment stays missed: interest and penalty interest go on being charged, days past due count
from its due day, and the five-class follows them. Some catch up with one payment; the others are the
defaults that the truth file tells of.
"""

from crm.demo.catalogue import PRODUCTS
from crm.demo.ledger import FUNDED, Account
from crm.demo.names import BANK, MERCHANTS
from crm.demo.parties import FACTORS, Party, hundreds, pick

_CHARGE = "interest_charge,batch,,,,贷款利息"
_PENALTY = "penalty_interest,batch,,,,逾期罚息"
_CARD_TAILS = [
    f"card_payment,{channel},,,{shop},信用卡消费"
    for shop in MERCHANTS
    for channel in ("card_network", "third_party")
]
DUE = 61_200


def five_class(overdue: int) -> str:
    """The supervisor's day triggers: a day late is special mention, 90, 270 and 360 days are the next
    steps."""
    for days, name in ((360, "loss"), (270, "doubtful"), (90, "substandard"), (0, "special_mention")):
        if overdue > days:
            return name
    return "normal"


class Lapse:
    """When somebody stops paying and, if he does, catches up. Days after the history are known to the
    truth file alone."""

    def __init__(self, party: Party, likely: float, burden: float):
        """``burden``: the share of his income that the debt takes. Who has lost his income pays the less the more it is;
        ``likely`` is what may befall anybody."""
        rng, horizon = party.rng, party.horizon
        self.begins = self.ends = horizon.last + 10_000
        chance = rng.random()
        likely *= 0.4 + 2 * burden
        if party.trouble is not None and chance < 0.1 + 1.4 * burden:
            self.begins = party.trouble + int(rng.random() * 30)
            if rng.random() < 0.15:
                self.ends = self.begins + 20 + int(rng.random() * 65)
        elif chance < likely:
            # Half of the defaults lie in the last quarter of the history or soon after it.
            self.begins = int(party.first + (horizon.last + 60 - party.first) * rng.random() ** 0.6)
        elif chance < likely * 2.2:
            self.begins = int(party.first + (horizon.last - party.first) * rng.random())
            self.ends = self.begins + 10 + int(rng.random() * 65)
        self.missed_on: int | None = None

    def misses(self, due: int) -> bool:
        if self.begins <= due < self.ends:
            if self.missed_on is None:
                self.missed_on = due
            return True
        return False

    def tell(self, party: Party, account: Account) -> None:
        """Days past due and class as they stood at the full batch and on each night after it."""
        horizon = party.horizon
        if self.missed_on is None:
            if self.ends > horizon.last + 1_000 and self.begins <= horizon.last + 90:
                party.truth.defaults_on = horizon.text(self.begins)  # will come
            return
        if self.ends > horizon.last + 1_000:
            party.truth.defaults_on = horizon.text(self.missed_on)
        else:
            party.truth.cured_on = horizon.text(self.ends)
        last_told = 0
        for day in range(max(horizon.full, account.opened), horizon.last + 1):
            overdue = day - self.missed_on if self.missed_on < day < self.ends else 0
            if overdue != last_told:
                account.change(day, "overdue", str(overdue))
                account.change(day, "five_class", five_class(overdue))
                last_told = overdue


def _disburse(party: Party, account: Account, cents: int) -> None:
    """Pay out a new loan into the main account, whence it goes to whoever is paid with it."""
    day, main = account.opened, party.main
    account.book(day, 36_000, -cents, f"loan_disbursement,counter,{BANK},{main.no},{party.name},放款")
    main.book(day, 36_001, cents, f"loan_disbursement,counter,{BANK},{account.no},{party.name},放款")
    seller = pick(party.rng, MERCHANTS)
    main.book(
        day,
        40_000,
        -cents,
        f"transfer_out,counter,南屏银行,{party.index * 977 % 10**10:010d},{seller},受托支付",
        FUNDED,
    )


def _repay(party: Party, account: Account, day: int, cents: int) -> None:
    account.book(day, DUE + 1, cents, f"loan_repayment,batch,{BANK},{party.main.no},{party.name},贷款扣款")
    party.main.book(
        day, DUE, -cents, f"loan_repayment,batch,{BANK},{account.no},{party.name},贷款扣款", FUNDED
    )


def instalments(
    party: Party, product: str, cents: int, months: int, opened: int, likely: float, collateral: int = 0
) -> Account:
    """A loan repaid in equal parts of principal on the same day of each month, interest on what is left."""
    rng, horizon = party.rng, party.horizon
    opened = max(opened, party.opened)
    account = party.open(product, opened)
    account.principal = f"{cents // 100}.00"
    account.matures = horizon.text(opened + months * 365 // 12)
    account.collateral = f"{collateral // 100}.00" if collateral else ""
    part = cents // months
    owed = cents
    if opened < 0:
        owed = max(part, cents - part * (-opened * 12 // 365))
        party.inherit(account, owed)
    else:
        _disburse(party, account, cents)
    yearly = float(account.rate) / 100
    monthly = cents / months + cents * yearly / 12
    party.dues += monthly
    burden = min(monthly / max(party.truth.income / 12, 1), 1.0)
    lapse, arrears, behind = Lapse(party, likely, burden), 0, 0
    dues = horizon.monthly(1 + int(rng.random() * 27), max(1, opened + 20), party.until)
    for due in [*dues, party.until + 1]:
        if arrears and lapse.ends <= min(due, party.until):
            _repay(party, account, lapse.ends, arrears)
            owed, arrears, behind = owed - behind, 0, 0
        if owed <= behind or due > party.until:
            break
        interest = max(1, int(owed * yearly / 12))
        account.book(due, DUE - 1, -interest, _CHARGE)
        pay = min(part, owed - behind)
        if lapse.misses(due):
            if arrears:
                penalty = max(1, int(arrears * yearly * 1.5 / 12))
                account.book(due, DUE - 2, -penalty, _PENALTY)
                arrears += penalty
            arrears, behind = arrears + pay + interest, behind + pay
        else:
            _repay(party, account, due, pay + interest)
            owed -= pay
    lapse.tell(party, account)
    return account


def bullet(party: Party, product: str, cents: int, opened: int, likely: float, collateral: int) -> Account:
    """A firm's loan: interest each quarter, the principal at maturity, where it is usually lent again."""
    horizon = party.horizon
    days = PRODUCTS[product].days
    opened = max(opened, party.opened)
    account = party.open(product, opened)
    account.principal = f"{cents // 100}.00"
    account.collateral = f"{collateral // 100}.00"
    account.matures = horizon.text(opened + days)
    if opened < 0:
        party.inherit(account, cents)
    else:
        account.book(
            opened, 36_000, -cents, f"loan_disbursement,counter,{BANK},{party.main.no},{party.name},放款"
        )
        party.main.book(
            opened, 36_001, cents, f"loan_disbursement,counter,{BANK},{account.no},{party.name},放款"
        )
    lapse, arrears, since = Lapse(party, likely, 0.5), 0, max(0, opened)
    dues = [n for n in horizon.settlements if max(0, opened) < n <= party.until]
    for due in [*dues, party.until + 1]:
        if arrears and lapse.ends <= min(due, party.until):
            _repay(party, account, lapse.ends, arrears)
            arrears = 0
        if due > party.until:
            break
        interest = max(1, int(cents * float(account.rate) / 36_000 * (due - since)))
        since = due
        account.book(due, DUE - 1, -interest, _CHARGE)
        if lapse.misses(due):
            arrears += interest
        else:
            _repay(party, account, due, interest)
    lapse.tell(party, account)
    return account


def bill(party: Party, cents: int, drawn: int) -> None:
    """A bank acceptance bought before its day; the acceptor pays it when it falls due."""
    horizon = party.horizon
    days = PRODUCTS["2501"].days
    account = party.open("2501", max(drawn, 1 - days))  # one that fell due before the history is gone
    falls_due = account.opened + days
    account.principal, account.matures = f"{cents // 100}.00", horizon.text(falls_due)
    if account.opened < 0:
        party.inherit(account, cents)
    else:
        account.book(
            account.opened,
            35_000,
            -cents,
            f"loan_disbursement,counter,{BANK},{party.main.no},{party.name},票据贴现",
        )
        discount = int(cents * float(account.rate) * days / 36_000)
        party.main.book(
            account.opened,
            35_001,
            cents - discount,
            f"loan_disbursement,counter,{BANK},{account.no},{party.name},票据贴现",
        )
        # The discount is the bank's income: it is taken from what is paid out, so the debt is the whole bill.
    if falls_due <= party.until:
        account.book(falls_due, 35_000, cents, "loan_repayment,batch,东陆银行,,承兑行,票据到期托收")
        account.close(falls_due, horizon)


def credit_card(party: Party, limit: int, spends: int, payments: float, likely: float) -> None:
    """A card with ``payments`` purchases a month of about ``spends`` cents together; most pay in full,
    some revolve."""
    rng, horizon = party.rng, party.horizon
    opened = max(party.opened, party.first - int(rng.random() * 1500)) if party.opened < 0 else party.opened
    account = party.open("2601", opened)
    account.limit = f"{limit // 100}.00"
    account.matures = horizon.text(opened + 5 * 365)
    revolves = rng.random() < 0.22
    owed = 1_00 + int(limit * (0.3 if revolves else 0.08) * rng.random())
    if opened < 0:
        party.inherit(account, owed)
    else:
        owed = 0
    statement, lapse = (
        owed,
        Lapse(party, likely, min(1.0, 0.15 + party.dues / max(party.truth.income / 12, 1))),
    )
    begins = max(0, opened)
    dues = horizon.monthly(3 + int(rng.random() * 24), begins + 1, party.until)
    for due in [*dues, party.until + 1]:
        spent = _purchases(rng, account, begins + 1, due - 1, payments, spends, limit - owed)
        owed += spent
        if due > party.until:
            break
        if lapse.misses(due):
            late = max(100, int(statement * 0.0125))
            account.book(due, DUE - 1, -late, _PENALTY)
            owed += late
        elif statement > 0:
            pays = min(
                owed, statement if not revolves else max(100_00, int(statement * (0.15 + 0.5 * rng.random())))
            )
            if pays > 0:
                _repay(party, account, due, pays)
                owed -= pays
            if revolves and owed > 0:
                interest = max(1, int(owed * 0.0125))
                account.book(due, DUE + 5, -interest, _CHARGE)
                owed += interest
        statement, begins = owed, due
    lapse.tell(party, account)


def _purchases(rng, account: Account, first: int, last: int, payments: float, spends: int, room: int) -> int:
    """Book the purchases of one statement month; return what they cost. Nothing goes beyond ``room``."""
    days = last - first + 1
    if days <= 0 or room <= 0:
        return 0
    count = int(payments * days / 30.4 + rng.random())
    spent = 0
    for _ in range(count):
        cents = max(5_00, int(spends / max(payments, 1) * FACTORS[int(rng.random() * 1024)]))
        if spent + cents > room:
            continue
        account.book(
            first + int(rng.random() * days),
            30_000 + int(rng.random() * 50_000),
            -cents,
            pick(rng, _CARD_TAILS),
        )
        spent += cents
    return spent


def collateral_for(party: Party, cents: int) -> int:
    return hundreds(cents * (1.1 + party.rng.random()))
