"""The mark on stale results in a real browser, by itself: no server."""

from playwright.sync_api import expect

from kernel_demo.ui.components.freshness import Freshness

ADD = (
    "(id) => document.body.insertAdjacentHTML('beforeend', `<p id=${id}><button>Take</button></p>`)"
)


def say(page, place, stale):
    """The later word: numbered as Python numbers them."""
    later = {**place.value, "stale": stale, "number": place.value["number"] + 1 + (not stale)}
    page.evaluate("(value) => show(value)", later)


def test_what_is_stale_says_so_and_cannot_be_taken(alone):
    """Results are marked and named, those to take are out of reach; set back, all is as before."""
    mark = Freshness("mark", ["shown"], ["offered"], "Made with <other> settings.")
    page = alone(mark.place, mark.place.value)
    page.evaluate(ADD, "shown")
    page.evaluate(ADD, "offered")
    words = page.get_by_text("Made with <other> settings.")
    expect(words).to_be_hidden()
    say(page, mark.place, True)
    expect(words).to_be_visible()
    for name, inert in (("shown", False), ("offered", True)):
        expect(page.locator(f"#{name}")).to_have_attribute("data-stale", "true")
        assert page.locator(f"#{name}").evaluate("(e) => e.inert") == inert
    say(page, mark.place, False)
    expect(words).to_be_hidden()
    expect(page.locator("#offered")).to_have_attribute("data-stale", "false")
    assert not page.locator("#offered").evaluate("(e) => e.inert")


def test_a_result_that_comes_later_is_marked_too(alone):
    """Gradio makes elements anew when it shows them again: they are as stale as before."""
    place = Freshness("mark", ["shown"], [], "Stale.").place
    page = alone(place, place.value)
    say(page, place, True)
    page.evaluate(ADD, "shown")
    expect(page.locator("#shown")).to_have_attribute("data-stale", "true")
