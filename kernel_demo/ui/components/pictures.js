// The pictures of the stage: a piece of one before the filter, and after it, learned and true with a
// divider between; and the arithmetic of one of its pixels. Comes after drawing.js and arithmetic.js.

// Kernels up to this size have their filtered picture at each step that is shown. Beyond, at most
// this share of the time goes into them while a run is shown.
const EACH_STEP = 5;
const SHARE = 0.025;
const PIECES = 4; // kept decoded: the pixels of a picture come once, later values name it alone

// Of all values: the sum of their sizes, that of those below zero, and the largest size.
function sizesOf(values) {
  let [total, below, most] = [0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]);
    total += size;
    if (values[i] < 0) below += size;
    if (size > most) most = size;
  }
  return { total, below, most };
}

// What all but the strongest hundredth of the values stay below, from every seventh of them; of flat
// colours that is rounding, which these keep pale: a share of the strongest, and so many grey levels.
const [STRONGEST, LEAST] = [1 / 8, 8];
function strength(values, { most }) {
  const some = new Float64Array(Math.ceil(values.length / 7));
  for (let i = 0; i < some.length; i++) some[i] = Math.abs(values[7 * i]);
  return Math.max(some.sort()[Math.floor(some.length * 0.99)] || 0, STRONGEST * most, LEAST);
}

// As comparison.py tells it: a result is a signed map where a twentieth of it is below zero, or where
// the kernel takes off nearly all that it adds; where hardly anything is left, half a level on
// average, the kernel's sum decides.
const [BELOW, FAINT, DARK] = [0.05, 0.5, 0.25];
function isSigned(values, { total, below }, kernel) {
  const flat = Math.abs(kernel.reduce((sum, v) => sum + v, 0));
  if (total < FAINT * values.length) return flat < 0.5;
  return flat < DARK * Math.min(1, sizesOf(kernel).total) || below >= BELOW * total;
}

// root: of the stage. cut: per cent of After that are learned. shown(): {truth, size, border, learned,
// step, theme} now. later(call): lets words be written when all is drawn. changed(): it is to be drawn
// anew. chosen(sums): a pixel was chosen by a key. The result: take(picture) shows another one,
// draw(playing) and drawPixel() draw what is shown now, held() are the keys of the pieces kept.
function makePictures(root, words, { cut, shown, later, changed, chosen }) {
  const canvases = parts(root, 'picture');
  const views = parts(root, 'view');
  const tables = parts(root, 'table');
  const text = parts(root, 'text');
  const place = root.querySelector('#arithmetic');
  const pieces = new Map(); // {key, plane, view} each
  const after = { ended: 0, took: 0, timer: 0, drawn: '' }; // when it was drawn last, and how long
  let piece = null; // the one that is shown; without a plane until it is decoded
  let result = null; // it, through the true kernel
  let pixel = null; // in the full picture: {x, y}

  async function take(picture) {
    if (!picture || (picture.key === piece?.key && (piece.plane || piece.asked || !picture.url))) return;
    pixel = null;
    piece = pieces.get(picture.key) || { key: picture.key, plane: null, asked: Boolean(picture.url) };
    if (piece.plane || !picture.url) return;
    const { key, width, height } = picture;
    const plane = planeOf(await exactly(picture), picture);
    const side = Math.min(width, height);
    const [left, top, across] = picture.view || [
      picture.left + ((width - side) >> 1), picture.top + ((height - side) >> 1), side];
    pieces.delete(key);
    pieces.set(key, { key, plane, view: { left, top, side: across, width: across, height: across } });
    if (pieces.size > PIECES) pieces.delete(pieces.keys().next().value);
    if (piece?.key !== key) return; // another one came meanwhile
    piece = pieces.get(key);
    changed();
  }

  // The piece through the true kernel: it decides how both sides are shown.
  function teach({ truth, size, border, taught }) {
    const key = `${piece.key}|${taught}`;
    if (result?.key === key) return;
    const { plane, view } = piece;
    const padded = around(plane, view, size >> 1, border);
    const { values } = correlate(padded, truth, size);
    const flat = truth.reduce((sum, v) => sum + v, 0);
    const { pixels } = around(plane, view, 0, border);
    // A blurred picture is a picture still: it is shown in grey. What has a sign is shown signed.
    const sizes = sizesOf(values);
    const shades = { grey: !isSigned(values, sizes, truth), factor: REACH / strength(values, sizes) };
    result = { key, padded, values, before: pixels, ...shades };
    if (pixel) return;
    const [x, y] = edgeOf(pixels, values, view.side, flat, 0.6);
    pixel = { x: view.left + x, y: view.top + y };
  }

  function imageOf(values, shades, theme, image) {
    const { side } = piece.view;
    return paint(image || new ImageData(side, side), values, shades, theme.pixels);
  }

  function draw(playing) {
    clearTimeout(after.timer);
    if (!piece?.plane) return blank();
    const now = shown();
    if (now.lacking) return blank(canvases.after);
    setData(root, { blank: false });
    teach(now);
    if (result.theme !== now.theme) {
      const { side } = piece.view;
      result.theme = now.theme;
      result.trueImage = imageOf(result.values, result, now.theme);
      resize(canvases.before, side, side);
      const before = imageOf(result.before, { grey: true }, now.theme);
      canvases.before.getContext('2d').putImageData(before, 0, 0);
      after.drawn = '';
      after.took = 0; // it may be another kernel's
    }
    const key = `${result.key}|${now.place}|${cut}`;
    if (key === after.drawn || !now.learned) return;
    const begun = performance.now();
    // Once the show rests, what was saved up for while it went on is waited for no more.
    const due = after.ended + after.took / (playing ? SHARE : 1);
    if (begun < due) {
      after.timer = setTimeout(changed, due - begun);
      return;
    }
    after.drawn = key;
    drawAfter(now);
    after.ended = performance.now();
    const large = now.size > EACH_STEP;
    after.took = large ? after.ended - begun : 0;
    // A picture that comes a few times a second says of which step it is.
    const note = large && now.step ? `${words.step} ${now.step}` : '';
    later(() => write(text.after_note, note));
  }

  function drawAfter({ learned, size, theme }) {
    const { side } = piece.view;
    const columns = Math.round((side * cut) / 100);
    const { values } = correlate(result.padded, learned, size, columns);
    resize(canvases.after, side, side);
    const ctx = canvases.after.getContext('2d');
    result.learnedImage = imageOf(values, result, theme, result.learnedImage);
    if (columns) ctx.putImageData(result.learnedImage, 0, 0, 0, 0, columns, side);
    if (columns < side) ctx.putImageData(result.trueImage, 0, 0, columns, 0, side - columns, side);
  }

  // Nothing to be cut in two, and no pixel to be worked out.
  function blank(...which) {
    setData(root, { blank: piece?.key === '' || Boolean(which.length) });
    for (const canvas of which.length ? which : Object.values(canvases)) surface(canvas);
    if (result) result.theme = null; // to be drawn anew
    after.drawn = '';
  }

  // ---- The divider

  const divider = root.querySelector('.kd-cut');
  const sides = makeSides(views.after, views.after.querySelectorAll('.kd-side-name'));

  function setCut(percent) {
    cut = Math.round(clamp(percent, 0, 100));
    store.set('divider', cut);
    divider.style.left = `${cut}%`;
    sides(cut);
    divider.setAttribute('aria-valuenow', cut);
    divider.setAttribute('aria-valuetext', `${cut} % ${words.tag_learned}`);
    after.took = 0;
    changed();
  }

  divider.addEventListener('pointerdown', (event) => {
    event.preventDefault();
    event.stopPropagation();
    divider.focus({ preventScroll: true });
    divider.setPointerCapture(event.pointerId);
  });
  divider.addEventListener('pointermove', (event) => {
    event.stopPropagation();
    if (!divider.hasPointerCapture(event.pointerId)) return;
    const box = views.after.getBoundingClientRect();
    setCut((100 * (event.clientX - box.left)) / box.width);
  });
  divider.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, Home: -100, End: 100 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    setCut(cut + step);
  });

  // ---- The arithmetic of a pixel

  const part = () => (piece?.plane ? piece.view : null);

  function sums({ truth, learned, size, border }) {
    const patch = patchAt(piece.plane, pixel.x, pixel.y, size, border);
    return { patch, ...productsOf(patch, learned), trueSum: productsOf(patch, truth).sum };
  }

  function drawPixel() {
    const now = shown();
    if (!part() || !pixel || !now.learned) {
      for (const name of ['x', 'y', 'sum', 'true']) delete place.dataset[name];
      for (const name of ['own', 'sum', 'true_sum']) write(text[name], '');
      for (const canvas of Object.values(tables)) surface(canvas);
      for (const view of Object.values(views)) markPixel(view, null, null);
      return;
    }
    const { learned, size: k, border } = now;
    const found = { ...sums(now), ...pixel, k, border };
    drawArithmetic(tables, { ...found, kernel: learned, scale: largest(now.truth) || 1 }, now.theme);
    later(() => {
      tellArithmetic(place, found, words, words.tag_learned, words.true_sum, text);
      for (const view of Object.values(views)) markPixel(view, part(), pixel);
    });
  }

  for (const view of Object.values(views)) {
    choosable(view, {
      part,
      at: () => pixel,
      choose: (x, y, how) => {
        const { left, top, side } = piece.view;
        pixel = { x: clamp(x, left, left + side - 1), y: clamp(y, top, top + side - 1) };
        changed();
        if (how === 'over') return;
        root.dataset.arithmetic = 'true';
        if (how === 'key' && shown().learned) chosen({ ...sums(shown()), ...pixel });
      },
    });
  }
  root.querySelector('#to-kernels').addEventListener('click', () => {
    delete root.dataset.arithmetic;
    views.before.focus({ preventScroll: true });
  });

  setCut(cut);
  // What drawPixel() draws hangs on, beside the run.
  const key = () => [piece?.key, Boolean(part()), pixel?.x, pixel?.y];
  return { take, draw, drawPixel, key, held: () => [...pieces.keys()] };
}
