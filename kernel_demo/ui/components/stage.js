// What it triggers.
const EVENTS = ['learn', 'pause', 'resume', 'step', 'rate', 'stop', 'more', 'picture'];

// The live stage. Gradio runs this once with `element`, `props`, `watch`; see stage.py.

const root = element.querySelector('.kd-live');
const { words } = props;
const find = (selector) => root.querySelector(selector);
const text = parts(root, 'text');
const kernels = parts(root, 'kernel');
const pictures = parts(root, 'picture');
const curves = parts(root, 'curve');
const stillness = window.matchMedia('(prefers-reduced-motion: reduce)');

let theme = look();
let shown = null; // the last value drawn that was not an error
let patch = null; // the picture before the filter, decoded
let taught = null; // that picture through the true kernel
let marked = -1; // the cell under the pointer
let ranges = {}; // decades of each axis: they only grow within a run
const chunks = new Map(); // those of the curves, decoded

// Mixing the palette takes a while: a class may change where no colour does.
function look(before) {
  const now = readTheme(root);
  return { ...now, palette: before?.ink === now.ink ? before.palette : readPalette(root) };
}

const largest = (matrix) => (matrix || []).reduce((most, v) => Math.max(most, Math.abs(v)), 0);

// ---- The equation

// The largest power of ten that keeps `most` within `scale`, up to a thousand: beyond that, a
// difference that vanishes may look like nothing.
function gainOf(scale, most) {
  if (!Number.isFinite(most) || most >= scale) return 1;
  return Math.min(1000, 10 ** Math.floor(Math.log10(scale / most)));
}

function reading({ truth, learned, difference, size }) {
  if (marked < 0) return words.hint;
  const [row, column] = [Math.floor(marked / size) + 1, (marked % size) + 1];
  const place = `${words.row} ${row}, ${words.column} ${column}:`;
  if (!difference) return `${place} ${figure((truth || learned || [NaN])[marked])}`;
  const term = figure(learned[marked], 6, 6);
  const less = learned[marked] < 0 ? `(${term})` : term;
  return `${place} ${figure(truth[marked], 6, 6)} − ${less} = ${figure(difference[marked], 2)}`;
}

function drawEquation(state) {
  const { size, scale, gain } = state;
  const options = { scale, numbers: size <= 7, exact: false, marked };
  drawKernel(kernels.truth, state.truth, size, { ...options, exact: true }, theme);
  drawKernel(kernels.learned, state.learned, size, { ...options, note: words.untaught }, theme);
  const magnified = state.difference && state.difference.map((v) => v * gain);
  drawKernel(kernels.difference, magnified, size, options, theme);
  write(text.at, state.learned ? `${words.step} ${state.step}` : '\u00a0');
  write(text.gain, state.difference && gain > 1 ? `× ${gain}` : '\u00a0');
  write(text.reading, reading(state));
}

// ---- The pictures

let nextPictures = 0;
let picturesTimer = 0;

// What all but the strongest hundredth of the pixels stay below, from every seventh of them.
function strength(values) {
  const some = values.filter((_, i) => i % 7 === 0).map(Math.abs);
  return some.sort()[Math.floor(some.length * 0.99)];
}

function teach(state) {
  if (!patch || !state.truth || Math.min(patch.height, patch.width) < state.size) return null;
  const key = `${state.session}|${state.truthText}`;
  if (taught && taught.key === key && taught.patch === patch) return taught;
  const result = correlate(patch, state.truth, state.size);
  const below = result.values.reduce((sum, v) => sum + Math.max(0, -v), 0);
  const total = result.values.reduce((sum, v) => sum + Math.abs(v), 0);
  // A blurred picture is a picture still: it is shown in grey. What has a sign is shown signed.
  const grey = below < 0.05 * total;
  const strong = grey ? 1 : strength(result.values) || 1;
  return { ...result, key, patch, grey, factor: REACH / strong };
}

function blank(canvas) {
  const values = new Float32Array(20);
  drawPicture(canvas, { values, height: 4, width: 5 }, { factor: 1, grey: false }, theme);
}

function drawPictures(state) {
  const before = performance.now();
  taught = teach(state);
  write(text.picture_gain, '');
  if (!taught) return Object.values(pictures).forEach(blank);
  if (taught.theme !== theme) drawPicture(pictures.truth, taught, taught, theme);
  taught.theme = theme;
  if (!state.difference) return [pictures.learned, pictures.difference].forEach(blank);
  // Linear: the difference of the two results is the picture through the difference kernel.
  const apart = correlate(patch, state.difference, state.size);
  const values = taught.values.map((v, i) => v - apart.values[i]);
  drawPicture(pictures.learned, { ...taught, values }, taught, theme);
  const gain = gainOf(REACH / taught.factor, strength(apart.values));
  drawPicture(pictures.difference, apart, { factor: taught.factor * gain, grey: false }, theme);
  write(text.picture_gain, gain > 1 ? `× ${gain}` : '');
  const now = performance.now();
  // Three a second, and for large kernels never more than a tenth of the time.
  nextPictures = now + Math.max(320, 10 * (now - before));
}

function paintPictures(state) {
  clearTimeout(picturesTimer);
  const atOnce = state.done || state.kind === 'idle' || state.fresh;
  const wait = atOnce ? 0 : nextPictures - performance.now();
  if (wait <= 0) drawPictures(state);
  else picturesTimer = setTimeout(() => drawPictures(shown), wait);
}

// ---- The curves

function rangeOf(name, series) {
  const values = series.flatMap((s) => s.points.map(([, v]) => v)).filter((v) => v > 0);
  const tops = values.length ? Math.ceil(Math.log10(Math.max(...values))) : 0;
  const lows = values.length ? Math.floor(Math.log10(Math.min(...values))) : -6;
  const [low, high] = ranges[name] || [Infinity, -Infinity];
  ranges[name] = [Math.min(low, Math.min(lows, tops - 4)), Math.max(high, tops)];
  return ranges[name];
}

function lastStep(state) {
  if (state.done) return Math.max(1, state.step);
  let last = 10;
  while (last < state.step) last *= /^2/.test(last) ? 2.5 : 2;
  return Math.min(last, state.steps || last);
}

function drawBothCurves(state) {
  const last = lastStep(state);
  const line = (name, colour, dashed) => {
    const points = pointsOf(state.curves[name], 2, props.chunk, chunks);
    return { points, colour, dashed };
  };
  const loss = [line('loss', theme.accent, false), line('validation', theme.ink, true)];
  const error = [line('error', theme.warm, false)];
  const axes = (name, series) => ({ range: rangeOf(name, series), last, stepWord: words.step });
  drawCurves(curves.loss, loss, axes('loss', loss), theme);
  drawCurves(curves.error, error, axes('error', error), theme);
}

// ---- Words and attributes

let spokenAt = 0;

function describe(state) {
  const now = performance.now();
  if (!state.done && state.kind === 'frame' && now - spokenAt < 2000) return;
  spokenAt = now;
  write(find('.kd-live-spoken'), state.text.spoken);
  for (const [name, canvas] of Object.entries(kernels)) {
    const m = state[name];
    const told = !m ? words.untaught : m.length <= 49 ? [...m].map((v) => figure(v)).join(' ')
      : words.entries.replace('{}', figure(Math.min(...m))).replace('{}', figure(Math.max(...m)));
    canvas.setAttribute('aria-label', `${canvas.previousElementSibling.textContent}: ${told}`);
  }
  curves.loss.setAttribute('aria-label', `${words.loss} ${state.text.loss || ''}`);
  curves.error.setAttribute('aria-label', `${words.error} ${state.text.error || ''}`);
}

function tell(state) {
  for (const name of ['step', 'seconds', 'to_go', 'loss', 'error', 'verdict']) {
    write(text[name], state.text[name] || '');
  }
  const bar = find('[role=progressbar]');
  text.step.style.minWidth = `${8 + 2 * String(state.steps).length}ch`; // room for its last step
  bar.setAttribute('aria-valuemax', state.steps);
  bar.setAttribute('aria-valuenow', state.step);
  const share = state.done ? 1 : state.step / (state.steps || 1);
  bar.firstElementChild.style.width = `${100 * share}%`;
  root.dataset.kind = state.kind;
  root.dataset.session = state.session;
  root.dataset.step = state.step;
  root.dataset.done = state.done;
  root.dataset.kernelError = state.kernel_error ?? '';
  describe(state);
}

// ---- Updates

function draw() {
  if (!shown || !root.clientWidth) return;
  drawEquation(shown);
  drawBothCurves(shown);
  paintPictures(shown);
  shown.fresh = false;
}

let waiting = 0;
let nextDraw = 0;
// Drawing takes at most a quarter of the time, so that clicks get through on a slow machine too.
function schedule() {
  if (waiting) return;
  const paint = () => {
    waiting = 0;
    const before = performance.now();
    draw();
    const now = performance.now();
    nextDraw = now + 3 * (now - before);
  };
  const wait = shown.done ? 0 : Math.max(0, nextDraw - performance.now());
  waiting = setTimeout(() => requestAnimationFrame(paint), wait);
}

function reveal(node, block) {
  node.scrollIntoView({ block, behavior: stillness.matches ? 'auto' : 'smooth' });
}

function comeIntoView() {
  const { top } = root.getBoundingClientRect();
  if (window.innerWidth > 900 || (top >= 0 && top < window.innerHeight * 0.4)) return;
  reveal(root, 'start');
}

function accept(value, live) {
  const error = find('.kd-live-error');
  error.hidden = !value?.error;
  if (value?.error) {
    write(error, value.error);
    if (shown?.kind === 'idle') {
      write(text.step, words.ready);
      write(text.verdict, words.invitation);
    }
    if (live) reveal(error, 'nearest');
  }
  if (!value?.kind || value.kind === 'error') return;
  const begins = ['server', 'session', 'kind'].some((name) => value[name] !== shown?.[name]);
  const late = value.server === shown?.server && value.number < shown.number;
  // The last word on a run is that it is done: what was still under way then comes too late.
  if (late || (!begins && shown.done && !value.done)) return;
  const state = { ...value, fresh: begins, truthText: value.truth };
  for (const name of Object.keys(kernels)) state[name] = floats(value[name]);
  state.scale = largest(state.truth) || largest(state.learned) || 1;
  state.gain = gainOf(state.scale, largest(state.difference));
  if (value.patch && value.patch.pixels !== patch?.text) {
    const { height, width, pixels } = value.patch;
    const grey = Float32Array.from(bytes(pixels), (v) => v / 255);
    patch = { height, width, text: pixels, pixels: grey };
  }
  if (begins) { ranges = {}; chunks.clear(); marked = -1; }
  shown = state;
  tell(state);
  if (live && begins && state.kind === 'frame') comeIntoView();
  schedule();
}

function mark(at) {
  if (at === marked || !shown) return;
  marked = at;
  drawEquation(shown);
}

function cellAt(event) {
  const box = event.currentTarget.getBoundingClientRect();
  const { size } = shown;
  const place = (v, whole) => Math.min(size - 1, Math.max(0, Math.floor((v / whole) * size)));
  const [row, column] = [event.clientY - box.top, event.clientX - box.left];
  return place(row, box.height) * size + place(column, box.width);
}

for (const canvas of Object.values(kernels)) {
  canvas.addEventListener('pointermove', (event) => {
    if (shown && event.pointerType === 'mouse') mark(cellAt(event));
  });
  canvas.addEventListener('pointerdown', (event) => {
    const at = shown ? cellAt(event) : -1;
    mark(event.pointerType !== 'mouse' && at === marked ? -1 : at);
  });
  canvas.addEventListener('pointerleave', (event) => event.pointerType === 'mouse' && mark(-1));
}

find('.kd-live-row').addEventListener('keydown', (event) => {
  const row = shown?.size;
  const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row }[event.key];
  if (event.key === 'Escape') mark(-1);
  if (!move || !shown) return;
  event.preventDefault();
  const next = marked < 0 ? 0 : marked + move;
  if (next >= 0 && next < shown.size ** 2) mark(next);
  write(find('.kd-live-spoken'), reading(shown));
});

// Gradio takes a button away to hide it: the focus goes on to the one that comes in its place.
let pressed = '';
const handOn = new MutationObserver(() => {
  if (document.activeElement !== document.body) return;
  const next = pressed === 'step' ? '#step' : '#learn, #pause, #resume';
  document.querySelector(`:is(${next}):enabled`)?.focus({ preventScroll: true });
});
document.addEventListener('focusin', ({ target }) => {
  handOn.disconnect();
  pressed = target.id;
  if (!target.matches('#learn, #pause, #resume, #step, #stop')) return;
  const changes = { childList: true, subtree: true, attributeFilter: ['disabled'] };
  handOn.observe(target.parentElement, changes);
});
document.addEventListener('pointerdown', ({ target }) => {
  if (target.id !== pressed) handOn.disconnect();
});

follow(root, () => { theme = look(theme); }, schedule);
watch('value', () => accept(props.value, true));
accept(props.value, false);
