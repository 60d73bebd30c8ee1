// The arithmetic of a pixel below the pictures of a result: a record of worked.py, worked out where
// one points. Comes after drawing.js and arithmetic.js.

// A piece of worked.py as planes of grey levels; each has its shares of red, green and blue.
async function planesOf(piece, shares, url = piece.url) {
  const { width, height } = piece;
  const high = await exactly(url === piece.url ? piece : { url, width, height });
  const low = piece.fine && await bytesOf(piece.fine, width, height);
  const levels = low ? Float64Array.from(high, (level, i) => (256 * level + low[i]) / 257) : high;
  return shares.map((share) => planeOf(levels, piece, share));
}

const EVERY = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];

// place: the .kd-worked. Its `take(record, url)` shows another record, or none; url: of the target
// where that has none of its own. `add(view, part, border)` lets pixels be pointed at in a view;
// part(): what of the result it shows, in pixels of it.
function makeWorked(place) {
  const words = JSON.parse(place.dataset.words); // an update may take the props away
  const told = parts(place, 'part');
  const channels = place.querySelector('.kd-worked-channels');
  const first = place.querySelector('.kd-arithmetic');
  const views = [];
  let rows = [first];
  let [theme, record, planes, target] = [null, null, null, null];
  let [start, pixel, channel, border] = [null, null, 0, undefined];
  let [asked, waiting] = [0, 0];

  function look() { return { ...readTheme(place), palette: readPalette(place) }; }
  const output = () => record.outputs[channel];
  const ready = () => Boolean(record && planes);

  // The patches of a side at a pixel of the result, their products and the sum of all.
  function workOut({ terms, offset, around, ...side }, { x, y }, rule = side.border) {
    const [row, column] = [y + record.shift[0], x + record.shift[1]];
    const made = terms.map(({ plane, weights }) => {
      const from = { ...planes[plane], around: around[Math.min(plane, around.length - 1)] };
      const patch = patchAt(from, column, row, record.size, rule);
      return { patch, kernel: weights, ...productsOf(patch, weights) };
    });
    return { parts: made, offset, border: rule, sum: made.reduce((sum, one) => sum + one.sum, offset) };
  }

  function besideAt(at) {
    const { beside } = output();
    if (beside) return workOut(beside, at).sum;
    return target ? levelAt(target[Math.min(channel, target.length - 1)], at.x, at.y, null) : NaN;
  }

  // Where the arithmetic can be done: the pixels of the result over the piece that was sent, but
  // for those whose patch leaves it inside the picture.
  function limits() {
    const { left, top, width, height, of } = record.source;
    const radius = record.size >> 1;
    const axis = (from, held, full, shift, shown) => [
      Math.max(0, from + (from > 0 ? radius : 0) - shift),
      Math.min(shown, from + held - (from + held < full ? radius : 0) - shift) - 1,
    ];
    const [rows, columns] = record.target?.of || of;
    return [axis(left, width, of[1], record.shift[1], columns),
      axis(top, height, of[0], record.shift[0], rows)];
  }

  function choose(x, y, how, rule) {
    const [across, down] = limits();
    const inside = (v, [low, high]) => Math.max(low, Math.min(high, v));
    pixel = { x: inside(x, across), y: inside(y, down) };
    border = rule;
    schedule();
    if (how === 'key') speak();
  }

  // The pixel to begin with: an edge in the middle, if none is named.
  function begin() {
    if (record.start) {
      [start, pixel] = [record.start, record.start];
      return;
    }
    const [[left, right], [top, bottom]] = limits();
    const side = Math.min(96, right - left + 1, bottom - top + 1);
    const at = { left: (left + right + 1 - side) >> 1, top: (top + bottom + 1 - side) >> 1, side };
    const { terms: [{ plane, weights }] } = output().side;
    const under = { left: at.left + record.shift[1], top: at.top + record.shift[0], side };
    const before = around(planes[plane], under, 0, 'reflect').pixels;
    const padded = around(planes[plane], under, record.size >> 1, 'reflect');
    const after = correlate(padded, weights, record.size).values;
    const flat = weights.reduce((sum, v) => sum + v, 0);
    const [x, y] = edgeOf(before, after, side, flat, 1);
    start = { x: at.left + x, y: at.top + y };
    pixel = start;
  }

  function buildRows() {
    const { length } = output().side.terms;
    for (const row of rows.slice(1)) row.remove();
    rows = [first];
    while (rows.length < length) {
      const row = first.cloneNode(true);
      rows[rows.length - 1].after(row);
      rows.push(row);
    }
  }

  function buildChannels() {
    channels.hidden = record.outputs.length < 2;
    channels.replaceChildren(...record.outputs.map(({ name }, number) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = name;
      button.addEventListener('click', () => { channel = number; buildRows(); schedule(); });
      return button;
    }));
  }

  // 12 + 34 − 5 + 128 (offset) = 169
  function sentence(found, beside) {
    const { name } = output();
    const at = say(name ? words.of_channel : words.at, { ...pixel, channel: name });
    if (!Number.isFinite(found.sum)) return `${at}: ${words.unseen}.`;
    // Written to two digits, what is apart by less may read as if it were apart by a hundredth.
    const difference = Math.abs(found.sum - beside);
    const written = [found.sum, beside].map((v) => fixed(v, 2));
    const apart = difference < 0.0095 && written[0] !== written[1];
    const digits = apart ? 3 : 2;
    const terms = found.parts.map(({ sum }) => fixed(sum, digits));
    if (found.offset) terms.push(say(words.offset, { offset: fixed(found.offset, digits) }));
    const all = terms.join(' + ').replaceAll('+ −', '− ');
    const sum = terms.length > 1 ? say(words.sum, { terms: all, sum: fixed(found.sum, digits) }) : all;
    if (!Number.isFinite(beside)) return `${at}: ${record.name} ${sum}.`;
    const there = say(record.beside, { sum: fixed(beside, Number.isInteger(beside) ? 0 : digits) });
    const cut = target && (beside === 0 ? found.sum < -1 : beside === 255 && found.sum > 256);
    const other = `; ${cut ? say(words.cut, { beside: there })
      : apart ? say(words.apart, { beside: there, difference: figure(difference) }) : there}`;
    return `${at}: ${record.name} ${sum}${other}.`;
  }

  const found = () => [workOut(output().side, pixel, border), besideAt(pixel)];
  function speak() { write(place.querySelector('.kd-live-spoken'), sentence(...found())); }

  function draw() {
    if (!ready() || !place.clientWidth) return;
    theme ||= look();
    const k = record.size;
    const [made, beside] = found();
    const scale = Math.max(...made.parts.map(({ kernel }) => largest(kernel))) || 1;
    made.parts.forEach(({ patch, kernel, products, sum }, i) => {
      drawArithmetic(parts(rows[i], 'table'), { patch, kernel, products, k, scale }, theme);
      const alone = rows.length === 1;
      const all = { ...pixel, k, patch, sum: alone ? made.sum : sum, trueSum: beside, border: made.border };
      const other = alone && Number.isFinite(beside) ? record.beside : '';
      tellArithmetic(rows[i], all, words, alone ? record.name : words.from[i], other);
    });
    setData(place, { ...pixel, sum: made.sum, true: beside, made: made.parts[0].patch.made.includes(1) });
    write(told.told, sentence(made, beside));
    [...channels.children].forEach((node, i) => setAttribute(node, 'aria-pressed', String(i === channel)));
    for (const { view, part, rule } of views) {
      const shown = part();
      const inside = shown && pixel.x >= shown.left && pixel.y >= shown.top
        && pixel.x < shown.left + shown.width && pixel.y < shown.top + shown.height;
      const other = border !== undefined && rule !== border;
      markPixel(view, shown, inside && !other ? pixel : null);
    }
  }

  function schedule() {
    if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; draw(); });
  }

  async function take(next, url) {
    asked += 1;
    const own = asked;
    place.hidden = !next;
    [record, planes, target, pixel, channel] = [null, null, null, null, 0];
    for (const { view } of views) view.querySelector('.kd-mark').hidden = true;
    for (const name of ['x', 'y', 'sum', 'true']) delete place.dataset[name];
    if (!next) return;
    const sides = (one) => one && {
      ...one, terms: one.terms.map(({ plane, kernel }) => ({ plane, weights: doubles(kernel) })),
    };
    const outputs = next.outputs.map((one) => ({ ...one, side: sides(one.side), beside: sides(one.beside) }));
    const decoded = await planesOf(next.source, next.planes);
    const aim = next.target && await planesOf(next.target, EVERY.slice(0, outputs.length), next.target.url || url);
    if (own !== asked) return; // another one came meanwhile
    [record, planes, target] = [{ ...next, outputs }, decoded, aim];
    const { width, height, of } = next.source;
    const entire = width === of[1] && height === of[0];
    write(told.piece, entire ? '' : say(words.piece, { width: count(width), height: count(height) }));
    told.piece.hidden = entire;
    border = views.find(({ rule }) => rule)?.rule;
    buildChannels();
    buildRows();
    begin();
    schedule();
  }

  function add(view, part, rule) {
    views.push({ view, part, rule });
    choosable(view, {
      part: () => (ready() ? part() : null),
      at: () => pixel,
      choose: (x, y, how) => {
        const { left, top, width, height } = part();
        choose(clamp(x, left, left + width - 1), clamp(y, top, top + height - 1), how, rule);
      },
      leave: () => { pixel = start; schedule(); },
    });
  }

  follow(place, () => { theme = null; }, schedule);
  return { take, add };
}
