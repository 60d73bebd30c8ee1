// What the stage and the race share: what they find, write, decode and draw. Comes before either.

// The elements of root with that data attribute, by its value.
function parts(root, name) {
  const found = [...root.querySelectorAll(`[data-${name}]`)];
  return Object.fromEntries(found.map((node) => [node.dataset[name], node]));
}

function write(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

function floats(base64) {
  return base64 ? new Float32Array(bytes(base64).buffer) : null;
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

// Draws anew when the size, the theme or the font is another one.
function follow(root, retheme, draw) {
  new ResizeObserver(draw).observe(root);
  const themes = new MutationObserver(() => { retheme(); draw(); });
  for (const node of [document.documentElement, document.body]) {
    themes.observe(node, { attributes: true, attributeFilter: ['class'] });
  }
  document.fonts?.ready.then(draw);
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
  const raised = String(power).replace(/./g, (c) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[c] || '⁻');
  return `${fixed(start, beside - 1)}·10${raised}`;
}

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
    inks: [colour('cell-ink-dark'), colour('cell-ink-light')],
  };
}

// The diverging palette, mixed by the browser as in the style sheets: in OKLab, so that equal
// steps of a weight look like equal steps of colour. Red, green, blue of 2 * HALF + 1 values.
function readPalette(root) {
  const probe = root.appendChild(document.createElement('i'));
  const style = getComputedStyle(probe);
  const palette = new Uint8ClampedArray((2 * HALF + 1) * 3);
  for (let i = 0; i <= 2 * HALF; i++) {
    const [side, t] = [i < HALF ? 'negative' : 'positive', (Math.abs(i - HALF) / HALF) * REACH];
    const [to, from] = t <= 1 ? [side, 'zero'] : [`${side}-deep`, side];
    const share = 100 * (t <= 1 ? t : (t - 1) / (REACH - 1));
    const mix = `color-mix(in oklab, var(--kd-${to}) ${share.toFixed(3)}%, var(--kd-${from}))`;
    probe.style.color = `color-mix(in srgb, ${mix}, transparent 0%)`; // gives color(srgb r g b)
    palette.set(style.color.match(/[\d.]+(e-\d+)?/g).map((level) => 255 * level), i * 3);
  }
  probe.remove();
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
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width || !height) return null;
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  resize(canvas, w, h);
  const ctx = canvas.getContext('2d');
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return { ctx, width, height, ratio };
}

// How many digits fit the cells, at which size; null where numbers would not be legible.
// exact: the true kernel, written with no more digits than it has.
function lettering(ctx, theme, cell, matrix, scale, exact) {
  let digits = Math.min(3, Math.max(1, 2 - Math.floor(Math.log10(scale))));
  const says = (n) => matrix.every((v) => Math.abs(v - Number(v.toFixed(n))) < 1e-6);
  while (exact && digits > 0 && says(digits - 1)) digits--;
  const least = Math.min(digits, 1);
  ctx.font = `100px ${theme.font}`;
  for (; digits >= least; digits--) {
    const widest = `−${Math.max(1, Math.floor(scale))}${digits ? `.${'0'.repeat(digits)}` : ''}`;
    const size = Math.min(18, cell * 0.3, (cell * 94) / ctx.measureText(widest).width);
    if (size >= 8.5) return { digits, size };
  }
  return null;
}

// A k x k matrix as coloured cells. scale: the value that takes the palette's end colour.
function drawKernel(canvas, matrix, k, { scale, numbers, exact, marked, note }, theme) {
  const on = surface(canvas);
  if (!on) return;
  const { ctx, width, ratio } = on;
  const gap = k <= 3 ? 3 : k <= 7 ? 2 : k <= 15 ? 1 : 0.5;
  const cell = (width + gap) / k;
  const snap = (v) => Math.round(v * ratio) / ratio;
  const text = matrix && numbers ? lettering(ctx, theme, cell - gap, matrix, scale, exact) : null;
  if (text) ctx.font = `${text.size}px ${theme.font}`;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  for (let i = 0; i < k * k; i++) {
    const [column, row] = [i % k, Math.floor(i / k)];
    const [x, y] = [snap(column * cell), snap(row * cell)];
    const [w, h] = [snap((column + 1) * cell - gap) - x, snap((row + 1) * cell - gap) - y];
    const at = matrix ? paletteIndex(matrix[i] / scale) : paletteIndex(0);
    const [r, g, b] = theme.palette.subarray(at, at + 3);
    ctx.fillStyle = `rgb(${r},${g},${b})`;
    ctx.beginPath();
    ctx.roundRect(x, y, w, h, Math.min(5, cell * 0.08));
    ctx.fill();
    if (i === marked) {
      ctx.strokeStyle = theme.ink;
      ctx.lineWidth = 2;
      ctx.stroke();
    }
    if (!text || !Number.isFinite(matrix[i])) continue;
    ctx.fillStyle = theme.inks[0.299 * r + 0.587 * g + 0.114 * b > 118 ? 0 : 1];
    ctx.fillText(fixed(matrix[i], text.digits), x + w / 2, y + h / 2 + 0.5, w - 1);
  }
  if (matrix || !note) return;
  ctx.fillStyle = theme.muted;
  ctx.font = `13px ${theme.font}`;
  ctx.fillText(note, width / 2, width / 2, width - 8);
}

// A line from place to place, [x, y] each.
function drawLine(ctx, places) {
  ctx.beginPath();
  for (const place of places) ctx.lineTo(...place);
  ctx.stroke();
}

// 10^exponent in small figures, its right end at x.
function drawPower(ctx, exponent, x, y, theme) {
  const raised = exponent === 0 ? '' : String(exponent).replace('-', '−');
  ctx.textAlign = 'right';
  ctx.font = `8px ${theme.font}`;
  ctx.fillText(raised, x, y - 4);
  const shift = raised ? ctx.measureText(raised).width + 0.5 : 0;
  ctx.font = `10.5px ${theme.font}`;
  ctx.fillText(exponent === 0 ? '1' : '10', x - shift, y);
}

// Curves on a log axis. series: [{points: [[step, value], ...], colour, dashed}], range: decades.
function drawCurves(canvas, series, { range: [low, high], last, stepWord }, theme) {
  const on = surface(canvas);
  if (!on) return;
  const { ctx, width, height } = on;
  const [left, right, top, bottom] = [34, 6, 8, 20];
  const x = (step) => left + (step / last) * (width - left - right);
  const y = (decade) => top + ((high - decade) / (high - low)) * (height - top - bottom);
  const every = Math.ceil((high - low) / 6);
  ctx.textBaseline = 'middle';
  ctx.lineWidth = 1;
  for (let decade = Math.ceil(low / every) * every; decade <= high; decade += every) {
    const row = Math.round(y(decade)) + 0.5;
    ctx.strokeStyle = theme.line;
    drawLine(ctx, [[left, row], [width - right, row]]);
    ctx.fillStyle = theme.muted;
    drawPower(ctx, decade, left - 7, row, theme);
  }
  ctx.fillStyle = theme.muted;
  ctx.textBaseline = 'alphabetic';
  for (const part of [0, 1, 2]) {
    const step = Math.round((last * part) / 2);
    ctx.textAlign = ['left', 'center', 'right'][part];
    ctx.fillText(part === 2 ? `${stepWord} ${step}` : String(step), x(step), height - 4);
  }
  for (const { points, colour, dashed } of series) {
    if (!points.length) continue;
    const decadeOf = (value) => Math.max(low, Math.log10(Math.max(value, 1e-38)));
    const place = ([step, value]) => [x(step), y(decadeOf(value))];
    ctx.strokeStyle = ctx.fillStyle = colour;
    ctx.lineWidth = dashed ? 1.5 : 1.75;
    ctx.lineJoin = 'round';
    ctx.setLineDash(dashed ? [4, 3] : []);
    drawLine(ctx, points.map(place));
    ctx.setLineDash([]);
    if (dashed) continue;
    ctx.beginPath();
    ctx.arc(...place(points[points.length - 1]), 3, 0, 2 * Math.PI);
    ctx.fill();
  }
}

// result[y, x] = sum kernel[i, j] * picture[y + i, x + j], valid pixels only: the model's formula.
function correlate({ pixels, height, width }, kernel, k) {
  const [h, w] = [height - k + 1, width - k + 1];
  const result = new Float32Array(h * w);
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < k; j++) {
      const weight = kernel[i * k + j];
      if (weight === 0) continue;
      for (let row = 0; row < h; row++) {
        const [to, from] = [row * w, (row + i) * width + j];
        for (let col = 0; col < w; col++) result[to + col] += weight * pixels[from + col];
      }
    }
  }
  return { values: result, height: h, width: w };
}

// Values in grey (0..1), or signed: factor takes them to the palette's range.
function drawPicture(canvas, { values, height, width }, { factor, grey }, theme) {
  resize(canvas, width, height);
  const ctx = canvas.getContext('2d');
  const image = ctx.createImageData(width, height);
  const words = new Uint32Array(image.data.buffer);
  const { palette } = theme;
  for (let i = 0; i < values.length; i++) {
    if (grey) {
      const level = values[i] <= 0 ? 0 : values[i] >= 1 ? 255 : Math.round(255 * values[i]);
      words[i] = 0xff000000 | (level * 0x010101);
    } else {
      const at = paletteIndex(values[i] * factor);
      words[i] = 0xff000000 | (palette[at + 2] << 16) | (palette[at + 1] << 8) | palette[at];
    }
  }
  ctx.putImageData(image, 0, 0);
}
