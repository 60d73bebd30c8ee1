// Drawing for the live stage: pure functions of (canvas, data, theme). Prepended to live_view.js.

// A signed value t is looked up in [-REACH, REACH]: 1 is the end of the kernel's own scale,
// beyond it (a learned weight that overshoots, the strongest edges of a picture) runs deeper.
const REACH = 1.6;
const HALF = 255;

function oklab(hex) {
  const linear = [1, 3, 5].map((i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  const [r, g, b] = linear;
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function srgb([L, a, b]) {
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((c) => {
    const v = c <= 0.0031308 ? 12.92 * c : 1.055 * Math.max(c, 0) ** (1 / 2.4) - 0.055;
    return Math.round(255 * Math.min(1, Math.max(0, v)));
  });
}

// The theme's colours, read once per theme, and the diverging palette between them (OKLab, so that
// equal steps of a weight look like equal steps of colour).
function readTheme(root) {
  const style = getComputedStyle(root);
  const colour = (name) => style.getPropertyValue(`--kd-${name}`).trim();
  const stops = ['negative-deep', 'negative', 'zero', 'positive', 'positive-deep'].map((name) =>
    oklab(colour(name)));
  const places = [-REACH, -1, 0, 1, REACH];
  const palette = new Uint8Array((2 * HALF + 1) * 3);
  for (let i = 0; i <= 2 * HALF; i++) {
    const t = ((i - HALF) / HALF) * REACH;
    const j = t < -1 ? 0 : t < 0 ? 1 : t < 1 ? 2 : 3;
    const f = (t - places[j]) / (places[j + 1] - places[j]);
    palette.set(srgb(stops[j].map((v, c) => v + f * (stops[j + 1][c] - v))), i * 3);
  }
  return {
    palette,
    font: style.fontFamily,
    ink: colour('ink'),
    muted: colour('muted'),
    line: colour('line'),
    accent: colour('accent'),
    warm: colour('warm'),
    inks: [colour('cell-ink-dark'), colour('cell-ink-light')],
    empty: colour('zero'),
  };
}

function paletteIndex(t) {
  const place = Math.round((t / REACH) * HALF) + HALF;
  if (place > 2 * HALF) return 6 * HALF;
  return place >= 0 ? 3 * place : place < 0 ? 0 : 3 * HALF; // what is no number is neutral
}

// Sizes the canvas to its box in device pixels; null while the box has no size (a hidden tab).
function surface(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width || !height) return null;
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const ctx = canvas.getContext('2d');
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return { ctx, width, height, ratio };
}

function fixed(value, digits) {
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace('-', '') : text).replace('-', '−');
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
    const [x, y] = [snap((i % k) * cell), snap(Math.floor(i / k) * cell)];
    const [w, h] = [snap((i % k + 1) * cell - gap) - x, snap((Math.floor(i / k) + 1) * cell - gap) - y];
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
    ctx.beginPath();
    ctx.moveTo(left, row);
    ctx.lineTo(width - right, row);
    ctx.stroke();
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
    const place = ([step, value]) => [x(step), y(Math.max(low, Math.log10(Math.max(value, 1e-38))))];
    ctx.strokeStyle = ctx.fillStyle = colour;
    ctx.lineWidth = dashed ? 1.5 : 1.75;
    ctx.lineJoin = 'round';
    ctx.setLineDash(dashed ? [4, 3] : []);
    ctx.beginPath();
    points.forEach((point, i) => ctx[i ? 'lineTo' : 'moveTo'](...place(point)));
    ctx.stroke();
    ctx.setLineDash([]);
    if (dashed) continue;
    ctx.beginPath();
    ctx.arc(...place(points[points.length - 1]), 3, 0, 2 * Math.PI);
    ctx.fill();
  }
}

// result[y, x] = sum kernel[i, j] * picture[y + i, x + j], valid pixels only: the model's own formula.
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
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
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
