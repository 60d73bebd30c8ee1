// The race. Gradio runs this once with `element`, `props`, `watch`; see race_chart.py.

const root = element.querySelector('.kd-race');
const { words, goals } = props;
const places = parts(root, 'part');
const canvases = parts(root, 'by');
const body = root.querySelector('tbody');

// Beside its colour, each method has a dash and a marker of its own.
const STYLES = {
  kfac: { dash: [], marker: 'circle' },
  adam: { dash: [7, 4], marker: 'square' },
  sgd: { dash: [2, 3], marker: 'triangle' },
  exact_lbfgs: { dash: [11, 3, 2, 3], marker: 'diamond' },
  exact_kfac: { dash: [14, 4], marker: 'down' },
  exact_adam: { dash: [4, 2], marker: 'plus' },
  exact_sgd: { dash: [2, 2, 2, 6], marker: 'cross' },
  closed_form: { dash: [1, 2], marker: 'star' },
};
const LEAST = 1e-16; // where a kernel error of 0 is drawn

let theme = null;
let shown = null; // the last race drawn
let stopped = ''; // the run that was stopped: what of it is still on its way comes too late
let marked = ''; // the method under the pointer
let axes = null; // what the axes span: it only grows within a race
const decoded = new Map();

function look() {
  const style = getComputedStyle(root);
  const colour = (name) => style.getPropertyValue(`--race-${name}`).trim();
  const colours = Object.fromEntries(Object.keys(STYLES).map((name) => [name, colour(name)]));
  return { ...readTheme(root), colours };
}

// The nearest of 1, 2, 5, 10, ... below or above, as a logarithm.
function nice(value, up) {
  const stops = [1, 2, 5, 10].map((n) => Math.log10(n) + Math.floor(Math.log10(value)));
  const at = Math.log10(value);
  return up ? stops.find((s) => s >= at - 1e-9) : stops.reverse().find((s) => s <= at + 1e-9);
}

function spans(lanes, limit) {
  const points = lanes.flatMap((lane) => lane.points);
  const column = (i) => points.map((p) => p[i]).filter((v) => v > 0);
  const [steps, seconds, errors] = [0, 1, 2].map(column);
  const old = axes || { seconds: [-1, -1], steps: [-0.3, 1], error: [-10, 1] };
  axes = {
    seconds: [
      Math.max(-3, Math.min(old.seconds[0], nice(Math.min(1, ...seconds), false))),
      Math.max(old.seconds[1], Math.log10(Math.max(limit, ...seconds)) + 0.02),
    ],
    steps: [-0.3, Math.max(old.steps[1], nice(Math.max(1, ...steps), true))],
    error: [
      Math.min(old.error[0], Math.floor(Math.log10(Math.max(LEAST, Math.min(1, ...errors))))),
      Math.max(old.error[1], Math.min(6, Math.ceil(Math.log10(Math.max(1e-3, ...errors))))),
    ],
  };
}

// ---- Drawing

function drawMarker(ctx, marker, x, y, r) {
  const star = Array.from({ length: 10 }, (_, i) => {
    const [angle, reach] = [(i * Math.PI) / 5 - Math.PI / 2, i % 2 ? 0.55 * r : 1.45 * r];
    return [reach * Math.cos(angle), reach * Math.sin(angle)];
  });
  const polygons = {
    square: [[-r, -r], [r, -r], [r, r], [-r, r]].map(([a, b]) => [0.88 * a, 0.88 * b]),
    triangle: [[0, -1.2 * r], [1.15 * r, 0.85 * r], [-1.15 * r, 0.85 * r]],
    down: [[0, 1.2 * r], [1.15 * r, -0.85 * r], [-1.15 * r, -0.85 * r]],
    diamond: [[0, -1.3 * r], [1.3 * r, 0], [0, 1.3 * r], [-1.3 * r, 0]],
    star,
  };
  const strokes = { plus: [[r, 0], [0, r]], cross: [[0.8 * r, 0.8 * r], [0.8 * r, -0.8 * r]] };
  ctx.setLineDash([]);
  ctx.beginPath();
  if (marker === 'circle') ctx.arc(x, y, r, 0, 2 * Math.PI);
  for (const [a, b] of polygons[marker] || []) ctx.lineTo(x + a, y + b);
  if (!strokes[marker]) return ctx.fill();
  for (const [a, b] of strokes[marker]) {
    ctx.moveTo(x - 1.2 * a, y - 1.2 * b);
    ctx.lineTo(x + 1.2 * a, y + 1.2 * b);
  }
  ctx.lineWidth = 2;
  return ctx.stroke();
}

function tickText(value) {
  return value >= 1 ? count(value) : String(Number(value.toPrecision(1)));
}

// Where x has its figures: each decade, and 2 and 5 where there is room.
function ticks([low, high], width) {
  const sorts = (width / (high - low)) > 110 ? [1, 2, 5] : [1];
  const places = [];
  for (let decade = Math.floor(low); decade <= high; decade++) {
    for (const n of sorts) places.push(n * 10 ** decade);
  }
  return places.filter((v) => Math.log10(v) >= low - 1e-9 && Math.log10(v) <= high + 1e-9);
}

// A lane as a series: [seconds or steps, error], a marker where it arrived and where it is.
function seriesOf(lane, column) {
  const { dash, marker } = STYLES[lane.name];
  const place = (p) => [p[column], Math.max(p[2], LEAST)];
  const arrived = goals.map((goal) => lane.points.find((p) => p[2] <= goal));
  const spots = new Set([...arrived, lane.points[lane.points.length - 1]]);
  return {
    points: lane.points.map(place),
    colour: theme.colours[lane.name],
    dash,
    alpha: marked && marked !== lane.name ? 0.18 : 1,
    width: marked === lane.name ? 2.5 : 1.75,
    marker: (ctx, x, y) => drawMarker(ctx, marker, x, y, 3.5),
    spots: [...spots].filter(Boolean).map(place),
  };
}

function drawCurve(by) {
  const [low, high] = axes[by];
  const inside = (log) => Math.min(high, Math.max(low, log));
  const share = (v) => (inside(v > 0 ? Math.log10(v) : low) - low) / (high - low);
  const column = by === 'steps' ? 0 : 1;
  const start = by === 'steps' ? [[0, '0']] : [];
  drawChart(canvases[by], {
    series: shown.lanes.filter((lane) => lane.points.length).map((lane) => seriesOf(lane, column)),
    range: axes.error,
    goals: goals.map((goal) => Math.round(Math.log10(goal))),
    across: {
      share,
      ticks: (width) => [...start, ...ticks(axes[by], width).map((v) => [v, tickText(v)])],
    },
  }, theme);
}

function drawLegend() {
  for (const lane of shown.lanes) {
    const on = surface(body.querySelector(`tr[data-name="${lane.name}"] canvas`));
    if (!on) continue;
    const { ctx, width, height } = on;
    const { dash, marker } = STYLES[lane.name];
    ctx.strokeStyle = ctx.fillStyle = theme.colours[lane.name];
    ctx.lineWidth = 1.75;
    ctx.setLineDash(dash);
    const line = [[0, height / 2], [width, height / 2]];
    if (lane.name !== 'closed_form') drawLine(ctx, line); // it takes no steps: a point alone
    drawMarker(ctx, marker, width / 2, height / 2, 3.5);
  }
}

// ---- The table

function buildRows(lanes) {
  body.replaceChildren(...lanes.map((lane) => {
    const swatch = make('canvas', { 'aria-hidden': 'true' });
    const name = make('span', {}, lane.label, make('small'));
    const head = make('th', { scope: 'row' }, make('span', {}, swatch, name));
    const cells = goals.map((goal) => make('td', { 'data-goal': goal }, make('b'), make('small')));
    const now = make('td', { 'data-now': '' });
    const row = make('tr', { 'data-name': lane.name }, head, ...cells, now);
    row.addEventListener('pointerenter', () => { marked = lane.name; schedule(); });
    row.addEventListener('pointerleave', () => { marked = ''; schedule(); });
    return row;
  }));
}

function fillRows(state) {
  for (const lane of state.lanes) {
    const row = body.querySelector(`tr[data-name="${lane.name}"]`);
    row.title = lane.reason;
    row.dataset.done = lane.done || state.done;
    write(row.querySelector('th small'), lane.rate);
    lane.cells.forEach((cell, i) => {
      const td = row.children[i + 1];
      const over = lane.done || state.done;
      td.classList.toggle('kd-race-first', Boolean(cell?.first));
      td.title = cell?.first ? words.first : !cell && over ? words.never : '';
      write(td.firstChild, cell ? cell.seconds : over ? '–' : '');
      write(td.lastChild, cell ? cell.steps : '');
    });
    write(row.lastChild, lane.now);
  }
}

// ---- Updates

function draw() {
  if (!shown || !root.clientWidth) return;
  theme ||= look();
  spans(shown.lanes, shown.limit);
  drawCurve('seconds');
  drawCurve('steps');
  drawLegend();
}

let waiting = 0;
function schedule() {
  if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; draw(); });
}

function show(state) {
  const begins = !shown || shown.run !== state.run;
  if (begins) {
    axes = null;
    marked = '';
    decoded.clear();
    places.invitation.hidden = true;
    places.race.hidden = false;
    buildRows(state.lanes);
  }
  shown = state;
  fillRows(state);
  write(places.verdict, state.verdict);
  write(places.why, state.why);
  root.dataset.kind = state.kind;
  root.dataset.done = state.done;
  if (begins) bringIntoView(root.closest('#race-card') || root);
  schedule();
}

// Its end, where all of it has room; else its top.
function bringIntoView(card) {
  const block = card.offsetHeight <= innerHeight ? 'nearest' : 'start';
  card.scrollIntoView({ behavior: 'instant', block });
}

function accept(value) {
  const error = root.querySelector('.kd-error');
  error.hidden = !value?.error;
  write(error, value?.error || '');
  if (value?.kind === 'stopped' && shown && !shown.done) {
    stopped = shown.run;
    show({ ...shown, kind: 'stopped', done: true, verdict: value.error ? '' : words.stopped });
  }
  if (value?.kind !== 'race' || value.run === stopped) return;
  if (shown && shown.run === value.run && value.number < shown.number) return;
  const read = (chunks) => pointsOf(chunks, 3, props.chunk, decoded);
  const lanes = value.lanes.map((lane) => ({ ...lane, points: read(lane.points) }));
  show({ ...value, lanes });
}

follow(root, () => { theme = null; }, schedule);
watch('value', () => accept(props.value));
accept(props.value);
