"""Reads a folder of batches by the rules of the feed contract alone; shares no code with what writes or
loads them."""

import csv
import hashlib
import json
import re
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

DEBTS = ("mortgage", "consumer_loan", "instalment_loan", "business_loan", "discounted_bill", "credit_card")
TEXT, DAY, TIME, AMOUNT, RATE, COUNT, CURRENCY = "text", "day", "time", "amount", "rate", "count", "currency"

# A word of the contract's table: `*` marks the key, `!` a required cell, `:` its type or its closed list.
LISTS = {
    "family": """demand_deposit term_deposit notice_deposit margin_deposit structured_deposit mortgage
        consumer_loan instalment_loan business_loan discounted_bill credit_card wealth fund insurance
        precious_metal treasury_bond trust debit_card payroll merchant custody settlement online_banking mobile_banking""",
    "place": "head_office region branch outlet",
    "post": """relationship_manager branch_supervisor analyst teller lobby_manager complaint_officer
        product_manager compliance_officer auditor administrator""",
    "party": "individual corporate",
    "tolerance": "C1 C2 C3 C4 C5",
    "rating": "R1 R2 R3 R4 R5",
    "grade": "low medium high",
    "gender": "F M",
    "relation": """spouse parent child household group_member group_parent legal_representative controller
        shareholder guarantor supplier buyer payroll""",
    "status": "open dormant frozen closed",
    "class": "normal special_mention substandard doubtful loss",
    "role": "owner joint authorised",
    "kind": """cash_deposit cash_withdrawal transfer_in transfer_out card_payment card_withdrawal
        salary pension interest_credit interest_charge penalty_interest fee standing_order insurance_premium
        loan_disbursement loan_repayment purchase redemption fx other""",
    "channel": "counter self_service online mobile phone card_network batch third_party",
    "rates": "fx transfer",
    "origin": "declared credit_report inferred",
}
TABLE = """
branches.csv *branch_no! name! parent_no kind!:place region_code opened_on:day closed_on:day
employees.csv *employee_no! name! branch_no! post!:post joined_on:day left_on:day
products.csv *product_code! name! family!:family risk_rating:rating sales_fee_rate:rate
customers.csv *customer_no! kind!:party name! branch_no! manager_no opened_on!:day closed_on:day id_type id_no
  id_expires_on:day mobile email address region_code risk_tolerance:tolerance risk_assessed_on:day
  kyc_grade:grade birth_on:day gender:gender marital_status education occupation employer annual_income:amount
  uscc industry_code registered_capital:amount staff_count:count annual_revenue:amount total_assets:amount
  legal_representative established_on:day group_no
relations.csv *customer_no! *related_no! *kind!:relation share_percent:rate since:day until:day
accounts.csv *account_no! customer_no! product_code! currency!:currency branch_no! status!:status
  opened_on!:day closed_on:day interest_rate:rate transfer_rate:rate principal:amount credit_limit:amount matures_on:day
  five_class:class days_past_due:count collateral_value:amount
account_holders.csv *account_no! *customer_no! role!:role
transactions.csv *txn_no! account_no! booked_on!:day booked_at:time amount!:amount balance_after:amount
  kind!:kind channel!:channel counterparty_bank counterparty_account counterparty_name memo
balances.csv *account_no! *on_date!:day balance!:amount
rates.csv *kind!:rates *currency!:currency *term_days!:count *valid_from!:day rate!:rate
outside_holdings.csv *customer_no! *bank_name! *family!:family *as_of!:day amount!:amount currency!:currency
  source!:origin
"""


def _files() -> dict[str, tuple[list[str], dict[str, tuple]]]:
    """file → (key columns, {column: (type or closed list, required)})."""
    files: dict[str, tuple[list[str], dict[str, tuple]]] = {}
    for word in TABLE.split():
        if word.endswith(".csv"):
            keys, columns = files[word] = [], {}
            continue
        name, _, shape = word.partition(":")
        column = name.strip("*!")
        columns[column] = (LISTS[shape].split() if shape in LISTS else shape or TEXT, "!" in name)
        if name.startswith("*"):
            keys.append(column)
    return files


FILES = _files()
SHAPES = {
    AMOUNT: re.compile(r"-?(0|[1-9]\d*)\.\d\d"),
    RATE: re.compile(r"(0|[1-9]\d*)(\.\d{1,8})?"),
    COUNT: re.compile(r"0|[1-9]\d*"),
    CURRENCY: re.compile(r"[A-Z]{3}"),
}
REFERS = {
    "branch_no": "branches.csv",
    "parent_no": "branches.csv",
    "manager_no": "employees.csv",
    "product_code": "products.csv",
    "customer_no": "customers.csv",
    "related_no": "customers.csv",
    "account_no": "accounts.csv",
}
# Dates that may lie after the business date: they say what is agreed, not what happened.
FORWARD = {"matures_on", "id_expires_on"}


class Reading:
    """Every batch of a folder, read in order of date. ``faults`` lists what breaks the contract, empty
    when nothing does."""

    def __init__(self, folder: Path):
        self.faults: list[str] = []
        self.live: dict[str, dict[tuple, dict]] = {name: {} for name in FILES}
        self.rows_of: list[tuple[str, str, int]] = []
        self.batches: list[date] = []
        for path in sorted(p for p in folder.iterdir() if p.is_dir()):
            self._batch(path)

    def fault(self, *words) -> None:
        if len(self.faults) < 50:
            self.faults.append(" ".join(map(str, words)))

    def _batch(self, path: Path) -> None:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        business_date = date.fromisoformat(manifest["business_date"])
        if self.batches and (business_date - self.batches[-1]).days != 1:
            self.fault(path.name, "does not follow", self.batches[-1])
        if (
            manifest["mode"] != ("delta" if self.batches else "full")
            or manifest["format"] != 1
            or path.name != manifest["business_date"]
        ):
            self.fault(path.name, "has a wrong manifest")
        self.batches.append(business_date)
        listed = {entry["name"] for entry in manifest["files"]}
        if listed != {p.name for p in path.glob("*.csv")}:
            self.fault(path.name, "lists other files than it has")
        # References may point forward within a batch, so every key is read before any reference is judged.
        read = [(entry["name"], self._file(path, entry, business_date)) for entry in manifest["files"]]
        for name, rows in read:
            for row in rows:
                for column, target in REFERS.items():
                    value = row.get(column)
                    if value and target != name and (value,) not in self.live[target]:
                        self.fault(path.name, name, "refers to unknown", column, value)

    def _file(self, path: Path, entry: dict, business_date: date) -> list[dict]:
        name, data = entry["name"], (path / entry["name"]).read_bytes()
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            self.fault(path.name, name, "has another checksum")
        keys, columns = FILES[name]
        rows = list(csv.DictReader(data.decode("utf-8").splitlines(), strict=True))
        if rows and set(rows[0]) != set(columns):
            self.fault(path.name, name, "has other columns")
        seen, sums = set(), defaultdict(Decimal)
        controlled = {"transactions.csv": "amount", "balances.csv": "balance"}.get(name)
        for row in rows:
            key = tuple(row[column] for column in keys)
            if key in seen:
                self.fault(path.name, name, "repeats", key)
            seen.add(key)
            for column, (shape, required) in columns.items():
                self._cell(path.name, name, column, row[column], shape, required, business_date)
            self.live[name][key] = row
            if controlled:
                currency = self.live["accounts.csv"][row["account_no"],]["currency"]
                sums[currency] += Decimal(row[controlled])
        if len(rows) != entry["rows"]:
            self.fault(path.name, name, "has", len(rows), "rows")
        if controlled and {c: f"{v:.2f}" for c, v in sums.items()} != entry["control"][controlled]:
            self.fault(path.name, name, "has totals", dict(sums), "not", entry["control"])
        self.rows_of.append((path.name, name, len(rows)))
        return rows

    def _cell(self, batch, name, column, value, shape, required, business_date) -> None:
        if value is None or value == "":
            if required or value is None:
                self.fault(batch, name, column, "is missing")
        elif isinstance(shape, list):
            if value not in shape:
                self.fault(batch, name, column, "is unknown:", value)
        elif shape == DAY:
            if date.fromisoformat(value) > business_date and column not in FORWARD:
                self.fault(batch, name, column, value, "lies after the business date")
        elif shape == TIME:
            if datetime.fromisoformat(value).utcoffset() is None:
                self.fault(batch, name, column, value, "has no offset")
        elif shape != TEXT and not SHAPES[shape].fullmatch(value):
            self.fault(batch, name, column, "is malformed:", value)

    def misses(self) -> list[tuple[str, str, Decimal]]:
        """(account, day, end of day − (previous ± Σ bookings)) of each account-day that does not
        reconcile."""
        sums = defaultdict(Decimal)
        for row in self.live["transactions.csv"].values():
            sums[row["account_no"], row["booked_on"]] += Decimal(row["amount"])
        balances = defaultdict(dict)
        for (account, day), row in self.live["balances.csv"].items():
            balances[account][day] = Decimal(row["balance"])
        families = {key[0]: row["family"] for key, row in self.live["products.csv"].items()}
        days = defaultdict(set)
        for account, day in sums:
            days[account].add(day)
        found = []
        for account in sorted(set(balances) | set(days)):
            sign = -1 if families[self.live["accounts.csv"][account,]["product_code"]] in DEBTS else 1
            previous = Decimal(0)
            for day in sorted(days[account] | set(balances[account])):
                end = balances[account].get(day, previous)
                if missing := end - previous - sign * sums[account, day]:
                    found.append((account, day, missing))
                previous = end
        return found
