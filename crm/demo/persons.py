"""Individuals: who they are, how much they have, how they live with the bank, and when they leave it."""

from datetime import date, timedelta
from random import Random

from crm.demo import names
from crm.demo.bank import Bank, Unit
from crm.demo.horizon import stream
from crm.demo.identities import citizen_number, mobile_number, spoil
from crm.demo.parties import Party, lognormal, pick

# Segment: share, ages, yearly income (median, cents), wealth factor, bookings a month (median).
SEGMENTS = {
    "salaried": (0.46, (23, 59), 92_000_00, 1.0, 0.75),
    "pensioner": (0.17, (56, 88), 42_000_00, 1.5, 0.35),
    "merchant": (0.12, (26, 62), 130_000_00, 2.2, 1.0),
    "worker": (0.16, (19, 60), 58_000_00, 0.5, 0.25),
    "student": (0.09, (17, 24), 12_000_00, 0.08, 0.55),
}
_OCCUPATIONS = {
    "salaried": ("企业职员", "教师", "医生", "公务员", "工程师", "会计", "销售", "司机", "护士", "程序员"),
    "pensioner": ("退休",),
    "merchant": ("个体工商户", "企业主", "自由职业"),
    "worker": ("务工", "农民", "服务员", "快递员", "建筑工人"),
    "student": ("学生",),
}
_EDUCATIONS = ("小学", "初中", "初中", "高中", "高中", "大专", "大专", "本科", "本科", "本科", "硕士", "博士")
_SPOKEN_FOR = 397  # every so manyth customer is new in one of the last five nights


class Person(Party):
    """An individual; ``segment`` and ``wealth`` (cents) shape everything he does."""

    def __init__(self, bank: Bank, index: int, unit: Unit):
        rng = stream(bank.seed, index)
        super().__init__(bank, index, unit, "individual", rng)
        self.segment = self.truth.kind = _segment(rng.random())
        _, (youngest, oldest), income, factor, bookings = SEGMENTS[self.segment]
        self.age = youngest + int((oldest - youngest + 1) * rng.random())
        self.gender = "F" if rng.random() < 0.49 else "M"
        self.income = int(lognormal(rng, income, 0.5)) // 1_000_00 * 1_000_00 + 6_000_00
        grown = 0.4 + min(self.age, 65) / 50
        self.wealth = min(int(lognormal(rng, 1_900_000 * factor * grown, 1.95)), 6_000_000_000)
        self.bond = (
            rng.random()
        )  # how much this is the bank he lives with: what he holds here, and whether he stays
        self.bookings = min(lognormal(rng, bookings, 1.9) * (0.5 + self.bond), 150.0)
        self.id_no, birth = citizen_number(index, bank.horizon.as_of.year - self.age, self.gender)
        self.birth_on = birth.isoformat()
        self.opened = _opened(self, birth)
        self.leaves: int | None = None  # when he goes, perhaps after the history
        self.fade = 0  # days before he goes in which he comes less and carries money away
        self.restless: int | None = None  # when somebody who stays behaves for a while as if he went
        self.state = self._state()
        self.trouble = self._trouble()  # when he can no longer pay what he owes, perhaps after the history
        self.here = 1.0  # share of his income that arrives in the account, and is spent from it
        self.employer_party = None  # set by the block when a firm of the bank pays him
        self.salary, self.payday = self.income // 1_300 * 100, 5 + index % 11
        self.spouse: Person | None = None
        self.married = self.age > 24 and rng.random() < 0.72
        self.family_name, self.given_name = names.surname(rng), names.given_name(rng, self.gender)

    def _state(self) -> str:
        """Active, dormant, closed before the history, leaving, gone (closed in the history), deceased."""
        rng, horizon = self.rng, self.horizon
        chance = rng.random()
        if self.opened > -120:
            return "active"
        if chance < 0.025:
            return "closed"
        if chance < 0.105:
            # Banks clear their sleeping accounts: one in six a year is found again, paid out and closed.
            if rng.random() < 0.18 * min(1.0, horizon.months / 13):
                self.quits = self.leaves = 1 + int(rng.random() * (horizon.last - 1))
                self.truth.leaves_on = horizon.text(self.quits)
            return "dormant"
        # Those who live with another bank, with little, and only a short time with this one leave sooner.
        likely = (
            0.32 * (1 - self.bond) ** 2
            + 0.02 * (self.wealth < 1_500_000)
            + 0.02 * (self.segment == "worker")
            + 0.05 * (self.opened > -900)
        )
        if rng.random() < likely * min(1.0, horizon.months / 13):
            day = 40 + int(rng.random() * (horizon.last + 50))
            self.truth.leaves_on = horizon.text(day)
            self.leaves = day
            # One in three goes from one day to the next; nobody sees it coming.
            self.fade = int(60 + 200 * rng.random() if rng.random() < 0.75 else 5 + 25 * rng.random())
            if day <= horizon.last:
                self.quits = day
            return "gone" if rng.random() < 0.4 else "leaving"
        if rng.random() < 0.06:
            self.restless = int(rng.random() * horizon.last)
        if self.age > 74 and rng.random() < 0.02:
            self.quits = self.leaves = 1 + int(rng.random() * (horizon.last - 1))
            return "deceased"
        return "active"

    def _trouble(self) -> int | None:
        """A few of those who work lose their income for good; who owes much by then cannot pay, and they owe more often than
        others."""
        if not 19 < self.age < 60 or self.state != "active" or self.segment == "student":
            return None
        likely = 0.04 + 0.02 * (self.segment == "worker")
        if self.rng.random() > likely * min(1.0, self.horizon.months / 13):
            return None
        return self.first + 60 + int(self.rng.random() * (self.horizon.last - self.first))

    @property
    def paid_until(self) -> int:
        """The last day on which he has an income here: it goes to another bank when he is about to, or he loses it some
        months before he can no longer pay."""
        until = self.until
        if self.fade and self.leaves is not None:
            until = min(until, self.leaves - self.fade // 2)
        if self.trouble is not None:
            until = min(until, self.trouble - 40 - self.index % 120)
        return until

    @property
    def rests(self) -> bool:
        return self.state in ("closed", "dormant")

    def describe(self) -> None:
        """Fill the customer's row; called once the block has married and employed its people."""
        rng, horizon = self.rng, self.horizon
        self.name = self.family_name + self.given_name
        self.assign_manager()
        self.mobile = "" if rng.random() < 0.03 else mobile_number(self.index)
        self.email = f"{self.customer_no}@mail.example" if rng.random() < 0.12 else ""
        district, self.region_code = self.unit.district if rng.random() < 0.7 else pick(rng, names.DISTRICTS)
        self.address = "" if rng.random() < 0.04 else names.address(rng, district)
        self.occupation = "" if rng.random() < 0.06 else pick(rng, _OCCUPATIONS[self.segment])
        self.education = "" if rng.random() < 0.15 else pick(rng, _EDUCATIONS)
        self.marital_status = (
            "已婚" if self.married else ("离异" if self.age > 30 and rng.random() < 0.2 else "未婚")
        )
        if self.employer_party is not None:
            self.employer = self.employer_party.name
        elif self.segment == "salaried":
            self.employer = names.workplace(rng)
        self.annual_income = "" if rng.random() < 0.12 else f"{self.income // 100}.00"
        self.truth.income = self.income
        self._identify(rng)
        self._assess(rng)
        if self.state == "closed":
            self.closed_on = horizon.text(max(self.opened + 30, -1 - int(rng.random() * 900)))

    def _identify(self, rng: Random) -> None:
        horizon = self.horizon
        self.id_type = "citizen_id"
        if self.index % 911 == 17:
            self.id_no, self.truth.flaw = spoil(self.id_no), "id_checksum"
        lifelong = self.age >= 46 and rng.random() < 0.9
        if not lifelong:
            ahead = -int(rng.random() * 900) if rng.random() < 0.04 else int(rng.random() * 3600)
            self.id_expires_on = (horizon.as_of + timedelta(days=ahead)).isoformat()
        else:
            self.id_expires_on = "2099-12-31"
        if rng.random() < 0.01:
            self.id_no = self.id_expires_on = self.id_type = ""
            self.truth.flaw = "id_missing"

    def _assess(self, rng: Random) -> None:
        """Risk tolerance (one in five was never asked; some assessments are older than a year) and KYC
        grade."""
        horizon = self.horizon
        level = (
            1
            + int(rng.random() * 2.2)
            + (self.wealth > 20_000_000)
            + (self.wealth > 100_000_000 and rng.random() < 0.5)
        )
        self.tolerance = max(1, min(5, level - (self.age > 64)))
        if rng.random() < 0.8 and self.age >= 18:
            self.risk_tolerance = f"C{self.tolerance}"
            asked = max(self.opened, horizon.full - int(rng.random() * 520))
            self.risk_assessed_on = horizon.text(asked)
        chance = rng.random()
        if chance > 0.01:
            self.kyc_grade = "high" if chance < 0.018 else "medium" if chance < 0.13 else "low"


def _segment(chance: float) -> str:
    for name, (share, *_) in SEGMENTS.items():
        chance -= share
        if chance < 0:
            return name
    return "salaried"


def _opened(person: Person, birth: date) -> int:
    """A bank that grows: some eight in a thousand customers a month are new, the others came over twenty-
    five years."""
    rng, horizon = person.rng, person.horizon
    if person.index % _SPOKEN_FOR == 5:
        return horizon.full + 1 + person.index // _SPOKEN_FOR % 5
    if rng.random() < min(0.3, 0.008 * horizon.months):
        return 1 + int(rng.random() * horizon.last)
    grown_up = horizon.number(birth) + 16 * 366
    return min(-20, max(grown_up, -20 - int(rng.random() ** 1.4 * 9_000)))
