"""Everyday tasks, counted in steps (screens.md): a click, a chord, a field, a page waited for each count one."""

import pytest


@pytest.mark.parametrize("words", ["张伟", "13800138001", "C001"], ids=["two characters", "phone", "number"])
@pytest.mark.parametrize("username", ["ann", "cai", "han"])
def test_a_customer_is_found_from_anywhere_in_three_steps(reader, username, words):
    person = reader(username)
    person.press("Control+k")
    person.type(words)
    found = person.page.locator("#palette-found .palette-item").first
    found.wait_for()
    person.press("Enter")
    person.page.wait_for_url("**/customers/*/")
    person.took_at_most(3)
    assert words not in person.page.url
    assert "C001" in person.page.locator(".page-head").inner_text()


def test_the_counter_finds_a_customer_in_two_steps(reader):
    tess = reader("tess")
    tess.fill("#big-q", "C001")
    tess.press("Enter")
    tess.page.wait_for_selector("main a[href^='/customers/']")
    tess.took_at_most(2)
    assert "C001" not in tess.page.url


def test_a_manager_sees_his_book_without_a_step(reader):
    ann = reader("ann")
    assert ann.page.locator(".figure-card").count() >= 4
    assert ann.page.locator("table[data-list] tbody tr").count() >= 1
    ann.took_at_most(0)


def test_a_manager_sees_what_to_look_at_first_with_its_reason_without_a_step(reader):
    eva = reader("eva")
    assert eva.page.locator("main section.panel h2").first.get_attribute("id") == "today-title"
    first = eva.page.locator("ol.alert-list li").first
    assert "500,000.00" in first.locator(".alert-says").inner_text()
    eva.took_at_most(0)
    eva.click(first.locator("a"))
    eva.page.wait_for_url("**/customers/*/")
    assert "500,000.00" in eva.page.locator(".alert-list").inner_text()
    eva.took_at_most(1)


def test_a_figure_leads_to_exactly_the_rows_it_counts(reader):
    han = reader("han")
    card = han.page.locator("a.figure-card").first
    figure = int(card.locator("data").get_attribute("value"))
    han.click(card)
    han.page.wait_for_selector("#list-customers .count data")
    han.took_at_most(1)
    assert int(han.page.locator("#list-customers .count data").get_attribute("value")) == figure


def test_a_chart_is_a_way_to_its_rows_and_has_a_table_twin(reader):
    han = reader("han")
    box = han.page.locator("[data-chart]").first
    box.locator("canvas").wait_for()
    canvas = box.locator("canvas").bounding_box()
    han.page.mouse.move(canvas["x"] + canvas["width"] * 0.3, canvas["y"] + canvas["height"] * 0.45)
    han.page.wait_for_timeout(300)  # the tooltip is drawn: it must not need an inline style
    han.click(box.locator("[data-chart-twin]"))
    assert box.locator(".chart-twin table").is_visible() and not box.locator(".chart").is_visible()
    assert han.breaks_accessibility() == []
    han.click(box.locator("[data-chart-twin]"))
    han.page.mouse.click(canvas["x"] + canvas["width"] * 0.3, canvas["y"] + canvas["height"] * 0.45)
    han.page.wait_for_url("**/customers/?*")


def test_a_session_that_ended_leads_to_the_sign_in_page_and_never_into_a_fragment(reader):
    han = reader("han", expects=[401])
    han.goto("/staff/")
    han.page.context.clear_cookies()
    han.click(han.page.locator("#list-staff thead a.sort").nth(1))
    han.page.wait_for_selector("input[name=password]")
    assert "/sign-in/" in han.page.url and han.page.locator("#list-staff").count() == 0


def test_a_page_prints_its_content_alone(reader):
    han = reader("han")
    han.page.emulate_media(media="print")
    assert not han.page.locator(".sidebar").is_visible() and not han.page.locator(".topbar").is_visible()
    assert han.page.locator(".figures").first.is_visible()
    assert han.page.locator(".chart-twin").first.is_visible()
