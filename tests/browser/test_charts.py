"""Curves in an answer, drawn by the chart of the stage and the race."""

import gradio as gr
import pytest

from kernel_demo.ui.components import chart

# At shares of the plot's width, the middles of what is drawn in a colour: pixels from the top.
ROWS = """([name, shares]) => {
  const canvas = document.querySelector('canvas');
  const ctx = canvas.getContext('2d');
  const probe = document.querySelector('.kd-chart i.kd-tone-' + name);
  const wanted = getComputedStyle(probe).color.match(/\\d+/g).slice(0, 3).map(Number);
  const [wide, high] = [canvas.width, canvas.height];
  const { data } = ctx.getImageData(0, 0, wide, high);
  return shares.map((share) => {
    const column = Math.round(38 + share * (wide - 44));
    const rows = [];
    for (let row = 0; row < high; row++) {
      const at = 4 * (row * wide + column);
      const near = wanted.every((level, i) => Math.abs(level - data[at + i]) < 40);
      if (data[at + 3] > 120 && near) rows.push(row + 0.5);
    }
    return rows.length ? (rows[0] + rows[rows.length - 1]) / 2 : null;
  });
}"""
TOP, BOTTOM = 8, 182  # of the plot in a canvas 200 pixels high


def drawn(alone, html, **options):
    part = gr.HTML(None, html_template=html, js_on_load=chart.in_html())
    return alone(part, None, **options)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_even_axis(alone, scheme):
    """20 of 0 to 40 lies half way up, 30 three quarters; each curve in the colour of its name."""
    curves = {"one": [(0, 20.0), (10, 20.0)], "other": [(0, 30.0), (10, 30.0)]}
    html = chart.html("t", curves, (0, 40), "{} s", every=10)
    page = drawn(alone, html, color_scheme=scheme)
    half = (TOP + BOTTOM) / 2
    assert page.evaluate(ROWS, ["accent", [0.3, 0.6]]) == pytest.approx([half] * 2, abs=1.5)
    assert page.evaluate(ROWS, ["warm", [0.45]]) == pytest.approx([(TOP + half) / 2], abs=1.5)


def test_an_axis_of_decades(alone):
    """0.1 of 1e-4 to 100 lies half way up; a smaller value makes the axis longer, so that it is in
    view; 0 lies at the end."""
    html = chart.html("t", {"one": [(0, 0.1), (10, 0.1)]}, (-4, 2), "step {}")
    half = (TOP + BOTTOM) / 2
    assert drawn(alone, html).evaluate(ROWS, ["accent", [0.5]]) == pytest.approx([half], abs=1.5)
    html = chart.html("t", {"one": [(0, 1e-6), (10, 0.0)], "two": [(0, 1e-6)]}, (-4, 2), "step {}")
    (row,) = drawn(alone, html).evaluate(ROWS, ["accent", [0.99]])
    assert row == pytest.approx(BOTTOM, abs=2.5)


def test_an_axis_fits_at_the_end(alone):
    """While it runs the axis goes on to 10, 20, 50, 100, ...; at its end it is the run's."""
    curves = {"one": [(0, 1.0), (60, 1.0)]}
    places = [0.55, 0.9]
    going = drawn(alone, chart.html("t", curves, (-4, 1), "step {}", done=False))
    assert [row is None for row in going.evaluate(ROWS, ["accent", places])] == [False, True]
    ended = drawn(alone, chart.html("t", curves, (-4, 1), "step {}"))
    assert None not in ended.evaluate(ROWS, ["accent", places])


def test_another_answer_is_drawn(alone):
    """The next answer's canvas, a new element, is drawn, and so is a change of the theme."""
    html = chart.html("t", {"one": [(0, 20.0), (10, 20.0)]}, (0, 40), "{} s", every=10)
    page = drawn(alone, html)
    page.evaluate("(html) => { document.getElementById('part').innerHTML = html; }", html)
    page.evaluate("() => show(null)")
    light = page.evaluate("() => pixels()[0]")
    assert page.evaluate(ROWS, ["accent", [0.5]]) != [None]
    page.evaluate("() => document.body.classList.add('dark')")
    page.wait_for_function("(light) => pixels()[0] !== light", arg=light)
    assert page.evaluate(ROWS, ["accent", [0.5]]) != [None]
