// A kernel typed by hand at work; see guess.py. The value: {before, target: PNGs, scale, width, height,
// size}. The pictures are drawn anew at each change of the grid, by ear after a pause.

const root = element.querySelector('.kd-guess');
const { words } = props;
const canvases = parts(root, 'picture');
const note = root.querySelector('p');
const [MIDDLE, PAUSE, HALF_LEVEL] = [2 ** 23, 600, 0.5];

let pixels = pixelsOf(readPalette(root));
let held = null; // {before, target: levels, width, height, scale, size}
let weights = null; // the guess, row by row: the last one that could be read

// As the server reads a cell: a number, or a fraction; NaN for what is none.
function weightOf(text) {
  const told = text.trim().replaceAll('−', '-').replace(',', '.').split('/');
  const plain = told.length < 3 && told.every((one) => /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(one));
  const number = plain ? told.map(Number).reduce((a, b) => a / b) : NaN;
  return Number.isFinite(number) ? number : NaN;
}

const typed = () => [...document.querySelectorAll(`#${props.editor} input`)].map((box) => weightOf(box.value));

// after[y, x] = sum kernel[i, j] before[y + i - r, x + j - r]; beyond the edges the picture is
// reflected, as on the server.
function filtered({ before, width, height }, kernel, k) {
  const radius = k >> 1;
  const columns = Int32Array.from({ length: width + 2 * radius }, (_, i) => borderPlace(i - radius, width, 'reflect'));
  const after = new Float64Array(width * height);
  kernel.forEach((weight, n) => {
    if (!weight) return;
    const [down, right] = [Math.floor(n / k) - radius, n % k];
    for (let y = 0; y < height; y++) {
      const [from, to] = [borderPlace(y + down, height, 'reflect') * width, y * width];
      for (let x = 0; x < width; x++) after[to + x] += weight * before[from + columns[x + right]];
    }
  });
  return after;
}

function show(name, values, look) {
  const canvas = canvases[name];
  resize(canvas, held.width, held.height);
  const ctx = canvas.getContext('2d');
  ctx.putImageData(paint(ctx.createImageData(held.width, held.height), values, look, pixels), 0, 0);
}

let speaking = 0;
function tell(said, atOnce) {
  clearTimeout(speaking);
  speaking = setTimeout(() => write(note, said), atOnce ? 0 : PAUSE);
}

function draw(atOnce) {
  if (!held) return;
  const read = typed();
  const good = read.length === held.size ** 2 && read.every(Number.isFinite);
  if (good) weights = read;
  if (!weights || weights.length !== held.size ** 2) return;
  const made = filtered(held, weights, held.size);
  const apart = made.map((level, i) => level - held.target[i]);
  const signed = { factor: 1 / held.scale };
  show('before', held.before, { factor: 1, grey: true });
  show('target', held.target, signed);
  show('guess', made, signed);
  show('difference', apart, signed);
  const most = largest(apart);
  const share = apart.filter((level) => Math.abs(level) > HALF_LEVEL).length / apart.length;
  root.dataset.largest = most;
  const percent = share > 0 && share < 0.01 ? '< 1 %' : `${Math.round(100 * share)} %`;
  const wrong = weights.find((weight) => !Number.isInteger(props.halves * weight) || Math.abs(weight) > props.largest);
  const said = most < 1e-6 ? say(words.same, { count: count(apart.length) })
    : say(words.apart, { share: percent, largest: figure(most) });
  const cannot = wrong === undefined ? '' : `${say(words.cannot, { weight: String(wrong).replace('-', '−') })} `;
  tell(good ? cannot + said : words.unread, atOnce);
}

async function take(value) {
  if (!value?.before) return;
  const { before, target, width, height } = value;
  const [grey, deep] = await Promise.all([before, target].map((url) => bytesOf(url, width, height)));
  if (value.target !== props.value.target) return; // another one came meanwhile
  held = {
    ...value,
    before: Float64Array.from({ length: width * height }, (_, i) => grey[4 * i]),
    target: Float64Array.from({ length: width * height }, (_, i) => (
      ((deep[4 * i] << 16) + (deep[4 * i + 1] << 8) + deep[4 * i + 2] - MIDDLE) / props.halves)),
  };
  draw(true);
}

const mine = (event) => event.target.closest?.(`#${props.editor}`);
document.addEventListener('input', (event) => { if (mine(event)) draw(false); });
const grids = new MutationObserver(() => draw(false)); // another size brings another grid
const watchGrid = () => {
  const grid = document.querySelector(`#${props.editor} .kd-editor`);
  if (grid) grids.observe(grid, { childList: true });
  else setTimeout(watchGrid, 100);
};
watchGrid();
follow(root, () => { pixels = pixelsOf(readPalette(root)); }, () => draw(true));
watch('value', () => take(props.value));
take(props.value);
