"""Menus: no entry is cut, kernels have their small pictures, and the selection is in sight."""

import pytest
from playwright.sync_api import expect

from kernel_demo.ui.components.race_chart import LABELS
from tests.browser.conftest import opened

PHONE, LAPTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 720}
CUT = """(menu) => {
  const input = menu.querySelector('input');
  return input.scrollWidth > input.clientWidth ? input.value : '';
}"""
OPTIONS = """() => [...document.querySelectorAll('[role=option]')].map((one) => {
  const words = document.createRange();
  words.selectNodeContents(one);
  const [text, list] = [words.getBoundingClientRect(), one.parentElement.getBoundingClientRect()];
  return {
    name: one.getAttribute('aria-label'),
    cut: text.right > Math.min(list.right, innerWidth) || text.height > 30,
    picture: getComputedStyle(one, '::before').backgroundImage.includes('gradient'),
  };
})"""


def chosen(page, menu):
    """Choose each of its options in turn; yields what is known of all of them."""
    page.locator(f"{menu} input").click()
    page.wait_for_function("document.querySelector('[role=option]')?.offsetWidth > 100")  # placed
    for option in page.evaluate(OPTIONS):
        if not page.get_by_role("option").first.is_visible():
            page.locator(f"{menu} input").click()
        page.get_by_role("option", name=option["name"], exact=True).click()
        expect(page.get_by_role("option")).to_have_count(0)
        expect(page.locator(f"{menu} input")).to_have_value(option["name"])
        yield option


def test_no_entry_is_cut_on_a_phone(new_page, server):
    """Neither in the list nor once it is chosen; a kernel has its picture before its name."""
    page = new_page(viewport=PHONE)
    page.goto(server)
    opened(page, "filter")
    for option in chosen(page, "#edges"):
        assert not option["cut"]
        assert not page.locator("#edges").evaluate(CUT)
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Questions").click()
    expect(page.locator("#try-size")).to_be_visible()
    for menu in ("#apply-kernel", "#apply-border", "#small-kernel", "#depth-target"):
        for option in chosen(page, menu):
            assert not option["cut"], option
            assert not page.locator(menu).evaluate(CUT), option
            assert option["picture"] == menu.endswith("kernel")


@pytest.mark.parametrize("screen", [PHONE, LAPTOP])
@pytest.mark.parametrize("kernel", ["sobel_x", "gabor", "laplacian_8"])
def test_the_chosen_kernel_is_in_sight(new_page, server, screen, kernel):
    """When the menu opens anew, its name is inside the panel and the window, with its picture."""
    page = new_page(viewport=screen)
    page.goto(server)
    panel = opened(page, "filter")
    page.locator(f"#kernel input[value={kernel}]").click()
    panel.evaluate("(panel) => { panel.scrollTop = panel.scrollHeight; }")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    panel = opened(page, "filter")
    entry = page.locator("#kernel label.selected")
    box, around = entry.bounding_box(), panel.bounding_box()
    assert around["y"] <= box["y"]
    assert box["y"] + box["height"] <= min(around["y"] + around["height"], screen["height"])
    image = entry.evaluate("(label) => getComputedStyle(label, '::before').backgroundImage")
    assert "gradient" in image


def test_methods_have_one_name_each(new_page, server):
    """The panel, its optimizers, the chip and the race call them alike."""
    page = new_page(viewport=LAPTOP)
    page.goto(server)
    panel = opened(page, "method")
    names = [name.split("\n")[0] for name in page.locator("#method label").all_inner_texts()]
    assert [*names[:3], names[4]] == [LABELS[k] for k in ("kfac", "adam", "sgd", "closed_form")]
    panel.locator("input[value=exact]").click()
    exact = [option["name"] for option in chosen(page, "#optimizer")]
    assert exact == [LABELS[f"exact_{k}"] for k in ("kfac", "adam", "sgd", "lbfgs")]
    expect(page.locator("[data-chip=method]")).to_have_text("Exact L-BFGS")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Who races").click()
    expect(page.locator("#race-methods label")).to_have_count(len(LABELS))
    assert set(page.locator("#race-methods label").all_inner_texts()) == {*LABELS.values()}
