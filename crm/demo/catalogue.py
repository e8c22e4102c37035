"""What the demo bank sells, at which rates, and what money costs it: products, transfer curve, exchange
rates."""

from datetime import date
from typing import NamedTuple

from crm.demo.horizon import Horizon, add_months


class Product(NamedTuple):
    """One product; ``rate`` is % a year, ``days`` the term (0 = none), ``fee`` the sales fee in % a year."""

    code: str
    name: str
    family: str
    rate: str = ""
    days: int = 0
    risk: str = ""
    fee: str = ""


PRODUCTS = {
    product.code: product
    for product in (
        Product("1101", "活期储蓄", "demand_deposit", "0.10", 365),
        Product("1102", "单位活期存款", "demand_deposit", "0.20", 365),
        Product("1203", "整存整取三个月", "term_deposit", "0.85", 90),
        Product("1206", "整存整取六个月", "term_deposit", "1.05", 180),
        Product("1212", "整存整取一年", "term_deposit", "1.20", 365),
        Product("1224", "整存整取二年", "term_deposit", "1.30", 730),
        Product("1236", "整存整取三年", "term_deposit", "1.55", 1095),
        Product("1260", "整存整取五年", "term_deposit", "1.60", 1825),
        Product("1307", "七天通知存款", "notice_deposit", "0.45", 7),
        Product("1401", "承兑保证金", "margin_deposit", "0.80", 180),
        Product("1501", "澜享结构性存款", "structured_deposit", "1.75", 180, "R1", "0.15"),
        Product("2101", "个人住房按揭贷款", "mortgage", "3.45", 3650),
        Product("2201", "云澜消费信用贷", "consumer_loan", "4.80", 730),
        Product("2301", "汽车分期", "instalment_loan", "5.20", 1095),
        Product("2302", "家装分期", "instalment_loan", "5.60", 1095),
        Product("2401", "流动资金贷款", "business_loan", "3.90", 365),
        Product("2402", "小微经营快贷", "business_loan", "4.35", 365),
        Product("2501", "银行承兑汇票贴现", "discounted_bill", "1.60", 180),
        Product("2601", "澜江信用卡", "credit_card", "15.00", 30),
        Product("3101", "澜享现金管理", "wealth", "", 0, "R1", "0.30"),
        Product("3102", "澜享稳健九十天", "wealth", "", 90, "R2", "0.50"),
        Product("3103", "澜享均衡一年", "wealth", "", 365, "R3", "0.60"),
        Product("3104", "澜享进取一年", "wealth", "", 365, "R4", "0.80"),
        Product("3105", "澜享权益两年", "wealth", "", 730, "R5", "1.00"),
        Product("3201", "东湖货币基金", "fund", "", 0, "R1", "0.25"),
        Product("3202", "东湖债券基金", "fund", "", 0, "R2", "0.40"),
        Product("3203", "东湖混合基金", "fund", "", 0, "R4", "0.75"),
        Product("3301", "安澜终身寿险", "insurance", "", 0, "R1", "2.00"),
        Product("3302", "安澜年金", "insurance", "", 0, "R2", "1.50"),
        Product("3401", "积存金", "precious_metal", "", 0, "R3", "0.50"),
        Product("3503", "储蓄国债三年", "treasury_bond", "1.63", 1095, "R1", "0.10"),
        Product("3601", "澜传家族信托", "trust", "", 0, "R3", "0.80"),
        Product("4101", "澜江借记卡", "debit_card"),
        Product("4201", "代发工资", "payroll"),
        Product("4301", "商户收单", "merchant"),
        Product("4401", "第三方存管", "custody"),
        Product("4501", "单位结算", "settlement"),
        Product("4601", "网上银行", "online_banking"),
        Product("4701", "手机银行", "mobile_banking"),
    )
}

DEBTS = {"mortgage", "consumer_loan", "instalment_loan", "business_loan", "discounted_bill", "credit_card"}
TERM_DEPOSITS = ("1203", "1206", "1212", "1224", "1236", "1260")
INVESTMENTS = ("3101", "3102", "3103", "3104", "3105", "3201", "3202", "3203", "3301", "3302", "3401", "3503")

CURRENCIES = ("CNY", "USD", "EUR", "HKD")
_MIDDLE = {"USD": 71200, "EUR": 77600, "HKD": 9140}  # CNY for one unit, in 1/10000
# Transfer price in basis points at each knot of the term, in the year of the as-of date; 15 more for each
# year before.
_KNOTS = (1, 7, 30, 90, 180, 365, 730, 1095, 1825, 3650)
_CURVES = {
    "CNY": (120, 130, 142, 155, 165, 178, 190, 205, 220, 242),
    "USD": (410, 410, 405, 395, 385, 370, 355, 350, 350, 360),
    "EUR": (195, 196, 198, 200, 203, 208, 218, 228, 240, 260),
    "HKD": (320, 325, 330, 330, 325, 320, 315, 315, 320, 330),
}
# A foreign deposit pays so much less than its transfer price, in basis points.
FOREIGN_MARGIN = {"USD": 90, "EUR": 120, "HKD": 100}


def percent(basis_points: int) -> str:
    return f"{basis_points // 100}.{basis_points % 100:02d}"


def transfer_price(currency: str, days: int, agreed_in: int, year: int) -> int:
    """Basis points for money of ``days`` agreed in the year ``agreed_in``, as the curves published in
    rates.csv say."""
    knot = max(n for n, knot in enumerate(_KNOTS) if knot <= max(days, 1))
    return _CURVES[currency][knot] + 15 * min(max(year - agreed_in, 0), 5)


def product_rows() -> list[list[str]]:
    return [[p.code, p.name, p.family, p.risk, p.fee] for p in PRODUCTS.values()]


def _middle_rate(currency: str, number: int) -> str:
    """A slow swing of ±2 % around the middle: no chance in it, so that any day can be asked alone."""
    swing = (number * 37) % 200 - 100 if (number * 37) // 200 % 2 else 100 - (number * 37) % 200
    rate = _MIDDLE[currency] * (10_000 + 2 * swing)
    return f"{rate // 100_000_000}.{rate // 10_000 % 10_000:04d}"


def rate_rows(horizon: Horizon) -> list[tuple[int, list[str]]]:
    """(batch, row): transfer curves of six years, exchange rates (CNY for one unit) at month ends and on
    each night."""
    year = horizon.as_of.year
    rows = []
    for begins in range(year - 5, year + 1):
        for currency in CURRENCIES:
            for knot in _KNOTS:
                price = percent(transfer_price(currency, knot, begins, year))
                # A curve of this January must not be known before its day.
                batch = horizon.batch[max(0, horizon.number(date(begins, 1, 1)))]
                rows.append((batch, ["transfer", currency, str(knot), f"{begins}-01-01", price]))
    ends = [
        horizon.number(add_months(horizon.start.replace(day=1), n)) - 1 for n in range(horizon.months + 2)
    ]
    days = sorted({n for n in ends if n <= horizon.last} | set(range(horizon.full, horizon.last + 1)))
    for number in days:
        for currency in CURRENCIES[1:]:
            rows.append(
                (
                    horizon.batch[max(0, number)],
                    ["fx", currency, "0", horizon.text(number), _middle_rate(currency, number)],
                )
            )
    return rows
