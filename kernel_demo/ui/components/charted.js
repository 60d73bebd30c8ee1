// Curves in an answer (HTML); see html() of chart.py. Comes after chart.js.

let theme = readTheme(element);

function drawCharts() {
  for (const canvas of element.querySelectorAll('[data-chart]')) {
    const { curves, axis, end, every, done } = JSON.parse(canvas.dataset.chart);
    const all = curves.flatMap(([, points]) => points);
    const most = Math.max(...all.map(([x]) => x), 1);
    const last = done ? Math.round(10 * most) / 10 : axisFor(most);
    drawChart(canvas, {
      series: curves.map(([tone, points]) => ({ points, colour: theme[tone] })),
      range: every ? axis : decadesOf(all.map(([, y]) => y), axis),
      every,
      last,
      end: end.replace('{}', last),
    }, theme);
  }
}

follow(element, () => { theme = readTheme(element); }, drawCharts);
watch('value', drawCharts);
drawCharts();
