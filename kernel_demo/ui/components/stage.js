// The stage. Gradio runs this once with `element`, `props`, `watch`, `trigger`; see stage.py. What is
// shown hangs on the last value, the player and what was pressed since; `draw` makes it all anew.

const root = element.querySelector('.kd-live');
const { words } = props;
const find = (selector) => root.querySelector(selector);
const text = parts(root, 'text');
const kernels = parts(root, 'kernel');
const pictures = parts(root, 'picture');
const views = parts(root, 'view');
const curves = parts(root, 'curve');
const tables = parts(root, 'table');
const timeline = find('#timeline');
const stillness = window.matchMedia('(prefers-reduced-motion: reduce)');
const narrow = window.matchMedia('(max-width: 700px)');

// Kernels up to this size have their filtered picture at each step that is shown. Beyond, at most
// this share of the time goes into them while a run is shown.
const EACH_STEP = 5;
const SHARE = 0.035;
const FRAME = 16; // milliseconds from one drawing to the next, at most sixty a second
const REPLY = 3000; // milliseconds that a changed rate is waited for
const BLANK = { rows: [], parts: [], width: 0 };

let theme = look();
let value = null; // the last one that was no error
let problem = ''; // the sentence of an error, until the next value
let run = { ...BLANK, truth: new Float64Array(9), size: 3 }; // its kept steps
let player = begun(0);
let pressed = {}; // asked: for a run; halted: Pause; hold: what is waited for before it plays on
let arrived = false; // at the end of the run
let before = null; // the run before, pale: {name, loss, error}
let ranges = {}; // decades of each axis: they only grow within a run
let speed = store.get('speed', stillness.matches ? 'fast' : 'normal');
let cut = Number(store.get('divider', 70)); // per cent of After that are learned
let piece = null; // the picture: {key, plane, view}
let result = null; // that piece through the true kernel
let pixel = null; // in the full picture: {x, y}
let marked = -1; // the weight under the pointer

if (!(speed in PACE)) speed = 'normal';

// Mixing the palette takes a while: a class may change where no colour does.
function look(known) {
  const now = readTheme(root);
  if (known?.ink === now.ink) return { ...now, palette: known.palette, pixels: known.pixels };
  const palette = readPalette(root);
  return { ...now, palette, pixels: pixelsOf(palette) };
}

const largest = (matrix) => matrix.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
const lastRow = () => run.rows.length - 1;
const rowShown = () => run.rows[player.at];
const stepShown = () => (rowShown() ? rowShown()[STEP] : 0);
const learnedNow = () => learnedFrom(differenceAt(run, player.at), run.truth);
const state = () => stateOf(value, player, lastRow(), { ...pressed, arrived });
const tell = (name, data) => {
  rested = name === 'pause' ? restingPlace() : '';
  trigger(name, data);
};

// ---- Values

function accept(next) {
  if (next?.kind === 'error') {
    problem = next.error;
    pressed = { ...pressed, asked: false, hold: null };
    if (value) value = { ...value, chips: { ...value.chips, ...next.chips } };
    return schedule();
  }
  if (!next?.kind || (next.server === value?.server && next.number < value.number)) return;
  problem = next.error || '';
  if (problem) pressed = { ...pressed, asked: false, hold: null };
  const begins = ['server', 'session', 'kind'].some((name) => next[name] !== value?.[name]);
  if (begins && value?.kind === 'frame') remember();
  const truthText = `${next.size}|${next.truth}`;
  const truth = truthText === run.truthText ? run.truth : doubles(next.truth);
  const decoded = kept(next.records, next.size, begins ? null : run);
  run = { ...decoded, truth, truthText, size: next.size, ...curvesOf(decoded.rows) };
  value = { ...next }; // of our own: what gradio hands over it may write into
  if (begins) begin();
  else player = cutTo(player, lastRow());
  if (!value.end) arrived = false;
  if (value.computing || value.paused || value.end) release();
  tellPause();
  takePicture(value.picture);
  tick();
}

function begin() {
  player = begun(performance.now());
  ranges = {};
  arrived = false;
  marked = -1;
  const single = pressed.hold?.kind === 'step' && value.kind === 'frame';
  if (value.kind === 'frame' || !pressed.asked) {
    pressed = single ? { halted: true, hold: pressed.hold } : {};
  }
  after.due = 0;
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
  before = { name: say(words.run_before, { run: value.run }), loss: run.loss, error: run.error };
}

// ---- The show

let timer = 0;

function tick() {
  clearTimeout(timer);
  const now = performance.now();
  if (pressed.hold && now > (pressed.hold.until ?? Infinity)) pressed = { ...pressed, hold: null };
  // Not past a step that waits to be drawn: where drawing is slow, or the page hidden, it waits.
  if (!pressed.hold && !waiting) player = advanced(player, lastRow(), speed, now);
  if (value?.end && player.at >= lastRow() && player.playing) arrived = true;
  if (value?.end && lastRow() < 1) arrived = true;
  // What stands still has arrived there: looking at it again is not going on.
  if (value?.paused && !value.computing && player.at >= lastRow()) pressed = { ...pressed, halted: true };
  const wait = pressed.hold ? Infinity : waitOf(player, lastRow(), speed, now);
  if (wait < Infinity) timer = setTimeout(tick, waiting ? Math.max(wait, FRAME) : wait);
  else if (pressed.hold?.until) timer = setTimeout(tick, REPLY);
  tellArrival();
  if (!value || looks() !== drawn) schedule();
}

// What stands below the stage is asked for once the show has come to the end of what was computed:
// it would tell the result before. A pause is answered with it.
let rested = '';
const restingPlace = () => `${value.server}|${value.session}|${stepShown()}`;
function tellArrival() {
  if (pressed.asked || pressed.hold || value?.kind !== 'frame' || value.computing) return;
  if (player.at < lastRow() || !(arrived || value.paused) || rested === restingPlace()) return;
  rested = restingPlace();
  trigger('arrived', { step: stepShown() });
}

function seek(at) {
  player = sought(player, Math.max(0, Math.min(lastRow(), at)));
  if (value?.end && player.at === lastRow()) arrived = true;
  tick();
}

function setPlaying(on, from = player) {
  const now = performance.now();
  player = on ? played(from, lastRow(), true, now) : sought(player, player.at);
  tick();
}

// ---- What is pressed

const main = {
  before: () => ask('learn'),
  finished: () => ask('learn'),
  waiting: () => {
    pressed = {};
    if (value) value = { ...value, waiting: null, computing: false, paused: value.kind === 'frame' };
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
    player = { ...player, playing: true, moved: performance.now(), starved: false };
    if (untold) return tick();
    value = { ...value, paused: false, computing: !value.end };
    return tell('resume', { step: stepShown() });
  },
};

// Gradio's client cannot cancel a run before it has heard of it: Pause waits for its first step.
function tellPause() {
  if (!pressed.untold || (value.computing && lastRow() < 1)) return;
  pressed = { ...pressed, untold: false };
  tell('pause', { step: stepShown() });
}

function ask(name, data = {}) {
  problem = '';
  pressed = { asked: true };
  tell(name, { ...data, held: [...pieces.keys()] });
}

function pressStep() {
  if (pressed.hold) return; // enabled meanwhile, so that the focus stays
  const now = state();
  const ahead = player.at < lastRow();
  if (now === 'finished' || now === 'running' || (now === 'paused' && speed === 'step' && ahead)) {
    if (!ahead) return;
    player = { ...shownAt(player, player.at + 1), playing: now === 'running' };
    if (value.end && player.at === lastRow()) arrived = true;
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
  if (action === 'more') {
    const step = run.rows[lastRow()][STEP];
    value = { ...value, end: null, computing: true };
    arrived = false;
    setPlaying(true, { ...player, at: lastRow(), starved: true });
    player = { ...player, at: lastRow() };
    tell('more', { step, steps: RUNS_ON });
  } else if (action === 'latest') {
    player = { ...shownAt(player, lastRow()), playing: true, moved: performance.now() };
  } else seek(lastRow());
  tick();
}

function setSpeed(name) {
  speed = name;
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
  const ahead = player.at < lastRow();
  const stepOff = pressed.hold?.kind !== 'step' && (now === 'waiting'
    || (now === 'running' && !(speed === 'step' && ahead)) || (now === 'finished' && !ahead));
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
  if (value?.chips) fillChips(root, value.chips);
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
find('#learn').addEventListener('click', () => { opener.close(false); main[state()](); tick(); });
find('#step').addEventListener('click', pressStep);
find('#verdict-action').addEventListener('click', pressVerdict);
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

// ---- Kernels

const SUPERSCRIPT = (n) => `10${String(n).replace(/./g, (c) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[c] || '⁻')}`;

// In which unit the difference is written: {gain, colour (gain of it), decimals, caption}.
function unitOf(difference, scale, numbers) {
  const most = largest(difference);
  const power = Math.floor(Math.log10(most));
  const plain = { gain: 1, colour: 1, decimals: 2, caption: '' };
  if (!Number.isFinite(most) || most === 0) return plain;
  if (!numbers) {
    if (most >= 0.1 * scale) return plain;
    if (most >= 0.01 * scale) return { ...plain, gain: 10, colour: 10, caption: '× 10' };
    return { ...plain, colour: 10, caption: say(words.below_unit, { unit: SUPERSCRIPT(power + 1) }) };
  }
  if (power >= -1) return { ...plain, decimals: most >= 100 ? 0 : most >= 10 ? 1 : 2 };
  if (power === -2) return { gain: 10, colour: 10, decimals: 2, caption: '× 10' };
  const caption = say(words.in_unit, { unit: SUPERSCRIPT(power) });
  return { gain: 10 ** -power, colour: 10, decimals: 1, caption };
}

const NUMBERS_UP_TO = 7;

function drawKernels(learned, difference) {
  const { truth, size } = run;
  const scale = largest(truth) || 1;
  const numbers = size <= NUMBERS_UP_TO;
  const decimals = numbers ? decimalsOf(scale) : null;
  const options = { scale, decimals, marked };
  const unit = difference ? unitOf(difference, scale, numbers) : null;
  once('truth', [marked], () => {
    drawCells(kernels.chip, truth, size, { scale }, theme);
    drawCells(kernels.truth, truth, size, { ...options, exact: true }, theme);
  });
  drawCells(kernels.main, learned, size, options, theme);
  drawCells(kernels.learned, learned, size, options, theme);
  drawCells(kernels.difference, difference && difference.map((v) => v * unit.colour), size, {
    ...options,
    decimals: numbers && unit ? unit.decimals : null,
    values: difference && difference.map((v) => v * unit.gain),
  }, theme);
  later(() => {
    write(text.unit, unit?.caption || '');
    const step = stepShown();
    const at = step ? `${words.step} ${step}`
      : learned && startOf(learned) !== 'random' ? words.no_start : words.start;
    write(text.at, at);
    write(text.at_short, step ? `${words.step} ${step}` : '');
    paintReading(learned, difference);
  });
}

function reading(learned, difference) {
  const [row, column] = [Math.floor(marked / run.size) + 1, (marked % run.size) + 1];
  const term = figure(learned[marked]);
  return `${say(words.reading, { row, column })} ${say(words.terms, {
    truth: figure(run.truth[marked]),
    learned: learned[marked] < 0 ? `(${term})` : term,
    difference: figure(difference[marked], 2),
  })}`;
}

function paintReading(learned, difference) {
  const reads = marked >= 0 && learned;
  text.reading.hidden = !reads;
  text.sentence.hidden = Boolean(reads);
  if (reads) write(text.reading, reading(learned, difference));
}

function mark(at) {
  if (at === marked) return;
  marked = at;
  schedule();
}

function cellAt(event) {
  const box = event.currentTarget.getBoundingClientRect();
  const index = (v, whole) => Math.min(run.size - 1, Math.max(0, Math.floor((v / whole) * run.size)));
  const [row, column] = [event.clientY - box.top, event.clientX - box.left];
  return index(row, box.height) * run.size + index(column, box.width);
}

for (const canvas of [kernels.main, kernels.truth, kernels.learned, kernels.difference]) {
  canvas.addEventListener('pointermove', (event) => {
    if (event.pointerType === 'mouse') mark(cellAt(event));
  });
  canvas.addEventListener('pointerdown', (event) => {
    const at = cellAt(event);
    mark(event.pointerType !== 'mouse' && at === marked ? -1 : at);
  });
  canvas.addEventListener('pointerleave', (event) => event.pointerType === 'mouse' && mark(-1));
}

const equation = find('.kd-equation');
equation.addEventListener('keydown', (event) => {
  const { size } = run;
  const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -size, ArrowDown: size }[event.key];
  if (event.key === 'Escape') mark(-1);
  if (!move || !rowShown()) return;
  event.preventDefault();
  const next = marked < 0 ? 0 : marked + move;
  if (next >= 0 && next < size ** 2) mark(next);
  speak(reading(learnedNow(), differenceAt(run, player.at)), true);
});
equation.addEventListener('blur', () => mark(-1));

// ---- Pictures

const PIECES = 4; // kept decoded: the pixels of a picture come once, later values name it alone
const pieces = new Map();

async function takePicture(picture) {
  if (!picture || (picture.key === piece?.key && (piece.plane || piece.asked || !picture.url))) return;
  pixel = null;
  piece = pieces.get(picture.key) || { key: picture.key, plane: null, asked: Boolean(picture.url) };
  if (piece.plane || !picture.url) return;
  const image = new Image();
  image.src = picture.url;
  await image.decode();
  const { width, height } = picture;
  const ctx = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  ctx.drawImage(image, 0, 0);
  const plane = planeOf(ctx.getImageData(0, 0, width, height).data, picture);
  const side = Math.min(width, height);
  const [left, top, across] = picture.view || [
    picture.left + ((width - side) >> 1), picture.top + ((height - side) >> 1), side];
  const decoded = { key: picture.key, plane, view: { left, top, side: across } };
  pieces.delete(picture.key);
  pieces.set(picture.key, decoded);
  if (pieces.size > PIECES) pieces.delete(pieces.keys().next().value);
  if (piece?.key !== picture.key) return; // another one came meanwhile
  piece = decoded;
  schedule();
}

// What all but the strongest hundredth of the values stay below, from every seventh of them.
function strength(values) {
  const some = values.filter((_, i) => i % 7 === 0).map(Math.abs);
  return some.sort()[Math.floor(some.length * 0.99)] || 1;
}

// The piece through the true kernel: it decides how both sides are shown.
function teach() {
  if (!piece?.plane) return null;
  const key = `${piece.key}|${run.truthText}|${value.border}`;
  if (result?.key === key) return result;
  const { plane, view } = piece;
  const padded = around(plane, view, run.size >> 1, value.border);
  const { values } = correlate(padded, run.truth, run.size);
  const below = values.reduce((sum, v) => sum + Math.max(0, -v), 0);
  const total = values.reduce((sum, v) => sum + Math.abs(v), 0);
  // A blurred picture is a picture still: it is shown in grey. What has a sign is shown signed.
  const shades = { grey: below < 0.05 * total, factor: REACH / strength(values) };
  result = { key, padded, values, ...shades };
  const { pixels } = around(plane, view, 0, value.border);
  result.before = pixels;
  if (!pixel) {
    const flat = run.truth.reduce((sum, v) => sum + v, 0);
    const [x, y] = edgeOf(pixels, values, view.side, flat, 0.6);
    pixel = { x: view.left + x, y: view.top + y };
  }
  return result;
}

function imageOf(values, shades, image = new ImageData(piece.view.side, piece.view.side)) {
  return paint(image, values, shades, theme.pixels);
}

const after = { due: 0, timer: 0, drawn: '' };

function drawPictures(learned, playing) {
  clearTimeout(after.timer);
  if (!teach()) return blankPictures();
  const { side } = piece.view;
  if (result.theme !== theme) {
    result.theme = theme;
    result.trueImage = imageOf(result.values, result);
    resize(pictures.before, side, side);
    pictures.before.getContext('2d').putImageData(imageOf(result.before, { grey: true }), 0, 0);
    after.drawn = '';
  }
  const key = `${result.key}|${value.server}|${value.session}|${stepShown()}|${cut}`;
  if (key === after.drawn || !learned) return;
  const now = performance.now();
  if (now < after.due) {
    after.timer = setTimeout(schedule, after.due - now);
    return;
  }
  after.drawn = key;
  drawAfter(learned, side);
  const cost = performance.now() - now;
  const large = run.size > EACH_STEP;
  after.due = large ? now + cost + (playing ? cost / SHARE : cost) : 0;
  // A picture that comes a few times a second says of which step it is.
  const note = large && stepShown() ? `${words.step} ${stepShown()}` : '';
  later(() => write(text.after_note, note));
}

function drawAfter(learned, side) {
  const columns = Math.round((side * cut) / 100);
  const { values } = correlate(result.padded, learned, run.size, columns);
  resize(pictures.after, side, side);
  const ctx = pictures.after.getContext('2d');
  result.learnedImage = imageOf(values, result, result.learnedImage);
  if (columns) ctx.putImageData(result.learnedImage, 0, 0, 0, 0, columns, side);
  if (columns < side) ctx.putImageData(result.trueImage, 0, 0, columns, 0, side - columns, side);
}

function blankPictures() {
  for (const canvas of Object.values(pictures)) surface(canvas);
  if (result) result.theme = null; // to be drawn anew
  after.drawn = '';
}

const divider = find('.kd-cut');

function setCut(percent) {
  cut = Math.round(Math.max(0, Math.min(100, percent)));
  store.set('divider', cut);
  paintCut();
  after.due = 0;
  schedule();
}

function paintCut() {
  divider.style.left = `${cut}%`;
  divider.setAttribute('aria-valuenow', cut);
  divider.setAttribute('aria-valuetext', `${cut} % ${words.tag_learned}`);
}

divider.addEventListener('pointerdown', (event) => {
  event.preventDefault();
  event.stopPropagation();
  divider.focus({ preventScroll: true });
  divider.setPointerCapture(event.pointerId);
});
divider.addEventListener('pointermove', (event) => {
  event.stopPropagation();
  if (!divider.hasPointerCapture(event.pointerId)) return;
  const box = views.after.getBoundingClientRect();
  setCut((100 * (event.clientX - box.left)) / box.width);
});
divider.addEventListener('keydown', (event) => {
  const step = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, Home: -100, End: 100 }[event.key];
  if (!step) return;
  event.preventDefault();
  event.stopPropagation();
  setCut(cut + step);
});

// ---- The arithmetic of a pixel

function choosePixel(x, y) {
  const { left, top, side } = piece.view;
  const inside = (v, from) => Math.max(from, Math.min(from + side - 1, v));
  pixel = { x: inside(x, left), y: inside(y, top) };
  schedule();
}

const partShown = () => (piece?.plane
  ? { ...piece.view, width: piece.view.side, height: piece.view.side } : null);

for (const view of Object.values(views)) {
  choosable(view, {
    part: partShown,
    at: () => pixel,
    choose: (x, y, how) => {
      choosePixel(x, y);
      if (how === 'over') return;
      root.dataset.arithmetic = 'true';
      if (how !== 'key') return;
      const sums = sumsAt(learnedNow());
      speak(say(words.pixel, { ...pixel, sum: whole(sums.sum), true: whole(sums.trueSum) }), true);
    },
  });
}
find('#to-kernels').addEventListener('click', () => {
  delete root.dataset.arithmetic;
  views.before.focus({ preventScroll: true });
});

function sumsAt(learned) {
  const patch = patchAt(piece.plane, pixel.x, pixel.y, run.size, value.border);
  const { products, sum } = productsOf(patch, learned);
  return { patch, products, sum, trueSum: productsOf(patch, run.truth).sum };
}

function drawPixel(learned) {
  const place = find('#arithmetic');
  if (!piece?.plane || !pixel || !learned) {
    for (const name of ['x', 'y', 'sum', 'true']) delete place.dataset[name];
    for (const name of ['sum', 'true_sum']) write(text[name], '');
    for (const canvas of Object.values(tables)) surface(canvas);
    for (const view of Object.values(views)) markPixel(view, null, null);
    return;
  }
  const { patch, products, sum, trueSum } = sumsAt(learned);
  const { size: k } = run;
  const scale = largest(run.truth) || 1;
  drawArithmetic(tables, { patch, kernel: learned, products, k, scale }, theme);
  later(() => {
    const found = { ...pixel, k, patch, sum, trueSum, border: value.border };
    tellArithmetic(place, found, words, words.true_sum);
    for (const view of Object.values(views)) markPixel(view, partShown(), pixel);
  });
}

// ---- Curves and timeline

function axes(now) {
  const { rows } = run;
  const furthest = rows[Math.min(player.furthest, lastRow())];
  const ended = now === 'finished';
  const last = ended ? Math.max(1, rows[lastRow()][STEP]) : axisFor(furthest ? furthest[STEP] : 0, value?.steps);
  const until = ended ? Infinity : furthest ? furthest[STEP] : 0;
  const seen = (points) => points.filter(([step]) => step <= until);
  const lines = { loss: seen(run.loss), validation: seen(run.validation), error: seen(run.error) };
  for (const name of ['loss', 'error']) {
    const values = lines[name].map(([, v]) => v);
    if (name === 'loss') values.push(...lines.validation.map(([, v]) => v));
    ranges[name] = decadesOf(values, ranges[name]);
    lines[`${name}Range`] = ended ? fittingDecades(values) : ranges[name];
  }
  return { last, lines };
}

function drawCurves(now) {
  const { last, lines } = axes(now);
  const row = rowShown();
  const at = stepShown();
  const marks = (value?.rates || []).map(([step, rate]) => [step, say(words.rate, { rate })]);
  const frame = (name) => ({ last, range: lines[`${name}Range`], marks, end: `${words.step} ${last}` });
  const pale = (name) => (before
    ? [{ points: before[name], colour: theme.muted, pale: true, name: before.name, short: words.run_before_short }] : []);
  const cursor = (column, colour) => (row ? { step: at, value: row[column], colour } : null);
  drawChart(curves.loss, {
    ...frame('loss'),
    series: [...pale('loss'), { points: lines.validation, colour: theme.muted, dashed: true, until: at },
      { points: lines.loss, colour: theme.accent, until: at }],
    cursor: cursor(LOSS, theme.accent),
  }, theme);
  drawChart(curves.error, {
    ...frame('error'),
    series: [...pale('error'), { points: lines.error, colour: theme.warm, until: at }],
    cursor: cursor(ERROR, theme.warm),
  }, theme);
  axisEnd = last;
  later(() => {
    write(text.loss, row ? figure(row[LOSS]) : '');
    write(text.error, row ? figure(row[ERROR]) : '');
    find('#clear-before').hidden = !before;
  });
}

let axisEnd = 10;

function paintTimeline(now) {
  const last = axisEnd;
  const row = rowShown();
  const at = stepShown();
  const some = run.rows.length > 1 && now !== 'before';
  setDisabled(timeline, !some);
  if (Number(timeline.max) !== last) timeline.max = last;
  if (Number(timeline.value) !== at) timeline.value = at;
  const share = `${((100 * at) / last).toFixed(2)}%`;
  if (timeline.style.getPropertyValue('--share') !== share) timeline.style.setProperty('--share', share);
  const steps = now === 'finished' ? run.rows[lastRow()][STEP] : value?.steps;
  const of = some || at ? say(words.step_of, { steps }) : '';
  setAttribute(timeline, 'aria-valuetext', `${words.step} ${at} ${of}`.trim());
  write(text.step, say(words.step_at, { step: at }));
  write(text.of, of);
  write(text.seconds, now === 'before' ? words.not_started
    : say(words.of_learning, { seconds: row ? inSeconds(row[SECONDS]) : '0 s' }));
  const goes = player.playing && (now === 'running' || player.at < lastRow()) && some;
  const play = find('#play');
  setDisabled(play, !some);
  setData(play, { icon: goes ? 'pause' : 'play' });
  setAttribute(play, 'aria-label', goes ? words.hold : now === 'running' ? words.play_on : words.play);
}

timeline.addEventListener('input', () => seek(nearestRow(run.rows, Number(timeline.value))));
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
  setPlaying(find('#play').dataset.icon === 'play');
});
find('#clear-before').addEventListener('click', () => {
  before = null;
  timeline.focus({ preventScroll: true });
  schedule();
});

// ---- Words and attributes

let spokenAt = -Infinity;

// Said to a screen reader, at most each two seconds; what was asked for by a key, at once.
function speak(said, atOnce) {
  const now = performance.now();
  if (!atOnce && now - spokenAt < 2000) return false;
  spokenAt = now;
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
    asked: pressed.asked, lookingBack: back,
  }, words);
  setData(line, { dot: problem ? 'bad' : told.dot });
  write(text.problem, problem);
  text.verdict.hidden = Boolean(problem);
  const key = JSON.stringify(told.parts);
  if (text.verdict.dataset.said !== key) {
    text.verdict.dataset.said = key;
    text.verdict.replaceChildren(...told.parts.flatMap(({ text: said, strong, extra }) => {
      const node = document.createElement(strong ? 'b' : 'span');
      node.textContent = said;
      if (extra) node.className = 'kd-extra';
      return [node, ' '];
    }));
  }
  const does = problem ? null : told.action;
  action.hidden = !does;
  if (!does) return told;
  action.dataset.action = does;
  const label = { more: say(words.more_steps, { more: RUNS_ON }), end: words.to_end, latest: words.to_latest };
  write(action, label[does]);
  return told;
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
  const shown = { truth: run.truth, learned, main: learned, difference };
  const name = { truth: words.true, learned: words.learned, main: words.learned_kernel, difference: words.difference };
  for (const key of Object.keys(name)) {
    kernels[key].setAttribute('aria-label', `${name[key]}: ${list(shown[key])}`);
  }
  curves.loss.setAttribute('aria-label', `${words.loss} ${row ? figure(row[LOSS]) : ''}`);
  curves.error.setAttribute('aria-label', `${words.error} ${row ? figure(row[ERROR]) : ''}`);
  for (const [key, canvas] of Object.entries(tables)) {
    canvas.setAttribute('aria-label', { patch: words.square, kernel: words.learned, products: text.products.textContent }[key]);
  }
}

// ---- Drawing

function draw() {
  if (!value || !root.clientWidth) return;
  const now = state();
  const row = rowShown();
  const difference = differenceAt(run, player.at);
  const learned = learnedFrom(difference, run.truth);
  const figures = row ? Array.from(row) : [];
  once('kernels', [...figures, marked], () => {
    drawKernels(learned, difference);
  });
  once('curves', [...figures, player.furthest, now, now === 'finished' ? lastRow() : '', value.rates.length,
    before?.name], () => drawCurves(now));
  drawPictures(learned, now === 'running' && player.playing);
  once('pixel', [...figures, piece?.key, Boolean(piece?.plane), pixel?.x, pixel?.y, value.border],
    () => drawPixel(learned));
  for (const call of deferred.splice(0)) call();
  paintTimeline(now);
  paintBar(now);
  const told = paintVerdict(now, learned);
  describe(now, learned, difference, told);
  setData(root, {
    state: now,
    step: stepShown(),
    done: Boolean(value.end) && arrived,
    session: value.session,
    kernelError: row && Number.isFinite(row[ERROR]) ? row[ERROR] : '',
    speed,
  });
  drawn = looks();
}

// All that a message may change of what is drawn. Most bring steps that are shown only later.
let drawn = '';
function looks() {
  const row = rowShown();
  return [version, value.server, value.session, run.truthText, value.border, value.picture?.key, value.waiting,
    JSON.stringify(value.chips), value.steps, value.rates.length, before?.name, state(), player.at,
    player.playing, row?.[LOSS], row?.[ERROR], speed, arrived, problem, Boolean(pressed.hold),
    player.at < lastRow()].join('|');
}

// Words are written when all canvases are drawn: a font asked for after a word has changed would lay
// the page out anew.
const deferred = [];
const later = (call) => deferred.push(call);

// Draws a part if what it is made of is not what it was made of last.
const last = {};
function once(name, key, make) {
  const whole = [version, run.truthText, value.server, value.session, ...key].join('|');
  if (last[name] === whole) return;
  last[name] = whole;
  make();
}

let version = 0; // another one for each size, theme and font
let waiting = 0;
function schedule() {
  if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; draw(); });
}

paintCut();
follow(root, () => { theme = look(theme); }, () => { version += 1; schedule(); });
watch('value', () => accept(props.value));
accept(props.value);
