"""Firms: what they are, their settlement account, wages, taxes, loans and bills."""

from datetime import timedelta

from crm.demo import lending, names, savings
from crm.demo.bank import Bank, Unit
from crm.demo.horizon import stream
from crm.demo.identities import credit_code, mobile_number, spoil
from crm.demo.ledger import FUNDED
from crm.demo.names import BANK, OTHER_BANKS
from crm.demo.parties import FACTORS, Party, hundreds, lognormal, pick


class Firm(Party):
    """A corporate customer; ``wealth`` is what it keeps here, ``revenue`` what it sells in a year (cents)."""

    def __init__(self, bank: Bank, index: int, unit: Unit):
        rng = stream(bank.seed, index)
        super().__init__(bank, index, unit, "corporate", rng)
        horizon = bank.horizon
        self.name, self.industry_code = names.firm(rng)
        self.opened = (
            -30 - int(rng.random() ** 1.3 * 7_000)
            if rng.random() > 0.008 * horizon.months
            else 1 + int(rng.random() * horizon.last)
        )
        established = min(self.opened, 0) - 30 - int(rng.random() * 3_000)
        self.established_on = horizon.text(established)
        self.wealth = min(int(lognormal(rng, 38_000_000, 1.7)), 60_000_000_000)
        self.bookings = min(lognormal(rng, 9.0, 1.2), 260.0)
        self.revenue = int(self.wealth * (3 + 6 * rng.random())) // 10_000_00 * 10_000_00 + 200_000_00
        self.staff = max(2, int(self.revenue / 800_000_00 * (0.5 + rng.random())))
        self.main_no = f"{self.customer_no}CNY110201"
        self.wages: dict[int, int] = {}  # day → cents, filled by the people it pays
        self.dormant = self.opened < -200 and rng.random() < 0.05
        if self.opened < -200 and not self.dormant and rng.random() < 0.02:
            self.quits = 1 + int(rng.random() * (horizon.last - 1))
        elif not self.dormant and rng.random() < 0.07 * min(1.0, horizon.months / 13):
            self.trouble = self.first + 90 + int(rng.random() * max(1, horizon.last - self.first))

    def describe(self) -> None:
        rng, horizon = self.rng, self.horizon
        self.assign_manager()
        self.uscc = credit_code(self.index)
        if self.index % 1_007 == 17 or self.index == 149:
            self.uscc, self.truth.flaw = spoil(self.uscc), "uscc_checksum"
        elif rng.random() < 0.02:
            self.uscc, self.truth.flaw = "", "uscc_missing"
        self.id_type, self.id_no = "business_licence", self.uscc
        self.id_expires_on = (
            ""
            if rng.random() < 0.7
            else (horizon.as_of + timedelta(days=int(rng.random() * 3_000) - 90)).isoformat()
        )
        if not self.uscc:
            self.id_type = self.id_expires_on = ""
        self.mobile = "" if rng.random() < 0.05 else mobile_number(self.index)
        self.email = f"{self.customer_no}@firm.example" if rng.random() < 0.4 else ""
        district, self.region_code = self.unit.district
        self.address = names.address(rng, district).split("号")[0] + "号"
        self.registered_capital = f"{hundreds(self.revenue * (0.05 + 0.3 * rng.random())) // 100}.00"
        self.staff_count = "" if rng.random() < 0.05 else str(self.staff)
        self.annual_revenue = "" if rng.random() < 0.06 else f"{self.revenue // 100}.00"
        self.total_assets = (
            "" if rng.random() < 0.08 else f"{int(self.revenue * (0.5 + rng.random())) // 100}.00"
        )
        self.kyc_grade = "high" if rng.random() < 0.01 else "medium" if rng.random() < 0.2 else "low"
        if not self.legal_representative:
            self.legal_representative = names.anybody(rng)
        self.truth.kind, self.truth.income = "firm", self.revenue
        self.truth.outside = int(lognormal(rng, self.wealth * 0.8, 1.0))
        self.truth.responds = min(0.9, 0.02 + 0.15 * rng.random())
        self.knows_outside = rng.random() < 0.3


def trade(firm: Firm, trades: list[tuple[int, int, "Firm", "Firm"]]) -> None:
    """Open the firm's accounts and book its business. ``trades`` are payments between firms of the bank,
    told to both."""
    rng = firm.rng
    main = firm.open("1102", firm.opened)
    firm.service("4501", firm.opened)
    if rng.random() < 0.7:
        firm.service("4601", firm.opened)
    if firm.industry_code[0] in "FH" and rng.random() < 0.6:
        firm.service("4301", firm.opened)
    if firm.wages:
        firm.service("4201", firm.opened)
    liquid = int(firm.wealth * (0.3 + 0.5 * rng.random()))
    if firm.opened < 0:
        firm.inherit(main, liquid + 1_00)
    else:
        main.book(
            firm.opened,
            34_000,
            hundreds(liquid) + 10_000_00,
            "transfer_in,counter,南屏银行,,验资户,开户转入",
            FUNDED,
        )
    firm.settle_interest(main)
    if firm.dormant:
        main.status = "dormant"
        return
    _sell_and_buy(firm, main)
    for day, cents, payer, payee in trades:
        if payer is firm:
            main.book(
                day, 45_000, -cents, f"transfer_out,online,{BANK},{payee.main_no},{payee.name},货款", FUNDED
            )
        elif payee is firm:
            main.book(day, 45_002, cents, f"transfer_in,online,{BANK},{payer.main_no},{payer.name},货款")
    for day, cents in sorted(firm.wages.items()):
        main.book(day, 32_000, -cents, f"transfer_out,batch,{BANK},,代发工资专户,代发工资", FUNDED)
    _put_by(firm, firm.wealth - liquid)
    if firm.quits is None:
        _borrow(firm)
    else:
        firm.withdraw_everything("销户", closes=True)


def _sell_and_buy(firm: Firm, main) -> None:
    rng, first, days = firm.rng, firm.first, firm.until - firm.first + 1
    months = days / 30.4
    count = int(firm.bookings * months + rng.random())
    firm.truth.activity = count / months if months > 0.5 else firm.bookings
    usual = max(firm.revenue / 12 * months / max(count, 1), 100_00)
    partners = [
        (pick(rng, OTHER_BANKS), f"{int(rng.random() * 10**12):012d}", names.firm(rng)[0]) for _ in range(6)
    ]
    buying = [f"transfer_out,online,{bank},{no},{name},货款" for bank, no, name in partners[:3]]
    buying += ["fee,online,,,,结算手续费", "other,batch,,,国家金库云澜支库,税款"]
    selling = [
        f"transfer_in,{pick(rng, ('online', 'counter'))},{bank},{no},{name},货款"
        for bank, no, name in partners[3:]
    ]
    random, book = rng.random, main.bookings.append
    falls = float("inf") if firm.trouble is None else (firm.trouble - 110) * 86_400
    for _ in range(count):
        moment = (first + int(random() * days)) * 86_400 + 30_000 + int(random() * 30_000)
        cents = int(usual * FACTORS[int(random() * 1024)]) + 10_00
        if random() < 0.45:
            if falls <= moment and random() < 0.7:
                continue  # customers stay away some months before he can no longer pay
            book((moment, cents, 0, selling[int(random() * 3)]))
            continue
        chosen = int(random() * 8)
        if chosen == 3:
            book((moment, -(5_00 + cents % 95_00), 0, buying[3]))
        else:
            book(
                (
                    moment,
                    -int(cents * (1.0 if chosen < 7 else 0.05)) - 1,
                    0,
                    buying[chosen % 3 if chosen != 7 else 4],
                )
            )


def _put_by(firm: Firm, rest: int) -> None:
    rng = firm.rng
    if rest > 50_000_00 and rng.random() < 0.4:
        savings.term_deposits(firm, int(rest * 0.6))
    if rest > 300_000_00 and rng.random() < 0.25:
        savings.structured_deposit(firm, rest * 0.25)


def _borrow(firm: Firm) -> None:
    rng, last = firm.rng, firm.horizon.last
    likely = 0.015 + 0.02 * (firm.wealth < 20_000_000)
    if rng.random() < 0.34:
        product = "2401" if firm.revenue > 2_000_000_000 else "2402"
        cents = hundreds(firm.revenue * (0.05 + 0.25 * rng.random())) + 100_000_00
        lending.bullet(
            firm, product, cents, last - int(rng.random() * 360), likely, lending.collateral_for(firm, cents)
        )
        firm.borrows = True
    if firm.revenue > 1_000_000_000 and rng.random() < 0.2:
        for _ in range(1 + int(rng.random() * 3)):
            lending.bill(
                firm,
                hundreds(firm.revenue * 0.02 * (0.5 + rng.random())) + 50_000_00,
                last - int(rng.random() * 330),
            )
    if firm.revenue > 1_000_000_000 and rng.random() < 0.15:
        margin = firm.open("1401", last - int(rng.random() * 170))
        margin.matures = firm.horizon.text(margin.opened + 180)
        savings.fill(
            firm, margin, margin.opened, hundreds(firm.revenue * 0.01) + 10_000_00, memo="转存保证金"
        )
        if margin.opened < 0:
            firm.settle_interest(margin)
