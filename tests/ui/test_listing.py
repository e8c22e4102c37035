"""The shared list: keyset pages that visit every row once, filters that keep names out of addresses."""

import datetime

import pytest
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.core import keyset
from crm.core.listing import Filter, Listing, Sort, respond
from crm.core.models import Branch, Staff

pytestmark = pytest.mark.django_db

SORTS = {
    "number": Sort(("branch_no",)),
    "name": Sort(("name", "id")),
    "opened": Sort(("-opened_on", "id")),
    "region": Sort(("region_code", "-opened_on", "name", "-id")),
    "latest": Sort(("-name", "-id")),
    "parent": Sort(("parent__opened_on", "-id")),
}
LISTING = Listing(
    name="branches",
    sorts=SORTS,
    default="name",
    filters=(
        Filter("q", "Name", narrow=lambda rows, value: rows.filter(name__contains=value), private=True),
        Filter(
            "kind",
            "Kind",
            narrow=lambda rows, value: rows.filter(kind=value),
            choices=(("branch", "branch"), ("outlet", "outlet")),
        ),
    ),
    size=5,
)

DAYS = st.one_of(st.none(), st.dates(datetime.date(2020, 1, 1), datetime.date(2020, 1, 4)))
ROW = st.tuples(st.sampled_from(["甲", "乙", "丙"]), st.one_of(st.none(), st.sampled_from("ab")), DAYS)
LONG_ENOUGH = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def make(rows):
    """Branches of their own source; returns the queryset of exactly these."""
    Branch.objects.filter(source="listing").update(parent=None)
    Branch.objects.filter(source="listing").delete()
    made = []
    for index, (name, region, opened) in enumerate(rows):
        parent = made[index // 2] if index % 3 else None
        made.append(
            Branch.objects.create(
                branch_no=f"L{index:03d}",
                name=name,
                kind="branch" if index % 2 else "outlet",
                region_code=region,
                opened_on=opened,
                parent=parent,
                source="listing",
            )
        )
    return Branch.objects.filter(source="listing")


def ask(rows, post=False, **parameters):
    factory = RequestFactory()
    request = factory.post("/list/", parameters) if post else factory.get("/list/", parameters)
    return LISTING.page(request, rows)


def in_order(rows, columns):
    """The rows as Python sorts them: an oracle that shares nothing with the database's ORDER BY."""
    found = list(rows.select_related("parent"))

    def value(row, name):
        for part in name.split("__"):
            row = None if row is None else getattr(row, part)
        return row

    for column in reversed(columns):
        name, descending = column.lstrip("-"), column.startswith("-")
        with_value = [row for row in found if value(row, name) is not None]
        without = [row for row in found if value(row, name) is None]
        found = sorted(with_value, key=lambda row: value(row, name), reverse=descending) + without
    return [row.pk for row in found]


def turned_round(columns):
    return [column[1:] if column.startswith("-") else f"-{column}" for column in columns]


@LONG_ENOUGH
@given(st.lists(ROW, max_size=14), st.sampled_from(sorted(SORTS)), st.booleans(), st.integers(1, 6))
def test_paging_through_visits_every_row_exactly_once_in_order(db, made, sort, reverse, size):
    rows = make(made)
    columns = turned_round(SORTS[sort].columns) if reverse else SORTS[sort].columns
    expected = in_order(rows, columns)
    parameters = {"sort": f"-{sort}" if reverse else sort, "size": size}
    page = ask(rows, **parameters)
    pages, seen = [page], [row.pk for row in page.rows]
    while page.next:
        page = ask(rows, after=page.next.value, **parameters)
        assert page.rows and not page.restarted
        seen += [row.pk for row in page.rows]
        pages.append(page)
    assert seen == expected
    # And back again: each step gives the page before it.
    for earlier in reversed(pages[:-1]):
        page = ask(rows, before=page.previous.value, **parameters)
        assert [row.pk for row in page.rows] == [row.pk for row in earlier.rows]
    assert page.previous is None


def test_rows_added_before_the_place_do_not_show_a_row_twice():
    rows = make([("乙", None, None)] * 8)
    first = ask(rows)
    Branch.objects.create(branch_no="L900", name="A", kind="branch", source="listing")
    second = ask(rows, after=first.next.value)
    assert not {row.pk for row in first.rows} & {row.pk for row in second.rows}


def test_a_row_that_left_the_list_starts_it_again_and_says_so():
    rows = make([("乙", None, None)] * 8)
    first = ask(rows)
    first.rows[-1].delete()
    again = ask(rows, after=first.next.value)
    assert again.restarted
    assert again.previous is None and len(again.rows) == 5


@pytest.mark.parametrize("cursor", ["1", "x:y", "", "IjEi:1abc:forged", "\x00"])
def test_a_forged_cursor_is_not_followed(cursor):
    rows = make([("乙", None, None)] * 8)
    assert [row.pk for row in ask(rows, after=cursor).rows] == [row.pk for row in ask(rows).rows]


def test_a_cursor_of_another_list_is_not_followed():
    rows = make([("乙", None, None)] * 8)
    other = Listing(name="other", sorts=SORTS, default="name", size=2).page(RequestFactory().get("/"), rows)
    assert ask(rows, after=other.next.value).restarted


def test_no_address_carries_what_was_searched_or_who_was_found():
    rows = make([("乙", None, None)] * 8 + [("甲", None, None)] * 8)
    page = ask(rows, post=True, q="甲", kind="branch")
    assert page.posts and {row.name for row in page.rows} == {"甲"}
    addresses = [page.address, *(chip.query for chip in page.chips)]
    addresses += [step.query for step in (page.first, page.previous, page.next) if step]
    for address in addresses:
        assert "甲" not in address and "%E7" not in address and "q=" not in address


def test_a_private_filter_in_the_address_is_ignored():
    rows = make([("乙", None, None), ("甲", None, None)])
    assert len(ask(rows, q="甲").rows) == 2


def test_the_page_says_nothing_about_people_when_it_is_printed_in_a_report():
    rows = make([("乙", None, None), ("甲", None, None)])
    text = repr(ask(rows, post=True, q="甲"))
    assert "甲" not in text and "乙" not in text


@pytest.mark.parametrize(
    ("asked", "given"),
    [("1", 1), ("200", 200), ("201", 200), ("0", 1), ("-5", 1), ("x", 5), ("", 5), ("9" * 30, 200)],
)
def test_the_size_of_a_page_is_between_1_and_200(asked, given):
    assert ask(make([]), size=asked).size == given


@pytest.mark.parametrize("sort", ["password", "--name", "", "-", "name__id", "opened_on"])
def test_only_declared_sorts_are_followed(sort):
    assert ask(make([("乙", None, None)]), sort=sort).sort == "name"


def test_an_unknown_choice_is_ignored():
    rows = make([("乙", None, None), ("甲", None, None)])
    page = ask(rows, kind="head_office'--")
    assert len(page.rows) == 2 and page.chips == []


def test_the_count_says_when_it_is_not_exact():
    rows = make([("乙", None, None)] * 9)
    capped = Listing(name="few", sorts=SORTS, default="name", cap=4).page(RequestFactory().get("/"), rows)
    assert (capped.count.number, capped.count.capped) == (4, True)
    assert (ask(rows).count.number, ask(rows).count.capped) == (9, False)


@pytest.mark.parametrize("rows_made", [3, 30])
def test_a_page_takes_the_same_three_queries_at_any_length(rows_made, django_assert_num_queries):
    rows = make([("乙", None, None)] * rows_made)
    cursor = (
        Listing(name="branches", sorts=SORTS, default="name", size=1)
        .page(RequestFactory().get("/"), rows)
        .next
    )
    with django_assert_num_queries(3):
        page = ask(rows, after=cursor.value)
        assert page.count.number == rows_made


def test_a_sort_without_unknowns_walks_the_index_by_row_comparison():
    order = keyset.terms(Staff.objects.all(), ("branch__branch_no", "employee_no"))
    sql = str(Staff.objects.filter(keyset.beyond(order, ("B1", "E1"))).query)
    assert '("core_branch"."branch_no", "core_staff"."employee_no") > (' in sql


def test_the_direction_shown_is_the_direction_of_the_figures():
    rows = make([])
    assert ask(rows, sort="opened").sorted_by("opened") == "descending"
    assert ask(rows, sort="-opened").sorted_by("opened") == "ascending"
    assert ask(rows, sort="name").sorted_by("opened") == ""
    assert (ask(rows, sort="opened").turned("opened"), ask(rows).turned("opened")) == ("-opened", "opened")


def htmx_request(target=None, post=None):
    request = RequestFactory().post("/list/", post) if post is not None else RequestFactory().get("/list/")
    request.htmx = type("Htmx", (), {"target": target, "__bool__": lambda self: target is not None})()
    return request


def test_a_search_for_nothing_becomes_an_address_that_can_be_kept():
    request = htmx_request(post={"q": "", "kind": "branch"})
    answer = respond(request, LISTING.page(request, make([])), "x.html", "_x.html")
    assert (answer.status_code, answer["Location"]) == (302, "/list/?kind=branch")
