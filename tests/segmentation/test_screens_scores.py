"""The pages that show why a customer's scores are what they are, and the list that chooses by them."""

import datetime
import re
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from django.urls import reverse

from crm.core.models import User
from customers.models import Account
from segmentation import scorecard, selections
from segmentation.models import Life, Loyalty, PeerFigure, RelatedShare, Standing
from segmentation.policy import Policy
from tests.bank import LAST_DAY
from tests.segmentation.rows import Hand, run_night

pytestmark = pytest.mark.django_db
NEXT_DAY = LAST_DAY + datetime.timedelta(days=1)
HTMX = {"HX-Request": "true"}


class Figures(HTMLParser):
    """Collects, row by row, the exact values of the ``<data>`` in each cell with a label."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[dict[str, str]] = []
        self.label = ""

    def handle_starttag(self, tag, attrs) -> None:
        given = dict(attrs)
        if tag == "tr":
            self.rows.append({"class": given.get("class") or ""})
        elif tag == "td":
            self.label = given.get("data-label") or ""
        elif tag == "data" and self.label and self.rows:
            self.rows[-1].setdefault(self.label, given["value"])


def signed_in(client, bank, username: str, language: str = "en") -> User:
    User.objects.filter(username=username).update(language=language)
    client.force_login(getattr(bank, username), backend="crm.core.sessions.AccountBackend")
    return getattr(bank, username)


def standing_of(bank, number: str) -> Standing:
    return Standing.rows.filter(customer=bank.customer(number)).latest("as_of")


def page_of(bank, name: str, number: str = "C001", *parts: str) -> str:
    return reverse(name, args=[bank.customer(number).pk, *parts])


def numbers(answer) -> list[str]:
    return [row.customer.customer_no for row in answer.context["page"].rows]


# --- the head -----------------------------------------------------------------------------------------


def test_the_head_says_the_three_scores_beside_the_peers(bank, client):
    signed_in(client, bank, "ann")
    content = client.get(page_of(bank, "customer")).text
    scores = re.findall(r'class="score-card".*?</a>', content, flags=re.DOTALL)
    assert len(scores) == 3
    at = standing_of(bank, "C001")
    for text, column in zip(scores, scorecard.COLUMNS.values(), strict=True):
        assert f'value="{getattr(at, column)}"' in text
    means = PeerFigure.objects.filter(
        run_id=at.run_id, peer_id=at.peer_id, figure__in=scorecard.SCORE_COLUMNS
    )
    assert content.count('<line class="peer"') == means.filter(n__gte=3).count() == 3


def test_the_mean_of_fewer_than_three_peers_is_not_told(bank, client):
    at = standing_of(bank, "C001")
    PeerFigure.objects.filter(run_id=at.run_id, peer_id=at.peer_id).update(n=2)
    signed_in(client, bank, "ann")
    for name in ("customer", "customer_loyalty", "customer_contribution"):
        assert 'class="peer"' not in client.get(page_of(bank, name)).text


@pytest.mark.parametrize("username", ["tess", "lou"])
def test_the_counter_sees_no_score(bank, client, username):
    signed_in(client, bank, username)
    assert "score-card" not in client.get(page_of(bank, "customer")).text
    for name in ("customer_loyalty", "customer_risk", "customer_contribution"):
        assert client.get(page_of(bank, name)).status_code == 403
    assert client.get(page_of(bank, "customer_score_line", "C001", "loyalty", "tenure")).status_code == 403


def test_what_nobody_knows_is_unknown_and_not_zero(bank, client):
    at = standing_of(bank, "C001")
    unknown = {"loyalty": None, "loyalty_coverage": 0, "loyalty_percentile": None}
    Standing.rows.filter(run_id=at.run_id, customer_id=at.customer_id).update(**unknown)
    Loyalty.rows.filter(run_id=at.run_id, customer_id=at.customer_id).update(score=None, coverage=0)
    signed_in(client, bank, "ann")
    head = client.get(page_of(bank, "customer")).text
    assert "none of its inputs has been delivered" in head
    tab = client.get(page_of(bank, "customer_loyalty"))
    assert tab.status_code == 200 and "not zero, unknown" in tab.text


def test_a_score_that_moved_since_the_night_before_is_marked(bank, client):
    signed_in(client, bank, "ann")
    assert "score-card-change" not in client.get(page_of(bank, "customer")).text
    Hand(NEXT_DAY, first=False)
    run_night(NEXT_DAY)
    at = standing_of(bank, "C001")
    Standing.rows.filter(run_id=at.run_id, customer_id=at.customer_id).update(loyalty=at.loyalty - 3)
    content = client.get(page_of(bank, "customer")).text
    [mark] = re.findall(r'class="score-card-change ([a-z-]+)"', content)
    assert mark == "loyalty-down"


# --- the ledgers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("score", ["loyalty", "risk"])
@pytest.mark.parametrize("number", ["C001", "C002", "C003", "C006", "C011", "C101", "C102"])
def test_the_points_on_the_page_add_up_to_the_score(bank, client, score, number):
    signed_in(client, bank, "han")
    figures = Figures()
    figures.feed(client.get(page_of(bank, f"customer_{score}", number)).text)
    lines = [row for row in figures.rows if "Points" in row]
    told = [Decimal(row["Points"]) for row in lines if row["class"] != "total"]
    [total] = [Decimal(row["Points"]) for row in lines if row["class"] == "total"]
    assert len(told) >= 3 and sum(told) == total == getattr(standing_of(bank, number), score)


def test_a_missing_input_is_named(bank, client):
    signed_in(client, bank, "ann")
    answer = client.get(page_of(bank, "customer_loyalty"))
    missing = [line.label for line in answer.context["ledger"].lines if line.missing]
    assert missing and answer.context["unknown"] == missing
    assert answer.text.count('class="is-missing"') == len(missing)


@pytest.mark.parametrize("score", ["loyalty", "risk"])
def test_every_line_leads_to_what_is_behind_it(bank, client, score):
    signed_in(client, bank, "han")
    answer = client.get(page_of(bank, f"customer_{score}", "C003"))
    ways = [row.href for row in answer.context["rows"] if row.href]
    assert ways
    for href in ways:
        page = client.get(href)
        assert page.status_code == 200 and "<html" in page.text


def test_the_accounts_behind_a_part_of_the_contribution_add_up_to_it(bank, client):
    signed_in(client, bank, "ann")
    tab = client.get(page_of(bank, "customer_contribution"))
    for row in tab.context["rows"]:
        # Managers' minutes and the tax are the customer's, not an account's.
        if row.href and row.line.code not in ("operation", "tax"):
            assert client.get(row.href).context["total"] == row.line.points, row.line.code


def test_a_line_is_a_page_of_its_own_and_a_part_for_the_page_above_it(bank, client):
    signed_in(client, bank, "ann")
    href = page_of(bank, "customer_score_line", "C001", "loyalty", "activity")
    part = client.get(href, headers={**HTMX, "HX-Target": "behind-activity"})
    assert "<html" not in part.text and reverse("account", args=[bank.account("C001CNYDD01").pk]) in part.text
    assert "<html" in client.get(href).text


@pytest.mark.parametrize("parts", [("happiness", "tenure"), ("loyalty", "overdue"), ("risk", "tenure")])
def test_a_line_that_no_score_has_is_not_there(bank, client, parts):
    signed_in(client, bank, "ann")
    assert client.get(page_of(bank, "customer_score_line", "C001", *parts)).status_code == 404
    assert client.get(page_of(bank, "customer_score", "C001", "happiness")).status_code == 404


# --- what changed ---------------------------------------------------------------------------------------


def test_a_change_is_told_line_by_line_and_each_leads_to_its_accounts(bank, client):
    account: Account = bank.account("C001CNYDD01")
    Hand(NEXT_DAY, first=False).bookings(account, [(NEXT_DAY, "-10", "transfer_out", "mobile")])
    run_night(NEXT_DAY)
    signed_in(client, bank, "ann")
    answer = client.get(page_of(bank, "customer_score", "C001", "loyalty"))
    since = answer.context["since"][0]
    assert since.on == LAST_DAY and since.change == sum(change.points for change, _href in since.changes)
    [href] = [href for change, href in since.changes if change.code == "activity"]
    assert href in answer.text and reverse("account", args=[account.pk]) in client.get(href).text


def test_before_a_second_night_nothing_can_have_changed(bank, client):
    signed_in(client, bank, "ann")
    answer = client.get(page_of(bank, "customer_score", "C001", "risk"))
    assert answer.context["since"] == [] and "No earlier night" in answer.text


def test_the_months_are_drawn_with_a_table_beside_them(bank, client):
    Hand(NEXT_DAY, first=False)
    run_night(NEXT_DAY)
    signed_in(client, bank, "ann")
    part = client.get(
        page_of(bank, "customer_score", "C001", "loyalty"), headers={**HTMX, "HX-Target": "score-story"}
    )
    assert "<html" not in part.text and "data-option=" in part.text
    assert LAST_DAY.isoformat() in part.text and NEXT_DAY.isoformat() in part.text


# --- the list -------------------------------------------------------------------------------------------


def test_the_list_is_sorted_by_each_score(bank, client):
    signed_in(client, bank, "han")
    for name in ("loyalty", "risk", "contribution", "assets", "related"):
        answer = client.get(reverse("customers"), {"sort": name, "columns": "scores"})
        column = {"assets": "asset_month_sum", "related": "related_contribution"}.get(name, name)
        shown = [getattr(row.standing, column) for row in answer.context["page"].rows]
        known = [value for value in shown if value is not None]
        assert len(shown) > 10 and known == sorted(known, reverse=True) == shown[: len(known)]


def test_the_list_keeps_what_was_chosen_in_its_address(bank, client):
    signed_in(client, bank, "han")
    chosen = {"life": "active", "r": "5", "enterprise": "unknown", "columns": "scores", "sort": "risk"}
    page = client.get(reverse("customers"), chosen).context["page"]
    assert all(f"{name}={value}" in page.address for name, value in chosen.items())
    nonsense = {"life": "merry", "r": "6", "enterprise": "huge", "columns": "all", "sort": "luck"}
    plain = client.get(reverse("customers"), nonsense).context["page"]
    assert plain.address == reverse("customers") + "?" and plain.columns == ""


@pytest.mark.parametrize("life", Life.values)
def test_the_list_is_narrowed_to_a_life_stage_and_to_a_cell_of_recency_frequency_and_money(
    bank, client, life
):
    signed_in(client, bank, "han")
    rows = Standing.objects.visible_to(bank.han).filter(as_of=LAST_DAY, life=life)
    cells = {(row.recency_rank, row.frequency_rank, row.money_rank) for row in rows}
    for r, f, m in cells:
        answer = client.get(reverse("customers"), {"life": life, "r": r, "f": f, "m": m})
        expected = rows.filter(recency_rank=r, frequency_rank=f, money_rank=m)
        assert set(numbers(answer)) == set(expected.values_list("customer__customer_no", flat=True))


def test_high_quality_is_above_the_peers_in_value_and_loyalty_and_below_them_in_risk(bank, client):
    signed_in(client, bank, "han")
    everybody = Standing.objects.visible_to(bank.han).filter(as_of=LAST_DAY)
    run = everybody.first().run_id
    [best, riskiest] = everybody.filter(kind="individual", is_closed=False).order_by("pk")[:2]
    # Two who are above in everything; only one of them is below in risk.
    for row, risk in ((best, "0"), (riskiest, "99")):
        Standing.rows.filter(run_id=run, customer_id=row.customer_id).update(
            contribution="999999", loyalty="99", risk=risk
        )
    means = {(figure.peer_id, figure.figure): figure.mean for figure in PeerFigure.objects.filter(run_id=run)}
    expected = {
        row.customer.customer_no
        for row in everybody.select_related("customer").filter(is_closed=False)
        if (row.peer_id, "loyalty") in means and row.loyalty is not None and row.risk is not None
        if row.contribution > means[row.peer_id, "contribution"]
        and row.loyalty > means[row.peer_id, "loyalty"]
        and row.risk < means[row.peer_id, "risk"]
    }
    found = set(numbers(client.get(reverse("customers"), {"quality": "high"})))
    assert best.customer.customer_no in found and riskiest.customer.customer_no not in found
    assert found == expected


POLICY = Policy(
    {
        "near_threshold_share": "0.10",
        "tier_downgrade_share": "0.90",
        "personal_tiers": [["ordinary", "0"], ["gold", "50000"]],
        "corporate_tiers_by_contribution": [["inefficient", "0"], ["general", "0"], ["quality", "200000"]],
        "corporate_tiers_by_deposit": [["quality", "5000000"]],
    }
)
DAYS = 304  # of the year to 31 October


@pytest.mark.parametrize(
    ("which", "facts", "found"),
    [
        ("up", {"next_tier": "gold", "next_gap": "5000"}, True),
        ("up", {"next_tier": "gold", "next_gap": "5000.01"}, False),
        ("up", {"next_tier": "", "next_gap": None}, False),
        ("down", {"tier": "gold", "drop_gap": "5000"}, True),
        ("down", {"tier": "gold", "drop_gap": "-200"}, True),
        ("down", {"tier": "gold", "drop_gap": "5000.01"}, False),
        ("down", {"tier": "gold", "drop_gap": "0", "protected_until": NEXT_DAY}, False),
        ("down", {"tier": "gold", "drop_gap": "0", "is_closed": True}, False),
        ("up", {"kind": "corporate", "next_tier": "quality", "next_gap": "20000"}, True),
        ("up", {"kind": "corporate", "next_tier": "quality", "next_gap": "20001"}, False),
        # The gap is the deposits': 4.6 million of five.
        ("up", {"kind": "corporate", "next_tier": "quality", "next_gap": "400000", "deposit_year_sum": 4_600_000 * DAYS}, True),
        ("up", {"kind": "corporate", "next_tier": "quality", "next_gap": "600000", "deposit_year_sum": 4_400_000 * DAYS}, False),
        # The line is at 4.5 million of deposits, a tenth of the floor is half a million.
        ("down", {"kind": "corporate", "tier": "quality", "drop_gap": "400000", "deposit_year_sum": 4_900_000 * DAYS}, True),
        ("down", {"kind": "corporate", "tier": "quality", "drop_gap": "600000", "deposit_year_sum": 5_100_000 * DAYS}, False),
        ("down", {"kind": "corporate", "tier": "quality", "drop_gap": "400000", "deposit_year_sum": 1_000_000 * DAYS}, False),
    ],
)  # fmt: skip
def test_near_a_tier_is_within_a_tenth_of_its_floor(bank, which, facts, found):
    at = standing_of(bank, "C001")
    plain = {
        "kind": "individual",
        "next_tier": "",
        "next_gap": None,
        "drop_gap": None,
        "protected_until": None,
    }
    row = Standing.rows.filter(run_id=at.run_id, customer_id=at.customer_id)
    row.update(**{**plain, "deposit_year_sum": 0, **facts})
    assert selections.near(row, which, POLICY, LAST_DAY).exists() is found


def test_the_counter_cannot_choose_by_what_it_may_not_see(bank, client):
    signed_in(client, bank, "tess")
    plain = numbers(client.get(reverse("customers")))
    for chosen in ({"life": "lost"}, {"quality": "high"}, {"r": "1"}, {"near": "up"}, {"sort": "loyalty"}):
        answer = client.get(reverse("customers"), chosen)
        assert numbers(answer) == plain and not answer.context["page"].chips


# --- who is related -------------------------------------------------------------------------------------


def related_of(bank, client, username: str, number: str) -> str:
    signed_in(client, bank, username)
    answer = client.get(reverse("customers"), {"columns": "money", "size": "200"})
    [row] = re.findall(rf"<tr>(?:(?!</tr>).)*>{number}<.*?</tr>", answer.text, flags=re.DOTALL)
    return row


def test_what_one_or_two_hidden_customers_bring_is_not_told(bank, client):
    at = standing_of(bank, "C101")
    members = set(
        RelatedShare.rows.filter(run_id=at.run_id, customer_id=at.customer_id).values_list(
            "member__customer_no", flat=True
        )
    )
    assert members and at.related_contribution != at.contribution
    # Head office sees them all; C102 is another manager's.
    assert "C102" in members and "out of scope" not in related_of(bank, client, "han", "C101")
    assert "out of scope" in related_of(bank, client, "ann", "C101")
    for name in ("customer", "customer_contribution"):
        content = client.get(page_of(bank, name, "C101")).text
        assert "out of scope" in content and str(at.related_contribution) not in content
    # Nor by the order they would stand in.
    listed = client.get(reverse("customers"), {"sort": "related"})
    assert listed.context["page"].sort == "name"
