"""Gradio's own script told of a failure: the buttons come back in a real page, too."""

from playwright.sync_api import expect

from kernel_demo.ui.serving.jobs import FAILED

# Of each tab: the button, and where the visitor is told. tests/ui/test_buttons.py has them all.
TOLD = {
    "Learn": {
        "#learn": ".kd-verdict-line .kd-live-error",
        "#step": ".kd-verdict-line .kd-live-error",
        "#race": "#race-view .kd-error",
    },
    "Recover": {
        "#recover": "#recover-progress .kd-error",
        ".kd-example >> nth=0": "#recover-progress .kd-error",
    },
    "Questions": {
        "#try-size": "#try-size-status .kd-error",
        "#try-depth": "#try-depth-status .kd-error",
    },
}


def test_a_full_queue_gives_the_buttons_back(page, server, watch, tmp_path):
    """A server without a place answers 503: the sentence appears, and the button is enabled."""
    page.goto(server)
    expect(page.locator("#learn")).to_be_enabled()
    full = {"status": 503, "json": {"detail": "Queue is full. Max size is 16 and size is 16."}}
    page.route("**/gradio_api/queue/join*", lambda route: route.fulfill(**full))
    for tab, buttons in TOLD.items():
        page.get_by_role("tab", name=tab).click()
        for button, place in buttons.items():
            page.locator(button).click()
            expect(page.locator(place)).to_have_text(FAILED)
            expect(page.locator(place).locator("..")).not_to_contain_text("Stopped by you")
            expect(page.locator(button)).to_be_enabled()
            if tab == "Learn":
                expect(page.locator("#learn")).to_have_text("Learn this filter")
    (tmp_path / "any.png").write_bytes(b"any")
    page.locator("#apply").locator("xpath=..").locator("input").set_input_files(
        tmp_path / "any.png"
    )
    expect(page.locator("#apply-result .kd-error")).to_have_text(FAILED)
    expect(page.locator("#apply")).to_be_enabled()
    watch.errors[:] = [error for error in watch.errors if "503" not in error]
