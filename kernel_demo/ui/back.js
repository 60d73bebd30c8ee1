// The browser's Back and Forward go from tab to tab: each is an entry of its history, which says the
// tab alone. The settings stay as they are, and so does the address, which is theirs. A page that is
// loaded again is at the tab at which it was.
{
  const TABS = '.kd-tabs > .tab-wrapper .tab-container:not(.visually-hidden) [role=tab]';
  const names = () => [...document.querySelectorAll(TABS)];
  const nameOf = (tab) => tab?.textContent.trim();
  const chosen = () => nameOf(names().find((tab) => tab.ariaSelected === 'true'));
  const type = performance.getEntriesByType('navigation')[0]?.type; // of an error's page there is none
  let left = type === 'reload' ? history.state?.tab : ''; // to be chosen once the tabs are there
  let address = location.href; // as it was before Back: that of an older entry may say other settings

  for (const name of ['pushState', 'replaceState']) {
    const write = history[name].bind(history);
    history[name] = (...given) => {
      write(...given);
      address = location.href;
    };
  }
  // What a visitor has not touched yet goes to another tab by its link alone: that is no way back.
  function note() {
    const [tab, { state }] = [chosen(), history];
    if (left || !tab || state?.tab === tab) return;
    const goes = state?.tab && (navigator.userActivation?.hasBeenActive ?? true);
    history[goes ? 'pushState' : 'replaceState']({ ...state, tab }, '', address);
  }
  new MutationObserver(note).observe(document.documentElement, {
    subtree: true, attributes: true, attributeFilter: ['aria-selected'],
  });
  function first() {
    if (!chosen()) { // the tabs come after this script
      setTimeout(first, 50);
      return;
    }
    const tab = names().find((one) => nameOf(one) === left);
    left = '';
    if (tab && nameOf(tab) !== chosen()) tab.click();
    else note();
  }
  first();
  addEventListener('popstate', ({ state }) => {
    if (!state?.tab) return; // of a link within the page
    history.replaceState(state, '', address);
    if (state.tab !== chosen()) names().find((tab) => nameOf(tab) === state.tab)?.click();
  });
}
