// One chart for the curves of runs, races and answers: values on an axis of decades, or an even one,
// against steps or an axis of the caller's. Axes grow as a run does, by decades and by 10, 20, 50, 100, and fit it once, at its end. Comes after drawing.js.

// The last step of an axis that holds `step`: 10, 20, 50, 100, ..., at most `steps`.
function axisFor(step, steps) {
  let last = 10;
  while (last < step) last *= String(last).startsWith('2') ? 2.5 : 2;
  return Math.max(1, Math.min(last, steps || last));
}

// Steps to be written under an axis, the last one not among them.
function stepTicks(last) {
  const decade = 10 ** Math.floor(Math.log10(Math.max(1, last / 5)));
  const every = [1, 2, 5, 10].map((n) => n * decade).find((n) => last / n <= 5.001);
  const ticks = [];
  for (let step = 0; step < last * 0.9; step += every) ticks.push(step);
  return ticks;
}

// The decades that hold these values, [low, high]. before: the range so far, which only grows;
// without it, four decades at least.
function decadesOf(values, before) {
  const held = values.filter((v) => v > 0 && v < Infinity);
  if (!held.length) return before || [-4, 0];
  const [least, most] = [Math.min(...held), Math.max(...held)].map(Math.log10);
  const [low, high] = [Math.floor(least + 1e-9), Math.ceil(most - 1e-9)];
  if (!before) return [Math.min(low, high - 4), high];
  return [Math.min(low, before[0]), Math.max(high, before[1])];
}

// The decades that fit a whole run, one at least.
function fittingDecades(values) {
  const held = values.filter((v) => v > 0 && v < Infinity).map(Math.log10);
  if (!held.length) return [-4, 0];
  const high = Math.ceil(Math.max(...held) - 1e-9);
  return [Math.min(high - 1, Math.floor(Math.min(...held) + 1e-9)), high];
}

const MARGIN = { left: 38, right: 6, top: 8, bottom: 18 };

// series: [{points: [[step, value], ...], colour, dashed, pale, name, short, until}]; beyond the step
// `until` a curve is pale. A series may have a dash, alpha and width of its own, and a marker,
// (ctx, x, y), at its `spots`. cursor: {step, value, colour}; pointed: the same and its text, of the
// place under a pointer; marks: [[step, text], ...]; goals: decades to be told apart. every: values lie on an even axis, a line at every so many of them.
// end: what is written at the last step. across: {share(step), ticks(width)}: another axis than that
// of steps.
function drawChart(canvas, chart, theme) {
  const { series, last, range, cursor, pointed, marks, end, goals, across } = chart;
  const on = surface(canvas);
  if (!on) return;
  const { ctx, width, height } = on;
  const { left, right, top, bottom } = MARGIN;
  const deep = height - top - bottom;
  const lines = Math.min(4, Math.max(2, Math.floor(deep / 19)));
  const every = chart.every || Math.max(1, Math.ceil((range[1] - range[0]) / lines));
  const high = range[1];
  const low = high - every * Math.ceil((high - range[0]) / every); // its end is a line, too
  const share = across ? across.share : (step) => step / last;
  const x = (step) => left + share(step) * (width - left - right);
  const row = (level) => top + ((high - level) / (high - low)) * deep;
  const y = (value) => row(chart.every ? value : value > 0 ? Math.log10(value) : low);
  drawLevels(on, { low, high, every, even: Boolean(chart.every), goals, row }, theme);
  if (across) drawTicks(on, across.ticks(width - left - right), x, theme);
  else drawSteps(on, { x, last, end }, theme);
  // What has steps beyond the last one ends with the plot; dots at its ends are whole.
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, 0, width - left - right, height - bottom + 4);
  ctx.clip();
  for (const one of series.filter(({ pale }) => pale)) drawSeries(ctx, one, x, y);
  ctx.restore();
  ctx.save();
  ctx.beginPath();
  ctx.rect(left - 3, 0, width - left - right + 6, height - bottom + 4);
  ctx.clip();
  drawMarks(ctx, marks || [], x, [top, top + deep], theme);
  for (const one of series.filter(({ pale }) => !pale)) drawSeries(ctx, one, x, y);
  ctx.restore();
  if (cursor) drawCursor(ctx, cursor, x, [top, top + deep], theme);
  if (pointed) drawCursor(ctx, pointed, x, [top, top + deep], theme, [1, 2]);
  const frame = { width, last, deep };
  const uprights = [...(marks || []).map(([step]) => step), ...(cursor?.step > 0 ? [cursor.step] : [])].map(x);
  const labels = [...(pointed ? [pointedLabel(ctx, pointed, x, y, frame, theme)] : []),
    ...(marks || []).map((mark) => markLabel(ctx, mark, x, frame, theme)),
    ...series.filter(({ name }) => name)
      .map((one) => nameLabel(ctx, one, x, y, { ...frame, uprights }, theme))];
  drawLabels(ctx, labels.filter((one) => one?.places.length), () => [
    ...series.map(({ points }) => points.map(([step, value]) => [x(step), y(value)])),
    ...uprights.map((column) => [[column, top], [column, top + deep]]),
  ].flatMap(trail), theme);
  for (const dot of [cursor, pointed]) if (dot) drawDot(ctx, dot, x, y, theme);
}

// The lines of decades, or of an even axis: every so many, and goals.
function drawLevels({ ctx, width }, { low, high, every, even, goals = [], row }, theme) {
  const { left, right } = MARGIN;
  ctx.textBaseline = 'middle';
  for (let level = high; level >= low; level -= even ? every : 1) {
    const goal = goals.includes(level);
    const beside = goals.includes(level - 1) || goals.includes(level + 1);
    if (!goal && (beside || (high - level) % every)) continue;
    const at = Math.round(row(level)) + 0.5;
    ctx.strokeStyle = goal ? theme.muted : theme.line;
    ctx.lineWidth = goal ? 0.75 : 1;
    ctx.setLineDash(goal ? [1, 3] : []);
    drawLine(ctx, [[left, at], [width - right, at]]);
    ctx.fillStyle = goal ? theme.ink : theme.muted;
    drawLevel(ctx, level, even, left - 6, at, theme);
  }
  ctx.setLineDash([]);
  ctx.fillStyle = theme.muted;
}

// Figures under an axis of the caller's: [[value, text], ...]; the last one stays inside.
function drawTicks({ ctx, width, height }, ticks, x, theme) {
  ctx.textBaseline = 'alphabetic';
  ctx.font = `11.5px ${theme.font}`;
  ctx.textAlign = 'center';
  for (const [value, text] of ticks) {
    ctx.fillText(text, Math.min(x(value), width - ctx.measureText(text).width / 2), height - 3);
  }
}

function drawSteps({ ctx, width, height }, { x, last, end }, theme) {
  const { right } = MARGIN;
  ctx.textBaseline = 'alphabetic';
  ctx.font = `11.5px ${theme.font}`;
  ctx.textAlign = 'right';
  ctx.fillText(end, width - right, height - 3);
  const free = width - right - ctx.measureText(end).width - 10;
  ctx.textAlign = 'center';
  let taken = 0;
  for (const step of stepTicks(last)) {
    const half = ctx.measureText(String(step)).width / 2;
    if (x(step) + half > free || (step && x(step) - half < taken + 8)) continue;
    ctx.fillText(String(step), x(step), height - 3);
    taken = x(step) + half;
  }
}

function drawSeries(ctx, one, x, y) {
  const { points, colour, dashed, pale, until, dash, alpha = 1 } = one;
  const place = ([step, value]) => [x(step), y(value)];
  ctx.strokeStyle = colour;
  ctx.lineWidth = one.width || (dashed || pale ? 1.25 : 1.75);
  ctx.lineJoin = 'round';
  ctx.setLineDash(dash || (dashed ? [4, 3] : []));
  const [before, beyond] = [[], []];
  for (const point of points) {
    if (until === undefined || point[0] <= until) before.push(point);
    if (until !== undefined && point[0] >= until) beyond.push(point);
  }
  ctx.globalAlpha = pale ? 0.55 : 0.4;
  if (!pale && beyond.length > 1) drawLine(ctx, beyond.map(place));
  if (!pale) ctx.globalAlpha = alpha;
  drawLine(ctx, before.map(place));
  ctx.setLineDash([]);
  ctx.fillStyle = colour;
  for (const spot of one.spots || []) one.marker(ctx, ...place(spot));
  ctx.globalAlpha = 1;
  ctx.setLineDash([]);
}

// The step under a pointer, x from the left of the canvas, of an axis up to `last`.
function stepUnder(canvas, x, last) {
  const { left, right } = MARGIN;
  return clamp((x - left) / (sizeOf(canvas)[0] - left - right), 0, 1) * last;
}

// A label: {text, font, wide, places}, its places by preference, [left, middle] each.
function label(ctx, text, font, placesOf) {
  ctx.font = font;
  const wide = ctx.measureText(text).width;
  return { text, font, wide, places: placesOf(wide) };
}

// The name of a pale curve, under its right end or above it, or beside an upright line that would
// cross it there. A narrow chart has the short one.
function nameLabel(ctx, { points, name, short }, x, y, { width, last, deep, uprights }, theme) {
  const inside = (row) => row >= MARGIN.top && row <= MARGIN.top + deep;
  const seen = points.filter(([step, value]) => step <= last && inside(y(value)));
  if (!seen.length) return null;
  const end = seen[seen.length - 1];
  const row = y(end[1]);
  const font = `11.5px ${theme.font}`;
  ctx.font = font;
  const room = 0.8 * (width - MARGIN.left - MARGIN.right);
  const said = ctx.measureText(name).width < room ? name : short;
  return label(ctx, said, font, (wide) => {
    const [least, most] = [MARGIN.left + 4, width - MARGIN.right - 2 - wide];
    const lefts = [x(end[0]) - wide, ...uprights.flatMap((at) => [at - wide - 5, at + 5])]
      .map((left) => clamp(left, least, most));
    const rows = [row + 11, row - 10, MARGIN.top + deep - 8, MARGIN.top + 8]
      .filter((at) => at > MARGIN.top + 6 && at < MARGIN.top + deep - 6);
    return lefts.flatMap((left) => rows.map((at) => [left, at]));
  });
}

// What is told of the place under a pointer, beside it.
function pointedLabel(ctx, { step, value, text }, x, y, { width, deep }, theme) {
  const [column, row] = [x(step), clamp(y(value), MARGIN.top + 8, MARGIN.top + deep - 8)];
  return label(ctx, text, `700 11.5px ${theme.font}`, (wide) => [column + 9, column - 9 - wide]
    .filter((left) => left > MARGIN.left && left + wide < width)
    .flatMap((left) => [row - 12, row + 12, row]
      .filter((at) => at > MARGIN.top + 4 && at < MARGIN.top + deep - 4).map((at) => [left, at])));
}

// The words of a mark, right of its line, or left of it where the plot ends: low, else high.
function markLabel(ctx, [step, text], x, { width, deep }, theme) {
  return label(ctx, text, `11px ${theme.font}`, (wide) => {
    const column = Math.round(x(step)) + 0.5;
    const left = column + 4 + wide < width - MARGIN.right - 2 ? column + 4 : column - 4 - wide;
    return [MARGIN.top + deep - 8, MARGIN.top + 8, MARGIN.top + deep / 2].map((row) => [left, row]);
  });
}

const LINE = 8; // half the height of a label

// Each label where the fewest of a curve's places and no other label are, on the card's own colour.
function drawLabels(ctx, labels, placesTaken, theme) {
  if (!labels.length) return;
  const taken = placesTaken();
  const boxes = [];
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  for (const { text, font, wide, places } of labels) {
    const cost = ([left, middle]) => {
      const within = ([column, row]) => (
        column > left - 3 && column < left + wide + 3 && Math.abs(row - middle) < LINE);
      const over = boxes.some((box) => (
        left < box.right + 3 && left + wide > box.left - 3 && Math.abs(middle - box.middle) < 2 * LINE));
      return taken.filter(within).length + (over ? 1e6 : 0);
    };
    const costs = places.map(cost);
    const [left, middle] = places[costs.indexOf(Math.min(...costs))];
    boxes.push({ left, right: left + wide, middle });
    ctx.fillStyle = theme.ground;
    ctx.fillRect(left - 2, middle - LINE + 1, wide + 4, 2 * LINE - 2);
    ctx.fillStyle = theme.muted;
    ctx.font = font;
    ctx.fillText(text, left, middle);
  }
}

// Places of a curve, no more than a few pixels from one to the next.
function trail(places) {
  return places.flatMap(([column, row], i) => {
    const [from, start] = places[Math.max(0, i - 1)];
    const parts = Math.min(100, Math.ceil(Math.hypot(column - from, row - start) / 6)) || 1;
    return Array.from({ length: parts }, (_, n) => (
      [from + ((column - from) * (n + 1)) / parts, start + ((row - start) * (n + 1)) / parts]));
  });
}

function drawMarks(ctx, marks, x, [top, bottom], theme) {
  ctx.lineWidth = 1;
  ctx.strokeStyle = theme.muted;
  ctx.setLineDash([2, 3]);
  for (const [step] of marks) {
    const column = Math.round(x(step)) + 0.5;
    drawLine(ctx, [[column, top], [column, bottom]]);
  }
  ctx.setLineDash([]);
}

function drawCursor(ctx, { step }, x, [top, bottom], theme, dash = []) {
  const column = Math.round(x(step)) + 0.5;
  ctx.strokeStyle = theme.muted;
  ctx.lineWidth = 1;
  ctx.setLineDash(dash);
  if (step > 0) drawLine(ctx, [[column, top], [column, bottom]]);
  ctx.setLineDash([]);
}

function drawDot(ctx, { step, value, colour }, x, y, theme) {
  if (!(value > 0)) return;
  ctx.beginPath();
  ctx.arc(x(step), y(value), 4, 0, 2 * Math.PI);
  ctx.fillStyle = colour;
  ctx.fill();
  ctx.lineWidth = 1.5;
  ctx.strokeStyle = theme.ground;
  ctx.stroke();
}
