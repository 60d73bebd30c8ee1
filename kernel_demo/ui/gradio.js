// What gradio's own parts (6.31) lack for those who go by keys or by ear. Where a part goes, it is
// not found, and nothing happens.
{
  // Gradio's client ends the stream of an upload's progress by a method that does nothing but say
  // so to the console. The server ends that stream by itself: nobody needs to hear of it.
  const warn = console.warn;
  console.warn = (...said) => said[0] === 'Method not implemented.' || warn.apply(console, said);

  const set = (part, name, value) => {
    if (part.getAttribute(name) !== value) part.setAttribute(name, value);
  };
  const every = (selector, call) => document.querySelectorAll(selector).forEach(call);

  // A set of choices has the name that is written on it.
  function nameChoices(choices) {
    const radios = choices.querySelector('input[type=radio]');
    set(choices, 'role', radios ? 'radiogroup' : 'group');
    set(choices, 'aria-label', choices.querySelector('[data-testid=block-info]')?.textContent.trim() || '');
  }

  // Every radio button has a name of its own; of one name they are one stop of the Tab key, and the
  // browser chooses among them by arrow keys.
  function group(radio) {
    const { id } = radio.closest('fieldset');
    if (id) radio.name = `of-${id}`;
  }

  // What is folded away says whether it is.
  const fold = (button) => set(button, 'aria-expanded', String(button.classList.contains('open')));

  // The button by which files are added to those that are there holds a second one, and its name is
  // a key that was not translated.
  function addFiles(inner) {
    const button = inner.closest('.icon-button');
    inner.inert = true;
    for (const name of ['aria-label', 'title']) set(button, name, 'Add files');
    button.onclick = () => inner.querySelector('input[type=file]').click();
  }

  function mend() {
    every('fieldset.block:not([role])', nameChoices);
    every('fieldset input[type=radio][name^=radio-]', group);
    every('button.label-wrap', fold);
    every('.icon-button .upload-container:not([inert])', addFiles);
  }

  let due = 0;
  const soon = () => {
    due ||= requestAnimationFrame(() => {
      due = 0;
      mend();
    });
  };
  // A stage that learns changes words many times a second: only an element may be one to mend.
  const parts = ({ addedNodes }) => [...addedNodes].some((node) => node.nodeType === Node.ELEMENT_NODE);
  new MutationObserver((changes) => changes.some(parts) && soon())
    .observe(document.documentElement, { childList: true, subtree: true });
  soon();
  document.addEventListener('click', (event) => event.target.closest?.('.label-wrap') && soon());
  // A list of options takes the Tab key for typing, and opens again behind the one who leaves it; and
  // as something that scrolls it takes the focus, which is lost when it closes.
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Tab' || !event.target.matches?.('[role=combobox]')) return;
    event.stopPropagation();
    every('[role=listbox]', (list) => set(list, 'tabindex', '-1'));
  }, true);
}
