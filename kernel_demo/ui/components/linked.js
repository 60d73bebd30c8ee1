// What is as a link has set it, and not as at first: a line in its panel, a dot on the chip that opens
// the panel. The value: {key: [label, text in the address]}. Told anew of each other address.
const line = () => element.querySelector('p');
const mark = () => {
  const chip = document.getElementById(`chip-${props.panel}`);
  const asked = new URLSearchParams(location.search);
  const kept = Object.entries(props.value || {}).filter(([key, [, text]]) => asked.get(key) === text);
  const said = kept.length ? `${props.words.says} ${kept.map(([, [label]]) => label).join(', ')}.` : '';
  line().textContent = said;
  line().hidden = !said;
  if (!chip) return;
  chip.dataset.linked = Boolean(said);
  if (said) chip.setAttribute('aria-description', said);
  else chip.removeAttribute('aria-description');
  chip.title = [chip.dataset.whole, said].filter(Boolean).join('\n'); // what the dot means
};
watch('value', mark);
document.addEventListener('kd-address', mark);
mark();
