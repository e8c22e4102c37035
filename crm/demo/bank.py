"""The bank itself: how large, which branches, who works there, and which customers belong where.

Sizes follow the request: 362 relationship managers is what one bank's capital branch had in June 2010, 347
% more than two years before (some 81). Up to that number the bank hires one manager for 120 customers;
beyond, books grow faster than heads.
"""

from dataclasses import dataclass, field

from crm.demo import names
from crm.demo.horizon import Horizon, stream
from crm.demo.identities import MOST_CUSTOMERS
from crm.demo.ledger import write_versions
from crm.demo.sheets import Sheets

CUSTOMERS_A_MANAGER = 120
MANAGERS_OF_THE_REFERENCE = 362
MANAGERS_TWO_YEARS_BEFORE = 81
BLOCK = 400
HEAD_OFFICE = "1000"


@dataclass
class Unit:
    """A branch or outlet that keeps customers: ``first`` to ``first + size`` of the bank's customers are
    its own."""

    branch_no: str
    name: str
    kind: str
    parent: str
    district: tuple[str, str]
    weight: float
    size: int = 0
    first: int = 0
    managers: list[str] = field(default_factory=list)


@dataclass
class Employee:
    employee_no: str
    name: str
    branch_no: str
    post: str
    joined_on: str
    opened: int = 0
    left_on: str = ""
    changes: list[tuple[int, str, str]] = field(default_factory=list)

    def cells(self, _horizon) -> list[str]:
        return [self.employee_no, self.name, self.branch_no, self.post, self.joined_on, self.left_on]


class Bank:
    """Everything that is decided once for the whole bank; the rest is decided block by block."""

    def __init__(self, customers: int, seed: int, horizon: Horizon):
        if not 1 <= customers <= MOST_CUSTOMERS:
            raise ValueError(f"a demo bank has 1 to {MOST_CUSTOMERS:,} customers")
        self.customers, self.seed, self.horizon = customers, seed, horizon
        self.rng = stream(seed, "bank")
        self.units = self._units()
        self._share_customers()
        self.employees: list[Employee] = []
        self._hire_head_office()
        self._hire_units()
        self.leaver, self.successor, self.leaves = self._hand_over()

    def _units(self) -> list[Unit]:
        branches = max(3, min(60, round(self.customers / 400)))
        units = []
        for number in range(branches):
            region = number % 3 + 1
            branch_no = f"1{region}{number // 3 + 1:02d}"
            weight = (number + 2.5) ** -0.55 * (0.8 + 0.4 * self.rng.random())
            street = names.street_of_a_branch(number)
            district = names.DISTRICTS[number % len(names.DISTRICTS)]
            units.append(Unit(branch_no, f"{street}支行", "branch", f"1{region}00", district, weight))
            outlets = (2 if number % 9 == 0 else 1) if number % 3 == 0 and branches > 3 else 0
            for outlet in range(outlets):
                name = f"{street}支行{'东' if outlet else '西'}网点"
                units.append(
                    Unit(f"{branch_no}{outlet + 1:02d}", name, "outlet", branch_no, district, weight * 0.3)
                )
        return units

    def _share_customers(self) -> None:
        whole = sum(unit.weight for unit in self.units)
        reached, given = 0.0, 0
        for unit in self.units:
            reached += unit.weight
            end = round(self.customers * reached / whole)
            unit.first, unit.size, given = given, end - given, end
        self.units[-1].size = self.customers - self.units[-1].first

    def _hire(self, branch_no: str, post: str, joined_on: str | None = None) -> Employee:
        if joined_on is None:
            joined_on = self.horizon.text(-200 - int(self.rng.random() * 5000))
        number = f"E{len(self.employees) + 1:05d}"
        employee = Employee(number, names.anybody(self.rng), branch_no, post, joined_on)
        self.employees.append(employee)
        return employee

    def _hire_head_office(self) -> None:
        posts = (
            "analyst",
            "analyst",
            "complaint_officer",
            "complaint_officer",
            "product_manager",
            "product_manager",
            "compliance_officer",
            "auditor",
            "administrator",
        )
        for post in posts:
            self._hire(HEAD_OFFICE, post)
        for region in (1, 2, 3):
            self._hire(f"1{region}00", "branch_supervisor")

    def _hire_units(self) -> None:
        wanted = max(
            len(self.units),
            round(
                min(
                    self.customers / CUSTOMERS_A_MANAGER,
                    MANAGERS_OF_THE_REFERENCE + max(0, self.customers - 43_440) / 1_140,
                )
            ),
        )
        old_hands = MANAGERS_TWO_YEARS_BEFORE / MANAGERS_OF_THE_REFERENCE
        for unit in self.units:
            if unit.kind == "branch":
                self._hire(unit.branch_no, "branch_supervisor")
            self._hire(unit.branch_no, "lobby_manager")
            for _ in range(min(8, 1 + unit.size // 600)):
                self._hire(unit.branch_no, "teller")
            for _ in range(max(1, round(wanted * unit.size / self.customers))):
                veteran = self.rng.random() < old_hands
                days = 730 + int(self.rng.random() * 4000) if veteran else int(self.rng.random() * 730)
                joined = self.horizon.text(self.horizon.full - 1 - days)
                unit.managers.append(self._hire(unit.branch_no, "relationship_manager", joined).employee_no)

    def _hand_over(self) -> tuple[str, str, int]:
        """One manager leaves in the third night, and the next at his desk takes over his customers."""
        unit = max(self.units, key=lambda unit: len(unit.managers))
        if len(unit.managers) < 2:
            return "", "", 0
        leaver, successor, day = unit.managers[-1], unit.managers[0], self.horizon.full + 3
        employee = self.employees[int(leaver[1:]) - 1]
        employee.changes.append((day, "left_on", self.horizon.text(day)))
        return leaver, successor, day

    def blocks(self):
        """(number of the block, unit, first customer, size): neighbours who marry, work for and pay each
        other."""
        number = 0
        for unit in self.units:
            for first in range(unit.first, unit.first + unit.size, BLOCK):
                yield number, unit, first, min(BLOCK, unit.first + unit.size - first)
                number += 1

    def write(self, sheets: Sheets) -> None:
        """Branches and employees. Two outlets tell that a tree changes: one closed years ago, one opens in the
        second night."""
        horizon, first, opens = self.horizon, self.units[0], self.horizon.full + 2

        def place(number, name, parent, kind, region, opened, closed="", batch=0):
            row = [number, f"{names.BANK}{name}", parent, kind, region, opened, closed]
            sheets.add("branches.csv", batch, row)

        seat, near = names.DISTRICTS[0][1], first.district[1]
        place(HEAD_OFFICE, "总行", "", "head_office", seat, "1996-08-18")
        for number, region in enumerate(("中心", "江北", "县域"), start=1):
            place(f"1{number}00", f"{region}区域管理部", HEAD_OFFICE, "region", seat, "2004-03-01")
        for number, unit in enumerate(self.units):
            opened = f"{1997 + number % 22}-0{1 + number % 9}-18"
            place(unit.branch_no, unit.name, unit.parent, unit.kind, unit.district[1], opened)
        mother = first.branch_no
        place(f"{mother}91", "老码头网点", mother, "outlet", near, "1998-05-04", "2019-12-31")
        new = horizon.batch[opens]
        place(f"{mother}92", "高铁站网点", mother, "outlet", near, horizon.text(opens), batch=new)
        for employee in self.employees:
            write_versions(employee, "employees.csv", horizon, sheets)
