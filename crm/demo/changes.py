"""What the five nights after the full batch tell: moves, new owners, bookings undone or told late.

Each kind happens at a place that depends on the number of the block or customer alone, so it can be found
again.
"""

from datetime import timedelta

from crm.demo import names, savings
from crm.demo.identities import MOST_CUSTOMERS, mobile_number
from crm.demo.ledger import BREAK, EMPTY, FUNDED, LATE, UNDO
from crm.demo.parties import Party, hundreds, pick
from crm.demo.persons import Person

# Deliberate breaks, three in the whole bank: ten cents, a small one and one nobody can overlook.
BREAKS = (10, -1_50, 500_00)
CHANGES_A_NIGHT = 0.004


def duplicate_some(block) -> None:
    """One in 1,301 individuals is the same human as the one before him, under a second number."""
    for first, second in zip(block.persons, block.persons[1:], strict=False):
        if second.index % 1_301 == 29 and not (first.truth.flaw or second.truth.flaw):
            for column in ("name", "gender", "birth_on", "id_type", "id_no", "id_expires_on"):
                setattr(second, column, getattr(first, column))
            first.truth.flaw = f"id_shared:{second.customer_no}"
            second.truth.flaw = f"id_shared:{first.customer_no}"


def change_things(block) -> None:
    for party in block.parties:
        _facts(party)
    active = [p for p in block.persons if p.state == "active" and p.opened < 0 and p.wealth > 500_000]
    if len(active) < 8:
        return
    _owner(block)
    if block.number % 2 == 0:
        _undone(active[0])
        _late(active[1])
        _paid_out(active[2])
        _card_returned(active[3])
    if block.number % 7 == 0:
        _moves(active[4])
    if block.number == 0:
        _breaks(block, active[5:8])
    _overdraw(block)


def _facts(party: Party) -> None:
    """A new telephone, address, assessment, grade or document."""
    rng, horizon = party.rng, party.horizon
    if party.opened > horizon.full - 10 or party.quits is not None or rng.random() > CHANGES_A_NIGHT * 5:
        return
    day = horizon.full + 1 + int(rng.random() * 5)
    chosen = int(rng.random() * 5)
    if chosen == 0:
        party.change(day, "mobile", mobile_number(party.index + MOST_CUSTOMERS))
    elif chosen == 1:
        party.change(day, "address", names.address(rng, party.unit.district[0]))
    elif chosen == 2 and party.kind == "individual":
        party.change(day, "risk_tolerance", f"C{1 + int(rng.random() * 5)}")
        party.change(day, "risk_assessed_on", horizon.text(day))
    elif chosen == 3 and party.id_no:
        party.change(day, "id_expires_on", (horizon.day(day) + timedelta(days=3_650)).isoformat())
    else:
        party.change(day, "kyc_grade", pick(rng, ("low", "medium", "high")))


def _owner(block) -> None:
    """In every fifth block a deposit passes to the wife or husband in the second night; the former owner
    stays on it."""
    if block.number % 5:
        return
    horizon = block.horizon
    for person in block.persons:
        if (
            not person.spouse
            or person.state != "active"
            or person.spouse.state != "active"
            or person.spouse.opened > horizon.full
        ):
            continue
        for account in person.accounts:
            open_deposit = (
                account.product.startswith("12") and account.opened < horizon.full and not account.changes
            )
            if open_deposit and account.matures > horizon.text(horizon.last):
                day = horizon.full + 2
                account.change(day, "owner", person.spouse.customer_no)
                account.holders += [
                    (day, person.spouse.customer_no, "owner"),
                    (day, person.customer_no, "joint"),
                ]
                return


def _undone(person: Person) -> None:
    """Late on the second night a card is charged by mistake; the next morning the charge is undone."""
    day = person.horizon.full + 2
    person.main.book(day, 86_398, -268_00, "card_payment,card_network,,,万象商城,消费", FUNDED)
    person.main.book(day + 1, 1, 0, "other,batch,,,,冲正", UNDO)


def _late(person: Person) -> None:
    day, batch = person.horizon.full + 4, person.horizon.batch
    if batch[day] == batch[day - 1]:
        return  # told together, it is not late
    person.main.book(
        day,
        0,
        1_200_00,
        "transfer_in,counter,南屏银行,,云澜市住房公积金中心,补记昨日入账",
        LATE,
    )


def _paid_out(person: Person) -> None:
    """A three-month deposit that matures in the first night."""
    savings.paid_out(person, max(hundreds(person.wealth * 0.1), 5_000_00), person.horizon.full + 1, "1203")


def _card_returned(person: Person) -> None:
    for account in person.accounts:
        if account.product == "4101":
            account.close(person.horizon.full + 1, person.horizon)
            return


def _moves(person: Person) -> None:
    """A customer moves to another branch, and to a manager there, in the last night."""
    bank, day = person.bank, person.horizon.full + 5
    units = [unit for unit in bank.units if unit is not person.unit and unit.managers]
    unit = units[person.index % len(units)]
    person.change(day, "branch_no", unit.branch_no)
    person.change(day, "manager_no", unit.managers[0])


def _breaks(block, persons: list[Person]) -> None:
    for quarter, (person, cents) in enumerate(zip(persons, BREAKS, strict=True), start=1):
        person.main.book(block.horizon.last * quarter // 4, 86_399, cents, "", BREAK)


def _overdraw(block) -> None:
    """One firm in forty may overdraw its current account, and has; some accounts are frozen by a court."""
    last = block.horizon.last
    for firm in block.firms:
        if firm.index // 33 % 40 == 0 and firm.quits is None and not firm.dormant and firm.opened < last - 60:
            limit = min(hundreds(firm.revenue * 0.02), 450_000_00) + 50_000_00
            firm.main.floor, firm.main.limit = -limit, f"{limit // 100}.00"
            firm.main.book(last - 1, 70_000, 0, "transfer_out,online,东陆银行,,云澜建材集散中心,货款", EMPTY)
        if firm.index // 33 % 61 == 7 and firm.quits is None and firm.opened < 0:
            firm.main.change(last - 1, "status", "frozen")
