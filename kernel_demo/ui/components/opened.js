// An answer that is asked for, or opened, comes into view: as much of it as there is room for, from its
// top, until the visitor goes on by hand. Gradio runs this once.

const OWN = ['wheel', 'touchstart', 'pointerdown', 'keydown']; // a visitor who goes on by hand
const [EDGE, BUTTONS] = [12, 66]; // pixels above an answer; and while it may be stopped
let following = null; // the answer that is brought into view
let awaited = false; // one was asked for

function bring() {
  if (!following?.open) return;
  const { top, bottom } = following.getBoundingClientRect();
  const above = following.querySelector('[data-done=true]') ? EDGE : BUTTONS;
  const by = Math.min(top - above, Math.max(bottom - innerHeight + EDGE, Math.min(0, top - above)));
  if (Math.abs(by) >= 1) scrollBy({ top: by, behavior: 'instant' });
}

const grown = new ResizeObserver(bring);

for (const name of OWN) {
  addEventListener(name, () => { grown.disconnect(); [following, awaited] = [null, false]; }, true);
}
document.addEventListener('click', (event) => {
  if (event.target.closest?.('.kd-question :is(button, summary)')) awaited = true;
});
// Of what comes into the page open as well.
document.addEventListener('toggle', ({ target }) => {
  if (!awaited || !target.open || !target.matches('.kd-answer-fold')) return;
  following = target;
  grown.disconnect();
  grown.observe(target);
  bring();
}, true);
