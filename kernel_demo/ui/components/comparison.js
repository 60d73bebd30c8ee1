// Draws the value {first, second, difference, names, gain, width, height, figures, note, worked, files}. The
// divider is a range input whose thumb alone takes the pointer: the rest are pixels to point at.
const root = () => element.querySelector('.kd-result');
const tags = [...root().querySelectorAll('.kd-tag')].slice(0, 2);
const sides = makeSides(root().querySelector('.kd-compare'), tags);
const move = (percent) => {
  const compare = root().querySelector('.kd-compare');
  compare.querySelector('.kd-first').style.clipPath = `inset(0 ${100 - percent}% 0 0)`;
  compare.querySelector('.kd-second').style.clipPath = `inset(0 0 0 ${percent}%)`;
  compare.querySelector('.kd-divider').style.left = `${percent}%`;
  sides(Number(percent));
};
const all = () => (props.value?.worked
  ? { left: 0, top: 0, width: props.value.width, height: props.value.height } : null);
const worked = makeWorked(root().querySelector('.kd-worked'));
for (const view of root().querySelectorAll('[data-pixels]')) worked.add(view, all);
const draw = () => {
  const value = props.value;
  const view = root();
  if (!view) return;
  view.hidden = !value || !value.first;
  if (view.hidden) return;
  worked.take(value.worked, value.first);
  for (const box of view.querySelectorAll('[data-pixels]')) box.tabIndex = value.worked ? 0 : -1;
  const [compare, difference] = view.querySelectorAll('.kd-compare');
  const shape = `${value.width} / ${value.height}`;
  for (const box of [compare, difference]) box.style.aspectRatio = shape;
  const halves = [['first', 'left', value.first], ['second', 'right', value.second || value.first]];
  for (const [i, [image, tag, src]] of halves.entries()) {
    Object.assign(compare.querySelector(`.kd-${image}`), { src, alt: value.names[i] });
    write(compare.querySelector(`.kd-tag-${tag}`), value.names[i]);
  }
  difference.querySelector('img').src = value.difference;
  difference.querySelector('img').alt = value.gain;
  difference.querySelector('.kd-tag').textContent = value.gain;
  view.querySelector('.kd-figures').replaceChildren(...value.figures.map(([number, meaning]) => (
    make('div', {}, make('dd', {}, number), make('dt', {}, meaning)))));
  const files = view.querySelector('.kd-result-files');
  files.hidden = !value.files?.length;
  files.replaceChildren(files.firstChild, ...(value.files || []).flatMap(([text, download, shown], i) => [
    i ? ', ' : '', make('a', { class: 'kd-link', href: value[shown] || value.first, download }, text)]));
  view.querySelector('.kd-result-note').textContent = value.note || '';
  move(compare.querySelector('input').value);
};
element.addEventListener('input', (event) => {
  if (event.target.type === 'range') move(event.target.value);
});
watch('value', draw);
draw();
