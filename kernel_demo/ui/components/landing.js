// Brings what a link shares into view, and starts it where it says so: {target, press, ready,
// experiment, said}; see ui/landing.py. And copies the links that parts of the page have.

const strip = element.querySelector('.kd-landing');
const { words, keys } = props;
const PATIENCE = 30000; // milliseconds that something is waited for
const STAYS = 12000; // milliseconds that the strip is there, unless it is pointed at or has the focus
const SETTLING = 4000; // milliseconds within which the page above may still grow
const OWN = ['wheel', 'touchstart', 'pointerdown', 'keydown']; // a visitor who goes on by hand

const wait = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });
const inView = (selector) => {
  const found = document.querySelector(selector);
  return found?.offsetParent ? found : null;
};

// What `look` finds, once it does; null where it does not in time.
async function until(look) {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const found = look();
    if (found || performance.now() > end) return found || null;
    await wait(50);
  }
}

// Stays in view while the page above it still grows, until the visitor goes on.
function keepInView(place) {
  const show = () => place.scrollIntoView({ behavior: 'instant', block: 'start' });
  const grown = new ResizeObserver(show);
  const over = () => {
    grown.disconnect();
    for (const name of OWN) removeEventListener(name, over, true);
  };
  for (const name of OWN) addEventListener(name, over, true);
  grown.observe(document.body);
  setTimeout(over, SETTLING);
  show();
  return over;
}

// It only tells: it leaves by itself.
let leaving = 0;
function tell(said) {
  clearTimeout(leaving);
  strip.hidden = !said;
  write(strip.querySelector('p'), said);
  const leave = () => {
    if (strip.matches(':hover, :focus-within')) leaving = setTimeout(leave, STAYS);
    else strip.hidden = true;
  };
  if (said) leaving = setTimeout(leave, STAYS);
}

async function land(value) {
  tell(value.said);
  let over = () => {};
  if (value.target) {
    const place = await until(() => inView(`#${value.target}`));
    if (!place) return;
    setData(place, { landed: true });
    if (!place.matches('button')) place.tabIndex = -1;
    place.focus({ preventScroll: true });
    over = keepInView(place);
  }
  const { experiment } = value;
  if (experiment && !value.target) { // the stage begins it once it is set to it
    if (!await until(() => window.kdShown)) return;
    document.dispatchEvent(new CustomEvent('kd-wish', { detail: { experiment, pace: '' } }));
    return;
  }
  if (!value.press) return;
  const set = () => window.kdShown?.experiment === experiment || !experiment;
  const button = await until(() => {
    const found = set() && (!value.ready || inView(value.ready)) && inView(`#${value.press}`);
    return found && !found.disabled && found;
  });
  // What these start comes into view by itself.
  if (value.press === value.target || button?.closest('.kd-question')) over();
  button?.click();
}

let landed = false; // once: a page that lost its server for a while is not led back
watch('value', () => {
  if (!props.value || landed) return;
  landed = true;
  land(props.value);
});
// What another part has to say where nothing of it is in view.
document.addEventListener('kd-told', ({ detail }) => tell(detail));
strip.querySelector('button').addEventListener('click', () => tell(''));

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a.kd-share');
  if (!link || !element.isConnected || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  copyFrom(link, link.href, words.copied);
});
// Of what hangs on the settings as well: {id of what tells of it, added: the keys beside them}.
document.addEventListener('kd-share', ({ detail }) => {
  copyFrom(document.getElementById(detail.id), addressOf(keys, detail.added), words.copied);
});
