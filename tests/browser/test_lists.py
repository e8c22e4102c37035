"""The shared list in a real browser: sort, search, pages and keys, and what the address shows of it."""

from urllib.parse import unquote

import pytest

STAFF = "/staff/"


def names(person):
    return person.page.locator("#list-staff tbody th").all_inner_texts()


@pytest.fixture
def han(reader):
    person = reader("han")
    person.goto(STAFF)
    person.start()
    return person


def test_a_column_sorts_both_ways_and_says_so(han):
    number = han.page.locator("#list-staff thead a.sort").nth(1)
    han.click(number)
    han.page.wait_for_selector("#list-staff th:nth-child(2)[aria-sort=ascending]")
    ascending = names(han)
    han.click(han.page.locator("#list-staff thead a.sort").nth(1))
    han.page.wait_for_selector("#list-staff th:nth-child(2)[aria-sort=descending]")
    assert names(han) == ascending[::-1]
    assert "sort=-number" in han.page.url


def test_paging_forward_and_back_shows_the_same_people(han):
    han.goto(STAFF + "?size=5")
    first = names(han)
    han.click("[data-step=next]")
    han.page.wait_for_selector("[data-step=prev]")
    second = names(han)
    assert not set(first) & set(second)
    han.click("[data-step=prev]")
    han.page.wait_for_selector("[data-step=prev]", state="detached")
    assert names(han) == first


def test_a_search_by_name_never_reaches_the_address(han):
    han.fill("#list-staff [data-list-search]", "安宁")
    han.press("Enter")
    han.page.wait_for_selector("#list-staff .chip")
    assert names(han) == ["安宁"]
    assert "安宁" not in unquote(han.page.url) and "q=" not in han.page.url
    han.took_at_most(2)


def test_a_search_goes_on_over_pages_and_sorts(han):
    han.goto(STAFF + "?size=5")
    han.fill("#list-staff [data-list-search]", "E0")
    han.press("Enter")
    han.page.wait_for_selector("#list-staff .chip")
    assert len(names(han)) == 5
    first = names(han)
    han.click("button[data-step=next]")
    han.page.wait_for_selector("[data-step=prev]")
    assert not set(first) & set(names(han))
    assert han.page.locator("#list-staff .chip").count() == 1
    han.click(han.page.locator("#list-staff thead button.sort").nth(1))
    han.page.wait_for_selector("#list-staff th:nth-child(2)[aria-sort=ascending]")
    assert han.page.locator("#list-staff .chip").count() == 1
    assert "E0" not in han.page.url


def test_a_filter_is_kept_in_the_address_and_comes_back_with_it(han):
    han.choose("#list-staff select[name=post]", "teller")
    han.page.wait_for_selector("#list-staff .chip")
    assert "post=teller" in han.page.url
    han.goto(han.page.url)
    assert names(han) == ["唐柜员"]
    han.click("#list-staff .chip-remove")
    han.page.wait_for_selector("#list-staff .chip", state="detached")
    assert len(names(han)) > 5


def test_back_asks_the_server_again_and_keeps_nothing_of_the_page(han):
    han.choose("#list-staff select[name=post]", "teller")
    han.page.wait_for_selector("#list-staff .chip")
    han.page.go_back()
    han.page.wait_for_selector("#list-staff .chip", state="detached")
    kept = han.page.evaluate("JSON.stringify(sessionStorage) + JSON.stringify(localStorage)")
    assert "唐柜员" not in kept and "<table" not in kept


def test_j_and_k_walk_the_rows_and_enter_opens_one(han):
    han.press("j")
    han.press("j")
    han.press("k")
    first = han.page.locator("#list-staff tbody tr").first
    assert "is-current" in first.get_attribute("class")
    href = first.locator("a").first.get_attribute("href")
    han.press("Enter")
    han.page.wait_for_url(f"**{href}")


def test_n_and_p_turn_the_page(han):
    han.goto(STAFF + "?size=5")
    han.press("n")
    han.page.wait_for_selector("[data-step=prev]")
    han.press("p")
    han.page.wait_for_selector("[data-step=prev]", state="detached")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_the_list_is_accessible_and_fits_the_window(reader, language, phone):
    han = reader("han", language=language, phone=phone)
    han.goto(STAFF + "?size=5&post=relationship_manager")
    assert han.breaks_accessibility() == []
    assert not han.overflows()


def test_everything_works_without_javascript(chromium, server, reader):
    cookies = reader("han").page.context.cookies()
    context = chromium.new_context(base_url=server, java_script_enabled=False)
    context.add_cookies(cookies)
    page = context.new_page()
    page.goto(STAFF + "?size=5")
    page.click("[data-step=next]")
    assert page.locator("[data-step=prev]").count() == 1
    page.fill("[data-list-search]", "安宁")
    page.click("#list-staff .controls button.btn")
    assert page.locator("#list-staff tbody th").all_inner_texts() == ["安宁"]
    assert "q=" not in page.url
    context.close()
