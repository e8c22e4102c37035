"""Four hundred neighbours: firms, who runs, staffs and owns them, families, groups, payments among them.

A block is told whole and forgotten, so memory does not grow with the bank; its bytes depend on nothing but
the bank's arguments and its own number.
"""

from crm.demo import living
from crm.demo.bank import Bank, Unit
from crm.demo.changes import change_things, duplicate_some
from crm.demo.firms import Firm, trade
from crm.demo.horizon import stream
from crm.demo.ledger import FUNDED, first_batch
from crm.demo.names import BANK, OTHER_BANKS
from crm.demo.parties import Party, hundreds, lognormal, pick
from crm.demo.persons import Person
from crm.demo.sheets import Sheets

FIRM_EVERY = 33


class Block:
    def __init__(self, bank: Bank, number: int, unit: Unit, first: int, size: int):
        self.bank, self.number, self.horizon = bank, number, bank.horizon
        self.rng = stream(bank.seed, f"block:{number}")
        self.parties: list[Party] = [
            Firm(bank, index, unit) if index % FIRM_EVERY == 17 else Person(bank, index, unit)
            for index in range(first, first + size)
        ]
        self.firms = [party for party in self.parties if isinstance(party, Firm)]
        self.persons = [party for party in self.parties if isinstance(party, Person)]
        self.relations: list[tuple[int, list[str]]] = []
        self.gifts: list[tuple[int, int, Person, Person]] = []
        self.trades: list[tuple[int, int, Firm, Firm]] = []

    def relate(
        self, of: Party, related: Party, kind: str, share: str = "", since: str = "", until: str = ""
    ) -> None:
        """``related`` is the ``kind`` of ``of``."""
        if of is not related:
            day = max(of.opened, related.opened, 0)
            self.relations.append(
                (
                    first_batch(day, self.horizon),
                    [of.customer_no, related.customer_no, kind, share, since, until],
                )
            )

    def tell(self) -> Sheets:
        """Build everything and return its rows."""
        sheets = Sheets(len(self.horizon.told))
        self._marry()
        self._raise_children()
        self._employ()
        for person in self.persons:
            person.describe()
        duplicate_some(self)
        for firm in self.firms:
            self._run(firm)
            firm.describe()
        self._group()
        self._deal()
        for person in self.persons:
            living.live(person)
        for day, cents, giver, taker in self.gifts:
            giver.main.book(
                day, 44_000, -cents, f"transfer_out,mobile,{BANK},{taker.main.no},{taker.name},家用", FUNDED
            )
            taker.main.book(
                day, 44_002, cents, f"transfer_in,mobile,{BANK},{giver.main.no},{giver.name},家用"
            )
        for firm in self.firms:
            trade(firm, [deal for deal in self.trades if firm in deal[2:]])
        self._sign()
        change_things(self)
        for party in self.parties:
            party.write(sheets)
            self._write_outside(party, sheets)
        seen = set()
        for batch, row in self.relations:
            if (key := (row[0], row[1], row[2])) not in seen:
                seen.add(key)
                sheets.add("relations.csv", batch, row)
        for party in self.parties:
            # Spouses know each other: cut, so that a block's memory is free before the next one begins.
            party.__dict__.clear()
        return sheets

    # --- families -------------------------------------------------------------------------------------------

    def _marry(self) -> None:
        """Somewhat over half of the married find their spouse among the neighbours."""
        waiting: list[Person] = []
        for person in self.persons:
            if not person.married or self.rng.random() > 0.6:
                continue
            for other in waiting:
                if other.gender != person.gender and abs(other.age - person.age) < 8:
                    waiting.remove(other)
                    person.spouse, other.spouse = other, person
                    since = self.horizon.text(
                        -int(365 * (min(person.age, other.age) - 22) * self.rng.random()) - 30
                    )
                    self.relate(person, other, "spouse", since=since)
                    self.relate(other, person, "spouse", since=since)
                    if not (person.rests or other.rests) and self.rng.random() < 0.5:
                        self._give(person, other, self.rng.random() * 0.2)
                    break
            else:
                waiting.append(person)

    def _raise_children(self) -> None:
        mothers = [p for p in self.persons if p.spouse and p.gender == "F"]
        for child in self.persons:
            if child.age > 34 or child.spouse or self.rng.random() > 0.5:
                continue
            fitting = [m for m in mothers if 20 <= m.age - child.age <= 38 and m.spouse.age - child.age >= 19]
            if not fitting:
                continue
            mother = pick(self.rng, fitting)
            father = mother.spouse
            child.family_name = father.family_name
            for parent in (mother, father):
                self.relate(child, parent, "parent", since=child.birth_on)
                self.relate(parent, child, "child", since=child.birth_on)
            self.relate(father, child, "household")
            if child.segment == "student" and not (mother.rests or child.rests):
                self._give(mother, child, 0.1)

    def _give(self, giver: Person, taker: Person, share: float) -> None:
        """Family money each month, booked on both sides; starts when both are customers and ends with the
        first to go."""
        first, until = max(giver.first, taker.first) + 1, min(giver.until, taker.until)
        cents = hundreds(giver.income / 12 * share) or 300_00
        for day in self.horizon.monthly(2 + int(self.rng.random() * 26), first, until):
            self.gifts.append((day, cents, giver, taker))

    # --- firms ----------------------------------------------------------------------------------------------

    def _employ(self) -> None:
        """A third of the salaried are paid by a firm of the bank."""
        payers = [firm for firm in self.firms if not firm.dormant and firm.quits is None]
        table = [firm for firm in payers for _ in range(min(firm.staff, 40))]
        if not table:
            return
        for person in self.persons:
            if person.segment != "salaried" or person.rests or self.rng.random() > 0.36:
                continue
            firm = pick(self.rng, table)
            if firm.opened > person.first:
                continue
            person.employer_party, person.payday = firm, 8 + firm.index % 9
            self.relate(firm, person, "payroll", since=self.horizon.text(max(person.opened, firm.opened)))
            for day, cents in living.paydays(person):
                firm.wages[day] = firm.wages.get(day, 0) + cents

    def _run(self, firm: Firm) -> None:
        """Who represents and owns the firm."""
        rng = self.rng
        leaders = [
            p
            for p in self.persons
            if 27 < p.age < 70 and p.segment in ("merchant", "salaried") and p.state == "active"
        ]
        if leaders and rng.random() < 0.8:
            chief = pick(rng, leaders)
            firm.legal_representative, firm.chief = chief.name, chief
            self.relate(firm, chief, "legal_representative", since=firm.established_on)
            share = 40 + int(rng.random() * 12) * 5
            self.relate(firm, chief, "shareholder", f"{share}.00", since=firm.established_on)
            if share > 50:
                self.relate(firm, chief, "controller", since=firm.established_on)
            if share < 90 and rng.random() < 0.5:
                self.relate(
                    firm, pick(rng, leaders), "shareholder", f"{100 - share}.00", since=firm.established_on
                )

    def _group(self) -> None:
        """Every third block has a group: a parent that owns most of two to four firms, and a ring of
        guarantees in it."""
        rng, firms = self.rng, [firm for firm in self.firms if firm.quits is None and firm.opened < -100]
        if self.number % 3 or len(firms) < 4:
            return
        size = min(3 + int(rng.random() * 3), len(firms))
        firms.sort(key=lambda firm: (-firm.revenue, firm.index))
        parent, members = firms[0], firms[1:size]
        for firm in firms[:size]:
            firm.group_no = f"G{self.number + 1:05d}"
        for member in members:
            share = 51 + int(rng.random() * 49)
            self.relate(member, parent, "group_parent", since=member.established_on)
            self.relate(parent, member, "group_member", since=member.established_on)
            self.relate(member, parent, "shareholder", f"{share}.00", since=member.established_on)
        ring = firms[:size]
        if self.number % 2 == 0:
            for firm, guarantor in zip(ring, ring[1:] + ring[:1], strict=True):
                self.relate(firm, guarantor, "guarantor", since=self.horizon.text(-90))

    def _deal(self) -> None:
        """Suppliers and buyers among the neighbours pay each other once or twice a month."""
        rng = self.rng
        firms = [
            firm
            for firm in self.firms
            if not firm.dormant and firm.quits is None and firm.opened < self.horizon.full - 60
        ]
        for seller, buyer in zip(firms[::2], firms[1::2], strict=False):
            if rng.random() < 0.6:
                self.relate(buyer, seller, "supplier")
                self.relate(seller, buyer, "buyer")
                usual = min(seller.revenue, buyer.revenue) / 12 * 0.1
                for day in self.horizon.monthly(
                    6 + int(rng.random() * 20), max(seller.first, buyer.first) + 1, self.horizon.last
                ):
                    self.trades.append((day, hundreds(lognormal(rng, usual, 0.4)) + 1_000_00, buyer, seller))

    def _sign(self) -> None:
        """Guarantees for loans, joint holders, and who may sign for a firm or an old parent."""
        rng = self.rng
        for firm in self.firms:
            chief = getattr(firm, "chief", None)
            if chief is None:
                continue
            if getattr(firm, "borrows", False) and rng.random() < 0.7:
                self.relate(firm, chief, "guarantor", since=firm.established_on)
            if rng.random() < 0.6:
                firm.main.holders.append((max(firm.opened, chief.opened), chief.customer_no, "authorised"))
        for person in self.persons:
            if person.spouse and not person.rests and rng.random() < 0.06:
                person.main.holders.append(
                    (max(person.opened, person.spouse.opened), person.spouse.customer_no, "joint")
                )

    def _write_outside(self, party: Party, sheets: Sheets) -> None:
        """What the bank knows of money elsewhere: a part of the truth, by source."""
        if not getattr(party, "knows_outside", False) or party.truth.outside < 1_000_00:
            return
        rng = party.rng
        asked = max(party.opened, self.horizon.full - int(rng.random() * 300))
        bank = pick(rng, OTHER_BANKS)
        source = pick(rng, ("declared", "declared", "credit_report", "inferred"))
        family = (
            "mortgage"
            if source == "credit_report"
            else pick(rng, ("demand_deposit", "term_deposit", "wealth"))
        )
        amount = hundreds(party.truth.outside * (0.4 + 0.5 * rng.random()))
        sheets.add(
            "outside_holdings.csv",
            first_batch(asked, self.horizon),
            [party.customer_no, bank, family, self.horizon.text(asked), f"{amount // 100}.00", "CNY", source],
        )
