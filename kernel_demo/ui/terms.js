// Terms explain themselves: the first place of each in a card is marked, and shows its meaning on
// hover, focus and tap. The table is terms.py's, on the page as hidden popovers.
{
  const CARDS = '.kd-header, .kd-live-card, .kd-card, .kd-panel, .kd-take, .kd-verdict';
  // What is pressed, typed into, only heard, or no prose. While a run is shown its words change with
  // each step: they are marked when it rests.
  const PLAIN = `button, label, a, summary, select, input, textarea, pre, code, svg, canvas, h1, dfn, style,
    script, nav, [role=img], [role=tab], [role=listbox], [data-testid='block-info'], .kd-live-spoken, .kd-take-spoken, .kd-bar,
    .kd-terms, :is([data-state=running], [data-state=waiting], [data-going=true]) [data-text]`;
  // Cards whose words change with each step: they wait until the run rests.
  const LIVE = '.kd-live-card, .kd-spectrum';
  const RUNNING = '.kd-live:is([data-state=running], [data-going=true])';
  const GAP = 8; // pixels between a sentence and its term, and the sides of the window
  const LONGEST = 5000; // ms that the first marking waits for a page which does not rest
  const LEAVE = 120; // ms in which the pointer may pass from a term to its sentence

  let pattern = null;
  const meaningOf = new Map(); // by spelling
  function read() {
    for (const meaning of document.querySelectorAll('.kd-terms > p')) {
      for (const one of meaning.dataset.spellings.split('\n')) meaningOf.set(one.toLowerCase(), meaning.id);
    }
    const all = [...meaningOf.keys()].sort((a, b) => b.length - a.length);
    const escaped = all.map((one) => one.replace(/[|()]/g, '\\$&'));
    pattern = all.length && new RegExp(`(?<![\\p{L}\\p{N}_|-])(${escaped.join('|')})(s?)(?![\\p{L}\\p{N}_|-])`, 'giu');
  }

  // ---- Marking

  // Marks in one piece of text what its card has not marked yet. also: what need not be, either.
  function markText(text, marked, also = marked) {
    for (const found of text.data.matchAll(pattern)) {
      const id = meaningOf.get(found[1].toLowerCase());
      if (marked.has(id) || also.has(id)) continue;
      marked.add(id);
      const term = document.createElement('dfn');
      term.className = 'kd-term';
      term.tabIndex = 0;
      term.setAttribute('aria-describedby', id);
      const rest = text.splitText(found.index);
      const after = rest.splitText(found[0].length);
      rest.replaceWith(term);
      term.append(rest);
      markText(after, marked, also);
      return;
    }
  }

  function markCard(card) {
    const marked = new Set();
    const folded = new Set(); // in what is hidden now, and may be opened
    for (const term of card.querySelectorAll('.kd-term')) {
      if (term.closest(CARDS) !== card) continue;
      // Where its text was written anew, or it lies in what is plain now, it is one no more.
      if (!term.textContent) term.remove();
      else (term.checkVisibility() ? marked : folded).add(term.getAttribute('aria-describedby'));
    }
    const texts = document.createTreeWalker(card, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, (node) => {
      if (node.nodeType === Node.TEXT_NODE) return NodeFilter.FILTER_ACCEPT;
      return node.matches(PLAIN) || node.matches(CARDS) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_SKIP;
    });
    const all = [];
    while (texts.nextNode()) if (texts.currentNode.data.search(pattern) >= 0) all.push(texts.currentNode);
    const [seen, hidden] = [true, false].map((wanted) =>
      all.filter((text) => text.parentElement.checkVisibility() === wanted));
    for (const text of seen) markText(text, marked);
    for (const text of hidden) markText(text, folded, marked);
  }

  function markAll(cards) {
    for (const card of cards) markCard(card);
    changes.takeRecords(); // our own
  }

  // The first time all at once, when a page that is still being made has come to rest: a phone has
  // enough to do.
  let due = false;
  function begin() {
    if (due) return;
    due = true;
    (window.requestIdleCallback || setTimeout)(() => {
      due = false;
      read();
      if (pattern) markAll(document.querySelectorAll(CARDS));
    }, { timeout: LONGEST });
  }

  // Before the next frame is drawn: no word is seen unmarked first.
  const changes = new MutationObserver((records) => {
    if (!pattern) return begin();
    const cards = new Set();
    const running = document.querySelector(RUNNING);
    for (const { target, addedNodes, type } of records) {
      const element = target.nodeType === Node.TEXT_NODE ? target.parentElement : target;
      if (running && type !== 'attributes' && element?.closest(LIVE)) continue;
      if (!element || (type !== 'attributes' && element.closest(PLAIN))) continue;
      const card = element.closest(CARDS);
      if (card) cards.add(card);
      if (type === 'attributes') document.querySelectorAll(LIVE).forEach((one) => cards.add(one));
      if (type === 'attributes' || addedNodes.length) {
        for (const inside of element.querySelectorAll(CARDS)) cards.add(inside);
      }
    }
    if (cards.size) markAll(cards);
  });
  changes.observe(document.documentElement, {
    childList: true, characterData: true, subtree: true, attributes: true, attributeFilter: ['data-state', 'data-going'],
  });

  // ---- Showing

  let shown = null; // the term whose meaning is shown
  let leaving = 0;
  const termOf = (event) => event.target.closest?.('.kd-term');
  const meaning = () => document.getElementById(shown.getAttribute('aria-describedby'));

  function show(term) {
    clearTimeout(leaving);
    if (term === shown) return;
    hide();
    shown = term;
    meaning()?.showPopover();
    place();
  }

  function hide() {
    clearTimeout(leaving);
    if (!shown) return;
    meaning()?.hidePopover();
    shown = null;
  }

  // Below its term, above it where there is no room, and always inside the window.
  function place() {
    if (!shown) return;
    const [box] = shown.getClientRects();
    if (!box || box.bottom < 0 || box.top > innerHeight) return hide();
    const popover = meaning();
    const { width, height } = popover.getBoundingClientRect();
    const left = Math.min(box.left, document.documentElement.clientWidth - width - GAP);
    const below = box.bottom + GAP + height <= innerHeight || box.top < height + 2 * GAP;
    popover.style.left = `${Math.max(GAP, left)}px`;
    popover.style.top = `${below ? box.bottom + GAP : box.top - GAP - height}px`;
  }

  const later = () => {
    clearTimeout(leaving);
    leaving = setTimeout(() => shown !== document.activeElement && hide(), LEAVE);
  };
  document.addEventListener('pointerover', (event) => {
    if (event.pointerType === 'touch') return;
    const term = termOf(event);
    if (term) show(term);
    else if (shown && event.target === meaning()) clearTimeout(leaving);
    else if (shown) later();
  });
  document.addEventListener('focusin', (event) => (termOf(event) ? show(termOf(event)) : hide()));
  document.addEventListener('focusout', (event) => termOf(event) && hide());
  document.addEventListener('click', (event) => {
    const term = termOf(event);
    if (term) show(term);
    else if (shown && event.target !== meaning()) hide();
  });
  // Escape closes the sentence alone; Enter brings it back.
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && shown) {
      event.stopImmediatePropagation();
      hide();
    } else if (event.key === 'Enter' && termOf(event)) show(termOf(event));
  }, true);
  for (const name of ['scroll', 'resize']) addEventListener(name, place, { capture: true, passive: true });
}
