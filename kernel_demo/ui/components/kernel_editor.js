// A k x k grid of number boxes over the value {rows: [["0", ...], ...]}.
// Typing writes into the value without drawing the grid anew, so the focus stays where it is.
const shown = (text) => text.replaceAll('-', '−');
const grid = () => element.querySelector('.kd-editor');
const MOST = 1e6; // a weight, as kernels.py has it
// Whether a cell is a number or a fraction, as kernels.py reads it.
const good = (text) => {
  const parts = text.trim().replaceAll('−', '-').replace(',', '.').split('/');
  const plain = parts.every((part) => /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(part));
  return plain && parts.length < 3 && Math.abs(parts.map(Number).reduce((a, b) => a / b)) <= MOST;
};
// What cannot be used is marked, the others are not.
const mark = () => {
  for (const box of grid().querySelectorAll('input')) {
    if (good(box.value)) box.removeAttribute('aria-invalid');
    else box.setAttribute('aria-invalid', 'true');
  }
};
let own = null;
const draw = () => {
  const rows = (props.value && props.value.rows) || [];
  if (JSON.stringify(rows) === own && grid().childElementCount) return;
  own = JSON.stringify(rows);
  grid().style.setProperty('--kd-size', rows.length);
  grid().dataset.wide = rows.length > 7;
  grid().replaceChildren(...rows.flatMap((row, i) => row.map((cell, j) => {
    const box = document.createElement('input');
    box.value = shown(cell);
    box.inputMode = 'decimal';
    box.maxLength = 20;
    box.dataset.i = i;
    box.dataset.j = j;
    if (2 * j >= rows.length) box.dataset.right = '';
    box.setAttribute('aria-label', `row ${i + 1}, column ${j + 1}`);
    return box;
  })));
  mark();
};
const read = () => {
  const rows = props.value.rows.map((row) => [...row]);
  for (const box of grid().querySelectorAll('input')) {
    rows[box.dataset.i][box.dataset.j] = box.value.trim().replaceAll('−', '-').replace(',', '.');
  }
  return rows;
};
element.addEventListener('change', (event) => {
  event.stopPropagation();
  const rows = read();
  event.target.value = shown(event.target.value);
  mark();
  own = JSON.stringify(rows);
  props.value = { rows };
  trigger('edit');
});
element.addEventListener('keydown', (event) => {
  const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], Enter: [1, 0] }[event.key];
  if (!step || !event.target.dataset.i) return;
  const [i, j] = [+event.target.dataset.i + step[0], +event.target.dataset.j + step[1]];
  const next = grid().querySelector(`[data-i="${i}"][data-j="${j}"]`);
  if (next) { event.preventDefault(); next.focus(); next.select(); }
});
watch('value', draw);
draw();
