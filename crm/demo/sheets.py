"""The rows of one piece of the bank, batch by batch: what a block hands to the writer of the feed."""

HEADERS = {
    "branches.csv": "branch_no,name,parent_no,kind,region_code,opened_on,closed_on",
    "employees.csv": "employee_no,name,branch_no,post,joined_on,left_on",
    "products.csv": "product_code,name,family,risk_rating,sales_fee_rate",
    "rates.csv": "kind,currency,term_days,valid_from,rate",
    "customers.csv": (
        "customer_no,kind,name,branch_no,manager_no,opened_on,closed_on,id_type,id_no,id_expires_on,mobile,email,address,"
        "region_code,risk_tolerance,risk_assessed_on,kyc_grade,birth_on,gender,marital_status,education,occupation,employer,"
        "annual_income,uscc,industry_code,registered_capital,staff_count,annual_revenue,total_assets,legal_representative,"
        "established_on,group_no"
    ),
    "relations.csv": "customer_no,related_no,kind,share_percent,since,until",
    "accounts.csv": (
        "account_no,customer_no,product_code,currency,branch_no,status,opened_on,closed_on,interest_rate,transfer_rate,"
        "principal,credit_limit,matures_on,five_class,days_past_due,collateral_value"
    ),
    "account_holders.csv": "account_no,customer_no,role",
    "transactions.csv": (
        "txn_no,account_no,booked_on,booked_at,amount,balance_after,kind,channel,counterparty_bank,counterparty_account,"
        "counterparty_name,memo"
    ),
    "balances.csv": "account_no,on_date,balance",
    "outside_holdings.csv": "customer_no,bank_name,family,as_of,amount,currency,source",
}
COLUMNS = {name: header.split(",") for name, header in HEADERS.items()}
CONTROLLED = {"transactions.csv": "amount", "balances.csv": "balance"}


def money(cents: int) -> str:
    """Exact decimal text of an amount in cents."""
    if cents < 0:
        return f"-{-cents // 100}.{-cents % 100:02d}"
    return f"{cents // 100}.{cents % 100:02d}"


def csv_line(cells) -> str:
    """One RFC 4180 line; a cell is quoted only where it must be."""
    line = ",".join(cells)
    if '"' in line or line.count(",") != len(cells) - 1 or "\n" in line or "\r" in line:
        line = ",".join(
            '"' + c.replace('"', '""') + '"' if any(x in c for x in ',"\n\r') else c for c in cells
        )
    return line + "\n"


class Sheets:
    """Lines per file and batch, with the control totals of the controlled columns in cents per currency."""

    def __init__(self, batches: int):
        self.batches = batches
        self.lines: dict[str, list[list[str]]] = {name: [[] for _ in range(batches)] for name in HEADERS}
        self.totals: dict[str, dict[str, list[int]]] = {name: {} for name in CONTROLLED}
        self.counts: dict[str, dict[str, list[int]]] = {name: {} for name in CONTROLLED}
        self.truth: list[str] = []
        self.breaks: list[tuple[str, str, str, int]] = []

    def add(self, name: str, batch: int, cells) -> None:
        self.lines[name][batch].append(csv_line(cells))

    def totals_of(self, name: str, currency: str) -> tuple[list[int], list[int]]:
        """The running totals and row counts per batch; whoever writes lines of that file adds to both."""
        return self.totals[name].setdefault(currency, [0] * self.batches), self.counts[name].setdefault(
            currency, [0] * self.batches
        )

    def packed(self) -> list[tuple[str, int, bytes, int, dict[str, int]]]:
        """(file, batch, bytes, rows, totals per currency) of everything that has rows."""
        return [
            (
                name,
                batch,
                "".join(lines).encode(),
                len(lines),
                {
                    cur: sums[batch]
                    for cur, sums in self.totals.get(name, {}).items()
                    if self.counts[name][cur][batch]
                },
            )
            for name, batches in self.lines.items()
            for batch, lines in enumerate(batches)
            if lines
        ]
