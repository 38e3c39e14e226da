"""What only a browser shows: the tour of a first visit, the key for help, views saved and opened."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.serving import settle

OpenPage = Callable[..., Page]


def test_the_first_visit_is_offered_a_tour_once_and_walks_it_by_keyboard(
    open_page: OpenPage, demo_server: str
):
    page = open_page(demo_server)
    page.goto("/")
    tour = page.locator(".st-key-tour")
    expect(tour).to_contain_text("Welcome")
    expect(tour.get_by_role("button", name="Next")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/influence?**")
    expect(tour).to_contain_text("Why did the model say that?")
    expect(tour.get_by_role("button", name="Next")).to_be_focused()
    page.keyboard.press("Escape")
    expect(tour).to_have_count(0)
    page.goto("/")
    expect(page.get_by_text("Recent audits")).to_be_visible()
    settle(page)
    expect(tour).to_have_count(0)


def test_a_question_mark_opens_the_help_but_not_inside_a_field(open_page: OpenPage, demo_server: str):
    page = open_page(demo_server)
    page.goto("/influence")
    field = page.get_by_label("File name contains")
    field.press("?")
    expect(field).to_have_value("?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("On the left is the prediction in question.")


def test_a_view_is_saved_opened_renamed_removed_and_brought_back(open_page: OpenPage, demo_server: str):
    page = open_page(demo_server)
    name = "Five <img src=x onerror=alert(1)> %"
    page.goto("/suspects?audit=digits&by=aum&share=5")
    page.get_by_role("button", name="Views").click()
    page.get_by_label("Name for what this page shows").fill(name)
    page.get_by_role("button", name="Save this view").click()
    expect(page.get_by_role("link", name=name)).to_be_visible()
    expect(page.get_by_text("by=aum&share=5")).to_be_visible()

    page.goto("/compute?audit=digits&lang=en")
    page.get_by_role("button", name="Views").click()
    page.get_by_role("link", name=name).click()
    page.wait_for_url("**/suspects?**")
    expect(page.get_by_text("How far the label's logit").first).to_be_visible()
    assert {"by=aum", "share=5", "audit=digits"} <= set(page.url.partition("?")[2].split("&"))

    page.get_by_role("button", name="Views").click()
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("New name").fill("Five")
    page.get_by_role("button", name="Rename", exact=True).last.click()
    expect(page.get_by_role("link", name="Five", exact=True)).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("link", name="Five", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Five", exact=True)).to_be_visible()
