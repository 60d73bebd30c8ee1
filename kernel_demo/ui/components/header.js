// The show "Why a small loss is not enough", on the stage itself; see header.py. What the stage shows
// is in window.kdShown, the patterns' figures in window.kdPatterns. Gradio runs this once.

const root = element.querySelector('.kd-header');
const { words } = props;
const strip = root.querySelector('.kd-show');
const caption = strip.querySelector('p');
const [opener, stopper] = ['#demonstrate', '#demonstrate-stop'].map((id) => root.querySelector(id));
const still = window.matchMedia('(prefers-reduced-motion: reduce)');

const LOOK = { alike: 3500, kernels: 6500, patterns: 11000 }; // milliseconds that these captions are looked at
const ANSWER = 20000; // milliseconds that one is waited for
const ALIKE = 0.97; // of the loss is gone: pictures then look alike
const PLACES = { // what a caption speaks of
  after: '.kd-live [data-view=after]', kernels: '.kd-live .kd-equation', patterns: '.kd-spectrum-plot',
};

let show = null; // the one under way: {run: {experiment, session} in view, asked: something is set, check, fail, timer}
let answer = () => {}; // that the page is set to what was asked for

const figuresNow = () => {
  const { row, run: { rows, truth } } = window.kdShown;
  const figures = figuresOf({ row, rows, last: rows.length - 1, truth, value: window.kdShown });
  return { ...figures, most: window.kdShown.steps, ...window.kdPatterns };
};

function told(name, figures = {}) {
  write(caption, say(words[name], figures));
}

function point(name) {
  for (const each of document.querySelectorAll('[data-pointed]')) delete each.dataset.pointed;
  // On a phone a pixel's arithmetic may stand in their place.
  if (name === 'kernels') delete document.querySelector('.kd-live').dataset.arithmetic;
  const place = name && document.querySelector(PLACES[name]);
  if (place) place.dataset.pointed = 'true';
}

// Waits until the stage shows what is waited for, or for a time; fails where the show is over.
function until(ready) {
  const mine = show;
  return new Promise((resolve, reject) => {
    mine.fail = reject;
    mine.check = () => { if (ready(window.kdShown)) { mine.check = null; resolve(); } };
    mine.check();
  });
}

function pause(milliseconds) {
  const mine = show;
  return new Promise((resolve, reject) => {
    mine.fail = reject;
    mine.timer = setTimeout(resolve, milliseconds);
  });
}

// A visitor who takes over, or a run that cannot be, ends the show.
function watchStage() {
  const shown = window.kdShown;
  if (!show || !shown) return;
  const { run, problem } = show;
  const other = run && (shown.experiment !== run.experiment || shown.session !== run.session);
  const refused = shown.problem && shown.problem !== problem;
  if (other || refused || (run && shown.state === 'paused')) close();
  else show.check?.();
}

// A run by this method, from the click that it needs to the first step shown.
async function begin(method) {
  show.run = null;
  const { session } = window.kdShown;
  show.asked = true;
  show.answered = new Promise((resolve) => { answer = resolve; setTimeout(resolve, ANSWER); });
  trigger('asked', { method });
  await until((shown) => shown.kind === 'frame' && shown.session !== session
    && shown.experiment === show.wished && shown.state === 'running');
  show.run = { experiment: show.wished, session: window.kdShown.session };
}

const finished = () => until((shown) => shown.state === 'finished');

const busy = () => ['running', 'waiting'].includes(window.kdShown?.state);

async function atRest() {
  if (busy()) document.querySelector('#learn').click();
  await until((shown) => shown && !busy() && !shown.computing);
}

async function play() {
  told('ready');
  openTab();
  window.scrollTo({ top: 0 });
  await atRest();
  await begin('adam');
  point('after');
  told('adam', figuresNow());
  await until((shown) => shown.state === 'finished' || figuresNow().share >= ALIKE);
  if (figuresNow().share >= ALIKE) {
    told('alike');
    await pause(LOOK.alike);
  }
  await finished();
  const adam = figuresNow();
  point('kernels');
  told(adam.wrong ? 'kernels' : 'near', adam);
  await pause(LOOK.kernels);
  toPatterns();
  told(!adam.wrong || !adam.rare ? 'patterns' : adam.alike ? 'why' : 'why_other', adam);
  await pause(LOOK.patterns);
  told('kfac');
  await begin('kfac');
  await finished();
  const kfac = { ...figuresNow(), adam_gone: adam.gone, adam_off: adam.off };
  told(kfac.right && adam.wrong ? 'end' : 'end_near', kfac);
  write(stopper, words.close);
}

function openTab() {
  const tabs = [...document.querySelectorAll('[role=tab]')];
  tabs.find((tab) => tab.textContent.trim() === props.tab)?.click();
}

function toPatterns() {
  point('patterns');
  document.getElementById('spectrum').scrollIntoView({ block: 'end', behavior: still.matches ? 'auto' : 'smooth' });
}

function open() {
  if (show || !window.kdShown) return;
  show = { problem: window.kdShown.problem };
  strip.hidden = false;
  write(stopper, words.stop);
  stopper.focus({ preventScroll: true });
  play().catch((error) => { if (error !== 'over') throw error; });
}

function close() {
  if (!show) return;
  const { fail, timer } = show;
  show = null;
  clearTimeout(timer);
  fail?.('over');
  point(null);
  if (strip.contains(document.activeElement)) opener.focus({ preventScroll: true });
  strip.hidden = true;
}

// Who stops or closes it has the page set as before it.
async function stop() {
  const { asked, answered } = show;
  close();
  if (!asked) return;
  await answered;
  document.dispatchEvent(new CustomEvent('kd-wish', { detail: { experiment: '' } })); // none is wished for
  if (busy()) document.querySelector('#learn').click();
  await resting();
  trigger('over');
}

// Resolves once nothing is computed: what is set while a run goes on is not shown.
const resting = () => new Promise((resolve) => {
  const look = () => {
    if (busy() || window.kdShown?.computing) return;
    document.removeEventListener('kd-shown', look);
    resolve();
  };
  document.addEventListener('kd-shown', look);
  look();
});

opener.addEventListener('click', open);
stopper.addEventListener('click', stop);
document.addEventListener('keydown', (event) => { if (event.key === 'Escape' && show) stop(); });
document.addEventListener('kd-wish', ({ detail }) => {
  if (show) show.wished = detail.experiment;
  answer();
});
document.addEventListener('kd-shown', watchStage);
