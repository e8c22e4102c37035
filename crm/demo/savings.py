"""What customers put by: term deposits that mature and roll over, notice deposits, wealth, funds,
insurance, gold, bonds."""

from crm.demo.catalogue import INVESTMENTS, PRODUCTS, TERM_DEPOSITS
from crm.demo.parties import Party, hundreds, pick

# How often which term is chosen: short ones by most, long ones by the careful.
_TERMS = ("1203",) * 3 + ("1206",) * 4 + ("1212",) * 8 + ("1224",) * 3 + ("1236",) * 4 + ("1260",)
_LEAST = 1_000_00


def _interest(account, cents: int, days: int) -> int:
    return int(cents * float(account.rate) * days / 36_500 + 0.5)


def fill(
    party: Party, account, day: int, cents: int, kind: str = "transfer_out", memo: str = "转存定期"
) -> None:
    """Bring the first money into an account: as an opening balance, or from the main account on the day."""
    account.principal = f"{cents // 100}.00"
    if day < 0:
        party.inherit(account, cents)
    else:
        party.move_in(day, 36_000 + int(party.rng.random() * 18_000), cents, account, kind, memo)


def term_deposits(party: Party, cents: int) -> None:
    """Split ``cents`` into one to four deposits at random places of their term; some roll over, some were
    paid out."""
    rng, horizon = party.rng, party.horizon
    count = 1 + int(rng.random() * min(4, 1 + cents // 50_000_00))
    for _ in range(count):
        share = hundreds(cents / count * (0.6 + 0.8 * rng.random()))
        if share < _LEAST:
            continue
        product = pick(rng, _TERMS)
        days = PRODUCTS[product].days
        began = party.until - int(rng.random() * days)
        if began <= party.opened:
            began = min(party.opened + 1, party.until)
        earlier = began - days
        if rng.random() < 0.5 and began > 0 and earlier > party.opened:
            account = party.open(product, earlier)
            fill(party, account, earlier, share)
            account.matures = horizon.text(began)
            account.change(began, "matures", horizon.text(began + days))
            account.book(began, 120, _interest(account, share, days), "interest_credit,batch,,,,到期自动转存")
        else:
            account = party.open(product, began)
            fill(party, account, began, share)
            account.matures = horizon.text(began + days)
    if rng.random() < 0.3:
        ends = party.first + 1 + int(rng.random() * max(1, party.until - party.first))
        paid_out(party, hundreds(cents / (count + 1)) or _LEAST, ends, pick(rng, TERM_DEPOSITS[:4]))


def paid_out(party: Party, cents: int, ends: int, product: str) -> None:
    """A deposit that matured on day ``ends`` of the history and went back to the main account."""
    horizon, days = party.horizon, PRODUCTS[product].days
    if ends > party.until or ends - days <= party.opened:
        return
    account = party.open(product, ends - days)
    fill(party, account, ends - days, cents)
    account.matures = horizon.text(ends)
    party.move_out(ends, 180, cents, account, "transfer_in", "定期到期", _interest(account, cents, days))
    account.close(ends, horizon)


def notice_deposit(party: Party, cents: int) -> None:
    account = party.open("1307", party.first - 90 if party.opened < -90 else party.first)
    fill(party, account, account.opened, hundreds(cents), memo="转存通知存款")
    party.settle_interest(account)


def structured_deposit(party: Party, cents: int) -> None:
    days = PRODUCTS["1501"].days
    began = max(party.opened, party.until - int(party.rng.random() * days))
    account = party.open("1501", began)
    account.matures = party.horizon.text(began + days)
    fill(party, account, began, hundreds(cents), "purchase", "认购结构性存款")


def investments(party: Party, cents: int, tolerance: int) -> None:
    """Spread ``cents`` over products of a risk he may bear; one in forty is above it, for somebody to
    find."""
    rng, horizon = party.rng, party.horizon
    fitting = [code for code in INVESTMENTS if int(PRODUCTS[code].risk[1]) <= tolerance]
    count = 1 + int(rng.random() * min(4, 1 + cents // 100_000_00))
    for _ in range(count):
        share = hundreds(cents / count * (0.5 + rng.random()))
        if share < _LEAST:
            continue
        product = PRODUCTS[pick(rng, INVESTMENTS if rng.random() < 0.025 else fitting)]
        age = int(rng.random() * (product.days or 900))
        began = max(party.opened, party.until - age)
        account = party.open(product.code, began)
        insured = product.family == "insurance"
        fill(
            party,
            account,
            began,
            share,
            "insurance_premium" if insured else "purchase",
            "首期保费" if insured else f"购买{product.name}",
        )
        if product.days:
            account.matures = horizon.text(began + product.days)
        elif insured:
            for day in range(began + 365, party.until + 1, 365):
                if day > 0:
                    party.move_in(day, 33_000, share // 5, account, "insurance_premium", "续期保费")
        else:
            _redeem_some(party, account, max(0, began), share)
    if rng.random() < 0.35 and cents > 20_000_00:
        _matured(party, hundreds(cents * 0.4), tolerance)


def _redeem_some(party: Party, account, since: int, share: int) -> None:
    rng = party.rng
    if rng.random() < 0.3 and since + 20 < party.until:
        day = since + 20 + int(rng.random() * (party.until - since - 20))
        part = hundreds(share * (0.2 + 0.5 * rng.random()))
        if part:
            party.move_out(day, 32_000, part, account, "redemption", "赎回")


def _matured(party: Party, cents: int, tolerance: int) -> None:
    """A closed-end wealth product that came to its end in the history."""
    rng, horizon = party.rng, party.horizon
    product = PRODUCTS["3102" if tolerance < 3 else pick(rng, ("3102", "3103"))]
    ends = party.first + 1 + int(rng.random() * max(1, party.until - party.first))
    began = ends - product.days
    if ends > party.until or began <= party.opened:
        return
    account = party.open(product.code, began)
    fill(party, account, began, cents, "purchase", f"购买{product.name}")
    account.matures = horizon.text(ends)
    gain = int(cents * (0.01 + 0.025 * rng.random()) * product.days / 365)
    party.move_out(ends, 200, cents, account, "redemption", "理财到期", gain)
    account.close(ends, horizon)
