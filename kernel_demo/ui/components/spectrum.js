// The patterns of the pictures under the stage. Gradio runs this once; see spectrum.py. What the stage
// shows it tells the page by `kd-shown` (window.kdShown): the bars below are of that very step.

const root = element.querySelector('.kd-spectrum');
const { words } = props;
const text = parts(root, 'text');
const plot = root.querySelector('.kd-spectrum-plot');
const columns = root.querySelector('.kd-spectrum-columns');
const button = root.querySelector('#learn-kfac');

const SEEN = 0.9; // of the loss is gone: little is left that it sees
const ROOM = 1.1; // above that largest one, as it may yet grow
const OUTLIER = 4; // times the median of those that count: a bar is cut there
const COUNTS = 0.01; // of the largest one

let value = null;
let made = []; // of each pattern: {column, canvas, bar, label}
let vectors = []; // of each pattern: k x k entries
let theme = null;
let seen = false;
let tiled = false; // the patterns, for those who see them

function accept() {
  value = props.value || null;
  setData(root, { unknown: true, lesson: value?.lesson || '' });
  const flat = value ? doubles(value.vectors) : new Float64Array(0);
  const area = value ? value.size ** 2 : 1;
  vectors = (value?.shares || []).map((_, i) => flat.subarray(i * area, (i + 1) * area));
  build();
  if (!value) {
    for (const name of ['why', 'mix', 'order']) write(text[name], name === 'why' ? words.unknown : '');
    setAttribute(plot, 'aria-label', words.unknown);
    return;
  }
  write(text.why, value.alike ? words.alike : words.unlike);
  write(text.order, value.smooth ? words.smooth : words.frequent);
  tiled = false;
  showTiles();
  update();
}

// The columns, with the bars above: they are of the pictures alone.
function build() {
  const shares = value?.shares || [];
  const some = shares.filter((share) => share > 0);
  const decades = Math.max(4, -Math.floor(Math.log10(Math.min(1, ...some)) + 1e-9));
  columns.style.setProperty('--decade', `calc(var(--above) / ${decades})`);
  made = shares.map((share, i) => {
    const [above, below] = [make('i'), make('i')];
    const label = make('span');
    const canvas = make('canvas', { 'data-pattern': i });
    above.style.setProperty('--part', share ? Math.max(0.02, 1 + Math.log10(share) / decades) : 0);
    const top = make('div', { class: 'kd-pattern-above' }, make('span', {}, value.labels[i]), above);
    const column = make('div', { class: 'kd-pattern', 'data-narrow': value.narrow.includes(i) },
      top, canvas, make('div', { class: 'kd-pattern-below' }, below, label));
    return { column, canvas, bar: below, label };
  });
  columns.replaceChildren(...made.map(({ column }) => column));
}

function showTiles() {
  if (tiled || !seen || !value) return;
  tiled = true;
  theme ||= { ...readTheme(root), palette: readPalette(root) };
  made.forEach(({ canvas }, i) => {
    drawCells(canvas, vectors[i], value.size, { scale: 1.1 * largest(vectors[i]) }, theme);
  });
}

// |v . (learned - true)| along each pattern.
function errorsOf(difference) {
  return vectors.map((vector) => Math.abs(vector.reduce((sum, v, i) => sum + v * difference[i], 0)));
}

// The error of a full bar: above the largest one of the start, but for those far beyond the others.
function scaleOf(errors) {
  const most = largest(errors);
  const count = errors.filter((v) => v > COUNTS * most).sort((a, b) => a - b);
  const middle = count[count.length >> 1];
  return ROOM * Math.max(...errors.filter((v) => v <= OUTLIER * middle)) || 1;
}

let scaled = {}; // of a run: the error of a full bar
function scaleNow({ run }) {
  const key = `${run.parts[0]?.text}|${run.truthText}|${value.lesson}`;
  if (scaled.key !== key) scaled = { key, scale: scaleOf(errorsOf(differenceAt(run, 0))) };
  return scaled.scale;
}

// What the stage shows now; null where it is of other pictures, or of no kernel.
function shownNow() {
  const shown = window.kdShown;
  return value && shown?.lesson === value.lesson && shown.difference ? shown : null;
}

function update() {
  const shown = shownNow();
  setData(root, { unknown: !shown, step: shown ? shown.row[STEP] : '' });
  paintButton();
  if (!shown) {
    window.kdPatterns = null;
    if (value) write(text.mix, mixed());
    return;
  }
  const errors = errorsOf(shown.difference);
  const scale = scaleNow(shown);
  const written = alike(errors);
  made.forEach(({ bar, label }, i) => {
    const share = errors[i] / scale;
    const cut = !(share <= 1 + 1e-9);
    const part = (cut ? 1 : share).toFixed(3);
    if (bar.style.getPropertyValue('--part') !== part) bar.style.setProperty('--part', part);
    setData(bar, { cut });
    write(label, written[i]);
    setData(label, { wrong: errors[i] });
  });
  tell(shown, errors);
}

// The columns that are seen: on a phone fewer are (spectrum.css).
const phone = matchMedia('(max-width: 700px)');
const drawn = () => (phone.matches ? value.narrow : [...vectors.keys()]);
phone.addEventListener('change', () => { if (value) update(); });

function mixed() {
  const count = value.of === 9 ? words.nine : value.of;
  const figures = { size: value.size, count, shown: drawn().length };
  const rare = value.shares.some((share) => share < props.rare);
  const template = value.of > figures.shown ? words.some : words.mix;
  const which = !rare ? '' : value.smooth ? words.rare : words.rare_other;
  return `${say(template, figures)} ${which}`.trim();
}

// The sentence of the step shown. It says no more than the figures do.
function tell(shown, errors) {
  const { row, run: { rows, truth } } = shown;
  const told = figuresOf({ row, rows, last: rows.length - 1, truth, value: shown });
  const most = Math.max(...drawn().map((i) => errors[i]));
  const named = drawn().find((i) => errors[i] === most);
  const rare = value.shares[named] < props.rare;
  const name = shown.state === 'before' ? 'untaught'
    : !told.wrong && told.share >= SEEN ? 'right'
      : told.wrong && told.share >= SEEN && rare ? 'small_loss' : 'on_way';
  window.kdPatterns = { along: decimal(most), part: value.labels[named], rare, alike: value.alike };
  const figures = { ...told, wrong: decimal(most), bound: decimal(most, true) };
  const key = [name, figures.step, figures.gone, figures.wrong, drawn().length].join();
  if (root.dataset.said !== key) {
    root.dataset.said = key;
    const said = words[name].split(/(\{\w+\})/).map((piece) => (
      piece[0] === '{' ? make(piece === '{gone}' ? 'b' : 'span', {}, say(piece, figures)) : piece));
    text.mix.replaceChildren(`${mixed()} `, ...said);
  }
  const each = value.labels.map((share, i) => say(words.spoken_one, { share, wrong: made[i].label.textContent }));
  setAttribute(plot, 'aria-label', say(words.spoken, { order: text.order.textContent, each: each.join('; ') }));
}

// K-FAC's own sentence, with what it came to where it has learned this kernel from these pictures.
function paintButton() {
  const shown = window.kdShown;
  const came = kfacCame(shown);
  write(text.kfac, came ? say(words.kfac_came, came) : words.kfac);
  const busy = shown?.state === 'waiting' || shown?.state === 'running';
  const off = !value || !shown || shown.method === 'kfac';
  setData(button, { off });
  if (button.disabled !== (busy || off)) button.disabled = busy || off;
}

function kfacCame(shown) {
  if (!shown || !value) return null;
  const { run, before } = shown;
  const own = shown.method === 'kfac' && shown.state === 'finished' && run.error;
  const other = before?.method === 'kfac' && before.lesson === value.lesson && before.truthText === run.truthText
    && before.ended && before.error;
  const points = own || other;
  if (!points?.length) return null;
  const [steps, error] = points[points.length - 1];
  return Number.isFinite(error) ? { steps, bound: decimal(error, true) } : null;
}

button.addEventListener('click', () => trigger('kfac'));
// While a run goes on, only where it is seen: the last step of it is told in any case. Of what peeks
// in below the stage, less than its title, nothing follows the run.
new IntersectionObserver(([{ isIntersecting }]) => {
  seen = isIntersecting;
  showTiles();
  if (seen) update();
}, { rootMargin: '0px 0px -60px' }).observe(root);
document.addEventListener('kd-shown', () => {
  if (root.isConnected && (seen || !window.kdShown.going)) update();
});
follow(root, () => {
  const now = readTheme(root);
  if (theme && now.ink !== theme.ink) theme = { ...now, palette: readPalette(root) };
}, () => {
  tiled = false;
  showTiles();
});
watch('value', accept);
accept();
