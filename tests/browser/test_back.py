"""The browser's Back and Forward on the page."""

from playwright.sync_api import expect


def chosen(page, name):
    tab = page.get_by_role("tab", name=name, exact=True)
    expect(tab).to_have_attribute("aria-selected", "true")


def test_back_goes_to_the_tab_before(page, server, watch):
    """And Forward on again. A setting is no place to go back to, and stays as it is; before the
    first tab the page is left."""
    page.goto("about:blank")
    page.goto(server)
    for name in ("Recover", "Questions"):
        page.get_by_role("tab", name=name, exact=True).click()
        chosen(page, name)
    page.go_back()
    chosen(page, "Recover")
    page.go_back()
    chosen(page, "Learn")
    page.locator("#chip-method").click()
    page.locator("#method input[value=adam]").check()
    expect(page).to_have_url(f"{server}/?method=adam")
    page.go_forward()
    chosen(page, "Recover")
    expect(page).to_have_url(f"{server}/?method=adam")
    page.go_back()
    chosen(page, "Learn")
    expect(page).to_have_url(f"{server}/?method=adam")
    watch.leave(page)
    page.go_back()
    expect(page).to_have_url("about:blank")


def test_a_page_that_is_loaded_again_is_at_its_tab(page, server, watch):
    """With its settings; whoever comes by the address is at the first one."""
    page.goto(f"{server}/?method=adam")
    page.get_by_role("tab", name="Questions", exact=True).click()
    chosen(page, "Questions")
    watch.leave(page)
    page.reload()
    chosen(page, "Questions")
    expect(page.locator("#try-size")).to_be_visible()
    expect(page).to_have_url(f"{server}/?method=adam")
    page.goto(f"{server}/?method=adam")
    chosen(page, "Learn")
