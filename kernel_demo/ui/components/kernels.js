// The kernels of the stage: the learned one beside the pictures, and true - learned = difference, of
// which a weight can be pointed at. Values in; nothing of a run is known here. Comes after drawing.js.

const NUMBERS_UP_TO = 7;

// In which unit the difference is written: {gain, colour (gain of it), decimals, caption}.
function unitOf(difference, scale, numbers, words) {
  const most = largest(difference);
  const power = Math.floor(Math.log10(most));
  const plain = { gain: 1, colour: 1, decimals: 2, caption: '' };
  if (!Number.isFinite(most) || most === 0) return plain;
  if (!numbers) {
    if (most >= 0.1 * scale) return plain;
    if (most >= 0.01 * scale) return { ...plain, gain: 10, colour: 10, caption: '× 10' };
    return { ...plain, colour: 10, caption: say(words.below_unit, { unit: `10${raised(power + 1)}` }) };
  }
  if (power >= -1) return { ...plain, decimals: most >= 10 ? 1 : 2 };
  if (power === -2) return { gain: 10, colour: 10, decimals: 2, caption: '× 10' };
  const caption = say(words.in_unit, { unit: `10${raised(power)}` });
  return { gain: 10 ** -power, colour: 10, decimals: 1, caption };
}

// canvases: {truth, main, learned, difference, chip}. marked: the weight under the pointer, or -1.
// lacking: there is no true one. once(name, key, make): makes what has changed. Returns the caption
// of the difference's unit.
function drawKernels(canvases, now, once, words, theme) {
  const { truth, lacking, size, learned, difference, marked } = now;
  const scale = largest(truth) || 1;
  const numbers = size <= NUMBERS_UP_TO;
  const options = { scale, decimals: numbers ? exactDecimals(truth) : null, marked };
  once('truth', [marked], () => {
    drawCells(canvases.chip, truth, size, { scale }, theme);
    drawCells(canvases.truth, lacking ? null : truth, size, { ...options, exact: true }, theme);
  });
  for (const name of ['main', 'learned']) drawCells(canvases[name], learned, size, options, theme);
  if (!difference) drawCells(canvases.difference, null, size, options, theme);
  if (!difference) return '';
  const { gain, colour, decimals, caption } = unitOf(difference, scale, numbers, words);
  drawCells(canvases.difference, difference.map((v) => v * colour), size, {
    ...options, decimals: numbers ? decimals : null, values: difference.map((v) => v * gain),
  }, theme);
  return caption;
}

// A number as figure() writes it, or with as many decimals as tell it from one that lies `by` away.
function apart(value, by) {
  const decimals = 1 - Math.floor(Math.log10(Math.abs(by)));
  const seen = !Number.isFinite(decimals) || decimals < 4 || decimals > 16 || Math.abs(value) < 1e-3;
  return seen ? figure(value) : grouped(fixed(value, decimals));
}

// Row 2, column 1: true 2 − learned (−0.5) = 2.5
function reading({ truth, size, learned, difference, marked }, words) {
  const [row, column] = [Math.floor(marked / size) + 1, (marked % size) + 1];
  const term = apart(learned[marked], difference[marked]);
  return `${say(words.reading, { row, column })} ${say(words.terms, {
    truth: figure(truth[marked]),
    learned: learned[marked] < 0 ? `(${term})` : term,
    difference: figure(difference[marked], 2),
  })}`;
}

// Hover, tap and, in the place of the equation, arrow keys choose a weight: mark(at, key), -1 for
// none. shown(): {size, marked} now, null while there is none.
function markable(canvases, equation, shown, mark) {
  const cellAt = (event) => {
    const { size } = shown();
    const box = event.currentTarget.getBoundingClientRect();
    const index = (v, whole) => clamp(Math.floor((v / whole) * size), 0, size - 1);
    const [row, column] = [event.clientY - box.top, event.clientX - box.left];
    return index(row, box.height) * size + index(column, box.width);
  };
  for (const canvas of canvases) {
    canvas.addEventListener('pointermove', (event) => {
      if (event.pointerType === 'mouse') mark(cellAt(event));
    });
    canvas.addEventListener('pointerdown', (event) => {
      const at = cellAt(event);
      mark(event.pointerType !== 'mouse' && at === shown().marked ? -1 : at);
    });
    canvas.addEventListener('pointerleave', (event) => event.pointerType === 'mouse' && mark(-1));
  }
  equation.addEventListener('keydown', (event) => {
    const { size, marked, some } = shown();
    const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -size, ArrowDown: size }[event.key];
    if (event.key === 'Escape') mark(-1);
    if (!move || !some) return;
    event.preventDefault();
    const next = marked < 0 ? 0 : marked + move;
    mark(next >= 0 && next < size ** 2 ? next : marked, true);
  });
  equation.addEventListener('blur', () => mark(-1));
}
