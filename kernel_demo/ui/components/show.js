// What of a run is shown, and when: its kept steps, the one shown, the pace. Values in, values out:
// no element, no clock. Comes after drawing.js.

// Milliseconds from one kept step to the next; `fast`: whatever has come.
// `show`: 200 steps in 14 seconds, where somebody is shown around.
const PACE = { step: Infinity, slow: 500, normal: 1000 / 9, fast: 0, show: 70 };
const AT_ONCE = 3; // kept steps that one drawing may pass on
// While a run is computed, steps come many at once: as fast as they come is a share of them each so
// many milliseconds.
const [BEAT, PART] = [100, 1 / 3];
// Where the figures stand in a kept step; from FIGURES on, true - learned, row by row.
const [STEP, LOSS, VALIDATION, ERROR, SECONDS, FIGURES] = [0, 1, 2, 3, 4, 5];

// The kept steps of these chunks: {width, parts, rows}, a row being the figures of one. Kernels stay
// encoded until one is shown: all of a 31 x 31 run, decoded as well, would be too much to keep.
// known: those of the value before, of which the chunks that are the same are not decoded again.
function kept(chunks, size, known) {
  const width = FIGURES + size * size;
  const parts = chunks.map((text, i) => {
    const before = known?.width === width ? known.parts[i] : null;
    if (before?.text === text) return before;
    const flat = floats(text) || new Float32Array(0);
    const rows = [];
    for (let at = 0; at + width <= flat.length; at += width) rows.push(flat.slice(at, at + FIGURES));
    return { text, rows };
  });
  return { width, parts, rows: parts.flatMap((part) => part.rows) };
}

// true - learned of a kept step, row by row; null where there is none.
function differenceAt({ width, parts }, at) {
  let from = at;
  for (const { text, rows } of parts) {
    if (from < rows.length) {
      const flat = floats(text);
      return Float64Array.from(flat.subarray(from * width + FIGURES, (from + 1) * width));
    }
    from -= rows.length;
  }
  return null;
}

// The learned kernel, in float64.
function learnedFrom(difference, truth) {
  return difference && truth.map((weight, i) => weight - difference[i]);
}

// The place of the kept step that is nearest to a step.
function nearestRow(rows, step) {
  let best = 0;
  rows.forEach((row, i) => {
    if (Math.abs(row[STEP] - step) < Math.abs(rows[best][STEP] - step)) best = i;
  });
  return best;
}

// at: the row shown. furthest: of those shown, the last one. playing: whether it goes on by itself.
// moved: when it last did. starved: it then had shown all there was.
function begun(now) {
  return { at: 0, furthest: 0, playing: true, moved: now, starved: false };
}

// The player at a time: so many rows further as the pace allows, up to the last. Never in bulk
// after it had nothing to show, nor after a browser that is late by more than a few: a run is there
// to be seen, and takes longer then. computing: whether more is on its way.
function advanced(player, last, speed, now, computing = false) {
  const pace = PACE[speed];
  if (!player.playing || pace === Infinity) return { ...player, moved: now, starved: true };
  if (player.at >= last) return { ...player, starved: true };
  const due = pace ? Math.floor((now - player.moved) / pace + 1e-6)
    : !computing ? last - player.at
      : now - player.moved < BEAT ? 0 : Math.ceil((last - player.at) * PART);
  if (due < 1) return player;
  const late = pace > 0 && due > AT_ONCE;
  const most = late ? AT_ONCE : due;
  const steps = player.starved && pace ? 1 : Math.min(most, last - player.at);
  const moved = player.starved || !pace || late ? now : player.moved + steps * pace;
  return shownAt({ ...player, moved, starved: false }, player.at + steps);
}

function shownAt(player, at) {
  return { ...player, at, furthest: Math.max(player.furthest, at) };
}

// Milliseconds until it moves on; Infinity where it does not.
function waitOf(player, last, speed, now, computing = false) {
  if (!player.playing || player.at >= last || PACE[speed] === Infinity) return Infinity;
  const pace = PACE[speed] || (computing ? BEAT : 0);
  return Math.max(0, player.moved + pace - now);
}

// Taken to a row by hand: it stays there.
function sought(player, at) {
  return { ...shownAt(player, at), playing: false };
}

// Set going: from the start again where it stands at the end of a run that has ended.
function played(player, last, ended, now) {
  const at = ended && player.at >= last ? 0 : player.at;
  return { ...player, at, playing: true, moved: now, starved: false };
}

// After another value of the same run: what is no longer there is not shown.
function cutTo(player, last) {
  const [at, furthest] = [player.at, player.furthest].map((i) => Math.max(0, Math.min(i, last)));
  return { ...player, at, furthest };
}

// before | waiting | running | paused | finished, as shown. asked: a run was asked for, and no word
// of it has come. halted: Pause was pressed. arrived: the end was shown.
function stateOf(value, player, last, { asked, halted, arrived }) {
  if (asked) return 'waiting';
  if (!value || value.kind === 'idle') return 'before';
  if (value.end && arrived) return 'finished';
  if (value.computing && value.waiting !== null && value.waiting !== undefined) return 'waiting';
  if (halted) return 'paused';
  if (value.paused && !value.computing && player.at >= last) return 'paused';
  return 'running';
}
