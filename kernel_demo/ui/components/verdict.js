// The verdict on what is shown, in words: {dot, parts: [{text, strong, extra, link}], action}. It never
// claims less than the measured error. Values in, values out. Comes after show.js.

const SMALL_LOSS = 0.05; // of the first loss
const WRONG = 0.05; // a weight off by more than this share of the largest one
const MORE_HELPS = ['STEPS', 'TIME', 'PATIENCE', 'VISITOR']; // causes of an end
const DIGITS = 3; // right to so many digits is right, while it learns and at its end
const RUNS_ON = 200; // steps more, where they help

// A positive number without a power of ten: 0.76, 0.000 000 019; up: never below the value.
function decimal(value, up = false) {
  if (!Number.isFinite(value) || value >= 1e4) return figure(value);
  if (value <= 0) return '0';
  const digits = value >= 1 ? 3 : 2;
  const power = Number(value.toExponential(digits - 1).split('e')[1]); // 0.0999 is written as 0.10
  const decimals = Math.min(20, Math.max(0, digits - 1 - power));
  const unit = 10 ** decimals;
  const held = up ? Math.ceil(value * unit * (1 - 1e-12)) / unit : value;
  return grouped(rounded(held, decimals, 'toFixed'));
}

// To how many decimals every weight is right: by less than half of the last one.
function decimalsOfError(error) {
  return Math.min(15, Math.max(0, Math.floor(-Math.log10(2 * error))));
}

// The same of weights as shares of the largest one, where that is below 1: of small weights the
// first decimals are zeros.
function digitsOf(error, most) {
  return decimalsOfError(error / Math.min(1, most || 1));
}

// What is gone, of the share that is left: 98 %, 99.8 %, all but 0.056 %, all but 3·10⁻¹³ %.
function gonePercent(left) {
  if (left > 0.01) return `${Math.round(100 * (1 - left))} %`;
  if (left > 0.001) return `${Math.floor(1000 * (1 - left)) / 10} %`;
  const percent = 100 * left;
  return left > 0 ? `all but ${percent < 1e-3 ? figure(percent, 2, 1) : decimal(percent, true)} %` : 'all';
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

// duration() of numbers.py: two digits.
function inSeconds(seconds) {
  if (seconds >= 59.5) return `${Math.floor(Math.round(seconds) / 60)} min ${String(Math.round(seconds) % 60).padStart(2, '0')} s`;
  if (seconds >= 9.95) return `${Math.round(seconds)} s`;
  const power = seconds > 0 ? Number(seconds.toExponential(1).split('e')[1]) : 0;
  return `${rounded(seconds, Math.max(1, 1 - power), 'toFixed')} s`;
}

// What the start is: random numbers, zeros, or the identity.
function startOf(learned) {
  const middle = learned.length >> 1;
  if (learned.some((v, i) => Math.abs(v) > 1e-6 && i !== middle)) return 'random';
  return Math.abs(learned[middle]) > 1e-6 ? 'identity' : 'zeros';
}

// shown: {state, row, learned, rows, last (its place), truth, value, asked, lookingBack, oneStep}: whether
// it goes on by Step alone. words: ours.
function verdictOf(shown, words) {
  const { state, row } = shown;
  if (state === 'waiting') return waitingWords(shown, words);
  if (!row) return { dot: 'grey', parts: state === 'before' ? [] : [{ text: words.preparing, strong: true }] };
  const figures = figuresOf(shown);
  const tell = (name, more) => part(words[name], figures, more);
  if (shown.lookingBack) return lookingBack(shown, figures, tell);
  if (state === 'before') {
    const start = tell(`start_${startOf(shown.learned)}`, { extra: true });
    return { dot: 'grey', parts: [tell('untaught', { strong: true }), tell('sees'), start] };
  }
  if (state === 'paused') {
    const lead = tell(figures.wrong ? 'paused' : 'paused_near', { strong: true });
    return { dot: 'grey', parts: [lead, tell('largest'), tell('paused_how', { extra: true })] };
  }
  return state === 'finished' ? endWords(shown, figures, tell) : runningWords(shown, figures, tell);
}

function part(template, figures, more = {}) {
  return { text: say(template, figures), ...more };
}

function figuresOf({ row, rows, last, truth, value }) {
  const most = largest(truth);
  const first = (rows.find((one) => one[LOSS] > 0) || row)[LOSS];
  const left = row[LOSS] / first;
  const gone = gonePercent(left);
  return {
    step: row[STEP],
    steps: rows[last][STEP],
    off: decimal(row[ERROR]),
    bound: decimal(row[ERROR], true),
    largest: decimal(most),
    gone,
    Gone: capital(gone),
    share: 1 - left,
    wrong: !(row[ERROR] <= WRONG * most), // what is no number is wrong
    small: row[LOSS] < SMALL_LOSS * first,
    final_off: decimal(rows[last][ERROR]),
    final_bound: decimal(rows[last][ERROR], true),
    final_wrong: !(rows[last][ERROR] <= WRONG * most),
    right: digitsOf(row[ERROR], most) >= DIGITS,
    final_right: digitsOf(rows[last][ERROR], most) >= DIGITS,
    decimals: decimalsOfError(row[ERROR]),
    final_decimals: decimalsOfError(rows[last][ERROR]),
    seconds: inSeconds(rows[last][SECONDS]),
    sentence: value.end?.sentence || '',
    more: RUNS_ON,
  };
}

function waitingWords({ value, asked }, words) {
  const place = asked ? null : value.waiting;
  if (place === null) {
    return { dot: 'grey', parts: [
      { text: words.preparing, strong: true }, { text: words.preparing_what }] };
  }
  if (place === 0) return { dot: 'grey', parts: [{ text: words.read_in, strong: true }, { text: words.read_in_what }] };
  const told = place <= 1 ? words.next : say(words.place, { place });
  return { dot: 'grey', parts: [{ text: words.queued, strong: true }, { text: told },
    { text: words.queued_how, extra: true }] };
}

function runningWords({ oneStep }, figures, tell) {
  const lead = (name) => tell(oneStep ? 'one_step' : name, { strong: true });
  if (!figures.wrong) {
    return { dot: 'grey', parts: [lead(figures.right ? 'right_now' : 'near'), tell('bound')] };
  }
  if (figures.small) return { dot: 'warm', parts: [lead('small'), tell('small_what')] };
  const parts = [lead('learning'), tell('still')];
  if (figures.share >= 0.1) parts.push(tell('gone', { extra: true }));
  return { dot: 'grey', parts };
}

function lookingBack({ state }, figures, tell) {
  const parts = [tell('back', { strong: true }), tell('back_off')];
  if (state !== 'finished') return { dot: 'grey', parts: [...parts, tell('back_on')], action: 'latest' };
  const right = figures.final_right;
  parts.push(tell(right ? 'back_right' : 'back_end', { strong: true, extra: true }));
  parts.push(tell(right ? 'back_bound' : 'back_still', { extra: true }));
  return { dot: 'grey', parts, action: 'end' };
}

function endWords({ value }, figures, tell) {
  const { cause, complete } = value.end;
  const action = !complete && value.method !== 'closed_form' && MORE_HELPS.includes(cause)
    ? 'more' : null;
  const why = tell('sentence', { extra: true });
  if (cause === 'DIVERGED' || cause === 'SINGULAR') {
    const lead = tell(cause === 'DIVERGED' ? 'diverged' : 'singular', { strong: true });
    return { dot: 'warm', parts: [lead, tell('sentence')], action };
  }
  if (figures.final_right) {
    const parts = [tell('right', { strong: true }), tell('right_bound')];
    parts.push(complete ? tell('nothing_left', { extra: true }) : why);
    return { dot: 'good', parts, action: cause === 'PATIENCE' ? null : action };
  }
  if (complete) {
    const lead = tell('best', { strong: true });
    return { dot: figures.final_wrong ? 'warm' : 'good', parts: [lead, tell('best_bound'), why] };
  }
  const lead = figures.small && figures.wrong ? 'small' : figures.wrong ? 'not_there' : 'near';
  const rest = figures.small && figures.wrong ? 'small_what' : 'ended_still';
  const parts = [tell(lead, { strong: true }), tell(rest)];
  if (lead === 'small') parts.push(tell('why', { link: true }));
  return { dot: 'warm', parts: [...parts, why], action };
}
