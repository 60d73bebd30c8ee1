// Draws {snippets: [{tool, code, note}], files: [{label, links: [{text, name, size, url}]}], note}.
// The tool that a visitor chose stays chosen when another kernel comes.
let chosen = 0;
const find = (selector) => element.querySelector(selector);
const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

const show = (index) => {
  chosen = index;
  const snippet = props.value.snippets[index];
  find('.kd-take-tools').querySelectorAll('button').forEach((tab, number) => {
    tab.setAttribute('aria-selected', number === index);
    tab.tabIndex = number === index ? 0 : -1;
  });
  find('.kd-take-code').setAttribute('aria-label', snippet.tool);
  find('code').textContent = snippet.code || snippet.note;
  find('.kd-take-code').classList.toggle('kd-take-none', !snippet.code);
  find('pre').scrollTop = 0;
  find('.kd-take-how').textContent = snippet.code ? snippet.note : '';
  find('.kd-take-copy').hidden = !snippet.code;
  find('.kd-take-copy').textContent = props.words.copy;
};

const draw = () => {
  const value = props.value;
  const card = find('.kd-take');
  if (!card) return;
  card.hidden = !value || !value.snippets;
  if (card.hidden) return;
  find('.kd-take-tools').replaceChildren(...value.snippets.map((snippet) => make('button', {
    type: 'button', role: 'tab', textContent: snippet.tool,
    className: snippet.code ? '' : 'kd-take-missing',
    title: snippet.code ? '' : props.words.cannot,
  })));
  find('.kd-take-files').replaceChildren(...value.files.flatMap(({ label, links }) => {
    const held = make('dd', {});
    held.append(...links.map(({ text, name, size, url }) => make('a', {
      href: url, download: name, textContent: text, title: `${name}, ${size}`,
    })));
    return [make('dt', { textContent: label }), held];
  }));
  find('.kd-take-note').textContent = value.note || '';
  show(Math.min(chosen, value.snippets.length - 1));
};

element.addEventListener('click', async (event) => {
  const tab = event.target.closest('[role=tab]');
  if (tab) show([...tab.parentNode.children].indexOf(tab));
  const copy = event.target.closest('.kd-take-copy');
  if (!copy) return;
  await toClipboard(props.value.snippets[chosen].code);
  copy.textContent = props.words.copied;
  find('.kd-take-spoken').textContent = props.words.copied;
  setTimeout(() => {
    copy.textContent = props.words.copy;
    find('.kd-take-spoken').textContent = '';
  }, 1500);
});
element.addEventListener('keydown', (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step || !event.target.closest('[role=tab]')) return;
  const count = props.value.snippets.length;
  show((chosen + step + count) % count);
  find('.kd-take-tools').children[chosen].focus();
  event.preventDefault();
});
watch('value', draw);
draw();
