// What the stage, the race and results share: what they find, write, decode and draw. Comes before either.

// The elements of root with that data attribute, by its value.
function parts(root, name) {
  const found = [...root.querySelectorAll(`[data-${name}]`)];
  return Object.fromEntries(found.map((node) => [node.dataset[name], node]));
}

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// Into the text that is there: another node would have the browser look at far more of the page.
function write(node, value) {
  if (node.textContent === value) return;
  const text = node.firstChild;
  if (value && text?.nodeType === Node.TEXT_NODE && !text.nextSibling) text.data = value;
  else node.textContent = value;
}

function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

function hide(node, hidden) {
  if (node.hidden !== hidden) node.hidden = hidden;
}

// A template's words, with what stands in its braces.
function say(template, figures) {
  return template.replace(/\{(\w+)\}/g, (_, name) => figures[name]);
}

function setData(node, data) {
  for (const [name, one] of Object.entries(data)) {
    if (node.dataset[name] !== String(one)) node.dataset[name] = one;
  }
}

const clamp = (v, low, high) => Math.max(low, Math.min(high, v));
const largest = (matrix) => matrix.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

function bytes(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const found = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) found[i] = text.charCodeAt(i);
  return found;
}

function floats(base64) {
  return base64 ? new Float32Array(bytes(base64).buffer) : null;
}

function doubles(base64) {
  return base64 ? new Float64Array(bytes(base64).buffer) : null;
}

// The points of a curve's chunks, `width` numbers each. A chunk that is full is kept decoded in
// `known`: the last one still grows.
function pointsOf(chunks, width, full, known) {
  return chunks.flatMap((chunk) => {
    if (known.has(chunk)) return known.get(chunk);
    const flat = floats(chunk);
    const points = [];
    for (let i = 0; i < flat.length; i += width) points.push(flat.subarray(i, i + width));
    if (points.length === full) known.set(chunk, points);
    return points;
  });
}

// The sizes of canvases: asking an element for its own while a page is drawn lays it out anew. One
// that leaves the page, as those of an answer do with the next, is forgotten.
const sizes = new WeakMap();
let redraw = () => {};
const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) sizes.set(target, [target.clientWidth, target.clientHeight]);
  redraw();
});

function sizeOf(canvas) {
  if (!sizes.has(canvas)) {
    sizes.set(canvas, [canvas.clientWidth, canvas.clientHeight]);
    resized.observe(canvas);
  }
  return sizes.get(canvas);
}

// Two names over the parts of a view, left and right of a cut: each is seen only where all of it lies
// over its own part. Gives what is to be told where the cut is, in per cent.
const INSET = 8; // pixels from the side of the view, at most
function makeSides(view, tags) {
  let [cut, widths] = [50, null];
  const place = () => {
    if (!widths) return;
    const [across, ...wide] = widths;
    [cut, 100 - cut].forEach((share, i) => {
      const fits = wide[i] + INSET <= (across * share) / 100;
      tags[i].style.visibility = fits ? '' : 'hidden';
    });
  };
  const measured = new ResizeObserver(() => {
    widths = [view, ...tags].map((node) => node.offsetWidth);
    place();
  });
  for (const node of [view, ...tags]) measured.observe(node);
  return (percent) => { cut = percent; place(); };
}

// Draws anew when the size, the theme or the font is another one.
function follow(root, retheme, draw) {
  redraw = draw;
  new ResizeObserver(draw).observe(root);
  const themes = new MutationObserver(() => { retheme(); draw(); });
  for (const node of [document.documentElement, document.body]) {
    themes.observe(node, { attributes: true, attributeFilter: ['class'] });
  }
  document.fonts?.addEventListener('loadingdone', draw);
}

// ---- Numbers, as kernel_demo/numbers.py writes them

// A tie goes to the even digit, as in Python; `write`, toFixed or toExponential, rounds it up.
function rounded(value, digits, write) {
  const text = value[write](digits);
  const tie = value[write](digits + 25).split('e')[0].endsWith(`5${'0'.repeat(24)}`);
  return tie && /[13579](e|$)/.test(text) ? (value * (1 - Number.EPSILON))[write](digits) : text;
}

function fixed(value, digits) {
  const text = rounded(value, digits, 'toFixed');
  return (Number(text) === 0 ? text.replace('-', '') : text).replace('-', '−');
}

// figure() of numbers.py; with more digits, or others beside a power of ten.
function figure(value, digits = 3, beside = 2) {
  if (!Number.isFinite(value)) return value === Infinity ? '∞' : '–';
  if (value === 0) return '0';
  const plain = Math.abs(value) >= 1e-3 && Math.abs(value) < 1e4;
  const text = rounded(value, (plain ? digits : beside) - 1, 'toExponential');
  const [start, power] = text.split('e').map(Number);
  if (plain) return fixed(value, Math.max(0, digits - 1 - power));
  return `${fixed(start, beside - 1)}·10${raised(power)}`;
}

// Numbers that stand in a row, all in one notation: a digit times a power of ten where one of them
// needs that, else two digits.
function alike(values) {
  const powers = values.some((v) => v !== 0 && !(Math.abs(v) >= 1e-3 && Math.abs(v) < 1e4));
  return values.map((v) => (powers && v !== 0 && Number.isFinite(v) ? powered(v) : figure(v, 2, 1)));
}

// powered() of numbers.py.
function powered(value) {
  const [digit, power] = rounded(value, 0, 'toExponential').split('e').map(Number);
  return `${fixed(digit, 0)}·10${raised(power)}`;
}

// count() of numbers.py.
const count = (number) => {
  const text = String(Math.abs(number));
  return `${number < 0 ? '−' : ''}${text.length > 4 ? text.replace(/\B(?=(\d{3})+$)/g, '\u202f') : text}`;
};

// More than four decimals in groups of three.
const grouped = (text) => text.replace(/\.(\d{5,})$/, (_, rest) => `.${rest.replace(/...(?=.)/g, '$&\u202f')}`);

const raised = (power) => String(power).replace(/./g, (c) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[c] || '⁻');

// ---- Colours

// A signed value t is looked up in [-REACH, REACH]: 1 is the end of the kernel's own scale,
// beyond it (a learned weight that overshoots, the strongest edges of a picture) runs deeper.
const REACH = 1.6;
const HALF = 255;

// The theme's colours, read once per theme.
function readTheme(root) {
  const style = getComputedStyle(root);
  const colour = (name) => style.getPropertyValue(`--kd-${name}`).trim();
  return {
    font: style.fontFamily,
    ink: colour('ink'),
    muted: colour('muted'),
    line: colour('line'),
    accent: colour('accent'),
    warm: colour('warm'),
    ground: colour('card-fill'),
  };
}

// The diverging palette, mixed as `color-mix(in oklab, ...)` does in the style sheets, so that equal
// steps of a weight look like equal steps of colour. Red, green, blue of 2 * HALF + 1 values. All
// scripts have the same one: it is mixed once for its colours.
function readPalette(root) {
  const style = getComputedStyle(root);
  const ends = ENDS.map((name) => style.getPropertyValue(`--kd-${name}`).trim());
  const mixed = (window.kdPalettes ||= new Map());
  if (!mixed.has(ends.join())) mixed.set(ends.join(), mixPalette(ends));
  return mixed.get(ends.join());
}

const ENDS = ['negative-deep', 'negative', 'zero', 'positive', 'positive-deep'];

// From linear red, green, blue to the cones' long, medium and short; their cube roots, by another
// matrix, are OKLab: what is mixed in one is mixed in the other (Ottosson 2020).
const TO_CONES = [
  [0.4122214708, 0.5363325363, 0.0514459929],
  [0.2119034982, 0.6806995451, 0.1073969566],
  [0.0883024619, 0.2817188376, 0.6299787005],
];
const FROM_CONES = [
  [4.0767416621, -3.3077115913, 0.2309699292],
  [-1.2684380046, 2.6097574011, -0.3413193965],
  [-0.0041960863, -0.7034186147, 1.707614701],
];
const times = (matrix, vector) => matrix.map((row) => row.reduce((sum, v, i) => sum + v * vector[i], 0));

// Level 0 to 1 in sRGB (IEC 61966-2-1) to light, and back.
const toLight = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const fromLight = (v) => (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);

// ends: the colours of ENDS, #rrggbb.
function mixPalette(ends) {
  const roots = ends.map((end) => {
    const levels = [1, 3, 5].map((at) => toLight(parseInt(end.slice(at, at + 2), 16) / 255));
    return times(TO_CONES, levels).map(Math.cbrt);
  });
  const palette = new Uint8ClampedArray((2 * HALF + 1) * 3);
  for (let i = 0; i <= 2 * HALF; i++) {
    // Where this value lies among the ends, which stand at -REACH, -1, 0, 1 and REACH.
    const t = ((i - HALF) / HALF) * REACH;
    const place = 2 + (Math.abs(t) <= 1 ? t : Math.sign(t) * (1 + (Math.abs(t) - 1) / (REACH - 1)));
    const from = Math.min(ENDS.length - 2, Math.floor(place));
    const cones = roots[from].map((v, j) => (v + (place - from) * (roots[from + 1][j] - v)) ** 3);
    palette.set(times(FROM_CONES, cones).map((v) => 255 * fromLight(v)), i * 3);
  }
  return palette;
}

function paletteIndex(t) {
  const place = Math.round((t / REACH) * HALF) + HALF;
  if (place > 2 * HALF) return 6 * HALF;
  return place >= 0 ? 3 * place : place < 0 ? 0 : 3 * HALF; // what is no number is neutral
}

// Another size empties a canvas: it is set where it is another one.
function resize(canvas, width, height) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}

// Sizes the canvas to its box in device pixels; null while the box has no size (a hidden tab).
function surface(canvas) {
  const [width, height] = sizeOf(canvas);
  if (!width || !height) return null;
  const ratio = Number(canvas.dataset.ratio) || window.devicePixelRatio || 1; // or one of its own
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  resize(canvas, w, h);
  const ctx = canvas.getContext('2d');
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return { ctx, width, height, ratio };
}

// Black or white, whichever is stronger on a ground: of equal contrast at a luminance of 0.179.
function inkOn(r, g, b) {
  const linear = [r, g, b].map((level) => toLight(level / 255));
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.179 ? '#000' : '#fff';
}

const LEGIBLE = 11; // pixels: no number is smaller

// How many decimals fit the cells, at which size; null where numbers would not be legible. exact:
// the true kernel, written with no more digits than it has; "0" is for zeros alone, but for what
// rounding leaves of them.
function lettering(ctx, theme, [wide, high], matrix, decimals, exact) {
  let digits = decimals;
  const rounding = 1e-14 * largest(matrix);
  const says = (n) => matrix.every((v) => {
    const told = Number(v.toFixed(n));
    return Math.abs(v - told) < 1e-6 && (told !== 0 || Math.abs(v) <= rounding);
  });
  while (exact && digits > 0 && says(digits - 1)) digits--;
  const fine = matrix.every((v) => Math.abs(v) < 0.995); // one digit would say too little of it
  const least = Math.min(digits, fine ? 2 : 1);
  const widthOf = measured(ctx, `100px ${theme.font}`);
  for (; digits >= least; digits--) {
    const widths = Array.from(matrix, (v) => widthOf(fixed(v, digits)));
    const fill = (share) => (share * wide) / Math.max(1, ...widths);
    const size = Math.min(18, high * 0.95, Math.max(high * 0.3, LEGIBLE),
      Math.max(LEGIBLE, fill(90)), fill(97)); // clear of the edges where it can be
    if (size >= LEGIBLE) return { digits, size };
  }
  return null;
}

// The width of a text in a font, measured once: a sign, digits and a point are as wide anywhere.
const widths = new Map();
function measured(ctx, font) {
  if (!widths.has(font)) widths.set(font, new Map());
  const known = widths.get(font);
  return (text) => {
    const shape = text.replace(/\d/g, '0'); // figures are tabular
    if (!known.has(shape)) {
      ctx.font = font;
      known.set(shape, ctx.measureText(shape).width);
    }
    return known.get(shape);
  };
}

// The decimals of a kernel's numbers: two beside weights of about 1, three beside small ones.
function decimalsOf(scale) {
  return scale < 0.2 ? 3 : Math.min(2, Math.max(1, 2 - Math.floor(Math.log10(scale))));
}

// The same, or up to four where they write a kernel exactly: 0.0625 is neither 0.062 nor 0.063.
function exactDecimals(kernel) {
  const least = decimalsOf(largest(kernel) || 1);
  const exact = (n) => kernel.every((v) => Math.abs(v - Number(v.toFixed(n))) < 1e-12);
  return [least, 3, 4].find((n) => n >= least && exact(n)) ?? least;
}

// A k x k matrix as coloured cells that fill the canvas. scale: the value that takes the palette's
// end colour. decimals: of the numbers in the cells; null: none. grey: levels, not signed values.
// made: cells to be marked as made up. values: what is written, where that is not what is coloured.
function drawCells(canvas, matrix, k, options, theme) {
  const on = surface(canvas);
  if (!on) return;
  const { ctx, width, height, ratio } = on;
  const { scale = 1, decimals = null, exact, grey, made, marked, note } = options;
  const values = options.values || matrix;
  const cell = Math.min(width, height) / k;
  const gap = k <= 3 ? 3 : cell >= 12 || decimals !== null ? 2 : cell >= 6 && !grey ? 1 : 0;
  const [cellX, cellY] = [(width + gap) / k, (height + gap) / k];
  const snap = (v) => Math.round(v * ratio) / ratio;
  const room = [cellX - gap, cellY - gap];
  const numbers = matrix && decimals !== null;
  const text = numbers ? lettering(ctx, theme, room, values, decimals, exact) : null;
  if (text) ctx.font = `${text.size}px ${theme.font}`;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  const radius = k <= 9 && gap ? Math.min(5, Math.min(cellX, cellY) * 0.12) : 0;
  if (theme.pixels && !radius && !text && matrix && !made?.includes(1) && !(marked >= 0)) {
    return fillCells(on, matrix, k, { cellX, cellY, gap, scale, grey }, theme);
  }
  for (let i = 0; i < k * k; i++) {
    const [column, row] = [i % k, Math.floor(i / k)];
    const [x, y] = [snap(column * cellX), snap(row * cellY)];
    const [w, h] = [snap((column + 1) * cellX - gap) - x, snap((row + 1) * cellY - gap) - y];
    const at = paletteIndex(matrix && !grey ? matrix[i] / scale : 0);
    const level = grey ? Math.max(0, Math.min(255, Math.round(matrix[i]))) : 0;
    const unknown = grey && !Number.isFinite(matrix[i]);
    const [r, g, b] = grey && !unknown ? [level, level, level] : theme.palette.subarray(at, at + 3);
    ctx.fillStyle = `rgb(${r},${g},${b})`;
    if (radius) {
      ctx.beginPath();
      ctx.roundRect(x, y, w, h, radius);
      ctx.fill();
    } else ctx.fillRect(x, y, w, h);
    if (i === marked) outline(ctx, x, y, w, h, theme.ink, 2, []);
    if (made?.[i]) outline(ctx, x, y, w, h, theme.warm, k > 9 ? 1 : 2, k > 9 ? [] : [3, 2]);
    if (!text || !Number.isFinite(values[i])) continue;
    ctx.fillStyle = inkOn(r, g, b);
    ctx.fillText(fixed(values[i], text.digits), x + w / 2, y + h / 2 + 0.5);
  }
  if (matrix || !note) return;
  ctx.fillStyle = theme.muted;
  ctx.font = `13px ${theme.font}`;
  ctx.fillText(note, width / 2, height / 2, width - 8);
}

// The same of cells that are nothing but colours, as pixels at once: many, and drawn at each step,
// into the image of the step before where they lie in the same places.
const images = new WeakMap();
function fillCells({ ctx, ratio }, matrix, k, { cellX, cellY, gap, scale, grey }, theme) {
  const { width, height } = ctx.canvas;
  const known = images.get(ctx.canvas);
  const laid = [width, height, ratio, k, cellX, cellY, gap].join();
  const image = known?.laid === laid ? known.image : ctx.createImageData(width, height);
  images.set(ctx.canvas, { image, laid });
  const pixels = new Uint32Array(image.data.buffer);
  const edges = (cell) => Array.from({ length: k }, (_, i) => (
    [Math.round(i * cell * ratio), Math.round(((i + 1) * cell - gap) * ratio)]));
  const [columns, rows] = [edges(cellX), edges(cellY)];
  rows.forEach(([top, bottom], row) => {
    columns.forEach(([left, right], column) => {
      const value = matrix[row * k + column];
      const level = clamp(Math.round(value), 0, 255);
      const colour = grey && Number.isFinite(value) ? (0xff000000 | (level * 0x010101)) >>> 0
        : theme.pixels[paletteIndex(grey ? 0 : value / scale) / 3];
      pixels.fill(colour, top * width + left, top * width + Math.min(right, width));
    });
    const [from, to] = [top * width, (top + 1) * width];
    for (let y = top + 1; y < Math.min(bottom, height); y++) pixels.copyWithin(y * width, from, to);
  });
  ctx.putImageData(image, 0, 0);
}

function outline(ctx, x, y, w, h, colour, width, dash) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.strokeRect(x + width / 2, y + width / 2, w - width, h - width);
  ctx.setLineDash([]);
}

// A line from place to place, [x, y] each.
function drawLine(ctx, places) {
  ctx.beginPath();
  for (const place of places) ctx.lineTo(...place);
  ctx.stroke();
}

// A level, or 10 to its power in small figures, its right end at x.
function drawLevel(ctx, level, even, x, y, theme) {
  const power = even || level === 0 || level === 1 ? '' : String(level).replace('-', '−');
  ctx.textAlign = 'right';
  ctx.font = `9px ${theme.font}`;
  ctx.fillText(power, x, y - 4);
  const shift = power ? ctx.measureText(power).width + 0.5 : 0;
  ctx.font = `11.5px ${theme.font}`;
  ctx.fillText(even ? fixed(level, 0) : level === 0 ? '1' : '10', x - shift, y);
}

// The palette as pixels, for `paint`.
function pixelsOf(palette) {
  return Uint32Array.from({ length: 2 * HALF + 1 }, (_, i) => (
    (0xff000000 | (palette[3 * i + 2] << 16) | (palette[3 * i + 1] << 8) | palette[3 * i]) >>> 0));
}

// Values as pixels of an ImageData: grey levels, from black to blue below zero; or signed, where
// factor takes them to the palette.
function paint(image, values, { factor, grey }, pixels) {
  const words = new Uint32Array(image.data.buffer);
  const scale = (factor / REACH) * HALF;
  const blue = pixels[HALF - Math.round(HALF / REACH)];
  const [b, g, r] = [16, 8, 0].map((shift) => (blue >>> shift) & 255);
  for (let i = 0; i < values.length; i++) {
    if (grey) {
      const level = values[i] <= -255 ? -255 : values[i] >= 255 ? 255 : values[i];
      const below = level < 0 ? -level / 255 : 0;
      words[i] = 0xff000000 | (below ? ((b * below) << 16) | ((g * below) << 8) | (r * below)
        : ((level + 0.5) | 0) * 0x010101);
    } else {
      const at = values[i] * scale + HALF + 0.5;
      words[i] = pixels[at >= 2 * HALF ? 2 * HALF : at >= 0 ? at | 0 : at < 0 ? 0 : HALF]; // no number: neutral
    }
  }
  return image;
}
