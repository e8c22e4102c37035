"""The list of alerts, the homes and a customer's own: told to those who see the customer, as sentences, each number its rows."""

import datetime
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from crm.core import clock
from crm.core.models import Run, User
from segmentation import alerts, nights
from segmentation.models import Alert, PublishedNight
from segmentation.models.signals import AlertKind, Level
from tests.bank import LAST_DAY
from tests.core.test_scope import SEEN_BY

pytestmark = pytest.mark.django_db
LIST = "/alerts/"


def run_of(day: datetime.date, *, published: bool = True) -> Run:
    """The published run of a day, or an attempt of it nobody ever saw."""
    night = PublishedNight.objects.filter(business_date=day).first()
    if night is not None and published:
        return night.run
    attempt = Run.objects.filter(kind="night", business_date=day).count() + 1
    run = Run.objects.create(
        kind="night", business_date=day, attempt=attempt, state="done", created_at=clock.now()
    )
    if published:
        PublishedNight.objects.create(
            business_date=day, run=run, customers=1, base_currency="CNY", published_at=clock.now(), kept=False
        )
    return run


def tell(customer, kind: str = "deposits_down", *, days: int = 0, published: bool = True, **facts) -> Alert:
    """An alert told ``days`` before the bank's last night."""
    on = LAST_DAY - datetime.timedelta(days=days)
    return Alert.rows.create(
        run=run_of(on, published=published), raised_on=on, customer=customer, kind=kind,
        **{"level": "yellow", "amount": Decimal("1000.00"), **facts},
    )  # fmt: skip


@pytest.fixture
def quiet(bank):
    """The small bank without what its own night found."""
    Alert.rows.all().delete()
    return bank


def shown(client, **query) -> list[Alert]:
    return [row.alert for row in client.get(LIST, query).context["page"].rows]


@pytest.mark.parametrize("username", ["ann", "bob", "cai", "dora", "eva", "rita", "han", "petra", "mira"])
def test_an_alert_is_told_to_those_who_see_the_customer(quiet, client, username):
    for number in ("C001", "C002", "C003", "C005", "C008", "C101"):
        tell(quiet.customer(number))
    client.force_login(getattr(quiet, username))
    told = {alert.customer.customer_no for alert in shown(client)}
    assert told == SEEN_BY[username] & {"C001", "C002", "C003", "C005", "C008", "C101"}


@pytest.mark.parametrize("username", ["tess", "lou", "clara", "audi", "adam", "sean"])
def test_who_has_no_business_with_alerts_gets_none(quiet, client, username):
    client.force_login(getattr(quiet, username))
    assert client.get(LIST).status_code == 403


def test_the_list_begins_with_the_gravest_and_among_them_the_most_money(quiet, client):
    ann = quiet.customer("C001")
    for place, (level, amount) in enumerate(
        [
            ("note", "9"),
            ("red", "1"),
            ("yellow", None),
            ("red", "5"),
            ("yellow", "7"),
            ("orange", "2"),
            ("blue", "8"),
        ]
    ):
        tell(ann, AlertKind.values[place], level=level, amount=amount and Decimal(amount))
    client.force_login(quiet.ann)
    assert [(a.level, a.amount) for a in shown(client)] == [
        ("red", 5), ("red", 1), ("orange", 2), ("yellow", 7), ("yellow", None), ("blue", 8), ("note", 9),
    ]  # fmt: skip
    assert [a.amount for a in shown(client, sort="amount")] == [9, 8, 7, 5, 2, 1, None]


def test_what_a_superseded_attempt_told_is_not_shown(quiet, client):
    tell(quiet.customer("C001"), "maturity", published=False)
    tell(quiet.customer("C001"), "large_inflow")
    client.force_login(quiet.ann)
    assert [alert.kind for alert in shown(client)] == ["large_inflow"]


def test_the_list_narrows_by_kind_level_days_customers_branch_and_manager(quiet, client):
    rows = {
        "today": tell(quiet.customer("C001"), "maturity", level="red"),
        "week": tell(quiet.customer("C003"), "large_inflow", days=6, level="note"),
        "month": tell(quiet.customer("C005"), "tier_won", days=29, level="note"),
        "firm": tell(quiet.customer("C102"), "near_up", days=7, level="note"),
    }
    tell(quiet.customer("C001"), "tier_lost", days=30)  # older than the list goes
    client.force_login(quiet.han)
    for query, names in [
        ({}, {"today", "week", "month", "firm"}),
        ({"kind": "maturity"}, {"today"}),
        ({"level": "note"}, {"week", "month", "firm"}),
        ({"days": "1"}, {"today"}),
        ({"days": "7"}, {"today", "week"}),
        ({"of": "corporate"}, {"firm"}),
        ({"branch": "B2"}, {"month", "firm"}),
        ({"manager": "E002"}, {"week"}),
        ({"days": "30", "level": "x", "branch": "?"}, {"today", "week", "month", "firm"}),
    ]:  # fmt: skip
        assert {a.pk for a in shown(client, **query)} == {rows[name].pk for name in names}, query
    client.force_login(quiet.dora)
    assert {a.pk for a in shown(client, branch="B1")} == {rows["month"].pk, rows["firm"].pk}


def test_the_pages_of_the_list_show_each_alert_once(quiet, client):
    for days in range(25):
        tell(quiet.customer("C001"), days=days, amount=None if days % 3 else Decimal(days))
    client.force_login(quiet.ann)
    found, address = [], f"{LIST}?size=4"
    while address:
        page = client.get(address).context["page"]
        found += [row.alert.pk for row in page.rows]
        address = page.next and LIST + page.next.query
    assert len(found) == len(set(found)) == 25


def every_link(counts: alerts.Counts) -> list[tuple[int, str]]:
    found = [(counts.total, counts.all_href), (counts.last_night, counts.last_night_href)]
    found += [(n, href) for _level, _words, n, href in counts.levels]
    for row in counts.rows:
        found += [(row["kind"].count, row["href"]), (row["kind"].last_night, row["last_night_href"])]
        found += [(n, href) for _words, n, href in row["levels"]]
    return found


@pytest.mark.parametrize("username", ["ann", "cai", "rita", "han", "mira"])
def test_every_number_leads_to_exactly_the_alerts_it_counts(quiet, client, username):
    for place, number in enumerate(("C001", "C002", "C003", "C005", "C008", "C101", "C102")):
        for days in (0, 3, 6, 7, 20):
            tell(
                quiet.customer(number),
                AlertKind.values[(place + days) % 13],
                days=days,
                level=Level.values[days % 5],
            )
    client.force_login(getattr(quiet, username))
    home = client.get("/")
    pages = [home] if username == "ann" else [
        home, client.get("/overview/", {"branch": "B1"}), client.get("/overview/", {"kind": "corporate"}),
    ]  # fmt: skip
    for page in pages:
        counts = page.context["told"]
        assert counts.total
        for number, href in every_link(counts):
            assert len(shown(client, **dict(parse_qsl(urlsplit(href).query)))) == number, href


def test_home_begins_with_what_last_night_told_and_then_the_gravest_of_the_week(quiet, client):
    told = [
        tell(quiet.customer("C001"), "large_inflow", level="note"),
        tell(quiet.customer("C002"), "deposits_down", level="red", days=2, amount=Decimal(5)),
        tell(quiet.customer("C101"), "deposits_down", level="red", days=1, amount=Decimal(4)),
        tell(quiet.customer("C001"), "maturity", level="yellow", days=1),
        tell(quiet.customer("C001"), "tier_won", level="note", days=6, amount=Decimal(9)),
    ]
    tell(quiet.customer("C001"), "near_up", level="note", days=6, amount=Decimal(1))  # the sixth
    tell(quiet.customer("C001"), "large_outflow", level="red", days=7)  # older than a week
    tell(quiet.customer("C003"), level="red")  # another manager's
    client.force_login(quiet.ann)
    home = client.get("/")
    assert [row.alert for row in home.context["today"]] == told
    text = home.content.decode()
    assert text.index('id="today-title"') < text.index('class="figures"')


def test_a_supervisor_reads_whose_customer_it_is(quiet, client):
    tell(quiet.customer("C001"))
    tell(quiet.customer("C009"))
    client.force_login(quiet.cai)
    page = client.get("/").content.decode()
    panel = page.split('id="today-title"')[1].split("</section>")[0]
    assert "安宁" in panel and "张伟" in panel and "无客户经理" in panel


SENTENCES = [
    ("deposits_down", {"figure": "0.3400", "amount": "120000.00"},
     "存款比前三个月日均下降 34%（−120,000.00 元）",
     "Deposits are 34% below the day-average of the three months before (−¥120,000.00)"),
    ("deposits_down", {"figure": "5.2900", "amount": "67068.49"},
     "存款已透支，比前三个月日均减少 67,068.49 元",
     "Deposits are overdrawn, ¥67,068.49 below the day-average of the three months before"),
    ("large_outflow", {"figure": "0.9000", "amount": "500000.00"},
     "单日转出 500,000.00 元，占存款的 90%", "¥500,000.00 left on one day, 90% of the deposits"),
    ("large_outflow", {"amount": "500000.00"}, "单日转出 500,000.00 元", "¥500,000.00 left on one day"),
    ("large_outflow", {"figure": "2.2100", "amount": "99243.99"}, "单日转出 99,243.99 元", "¥99,243.99 left on one day"),
    ("large_inflow", {"amount": "500000.00"}, "单日转入 500,000.00 元", "¥500,000.00 came in on one day"),
    ("maturity", {"amount": "200000.00", "due_on": "2026-11-07", "account": "C001CNYTD01"},
     "定期存款 ****TD01 的 200,000.00 元 7 天后（2026-11-07）到期",
     "Term deposit ****TD01: ¥200,000.00 falls due in 7 days (2026-11-07)"),
    ("maturity", {"amount": "1.00", "due_on": "2026-10-31", "account": "C001CNYTD01"},
     "定期存款 ****TD01 的 1.00 元 当天到期", "Term deposit ****TD01: ¥1.00 falls due on the same day"),
    ("first_overdue", {"amount": "9000.00", "figure": "1", "account": "C002CNYML01"},
     "个人住房贷款 ****ML01 首次逾期，已 1 天，欠款 9,000.00 元",
     "Mortgage ****ML01 is overdue for the first time, 1 day by now, ¥9,000.00 owed"),
    ("class_downgraded", {"amount": "9000.00", "was": "normal", "becomes": "substandard", "account": "C002CNYML01"},
     "个人住房贷款 ****ML01 由“正常”下调为“次级”，欠款 9,000.00 元",
     "Mortgage ****ML01 was downgraded from “normal” to “substandard”, ¥9,000.00 owed"),
    ("class_mismatch", {"amount": "9000.00", "figure": "95", "was": "normal", "becomes": "substandard"},
     "某账户 分类为“正常”，但已逾期 95 天，应不优于“次级”，欠款 9,000.00 元",
     "An account is classed “normal” though 95 days overdue ask for “substandard”, ¥9,000.00 owed"),
    ("identity_expiring", {"due_on": "2026-11-01"}, "身份证件 1 天后（2026-11-01）到期",
     "The identity document runs out in 1 day (2026-11-01)"),
    ("identity_expiring", {"due_on": "2026-10-01"}, "身份证件已于 2026-10-01 到期",
     "The identity document ran out on 2026-10-01"),
    ("assessment_expiring", {"due_on": "2026-11-10"}, "风险测评 10 天后（2026-11-10）到期",
     "The risk assessment runs out in 10 days (2026-11-10)"),
    ("tier_won", {"was": "gold", "becomes": "platinum"}, "客户等级由“金卡”升至“白金”",
     "The tier rose from “gold card” to “platinum”"),
    ("tier_lost", {"was": "vip", "becomes": "gold"}, "客户等级由“贵宾”降至“金卡”",
     "The tier fell from “VIP” to “gold card”"),
    ("near_up", {"amount": "20000.00", "was": "gold", "becomes": "platinum"}, "距“白金”还差 20,000.00 元",
     "¥20,000.00 short of “platinum”"),
    ("near_up", {"amount": "0.00", "was": "gold", "becomes": "platinum"}, "已达到“白金”标准，月末调整等级",
     "The figures have reached “platinum”: the tier changes at month end"),
    ("near_down", {"amount": "300.00", "was": "gold", "becomes": "ordinary"}, "距失去“金卡”仅余 300.00 元",
     "¥300.00 above the line from which “gold card” is lost"),
    ("near_down", {"amount": "-300.00", "was": "gold", "becomes": "ordinary"},
     "低于“金卡”保级线 300.00 元，将降为“普通”", "¥300.00 below the line of “gold card”: “ordinary” is next"),
]  # fmt: skip


def test_there_is_a_sentence_for_every_kind():
    assert {kind for kind, *_rest in SENTENCES} == set(AlertKind.values)


@pytest.mark.parametrize(("kind", "facts", "chinese", "english"), SENTENCES)
def test_an_alert_says_in_both_languages_what_happened_by_how_much_and_where(
    quiet, kind, facts, chinese, english
):
    facts = dict(facts)
    account = quiet.account(facts.pop("account")) if "account" in facts else None
    numbers = {name: Decimal(facts.pop(name)) for name in ("amount", "figure") if name in facts}
    if "due_on" in facts:
        facts["due_on"] = datetime.date.fromisoformat(facts["due_on"])
    tell(quiet.customer("C001"), kind, account=account, **{"amount": None, **numbers}, **facts)
    alert = alerts.of_reader(quiet.ann, nights.published()).get()
    with translation.override("zh-hans"):
        assert alerts.sentence(alert) == chinese
    with translation.override("en"):
        assert alerts.sentence(alert) == english


def test_an_alert_lacking_a_figure_still_makes_a_sentence(quiet):
    for kind in AlertKind.values:
        tell(quiet.customer("C001"), kind, amount=None)
    found = alerts.of_reader(quiet.ann, nights.published())
    assert len({alerts.sentence(alert) for alert in found}) == len(AlertKind.values)


@pytest.mark.parametrize("kind", ["near_up", "near_down"])
def test_what_a_firm_lacks_is_not_told_where_it_would_tell_of_a_related_customer_outside_the_scope(
    quiet, client, kind
):
    # C102, a supplier at another branch, counts with C101; C001 is ann's own and nobody's secret.
    facts = {"was": "general", "becomes": "quality", "level": "note"}
    tell(quiet.customer("C101"), kind, amount=Decimal("18178.66"), **facts)
    tell(quiet.customer("C001"), kind, amount=Decimal("300.00"), **facts)
    for username, amounts in (("ann", [300, None]), ("cai", [300, None]), ("rita", [Decimal("18178.66"), 300]),
                              ("han", [Decimal("18178.66"), 300])):  # fmt: skip
        client.force_login(getattr(quiet, username))
        for url in (LIST, f"{LIST}?sort=amount"):
            page = client.get(url)
            assert [row.amount for row in page.context["page"].rows] == amounts, username
            assert ("18,178.66" in page.content.decode()) == (None not in amounts)
    page = client.get(reverse("customer", args=[quiet.customer("C101").pk]))
    assert "18,178.66" in page.content.decode()
    client.force_login(quiet.ann)
    for url in ("/", reverse("customer", args=[quiet.customer("C101").pk])):
        text = client.get(url).content.decode()
        assert "18,178.66" not in text and ("接近“优质客户”" in text or "有降级风险，将降为" in text)


def test_a_customers_own_alerts_are_those_of_ninety_days_newest_first(quiet):
    owner, night = quiet.customer("C001"), nights.published()
    expected = [tell(owner, "maturity", days=days) for days in (0, 5, 89)]
    tell(owner, "maturity", days=90)
    tell(quiet.customer("C002"), "maturity")
    found = alerts.of_customer(quiet.ann, owner.pk, night)
    assert [told.alert for told in found] == expected
    assert (
        alerts.of_customer(quiet.eva, owner.pk, night) == [] == alerts.of_customer(quiet.ann, owner.pk, None)
    )
    html = render_to_string("segmentation/_customer_alerts.html", {"alerts": found})
    assert html.count("<li>") == 3 and found[0].sentence in html
    assert "<li>" not in render_to_string("segmentation/_customer_alerts.html", {"alerts": []})


@pytest.mark.parametrize(
    ("username", "sees"), [("ann", True), ("cai", True), ("han", True), ("clara", False), ("tess", False)]
)
def test_a_customers_page_shows_his_alerts_to_whom_they_concern(quiet, client, username, sees):
    tell(quiet.customer("C001"), "large_inflow", amount=Decimal("500000.00"))
    client.force_login(getattr(quiet, username))
    page = client.get(reverse("customer", args=[quiet.customer("C001").pk])).content.decode()
    assert ("单日转入 500,000.00 元" in page) == sees
    assert ('id="alerts-title"' in page) == sees


def test_an_empty_list_says_what_to_do(quiet, client):
    client.force_login(quiet.ann)
    assert "每晚都会查找" in client.get(LIST).content.decode()
    assert "去掉一个筛选条件" in client.get(LIST, {"kind": "maturity"}).content.decode()
    assert "<ol" not in client.get("/").content.decode().split('id="today-title"')[1].split("</section>")[0]


def test_before_the_first_night_the_page_says_so(bank, client, monkeypatch):
    monkeypatch.setattr(nights, "published", lambda as_of=None: None)
    client.force_login(bank.han)
    for url in (LIST, "/overview/", "/overview/trends/", "/overview/retention/", "/overview/rfm/"):
        assert "尚未跑批" in client.get(url).content.decode(), url


def test_the_list_asks_as_many_questions_for_thirty_alerts_as_for_three(quiet, client):
    counts: dict[tuple, list[int]] = {}
    for rows in (range(3), range(3, 30)):
        for days in rows:
            tell(
                quiet.customer("C001"),
                "maturity",
                days=days % 7,
                account=quiet.account("C001CNYTD01"),
                level="red",
            ) if (days < 7) else tell(quiet.customer("C101"), AlertKind.values[days % 13], days=days // 13)
        for username in ("ann", "cai", "han", "mira"):
            client.force_login(User.objects.get(username=username))
            for url in (LIST, f"{LIST}?kind=maturity&days=7&level=red", "/"):
                with CaptureQueriesContext(connection) as queries:
                    client.get(url, follow=True)
                counts.setdefault((username, url), []).append(len(queries))
    assert all(len(set(found)) == 1 and found[0] <= 12 for found in counts.values()), counts


def test_the_list_is_reached_from_every_page(bank, client):
    client.force_login(bank.ann)
    assert f'href="{reverse("alerts")}"' in client.get("/").content.decode()
