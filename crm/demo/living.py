"""A person's everyday life with his account: income, payments, transfers, festival money, fees, foreign
money."""

from crm.demo import lending, savings
from crm.demo.ledger import FUNDED, Account
from crm.demo.names import BANK, MERCHANTS, OTHER_BANKS, anybody
from crm.demo.parties import FACTORS, Party, hundreds, lognormal, pick
from crm.demo.persons import Person

# Per segment, how payments leave the account: (tail of the line, in whole hundreds).
_CARD = [
    (f"card_payment,{channel},,,{shop},消费", False)
    for shop in MERCHANTS
    for channel in ("third_party", "card_network", "mobile")
]
_THIRD = [(f"card_payment,third_party,,,{shop},快捷支付", False) for shop in MERCHANTS]
_CASH = [("cash_withdrawal,counter,,,,柜面取款", True), ("card_withdrawal,self_service,,,,自助取款", True)]
_BILLS = [
    (f"standing_order,batch,,,{shop},代扣缴费", False)
    for shop in ("云澜燃气", "云澜供电", "云澜供水", "云澜宽带")
]
_SPENDING = {
    "salaried": _CARD * 2 + _THIRD * 3 + _CASH[1:] * 12 + _BILLS * 6,
    "pensioner": _CARD + _CASH[:1] * 60 + _CASH[1:] * 30 + _BILLS * 12,
    "merchant": _CARD + _THIRD * 4 + _CASH * 5 + _BILLS * 3,
    "worker": _THIRD * 2 + _CASH * 18 + _CARD,
    "student": _THIRD * 4 + _CARD + _CASH[1:] * 4,
}
_RECEIPTS = [f"transfer_in,third_party,{bank},,收单清算,商户收款" for bank in OTHER_BANKS[:3]]
_SOCIAL = "pension,batch,,,云澜市社会保险中心,养老金"
RESTLESS_DAYS = 100
FOREIGN = ("USD", "USD", "USD", "HKD", "EUR")


def live(person: Person) -> None:
    """Open his accounts and book his life into them."""
    rng = person.rng
    main = person.open("1101", person.opened)
    if person.state == "closed":
        main.status, main.closed = "closed", person.closed_on
        return
    _hold_services(person)
    _start(person, main)
    person.settle_interest(main)
    if person.rests:
        main.status = "dormant"
        if person.quits is not None:
            person.withdraw_everything("久悬账户销户", closes=True)
        return
    _earn(person, main)
    if person.quits is None and person.truth.leaves_on == "":
        _borrow(person)
    if person.dues and person.here < 1:
        _bring_dues(person, main)
    _spend(person, main)
    _invest(person)
    _elsewhere(person, main)
    if person.trouble is not None:
        _live_on_savings(person, main)
    _festival(person, main)
    _fees(person, main)
    if rng.random() < 0.03 and person.wealth > 3_000_000:
        _foreign(person)
    _outside(person)
    if person.truth.leaves_on:
        _drift_away(person, main)
    if person.quits is not None:
        words = {"deceased": "遗产继承支取", "gone": "销户", "leaving": "本人转出"}[person.state]
        person.withdraw_everything(words, closes=person.state != "leaving")


def _hold_services(person: Person) -> None:
    rng, opened = person.rng, person.opened
    if rng.random() < 0.35 + 0.5 * person.bond:
        person.service("4101", opened)
    digital = {"pensioner": 0.15, "worker": 0.3}.get(person.segment, 0.55)
    if rng.random() < digital * (0.4 + 1.2 * person.bond) and person.state != "dormant":
        person.service("4701", opened + int(rng.random() * 30) if opened < -30 else opened)
    if person.segment == "merchant" and rng.random() < 0.5 and not person.rests:
        person.service("4301", opened)
    if person.wealth > 20_000_000 and rng.random() < 0.2:
        person.service("4401", opened)


def _start(person: Person, main: Account) -> None:
    """The money he had in the main account when the history began, or brought when he came."""
    rng = person.rng
    liquid = person.wealth * (0.15 + 0.5 * rng.random()) if person.wealth > 3_000_000 else person.wealth * 0.8
    person.liquid = int(liquid * (0.15 if person.state == "dormant" else 1.0))
    person.rest = max(0, person.wealth - person.liquid)
    if person.opened < 0:
        person.inherit(main, person.liquid + 1_00)
    else:
        main.book(
            person.opened,
            34_000,
            hundreds(person.liquid) + 100_00,
            "cash_deposit,counter,,,,开户存入",
            FUNDED,
        )


def _earn(person: Person, main: Account) -> None:
    rng, horizon = person.rng, person.horizon
    if person.segment == "salaried":
        _salary(person, main)
    elif person.segment == "pensioner" and rng.random() < 0.3 + 0.7 * person.bond:
        monthly = person.income // 12
        for day in horizon.monthly(15, person.first + 1, person.paid_until):
            main.book(day, 18_000, monthly, _SOCIAL)
    elif person.segment == "merchant":
        months = max(person.paid_until - person.first + 1, 0) / 30.4
        count = int(person.bookings * 1.2 * months + rng.random())
        usual = person.income / 12 * months / max(count, 1)
        _scatter(person, main, count, usual, _RECEIPTS)
    elif person.segment == "worker":
        person.here = 0.3
        tail = f"transfer_in,online,{pick(rng, OTHER_BANKS)},,劳务结算,工资款"
        for day in horizon.monthly(1 + int(rng.random() * 28), person.first + 1, person.paid_until):
            if rng.random() < 0.35:
                main.book(day, 40_000, hundreds(person.income / 16 * (0.6 + 0.8 * rng.random())), tail)
    elif person.segment == "student" and rng.random() < 0.5:
        tail = f"transfer_in,mobile,{pick(rng, OTHER_BANKS)},,{person.family_name}家长,生活费"
        for day in horizon.monthly(1 + int(rng.random() * 10), person.first + 1, person.paid_until):
            main.book(day, 43_000, hundreds(person.income / 12) + 500_00, tail)
    else:
        person.here = 0.05  # he lives elsewhere; what lies here is put by


def _salary(person: Person, main: Account) -> None:
    """Paid by a firm of the bank (the firm books the same sum), by another employer, or mostly elsewhere."""
    rng = person.rng
    firm = person.employer_party
    if firm is not None:
        person.service("4201", person.opened)
        tail = f"salary,batch,{BANK},{firm.main_no},{firm.name},代发工资"
        for day, cents in paydays(person):
            main.book(day, 32_400, cents, tail)
    elif rng.random() < 0.6 * person.bond:
        tail = f"salary,batch,{pick(rng, OTHER_BANKS)},,{person.employer},工资"
        for day, cents in paydays(person):
            main.book(day, 32_400, cents, tail)
    else:
        person.here = 0.18
        tail = f"transfer_in,mobile,{pick(rng, OTHER_BANKS)},,{person.name},本人他行转入"
        for day, cents in paydays(person):
            if rng.random() < 0.25:
                main.book(day, 50_000, hundreds(cents * 0.7) + 100_00, tail)


def paydays(person: Person) -> list[tuple[int, int]]:
    """(day, cents) of each salary; January pays a thirteenth. Firm and employee both book from this list."""
    horizon = person.horizon
    return [
        (day, person.salary * (2 if horizon.iso[day][5:7] == "01" else 1))
        for day in horizon.monthly(person.payday, person.first + 1, person.paid_until)
    ]


def _scatter(person: Party, account: Account, count: int, usual: float, tails) -> None:
    rng, first, days = person.rng, person.first, person.until - person.first + 1
    for _ in range(count):
        cents = int(usual * FACTORS[int(rng.random() * 1024)]) + 100
        account.book(
            first + int(rng.random() * days), 30_000 + int(rng.random() * 50_000), cents, pick(rng, tails)
        )


def _spend(person: Person, main: Account) -> None:
    """His payments and regular transfers: of what he earns here what he neither saves nor owes, over as many bookings as he
    is used to; fewer where he lives with another bank. Who has spent much for a month or two holds back for the rest."""
    rng, first, days = person.rng, person.first, person.until - person.first + 1
    months = days / 30.4
    count = int(person.bookings * (0.3 + 0.7 * person.here) * months + rng.random())
    person.truth.activity = count / months if months > 0.5 else person.bookings
    if not count:
        return
    spent: dict[int, int] = {}
    free = person.income / 12 * 0.84 * person.here - (person.dues if person.here == 1 else 0)
    usual = min(max(free * months / count, 10_00), 6_000_00)
    table, random = _SPENDING[person.segment], rng.random
    leaves = person.leaves if person.truth.leaves_on else None
    cool = (
        range(person.restless, person.restless + RESTLESS_DAYS) if person.restless is not None else range(0)
    )
    payees = [
        (
            f"transfer_out,mobile,{pick(rng, OTHER_BANKS)},{int(random() * 10**12):012d},{anybody(rng)},转账",
            False,
        )
        for _ in range(3)
    ]
    size, book, allowed = len(table), main.bookings.append, int(max(free, 0) * 2.2) + 150_00
    for _ in range(count):
        day = first + int(random() * days)
        if leaves is not None and random() * person.fade > leaves - day:
            continue  # who is about to leave comes less and less
        if day in cool and random() < 0.7:
            continue
        tail, whole = table[int(random() * size)] if random() > 0.12 else payees[int(random() * 3)]
        cents = int(usual * FACTORS[int(random() * 1024)])
        cents = max(cents // 100_00, 1) * 100_00 if whole else max(cents, 1_00)
        so_far = spent.get(day // 61, 0) + cents
        if so_far > allowed:
            continue
        spent[day // 61] = so_far
        book((day * 86_400 + 28_800 + int(random() * 50_000), -cents, 0, tail))


def _invest(person: Person) -> None:
    rng, rest = person.rng, person.rest
    if rest < 5_000_00:
        return
    at_home = 0.4 + 1.2 * person.bond
    careful = (0.75 if person.age > 50 else 0.45) * at_home
    put_by = 0
    if rng.random() < careful:
        put_by = int(rest * (0.4 + 0.6 * rng.random()))
        savings.term_deposits(person, put_by)
    left = rest - put_by
    if person.risk_tolerance and left > 5_000_00 and rng.random() < 0.7 * at_home:
        if left > 300_000_00 and rng.random() < 0.4:
            savings.structured_deposit(person, left * 0.2)
        if left > 100_000_00 and rng.random() < 0.25:
            savings.notice_deposit(person, left * 0.15)
        if left > 1_000_000_00 and rng.random() < 0.3:
            trust = person.open("3601", person.first - 200 if person.opened < -200 else person.first)
            savings.fill(person, trust, trust.opened, hundreds(left * 0.4), "purchase", "设立信托")
        savings.investments(person, int(left * 0.7), person.tolerance)


def _borrow(person: Person) -> None:
    """Mortgages in the middle of life, consumer credit and instalments of the young, credit cards of those
    who earn."""
    rng, horizon, age = person.rng, person.horizon, person.age
    likely = (
        0.008 + (0.02 if person.wealth < 1_000_000 else 0.0) + (0.015 if person.segment == "worker" else 0.0)
    )
    eager = 1 if person.trouble is None else 3
    if 26 < age < 56 and person.segment in ("salaried", "merchant") and rng.random() < 0.11 * eager:
        cents = hundreds(lognormal(rng, 480_000_00, 0.5))
        opened = horizon.last - int(rng.random() * 2_200)
        lending.instalments(
            person, "2101", cents, 240, opened, likely * 0.5, lending.collateral_for(person, cents)
        )
    if 20 < age < 58 and person.segment != "student":
        if rng.random() < 0.07 * eager:
            cents = hundreds(min(person.income * (0.2 + rng.random()), 300_000_00)) + 5_000_00
            lending.instalments(
                person, "2201", cents, 24, horizon.last - int(rng.random() * 640), likely * 1.6
            )
        if rng.random() < 0.05 * eager:
            cents = hundreds(min(person.income * (0.4 + rng.random()), 300_000_00)) + 10_000_00
            lending.instalments(
                person, pick(rng, ("2301", "2302")), cents, 36, horizon.last - int(rng.random() * 900), likely
            )
        if rng.random() < eager * (0.3 if person.segment == "salaried" else 0.12):
            limit = hundreds(min(max(person.income // 4, 5_000_00), 200_000_00))
            lending.credit_card(
                person, limit, int(person.income / 12 * 0.3), min(person.bookings, 20) * 0.5, likely * 0.7
            )


def _festival(person: Person, main: Account) -> None:
    """Money carried home before the lunar new year and spent after it."""
    rng = person.rng
    if rng.random() > {"worker": 0.8, "merchant": 0.5}.get(person.segment, 0.15):
        return
    cents = hundreds(min(person.income * (0.15 + 0.3 * rng.random()), 200_000_00)) or 1_000_00
    for festival in person.horizon.festivals:
        before, after = festival - 2 - int(rng.random() * 14), festival + 6 + int(rng.random() * 25)
        if person.first <= before and after <= person.until:
            main.book(before, 41_000, cents, "cash_deposit,counter,,,,返乡存款")
            main.book(
                after, 42_000, -cents * 3 // 4 // 100_00 * 100_00, "cash_withdrawal,counter,,,,节后取款"
            )


def _fees(person: Person, main: Account) -> None:
    rng = person.rng
    if rng.random() < 0.35:
        for day in person.horizon.monthly(22, person.first + 5, person.until)[::3]:
            main.book(day, 3_600, -6_00, "fee,batch,,,,短信服务费")
    if rng.random() < 0.12:
        day = person.first + int(rng.random() * (person.until - person.first + 1))
        main.book(
            day,
            39_000,
            -int(5_00 + rng.random() * 45_00),
            f"fee,{'counter' if person.age > 50 else 'mobile'},,,,手续费",
        )


def _foreign(person: Person) -> None:
    """An account in another currency, bought from time to time with what the main account holds."""
    rng, currency = person.rng, pick(person.rng, FOREIGN)
    account = person.open("1101", person.opened if person.opened > -400 else person.opened + 300, currency)
    person.settle_interest(account)
    units = hundreds(min(person.wealth * 0.02, 50_000_00) * (0.5 + rng.random())) + 200_00
    if account.opened < 0:
        person.inherit(account, units)
    price = {"USD": 712, "EUR": 776, "HKD": 91}[currency]
    first = max(0, account.opened)
    for _ in range(1 + int(rng.random() * 4)):
        day = first + int(rng.random() * (person.until - first + 1))
        bought = hundreds(units * (0.1 + 0.4 * rng.random())) or 100_00
        person.main.book(
            day, 37_000, -(bought * price // 100), f"fx,mobile,{BANK},{account.no},{person.name},购汇", FUNDED
        )
        account.book(day, 37_001, bought, f"fx,mobile,{BANK},{person.main.no},{person.name},购汇")


def _outside(person: Person) -> None:
    """What he keeps elsewhere is only partly known."""
    rng = person.rng
    person.truth.outside = int(lognormal(rng, max(person.wealth, 100_00) * 0.6, 1.0))
    paid_here = person.segment == "pensioner" or person.employer_party is not None
    person.truth.responds = min(
        0.9, 0.03 + 0.05 * paid_here + 0.08 * (person.tolerance > 2) + 0.1 * rng.random()
    )
    person.knows_outside = rng.random() < 0.14


def _elsewhere(person: Person, main: Account) -> None:
    """Regular payments into his own account at another bank, as for a loan there; and what a restless one carries away for a
    while and brings back. Neither of them leaves."""
    rng, there = person.rng, f"mobile,{person.other_bank},{person.name}"
    if person.segment == "salaried" and person.leaves is None and rng.random() < 0.05:
        cents = hundreds(person.income / 12 * (0.1 + 0.2 * rng.random()) * person.here) or 100_00
        for day in person.horizon.monthly(12 + person.index % 9, person.first + 1, person.until):
            main.book(day, 51_000, -cents, f"transfer_out,{there},还款")
    if person.restless is not None and (cents := hundreds(person.liquid * 0.13)):
        days = [person.restless + ahead for ahead in (5, 35, 65)]
        if person.first < days[0] and days[-1] <= person.until:
            for day in days:
                main.book(day, 51_500, -cents, f"transfer_out,{there},本人转出")
            back = person.restless + RESTLESS_DAYS
            if back <= person.until:
                main.book(back, 51_600, 3 * cents, f"transfer_in,{there},本人他行转入")


def _bring_dues(person: Person, main: Account) -> None:
    """Who is paid elsewhere brings each month what his loans take, as long as he is paid."""
    cents = hundreds(person.dues * 1.05) + 100_00
    for day in person.horizon.monthly(1 + person.index % 3, person.first + 1, person.paid_until):
        main.book(day, 45_000, cents, f"transfer_in,mobile,{person.other_bank},{person.name},本人他行转入")


def _live_on_savings(person: Person, main: Account) -> None:
    """Without an income he takes from the account, month by month, what he needs, as long as it lasts."""
    cents = hundreds(person.income / 12 * 0.7)
    for day in range(person.trouble - 150, person.trouble + 90, 30):
        if person.first < day <= person.until:
            main.book(day, 53_000, -cents, "card_withdrawal,self_service,,,,自助取款")


def _drift_away(person: Person, main: Account) -> None:
    """Before he goes he carries his money to another bank, a third of what is there each month."""
    tail = f"transfer_out,mobile,{person.other_bank},{person.name},本人转出"
    for ahead in range(18, person.fade, 30):
        day = person.leaves - ahead
        if person.first < day <= person.until:
            main.book(day, 52_000, -person.wealth - 1_000_00, tail)
