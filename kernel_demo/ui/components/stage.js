// The stage. Gradio runs this once with `element`, `props`, `watch`, `trigger`; see stage.py. What is
// shown hangs on the last value, the player and what was pressed since; `draw` makes it all anew.

const root = element.querySelector('.kd-live');
const { words } = props;
const find = (selector) => root.querySelector(selector);
const text = parts(root, 'text');
const kernels = parts(root, 'kernel');
const curves = parts(root, 'curve');
const tables = parts(root, 'table');
const timeline = find('#timeline');
const stillness = window.matchMedia('(prefers-reduced-motion: reduce)');

const DOUBLE = 300; // milliseconds between the clicks of a double one, at most
const REPEATED = 600; // within which a further press is still meant for what stood there before
const FRAME = 16; // milliseconds from one drawing to the next, at most sixty a second
const REPLY = 3000; // milliseconds that an answer is waited for
const GRANTED = 20000; // milliseconds within which the page is set to what is wished for
const MORE = 10; // times the steps of a run that the one before may have on its axis
const ASTRAY = 1000; // times the values there are: no axis is made for what lies above

let theme = look();
let value = null; // the last one that was no error
let problem = ''; // the sentence of an error, until the next value
let failed = 0; // its number
let run = { rows: [], parts: [], width: 0, truth: new Float64Array(9), size: 3 }; // its kept steps
let player = begun(0);
let pressed = {}; // asked: for a run; halted: Pause; hold: what is waited for before it plays on
let arrived = false; // at the end of the run
let starting = false; // a run was asked for, and nothing of its own has come
let ending = false; // Stop was pressed meanwhile
let halting = false; // Pause or Stop was told, and its answer has not come
let queued = null; // [name, data]: what was asked for meanwhile
let before = null; // the run before, pale: {run, rated, method, lesson, filter, truthText, loss, error, ended}
let left = null; // how the stage was left by that run: {of, step, arrived, before}
let ranges = {}; // decades of each axis: they only grow within a run
let speed = store.get('speed', stillness.matches ? 'fast' : 'normal');
let marked = -1; // the weight under the pointer
let pointed = null; // {name, x}: of a curve, and where over it the pointer is
let wish = null; // {experiment, pace, until}: a run that begins once the page is set to that experiment
let guide = ''; // the pace at which it is shown, whatever the speed
let compared = false; // such a run: it and the one before are seen to their ends

if (!(speed in props.speeds)) speed = 'normal';

// Mixing the palette takes a while: a class may change where no colour does.
function look(known) {
  const now = readTheme(root);
  if (known?.ink === now.ink) return { ...now, palette: known.palette, pixels: known.pixels };
  const palette = readPalette(root);
  return { ...now, palette, pixels: pixelsOf(palette) };
}

let version = 0; // another one for each size, theme and font
let waiting = 0;
function schedule() {
  if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; draw(); });
}

// Words are written when all canvases are drawn: a font asked for after a word has changed would lay
// the page out anew.
const deferred = [];
const later = (call) => deferred.push(call);

const lastRow = () => run.rows.length - 1;
const rowShown = () => run.rows[player.at];
const stepShown = () => (rowShown() ? rowShown()[STEP] : 0);
const placeShown = () => `${value.server}|${value.session}|${stepShown()}`;
const pace = () => guide || speed;
const state = () => stateOf(value, player, lastRow(), { ...pressed, arrived });
const STARTS = ['learn', 'step', 'resume', 'rate', 'more'];
const HALTS = ['pause', 'stop'];
// Two requests may overtake one another: a run that goes on before its halt is heard would be halted.
const tell = (name, data) => {
  if (halting && STARTS.includes(name)) {
    const last = queued = [name, data];
    setTimeout(() => { if (queued === last) heardHalt(); }, REPLY); // its answer may be lost
    return;
  }
  if (halting && HALTS.includes(name) && queued) {
    queued = null; // and is at rest already
    return;
  }
  if (STARTS.includes(name)) starting = true;
  if (HALTS.includes(name)) halting = true;
  rested = name === 'pause' ? placeShown() : '';
  trigger(name, data);
};

// ---- Values

function accept(next) {
  if (next?.server === value?.server && next?.number < value?.number) return;
  if (next?.kind === 'error') {
    starting = ending = halting = false;
    wish = queued = null;
    [problem, failed] = [next.error, next.number];
    pressed = { ...pressed, asked: false, hold: null };
    if (value) value = { ...value, chips: { ...value.chips, ...next.chips } };
    if (value?.chips?.filter?.none && !value.computing) withoutFilter();
    return schedule();
  }
  if (!next?.kind) return;
  const late = next.server === value?.server && next.number < failed;
  problem = next.error || (late ? problem : ''); // asked for before what then was refused
  if (problem) pressed = { ...pressed, asked: false, hold: null };
  const begins = ['server', 'session', 'kind'].some((name) => next[name] !== value?.[name]);
  if (begins && value?.kind === 'frame') remember();
  const truthText = `${next.size}|${next.truth}`;
  const truth = truthText === run.truthText ? run.truth : doubles(next.truth);
  const steps = kept(next.records, next.size, begins ? null : run);
  run = { ...steps, truth, truthText, size: next.size, ...curvesOf(steps.rows) };
  if (next.kind === 'idle') ranges = {}; // those of what was set before are not its own
  value = { ...next }; // of our own: what gradio hands over it may write into
  if (begins) begin();
  else player = cutTo(player, lastRow());
  if (!value.end) arrived = false;
  starting &&= Boolean(next.waits) && (next.waiting ?? null) === null;
  const sent = halting && !value.computing && heardHalt();
  if (!sent && (value.computing || value.paused || value.end)) release();
  if (value.chips?.filter?.none && !value.computing) withoutFilter();
  tellPause();
  if (ending && !starting) main.waiting();
  pictures.take(value.picture || (value.kind === 'idle' ? { key: '' } : null)); // none is chosen
  grant();
  tick();
}

// No filter, no kernel: what is of the one before is no longer in view.
function withoutFilter() {
  if (value.kind === 'frame') remember();
  run = { ...run, ...kept([], run.size, null), ...curvesOf([]), truthText: '', lacking: true };
  value = { ...value, kind: 'idle', session: 0, records: [], rates: [], end: null, paused: false };
  begin();
}

function begin() {
  player = begun(performance.now());
  ranges = {};
  arrived = false;
  marked = -1;
  const single = pressed.hold?.kind === 'step' && value.kind === 'frame';
  const back = value.kind === 'frame' && !value.computing && !pressed.asked && left?.of === runOf(value);
  if (back) comesBack();
  else if (value.kind === 'frame' || !pressed.asked) {
    pressed = single ? { halted: true, hold: pressed.hold } : {};
  }
}

// What was waited for has come: the run as it goes on from the step that was shown.
function release() {
  const { hold } = pressed;
  if (!hold) return;
  if (hold.kind === 'step' && !value.computing && value.kind === 'frame') {
    player = sought(player, lastRow());
    pressed = { ...pressed, hold: null };
  }
  if (hold.kind === 'rate' && value.rates.some(([step]) => step === hold.step)) {
    pressed = { ...pressed, hold: null };
    player = { ...player, moved: performance.now() };
  }
}

function curvesOf(rows) {
  const line = (column) => rows.map((row) => [row[STEP], row[column]])
    .filter(([, v]) => Number.isFinite(v));
  // It is looked at now and then: in between, the one before stands.
  const checked = line(VALIDATION).filter(([, v], i, all) => !i || v !== all[i - 1][1]);
  return { loss: line(LOSS), validation: checked, error: line(ERROR) };
}

// The run that gives way to another stays, pale.
function remember() {
  if (run.rows.length < 2) return;
  const { truthText, loss, error } = run;
  const { run: name, rated, method, lesson, filter } = value;
  left = { of: runOf(value), step: stepShown(), arrived, before };
  before = { run: name, rated, method, lesson, filter, truthText, loss, error, ended: Boolean(value.end) };
}

const runOf = ({ server, session }) => `${server}|${session}`;

// Settings that are set back bring their run back: as it was left, and at rest.
function comesBack() {
  player = sought(player, nearestRow(run.rows, left.step));
  arrived = left.arrived && Boolean(value.end);
  pressed = { halted: !arrived };
  before = left.before;
}

// ---- The show

let timer = 0;

function tick() {
  clearTimeout(timer);
  const now = performance.now();
  if (pressed.hold && now > (pressed.hold.until ?? Infinity)) pressed = { ...pressed, hold: null };
  // Not past a step that waits to be drawn: where drawing is slow, or the page hidden, it waits.
  if (!pressed.hold && !waiting) player = advanced(player, lastRow(), pace(), now, value?.computing);
  // Who looks back at an earlier step when the end comes is not waited for; who pressed Pause is.
  const looksBack = !player.playing && !pressed.halted;
  if (value?.end && (player.at >= lastRow() || looksBack)) arrived = true;
  // What stands still has arrived there: looking at it again is not going on.
  if (value?.paused && !value.computing && player.at >= lastRow() && !pressed.halted) {
    pressed = { ...pressed, halted: true };
    player = sought(player, player.at);
  }
  const wait = pressed.hold ? Infinity : waitOf(player, lastRow(), pace(), now, value?.computing);
  if (wait < Infinity) timer = setTimeout(tick, waiting ? Math.max(wait, FRAME) : wait);
  else if (pressed.hold?.until) timer = setTimeout(tick, REPLY);
  tellArrival();
  if (!value || looks() !== drawn) schedule();
}

// What stands below the stage is asked for once the show has come to the end of what was computed:
// it would tell the result before. A pause is answered with it.
let rested = '';
function tellArrival() {
  if (pressed.asked || pressed.hold || value?.kind !== 'frame' || value.computing) return;
  if (player.at < lastRow() || !(arrived || (value.paused && lastRow() > 0))) return;
  if (rested === placeShown()) return;
  rested = placeShown();
  trigger('arrived', { step: stepShown() });
}

function seek(at) {
  player = sought(player, clamp(at, 0, lastRow()));
  tick();
}

// ---- What is pressed

const main = {
  before: () => ask('learn'),
  finished: () => ask('learn'),
  waiting: () => {
    ending = starting;
    if (ending) return;
    pressed = {};
    if ((value?.waiting ?? null) !== null) { // else it has begun meanwhile, and is shown to its end
      pressed = { halted: value.kind === 'frame' };
      value = { ...value, waiting: null, computing: false, paused: pressed.halted };
      player = sought(player, player.at);
    }
    tell('stop', {});
  },
  running: () => {
    pressed = { ...pressed, halted: true, untold: true };
    player = sought(player, player.at);
    tellPause();
  },
  paused: () => {
    const { untold } = pressed;
    pressed = { ...pressed, halted: false, untold: false };
    player = played(player, lastRow(), false, performance.now());
    if (untold) return tick();
    value = { ...value, paused: false, computing: !value.end };
    return tell('resume', { step: stepShown() });
  },
};

// Gradio's client cannot cancel a run before it has heard of it: Pause waits for its first step, and
// Stop for the first word of it, or for its place in the queue.
function tellPause() {
  if (!pressed.untold || starting || (value.computing && lastRow() < 1)) return;
  pressed = { ...pressed, untold: false };
  tell('pause', { step: stepShown() });
}

// Pause or Stop was heard: what was asked for meanwhile goes out, and is in view as it was. Returns
// whether there was anything.
function heardHalt() {
  const [name, data] = queued || [];
  halting = false;
  queued = null;
  if (!name) return false;
  if (name === 'resume') value = { ...value, paused: false, computing: !value.end };
  tell(name, data);
  return true;
}

function ask(name, data = {}, paced = '') {
  [problem, wish, guide, compared] = ['', null, paced, false];
  pressed = { asked: true };
  tell(name, { ...data, held: pictures.held() });
}

// A run that another part of the page wants: it begins when the page is set to it, and none is on.
function grant() {
  const on = pressed.asked || value?.computing || state() === 'running';
  if (wish && performance.now() > wish.until) wish = null;
  if (!wish || on || value?.experiment !== wish.experiment) return;
  ask('learn', {}, stillness.matches && speed === 'fast' ? '' : wish.pace);
  compared = true;
}
document.addEventListener('kd-wish', ({ detail }) => {
  wish = { ...detail, until: performance.now() + GRANTED };
  grant();
  tick();
});

function pressStep() {
  if (pressed.hold) return; // enabled meanwhile, so that the focus stays
  const now = state();
  const ahead = player.at < lastRow();
  if (now === 'finished' || now === 'running' || (now === 'paused' && pace() === 'step' && ahead)) {
    if (!ahead) return;
    player = { ...shownAt(player, player.at + 1), playing: now === 'running' };
    return tick();
  }
  if (now === 'before') ask('step', { step: 0 });
  else tell('step', { step: stepShown() });
  const hold = { kind: 'step', step: stepShown() };
  pressed = { ...pressed, halted: now === 'paused', hold };
  tick();
}

function pressVerdict() {
  const { action } = find('#verdict-action').dataset;
  if (action === 'end') return seek(lastRow());
  player = played(shownAt(player, lastRow()), lastRow(), false, performance.now());
  if (action === 'more') {
    value = { ...value, end: null, computing: true };
    arrived = false;
    tell('more', { step: stepShown(), steps: RUNS_ON });
  }
  return tick();
}

function setSpeed(name) {
  speed = name;
  guide = '';
  store.set('speed', name);
  player = { ...player, moved: performance.now(), starved: false };
  tick();
}

// The learning rate was changed by hand. Of a run in view it counts from the step shown, whether or
// not computing has ended; else it is a setting as any other.
function rateChanged(rate) {
  const inRun = ['waiting', 'running', 'paused'].includes(state()) && value.method !== 'kfac';
  if (!inRun) return tell('set', {});
  if (value.kind !== 'frame') return tell('rate', { step: 0, rate });
  const until = performance.now() + REPLY;
  pressed = { ...pressed, hold: { kind: 'rate', step: stepShown(), until } };
  tell('rate', { step: stepShown(), rate });
  tick();
}

// ---- The bar

const opener = makeOpener(root);

function paintBar(now) {
  const inRun = now === 'running' || now === 'waiting';
  write(text.main, props.main[now]);
  const icon = { running: 'pause', waiting: 'stop' }[now] || 'play';
  setData(find('#learn'), { icon });
  setDisabled(find('#learn'), now === 'before' && Boolean(value?.chips?.filter?.none));
  const ahead = player.at < lastRow();
  const stepOff = pressed.hold?.kind !== 'step' && (now === 'waiting'
    || (now === 'running' && !(pace() === 'step' && ahead)) || (now === 'finished' && !ahead));
  setDisabled(find('#step'), stepOff);
  for (const name of ['pictures', 'filter']) {
    const chip = find(`#chip-${name}`);
    const panel = document.getElementById(chip.dataset.panel);
    if (inRun && panel && opener.isOpen(panel)) opener.close(false);
    setDisabled(chip, inRun);
  }
  const panel = document.getElementById('panel-method');
  if (panel && (panel.dataset.locked === 'true') !== inRun) panel.dataset.locked = String(inRun);
  write(text.speed, props.speeds[speed][0]);
  for (const name of Object.keys(props.speeds)) {
    setAttribute(find(`#speed-${name}`), 'aria-pressed', String(name === speed));
  }
  if (value?.chips) once('chips', [JSON.stringify(value.chips)], () => fillChips(root, value.chips));
}

function setDisabled(button, off) {
  if (button.disabled === off) return;
  // The focus is not lost with the button that had it.
  if (off && document.activeElement === button) find('#learn').focus({ preventScroll: true });
  button.disabled = off;
}

for (const chip of root.querySelectorAll('[data-panel]')) {
  chip.addEventListener('click', () => {
    opener.show(chip, document.getElementById(chip.dataset.panel));
  });
}
for (const name of ['speed', 'more']) {
  const [button, menu] = [find(`#${name}`), find(`#${name}-menu`)];
  button.addEventListener('click', () => opener.show(button, menu));
  walkable(menu);
}
// The second click of a double one is none, nor is a further press of Learn: it would halt what the
// first has begun, as Pause takes the place of Learn. A key (detail 0), and Stop in the queue, are
// meant as they are pressed.
let clicked = -Infinity; // ms
let learns = -Infinity; // when Learn was pressed
find('#learn').addEventListener('click', ({ detail, timeStamp }) => {
  const now = state();
  const again = (detail > 1 && timeStamp - clicked < DOUBLE)
    || (detail > 0 && timeStamp - learns < REPEATED && (starting || now === 'running'));
  clicked = timeStamp;
  if (again) return;
  if (now === 'before' || now === 'finished') learns = timeStamp;
  opener.close(false);
  main[now]();
  tick();
});
find('#step').addEventListener('click', pressStep);
find('#verdict-action').addEventListener('click', pressVerdict);
// To the reason, without another address: that is the settings'.
text.verdict.addEventListener('click', (event) => {
  if (!event.target.closest('a')) return;
  event.preventDefault();
  document.getElementById('spectrum').scrollIntoView({ block: 'end' });
});
for (const name of Object.keys(props.speeds)) {
  find(`#speed-${name}`).addEventListener('click', () => { setSpeed(name); opener.close(true); });
}
find('#copy-link').addEventListener('click', async () => {
  await toClipboard(location.href);
  write(text.copy, words.copied);
  setTimeout(() => write(text.copy, words.copy_link), 1500);
});
find('#start-over').addEventListener('click', () => location.assign(location.pathname));
const keysOn = () => store.get('keys', 'on') === 'on';
function showKeys() { find('#keys').setAttribute('aria-checked', String(keysOn())); }
find('#keys').addEventListener('click', () => { store.set('keys', keysOn() ? 'off' : 'on'); showKeys(); });
showKeys();
listenToKeys(() => keysOn() && root.isConnected && root.offsetParent !== null, {
  r: () => { if (!find('#chip-filter').disabled) document.getElementById('random')?.click(); },
  '?': () => opener.show(find('#more'), find('#more-menu')),
});
document.addEventListener('change', (event) => {
  if (root.isConnected && event.target.closest?.('#rate')) rateChanged(Number(event.target.value) || 0);
});

// ---- Kernels and pictures

const pictures = makePictures(root, words, {
  cut: Number(store.get('divider', 70)), // per cent of After that are learned
  shown: () => ({
    ...kernelsNow(), border: value.border, taught: `${run.truthText}|${value.border}`,
    step: stepShown(), place: placeShown(), theme,
  }),
  later,
  changed: schedule,
  chosen: ({ x, y, sum, trueSum }) => {
    speak(say(words.pixel, { x, y, sum: whole(sum), true: whole(trueSum) }), true);
  },
});

let decoded = {}; // the kernel shown: chunks are long
function kernelsNow() {
  const { at } = player;
  if (decoded.run !== run || decoded.at !== at) {
    const difference = differenceAt(run, at);
    decoded = { run, at, difference, learned: learnedFrom(difference, run.truth) };
  }
  const { difference, learned } = decoded;
  return { ...run, difference, learned, marked };
}

markable(
  [kernels.main, kernels.truth, kernels.learned, kernels.difference], find('.kd-equation'),
  () => ({ size: run.size, marked, some: Boolean(rowShown()) }),
  (at, byKey) => {
    if (at !== marked) schedule();
    marked = at;
    if (byKey) speak(reading(kernelsNow(), words), true);
  },
);

function paintKernels() {
  const now = kernelsNow();
  const { learned } = now;
  const unit = drawKernels(kernels, now, once, words, theme);
  later(() => {
    const step = stepShown();
    write(text.unit, unit);
    write(text.at_short, step ? `${words.step} ${step}` : '');
    write(text.at, step ? `${words.step} ${step}` : !learned ? ''
      : startOf(learned) === 'random' ? words.start : words.no_start);
    const reads = marked >= 0 && Boolean(learned);
    hide(text.reading, !reads);
    hide(text.sentence, reads);
    if (reads) write(text.reading, reading(now, words));
  });
}

// ---- Curves and timeline

function drawCurves(now) {
  const [row, at, ended] = [rowShown(), stepShown(), now === 'finished'];
  const furthest = run.rows[Math.min(player.furthest, lastRow())]?.[STEP] || 0;
  const last = ended ? Math.max(1, lastOf(run.rows[lastRow()][STEP])) : axisFor(furthest, value.steps);
  const seen = (points) => points.filter(([step]) => ended || step <= furthest);
  const pale = before && !sameCurve(before, run) && paleRun(last);
  const marks = value.rates.map(([step, rate]) => [step, say(words.rate, { rate })]);
  for (const [name, column, colour] of [['loss', LOSS, theme.accent], ['error', ERROR, theme.warm]]) {
    const [points, checked] = [seen(run[name]), name === 'loss' ? seen(run.validation) : []];
    const own = [...points, ...checked].map(([, v]) => v);
    const values = [...own, ...(pale ? heldBy(own, pale[name]) : [])];
    ranges[name] = decadesOf(values, ranges[name]);
    const series = [{ points: checked, colour: theme.muted, dashed: true, until: at },
      { points, colour, until: at }];
    if (pale) {
      series.unshift({
        points: before[name], colour: theme.muted, pale: true, name: pale.says, short: words.run_before_short,
      });
    }
    drawChart(curves[name], {
      series, last, marks, end: `${words.step} ${last}`,
      range: ended ? fittingDecades(values) : ranges[name],
      cursor: row && { step: at, value: row[column], colour },
      pointed: pointed?.name === name ? pointedAt(curves[name], points, last, colour) : null,
    }, theme);
    const unknown = now === 'before' && row && !Number.isFinite(row[column]);
    later(() => write(text[name], unknown ? words.unmeasured : row ? figure(row[column]) : ''));
  }
  axisEnd = last;
  later(() => hide(find('#clear-before'), !pale));
}

// Whether a run is the one before again, as far as both have come.
function sameCurve(one, other) {
  if (one.truthText !== other.truthText) return false;
  const known = new Map(one.error);
  const common = other.error.filter(([step]) => known.has(step));
  return common.length > 1 && common.every(([step, v]) => known.get(step) === v);
}

let axisEnd = 10;

// The last step of a run, and of the one before that it is compared with; unless that took so many
// more that this one would not be seen.
function lastOf(own) {
  const other = (compared && before?.error.at(-1)?.[0]) || 0;
  return other > own && other <= MORE * own ? other : own;
}

// What of the run before lies on an axis up to this step, and its name: with its filter where that
// is another one, and with its rate where that is all that is.
function paleRun(last) {
  const { filter, truthText } = before;
  const other = before.method === value.method && before.run !== value.run;
  const name = other ? before.rated : before.run;
  const within = (points) => points.filter(([step]) => step <= last);
  const says = truthText === run.truthText ? words.run_before : words.run_before_other;
  return { loss: within(before.loss), error: within(before.error), says: say(says, { run: name, filter }) };
}

// Its values, but for those far above all that there are now: where it went astray.
function heldBy(own, points) {
  const most = ASTRAY * (largest(own) || Infinity);
  return points.map(([, v]) => v).filter((v) => v < most);
}

// The kept step of a curve that is nearest to the pointer.
function pointedAt(canvas, points, last, colour) {
  if (points.length < 2) return null;
  const [step, level] = points[nearestRow(points, stepUnder(canvas, pointed.x, last))];
  return { step, value: level, colour, text: say(words.pointed, { step, value: figure(level) }) };
}

const SLOP = 6; // pixels that a finger moves without meaning it
const isAlong = (x, y) => Math.abs(x) > Math.max(SLOP, Math.abs(y));

const canSeek = () => run.rows.length > 1 && state() !== 'before';

// A pointer over a curve tells the step and the value there; a click, or drawing along the curve, goes
// to the step. A finger may also be about to scroll: it does once it moves along more than down, or taps.
for (const [name, canvas] of Object.entries(curves)) {
  let touched = null; // where a finger came down that has not moved along yet
  const point = (event) => {
    pointed = event && { name, x: event.offsetX };
    schedule();
  };
  const go = (event) => {
    point(event.pointerType === 'mouse' ? event : null);
    if (canSeek()) seek(nearestRow(run.rows, stepUnder(canvas, event.offsetX, axisEnd)));
  };
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    touched = event.pointerType === 'mouse' ? null : [event.offsetX, event.offsetY];
    if (!touched) go(event);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (touched && isAlong(event.offsetX - touched[0], event.offsetY - touched[1])) touched = null;
    if (event.pointerType === 'mouse' && !canvas.hasPointerCapture(event.pointerId)) point(event);
    else if (!touched && canvas.hasPointerCapture(event.pointerId)) go(event);
  });
  canvas.addEventListener('click', go);
  canvas.addEventListener('pointerleave', () => point(null));
}

function paintTimeline(now) {
  const row = rowShown();
  const at = stepShown();
  // Up to the steps there may be: on an axis that grows as those of the curves do it would run back.
  const last = Math.max(1, now === 'finished' ? run.rows[lastRow()][STEP] : value.steps, at);
  const some = canSeek();
  setDisabled(timeline, !some);
  setData(root, { seekable: some });
  if (Number(timeline.max) !== last) timeline.max = last;
  if (Number(timeline.value) !== at) timeline.value = at;
  const computed = some ? run.rows[lastRow()][STEP] : 0;
  for (const [name, step] of [['--share', at], ['--computed', computed]]) {
    const share = `${((100 * step) / last).toFixed(2)}%`;
    if (timeline.style.getPropertyValue(name) !== share) timeline.style.setProperty(name, share);
  }
  setAttribute(timeline, 'title', some && computed < last ? say(words.computed_to, { step: computed }) : '');
  const [ended, most] = [now === 'finished', { steps: value?.steps }];
  const of = !some && !at ? '' : ended ? say(words.step_of, { steps: run.rows[lastRow()][STEP] })
    : say(words.step_most, most);
  setAttribute(timeline, 'aria-valuetext', `${words.step} ${at}${of}`);
  write(text.step, say(words.step_at, { step: at }));
  write(text.of, of);
  write(text.of_short, of && !ended ? say(words.step_most_short, most) : of);
  write(text.seconds, now === 'before' ? words.not_started
    : say(words.computed_in, { seconds: row ? inSeconds(row[SECONDS]) : '0 s' }));
  const goes = player.playing && (now === 'running' || player.at < lastRow()) && some;
  const play = find('#play');
  setDisabled(play, !some);
  setData(play, { icon: goes ? 'pause' : 'play' });
  setAttribute(play, 'aria-label', goes ? words.hold : now === 'running' ? words.play_on : words.play);
}

timeline.addEventListener('input', () => seek(nearestRow(run.rows, Number(timeline.value))));
// The browser moves the thumb as soon as a finger comes down: one that then scrolls has moved nothing.
let shownBefore = 0;
timeline.addEventListener('pointerdown', () => { shownBefore = player.at; });
timeline.addEventListener('pointercancel', () => seek(shownBefore));
timeline.addEventListener('keydown', (event) => {
  const ten = Math.max(1, Math.round(run.rows.length / 10));
  const move = {
    ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -ten, PageUp: ten,
    Home: -Infinity, End: Infinity,
  }[event.key];
  if (!move) return;
  event.preventDefault();
  seek(player.at + move);
});
find('#play').addEventListener('click', () => {
  if (find('#play').dataset.icon !== 'play') return seek(player.at);
  player = played(player, lastRow(), true, performance.now());
  return tick();
});
find('#clear-before').addEventListener('click', () => {
  [before, left] = [null, left && { ...left, before: null }];
  timeline.focus({ preventScroll: true });
  schedule();
});

// ---- Words and attributes

let spokenAt = -Infinity;
let unsaid = 0;

// Said to a screen reader, at most each two seconds: what comes sooner, when they are over. What was
// asked for by a key, at once.
function speak(said, atOnce) {
  const wait = spokenAt + 2000 - performance.now();
  clearTimeout(unsaid);
  if (!atOnce && wait > 0) {
    unsaid = setTimeout(schedule, wait);
    return false;
  }
  spokenAt = performance.now();
  write(find('.kd-live-spoken'), said);
  return true;
}

function paintVerdict(now, learned) {
  const line = find('.kd-verdict-line');
  const action = find('#verdict-action');
  const back = player.at < lastRow()
    && (now === 'finished' || (now === 'running' && !player.playing));
  const told = verdictOf({
    state: now, row: rowShown(), learned, rows: run.rows, last: lastRow(), truth: run.truth, value,
    asked: pressed.asked, lookingBack: back, oneStep: PACE[pace()] === Infinity,
  }, words);
  setData(line, { dot: problem ? 'bad' : told.dot });
  write(text.problem, problem);
  hide(text.verdict, Boolean(problem));
  writeParts(text.verdict, told.parts);
  const does = problem ? null : told.action;
  hide(action, !does);
  if (!does) return told;
  action.dataset.action = does;
  const label = { more: say(words.more_steps, { more: RUNS_ON }), end: words.to_end, latest: words.to_latest };
  write(action, label[does]);
  return told;
}

// Words of one shape change in their places: what is made anew has the page looked over.
function writeParts(place, all) {
  const shape = all.map(({ strong, extra, link }) => [strong, extra, link].map(Boolean)).join('|');
  if (place.dataset.shape === shape && place.children.length === all.length) {
    all.forEach(({ text: said }, i) => write(place.children[i], said));
    return;
  }
  place.dataset.shape = shape;
  place.replaceChildren(...all.flatMap(({ text: said, strong, extra, link }) => [
    link ? make('a', { class: 'kd-link', href: '#spectrum' }, said)
      : make(strong ? 'b' : 'span', extra && { class: 'kd-extra' }, said), ' ']));
}

function describe(now, learned, difference, told) {
  const row = rowShown();
  const said = row && now !== 'before' ? say(words.spoken, {
    step: row[STEP], loss: figure(row[LOSS]), error: figure(row[ERROR]),
  }) : '';
  const verdict = told.parts.map((one) => one.text).join(' ');
  const spoken = now === 'running' ? said : verdict;
  if (spoken === describe.said || !speak(spoken, now !== 'running' && now !== describe.state)) return;
  [describe.said, describe.state] = [spoken, now];
  const list = (m) => (!m ? '–' : m.length <= 49 ? Array.from(m, (v) => figure(v)).join(' ')
    : words.entries.replace('{}', figure(Math.min(...m))).replace('{}', figure(Math.max(...m))));
  const shown = { truth: run.lacking ? null : run.truth, learned, main: learned, difference };
  const name = { truth: words.true, learned: words.learned, main: words.learned_kernel, difference: words.difference };
  for (const key of Object.keys(name)) {
    kernels[key].setAttribute('aria-label', `${name[key]}: ${list(shown[key])}`);
  }
  for (const [key, column] of [['loss', LOSS], ['error', ERROR]]) {
    curves[key].setAttribute('aria-label', `${words[key]} ${row ? figure(row[column]) : ''}`);
  }
  const labels = { patch: words.patch, kernel: words.learned, products: text.products.textContent };
  for (const [key, label] of Object.entries(labels)) tables[key].setAttribute('aria-label', label);
}

// ---- Drawing

function draw() {
  if (!value || !root.clientWidth) return;
  const now = state();
  const row = rowShown();
  const figures = row ? Array.from(row) : [];
  once('kernels', [...figures, marked], paintKernels);
  once('curves', [...figures, player.furthest, now, now === 'finished' ? lastRow() : '', value.rates.length,
    before?.run, before?.filter, pointed?.name, pointed?.x], () => drawCurves(now));
  const goes = player.playing && PACE[pace()] < Infinity && (now === 'running' || player.at < lastRow());
  pictures.draw(goes);
  once('pixel', [...figures, ...pictures.key(), value.border], pictures.drawPixel);
  for (const call of deferred.splice(0)) call();
  paintTimeline(now);
  paintBar(now);
  const { learned, difference } = kernelsNow();
  describe(now, learned, difference, paintVerdict(now, learned));
  setData(root, {
    state: now,
    going: goes,
    step: stepShown(),
    done: Boolean(value.end) && arrived,
    session: value.session,
    kernelError: row && Number.isFinite(row[ERROR]) ? row[ERROR] : '',
    speed,
  });
  setData(document.body, { learning: now === 'waiting' || now === 'running' });
  drawn = looks();
  publish(now, goes, difference);
}

// What is shown, for what else on the page follows it. Who comes later finds it in the window.
function publish(now, going, difference) {
  window.kdShown = {
    ...value, state: now, going, run, row: rowShown(), difference: run.lacking ? null : difference, before, problem,
  };
  document.dispatchEvent(new CustomEvent('kd-shown'));
}

// All that a message may change of what is drawn. Most bring steps that are shown only later.
let drawn = '';
function looks() {
  const row = rowShown();
  return [version, value.server, value.session, run.truthText, value.border, value.picture?.key, value.waiting,
    value.computing, JSON.stringify(value.chips), value.steps, value.rates.length, before?.run, before?.filter, state(), player.at,
    player.playing, row?.[LOSS], row?.[ERROR], speed, arrived, problem, Boolean(pressed.hold),
    player.at < lastRow()].join('|');
}

// Draws a part if what it is made of is not what it was made of last.
const last = {};
function once(name, key, make) {
  const whole = [version, run.truthText, value.server, value.session, ...key].join('|');
  if (last[name] === whole) return;
  last[name] = whole;
  make();
}

follow(root, () => { theme = look(theme); }, () => { version += 1; schedule(); });
watch('value', () => accept(props.value));
accept(props.value);
