"""Words and numbers of the page: terms explain themselves, and there is one notation."""

import re

import pytest
from playwright.sync_api import expect

from kernel_demo.ui.terms import TERMS, identifier
from tests.browser.conftest import opened

LONG = 240_000  # milliseconds that a filter may take to be found
SCREENS = {"laptop": {"width": 1366, "height": 768}, "phone": {"width": 390, "height": 844}}
# What is seen of each card, the words on controls and in code left out: [text, terms marked].
CARDS = """() => {
  const cards = '.kd-header, .kd-live-card, .kd-card, .kd-panel, .kd-take, .kd-verdict';
  const plain = `button, label, a, summary, select, input, textarea, pre, code, svg, h1, nav,
    style, [role=img], [role=tab], [role=listbox], [data-testid='block-info'], .kd-live-spoken,
    .kd-take-spoken, .kd-bar`;
  const seen = [...document.querySelectorAll(cards)].filter((card) => card.checkVisibility());
  return seen.map((card) => {
    const all = document.createTreeWalker(card, NodeFilter.SHOW_TEXT);
    const said = [];
    while (all.nextNode()) {
      const { parentElement: box, data } = all.currentNode;
      const own = box.closest(cards) === card && !box.closest(plain);
      if (own && box.checkVisibility({ visibilityProperty: true })) said.push(data);
    }
    const marks = [...card.querySelectorAll('.kd-term')].filter(
      (term) => term.closest(cards) === card && term.checkVisibility());
    return [said.join(' '), marks.map((term) => term.getAttribute('aria-describedby'))];
  });
}"""
# All that is read on the page but code, and what is typed.
READ = """() => {
  const all = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  const said = [];
  while (all.nextNode()) {
    const { parentElement: box, data } = all.currentNode;
    const code = box.closest('pre, code, .kd-example, style, script, .kd-terms');
    if (!code && box.checkVisibility()) said.push(data);
  }
  const titles = [...document.querySelectorAll('main [title]')].map((one) => one.title);
  return [...said, ...titles];
}"""
# A mark beside other words in a row or grid of boxes would be a box of its own, with gaps.
BOXED = """() => [...document.querySelectorAll('.kd-term')].map((term) => term.parentElement)
  .filter((box) => /flex|grid/.test(getComputedStyle(box).display)
    && [...box.childNodes].some((one) => one.nodeType === 3 && one.data.trim()))
  .map((box) => box.outerHTML)"""
IDENTIFIERS = {term.name: identifier(term) for term in TERMS}
OTHERWISE = {
    "a power of ten by e": r"\d[eE][-−+]?\d",
    "a size by x": r"\d ?x ?\d",
    "a comma in a number": r"\d,\d{3}(?!\d)",
    "a hyphen for minus": r"(?<![\w)])-\d",
    "± without its space": r"±(?!\u202f)",
    "digits without groups": r"(?<![\d.])\d{5}",
    "a row of zeros": r"\.0{5}",
    "per cent without a space": r"\d%",
}


def terms_in(text):
    """The names of the terms in a text; of two that lie over each other, the longer one."""
    names = {one.lower(): term.name for term in TERMS for one in term.spellings}
    words = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    found = re.finditer(rf"(?<![\w|-])({words})s?(?![\w|-])", text, re.IGNORECASE)
    return {names[one[1].lower()] for one in found}


def learn(page):
    """The tab Learn, its panels with all that is folded away, a run and a race."""
    yield "first paint"
    for name in ("filter", "method"):
        panel = opened(page, name)
        fold = panel.locator(".label-wrap:visible").last
        fold.click()
        expect(fold).to_have_attribute("aria-expanded", "true")
        for kernel in ("scharr_x", "prewitt_x", "laplacian_8", "gaussian", "gabor", "sobel_x"):
            if name == "filter":
                page.locator(f"#kernel input[value={kernel}]").click()
                label = page.locator(f"#kernel label:has([value={kernel}])").inner_text()
                expect(page.locator("#purpose")).to_contain_text(f"{label}.")
                yield f"filter {kernel}"
        yield f"panel {name}"
        page.keyboard.press("Escape")
    page.locator("#learn").click()
    expect(page.locator("#live .kd-live")).to_have_attribute("data-done", "true")
    expect(page.locator("#take .kd-take")).to_be_visible()
    expect(page.locator("#certificate")).to_contain_text("this kernel")
    page.locator("#certificate summary").click()
    yield "run"
    page.locator("#race").click()
    expect(page.locator(".kd-race[data-done=true]")).to_be_visible()
    yield "race"


def recover(page):
    """The tab Recover before and after three examples."""
    page.get_by_role("tab", name="Recover").click()
    expect(page.locator(".kd-example").first).to_be_visible()
    yield "no pair yet"
    for name, told in (
        ("Pillow: emboss", "in whole numbers"),
        ("ImageMagick: Gaussian blur", "Gaussian blur, sigma"),
        ("ffmpeg: edges", "gradient magnitude"),
    ):
        page.locator(".kd-example", has_text=name).click()
        expect(page.locator("#recover-verdict")).to_contain_text(told, timeout=LONG)
        expect(page.locator("#recover")).to_be_enabled()
        expect(page.locator("#recover-kernel")).not_to_contain_text(
            "being worked out", timeout=LONG
        )
        yield name


def questions(page):
    """All eight questions, each answered; those that take long are stopped."""
    page.get_by_role("tab", name="Questions").click()
    expect(page.locator("#try-size")).to_be_visible()
    yield "opened"
    names = ("size", "edges", "anywhere", "speed", "small", "complete", "depth", "stack", "limits")
    for name in names:
        page.locator(f"#try-{name}").click()
        expect(page.locator(f"#try-{name}-result .kd-answer")).to_be_visible()
        if name in ("complete", "depth", "stack", "speed"):
            page.locator(f"#try-{name}-stop").evaluate("(stop) => stop.disabled || stop.click()")
        expect(page.locator(f"#try-{name}")).to_be_enabled()
        yield name


# What each of them shows, at least.
SHOWN = {
    learn: (
        "convolution layer, kernel, rounded pixels, kernel error, Sobel, Scharr, Prewitt, "
        "Laplacian, Gabor, Gaussian blur, cb|abc|ba, loss, held out, step, learning rate, tile, "
        "batch, accumulation, "
        "patience, mixed precision, K-FAC, natural gradient, Adam, SGD, L-BFGS, plain gradients, "
        "closed form, condition number, standard error, excess loss, floor of 32-bit arithmetic, "
        "PSNR, SSIM, root mean square, safetensors, ONNX"
    ),
    recover: (
        "kernel, convolution, offset, clipped, guaranteed, root mean square, residual, sigma, "
        "Gaussian blur, aa|abc|cc, gradient magnitude, Sobel"
    ),
    questions: (
        "tile, kernel, convolution, cb|abc|ba, ba|abc|cb, aa|abc|cc, bc|abc|ab, "
        "zero (black around), step, batch, loss, variance, standard error, patience, PSNR"
    ),
}


def test_no_term_of_the_table_is_unused():
    """Each is shown somewhere."""
    shown = {name for names in SHOWN.values() for name in names.split(", ")}
    assert shown == {term.name for term in TERMS}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("walk", SHOWN)
def test_every_term_is_marked_and_every_number_is_written_alike(new_page, server, walk):
    """In each card that shows one, in each state of a tab."""
    page = new_page(viewport=SCREENS["laptop"])
    page.goto(server)
    expect(page.locator("#live [data-picture=before]")).to_be_visible()
    seen, unmarked, other = set(), [], []
    for state in walk(page):
        for text, marks in page.evaluate(CARDS):
            seen |= set(marks)
            unmarked += [
                f"{state}: {name} in {text[:200]}"
                for name in terms_in(text)
                if IDENTIFIERS[name] not in marks
            ]
            assert len(marks) == len(set(marks)), f"{state}: {marks}"
        other += [
            f"{state}: {why} in {text[:200]}"
            for text in page.evaluate(READ)
            for why, pattern in OTHERWISE.items()
            if re.search(pattern, text)
        ]
        assert page.evaluate(BOXED) == []
    assert not unmarked, "\n".join(unmarked)
    assert not other, "\n".join(dict.fromkeys(other))
    assert {IDENTIFIERS[name] for name in SHOWN[walk].split(", ")} <= seen


@pytest.mark.parametrize("how", ["hover", "focus", "tap"])
@pytest.mark.parametrize(("screen", "scheme"), [("laptop", "light"), ("phone", "dark")])
def test_a_term_explains_itself(new_page, server, screen, scheme, how):
    """Its sentence appears inside the window, and Escape closes it, the panel behind it not."""
    page = new_page(viewport=SCREENS[screen], color_scheme=scheme, has_touch=how == "tap")
    page.goto(server)
    panel = opened(page, "method")
    panel.locator(".label-wrap[aria-expanded=false]").click()
    meanings = {identifier(term): term.meaning for term in TERMS}
    marks = panel.locator(".kd-term")
    expect(marks.first).to_be_visible()
    assert marks.count() >= 5
    for mark in marks.all():
        getattr(mark, how)()
        meaning = page.locator(f"#{mark.get_attribute('aria-describedby')}")
        expect(meaning).to_be_visible()
        expect(meaning).to_have_text(meanings[meaning.get_attribute("id")])
        expect(page.locator(".kd-terms > :popover-open")).to_have_count(1)
        box, window = meaning.bounding_box(), SCREENS[screen]
        assert 0 <= box["x"] <= window["width"] - box["width"]
        assert 0 <= box["y"] <= window["height"] - box["height"]
        page.keyboard.press("Escape")
        expect(meaning).to_be_hidden()
        expect(panel).to_be_visible()


def test_a_sentence_goes_with_its_term(new_page, server):
    """It can be pointed at; another place, the next term or leaving it takes it away."""
    page = new_page(viewport=SCREENS["laptop"])
    page.goto(server)
    first, second = (page.locator("#live .kd-curves .kd-term", has_text=name).first
                     for name in ("Loss", "Kernel error"))  # fmt: skip
    shown = page.locator(".kd-terms > :popover-open")
    first.hover()
    expect(shown).to_have_count(1)
    shown.hover()
    page.wait_for_timeout(300)
    expect(shown).to_have_count(1)
    second.focus()
    expect(shown).to_have_text(next(t.meaning for t in TERMS if t.name == "kernel error"))
    page.locator("h1").click()
    expect(shown).to_have_count(0)


def test_a_run_leaves_marks_where_it_rests(new_page, server):
    """Words that change with each step are marked once it rests, and then once."""
    page = new_page(viewport=SCREENS["laptop"])
    page.goto(server)
    step = page.locator("[data-text=step] .kd-term")
    expect(step).to_have_text("Step")
    page.locator("#learn").click()
    expect(page.locator("#live .kd-live")).to_have_attribute("data-done", "true")
    expect(step).to_have_text("Step")
    page.locator("#timeline").press("ArrowLeft")
    expect(step).to_have_count(1)
