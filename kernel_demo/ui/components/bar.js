// The bar of the stage: chips that open panels, small menus, the keys of the page. Comes after
// drawing.js and clipboard.js; stage.js puts it to work.

const store = {
  get(name, fallback) {
    try { return localStorage.getItem(`kd-${name}`) ?? fallback; } catch { return fallback; }
  },
  set(name, value) {
    try { localStorage.setItem(`kd-${name}`, value); } catch { /* a page without a store */ }
  },
};

// What a chip or a button opens, one at a time: a panel of the page or a menu of ours. Escape, a
// click outside, Tab out of it and the opener close it; the focus goes into it, and back.
function makeOpener(root) {
  let open = null; // {button, box}
  const placed = () => open && place(open.button, open.box);
  const resized = new ResizeObserver(placed); // what is chosen in it may make it wider
  const close = (back) => {
    if (!open) return;
    const { button, box } = open;
    open = null;
    resized.unobserve(box);
    delete box.dataset.open;
    button.setAttribute('aria-expanded', 'false');
    if (back || box.contains(document.activeElement)) button.focus({ preventScroll: !back });
  };
  const show = (button, box) => {
    const again = open?.button === button;
    close(false);
    if (again || !box) return;
    open = { button, box };
    resized.observe(box);
    if (button.ariaHasPopup === 'dialog') asDialog(box, button);
    box.dataset.open = 'true';
    button.setAttribute('aria-expanded', 'true');
    place(button, box);
    const inside = 'button:enabled, input:enabled, select:enabled, summary, [tabindex="0"]';
    const chosen = box.querySelector('[aria-pressed=true], input:checked') || box.querySelector(inside);
    chosen?.focus({ preventScroll: true });
  };
  document.addEventListener('pointerdown', (event) => {
    if (!open) return;
    const path = event.composedPath();
    if (!path.includes(open.box) && !path.includes(open.button)) close(false);
  });
  // First of all, to see a list of options as it was: Escape closes that one, and no more.
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !open) return;
    if (event.target.matches?.('[role=combobox][aria-expanded=true]')) return;
    event.stopPropagation();
    close(true);
  }, true);
  document.addEventListener('focusin', (event) => {
    if (open && !open.box.contains(event.target) && event.target !== open.button) close(true);
  });
  window.addEventListener('resize', placed);
  return { show, close, isOpen: (box) => open?.box === box };
}

// A panel is a column of the page: what it is, and its name, come from what opens it.
function asDialog(panel, chip) {
  panel.setAttribute('role', 'dialog');
  panel.setAttribute('aria-labelledby', chip.id);
}

const LOWEST = 240; // pixels: a box that would have less room than that goes on below the window

// Under its button, inside what it is placed in; a little to the left where it would stand out. What
// does not fit above the window's end is scrolled to.
function place(button, box) {
  const frame = box.offsetParent?.getBoundingClientRect();
  if (!frame) return;
  const [at, wide] = [button.getBoundingClientRect(), box.offsetWidth];
  const left = Math.max(0, Math.min(at.left - frame.left, frame.width - wide));
  box.style.left = `${Math.round(left)}px`;
  box.style.top = `${Math.round(at.bottom - frame.top + 6)}px`;
  box.style.maxHeight = `${Math.max(LOWEST, Math.floor(window.innerHeight - at.bottom - 12))}px`;
}

// Arrow keys walk the buttons of a menu.
function walkable(menu) {
  menu.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = [...menu.querySelectorAll('button')];
    const next = (items.indexOf(document.activeElement) + step + items.length) % items.length;
    items[next].focus();
  });
}

// What the chips say: words, the thumbnails of pictures. The filter's own picture is drawn; where
// there is no filter, it is one before, and hidden.
function fillChips(root, chips) {
  const text = parts(root, 'chip');
  const small = text.pictures_short;
  write(text.pictures, chips.pictures.text);
  write(small, chips.pictures.short || chips.pictures.text);
  write(text.unshared, chips.pictures.unshared || '');
  write(text.filter, chips.filter.text);
  setData(root.querySelector('#chip-filter'), { none: Boolean(chips.filter.none) });
  write(text.method, chips.method.text);
  write(text.note, chips.method.note || '');
  const { method, filter } = chips;
  const whole = { // for what is too long for its chip
    pictures: chips.pictures.text, filter: filter.text, method: `${method.text} ${method.note || ''}`.trim(),
  };
  for (const [name, title] of Object.entries(whole)) {
    const chip = root.querySelector(`#chip-${name}`);
    chip.dataset.whole = title;
    setAttribute(chip, 'title', [title, chip.getAttribute('aria-description')].filter(Boolean).join('\n'));
  }
  const urls = chips.pictures.urls || [];
  if (text.thumbs.dataset.urls === urls.join(' ')) return;
  text.thumbs.dataset.urls = urls.join(' ');
  text.thumbs.replaceChildren(...urls.slice(0, 4).map((src) => make('img', { src, alt: '' })));
}

// R and ?, outside fields only; `on` says whether they count.
function listenToKeys(on, actions) {
  document.addEventListener('keydown', (event) => {
    const { target, key } = event;
    if (!on() || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (target.closest?.('input:not([type=range]), textarea, select, [contenteditable=true]')) return;
    const action = actions[key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
