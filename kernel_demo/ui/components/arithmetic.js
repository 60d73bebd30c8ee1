// The arithmetic of a pixel: a piece of a picture, a border rule and a kernel give the patch, its
// products and their sum. Any picture of a result can use it. Comes after drawing.js.
//
//     after[y, x] = sum over i, j of kernel[i, j] * before[y + i - r, x + j - r] + offset,  r = k // 2

// The bytes of a picture in a URL, 4 a pixel; of a part of it, where one begins at left, top.
async function bytesOf(url, width, height, left = 0, top = 0) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const ctx = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  ctx.drawImage(image, -left, -top);
  return ctx.getImageData(0, 0, width, height).data;
}

// Adler-32 of red, green and blue.
function sumOf(rgba) {
  let [a, b] = [1, 0];
  for (let i = 0; i < rgba.length; i += 1) {
    if (i % 4 === 3) continue;
    a = (a + rgba[i]) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

// The bytes of a piece: from the file of the whole photo, which is smaller, where this browser's
// decoder makes exactly those of it; else as they are sent without loss.
async function exactly({ url, file, width, height }) {
  const decoded = file && await bytesOf(file.url, width, height, file.left, file.top).catch(() => null);
  return decoded && sumOf(decoded) === file.sum ? decoded : bytesOf(url, width, height);
}

// One plane of a piece, in grey levels: {values, width, height, left, top, of: [H, W]}; left and
// top are its place in the full picture, of its size. rgba: the piece's pixels, 4 bytes each.
// channel: luminance (Rec. 601: 0.299 R + 0.587 G + 0.114 B), red, green, blue, or deep: a number of
// 24 bits.
const SHARES = {
  luminance: [0.299, 0.587, 0.114],
  red: [1, 0, 0],
  green: [0, 1, 0],
  blue: [0, 0, 1],
  deep: [65536, 256, 1].map((n) => (255 * n) / (2 ** 24 - 1)),
};

function planeOf(rgba, piece, [red, green, blue] = SHARES[piece.channel]) {
  const values = Float64Array.from({ length: piece.width * piece.height }, (_, i) => (
    red * rgba[4 * i] + green * rgba[4 * i + 1] + blue * rgba[4 * i + 2]));
  return { ...piece, values };
}

// Where pixel i of an axis comes from; -1: from nowhere, it is zero or another constant. Names as in
// the page's table.
function borderPlace(i, length, border) {
  if (i >= 0 && i < length) return i;
  if (!border || border === 'zero' || border === 'constant') return -1;
  if (border === 'replicate') return i < 0 ? 0 : length - 1;
  if (border === 'wrap') return ((i % length) + length) % length;
  const twice = border === 'symmetric' ? 1 : 0; // whether the outermost pixel comes twice
  const period = 2 * (length - 1 + twice);
  if (!period) return 0;
  const place = ((i % period) + period) % period;
  return place < length ? place : period - place - twice;
}

// The pixel x, y of the full picture: its level, NaN where the piece does not hold it, or where no
// border rule is known. plane.around: the constant beyond the picture.
function levelAt(plane, x, y, border) {
  const [height, width] = plane.of;
  const [column, row] = [borderPlace(x, width, border), borderPlace(y, height, border)];
  if (column < 0 || row < 0) return border ? plane.around || 0 : NaN;
  const [j, i] = [column - plane.left, row - plane.top];
  if (j < 0 || i < 0 || j >= plane.width || i >= plane.height) return NaN;
  return plane.values[i * plane.width + j];
}

// The k x k patch around x, y of the full picture. made: 1 where the border rule made the pixel up;
// lacking: the rule asks for pixels that the piece does not hold.
function patchAt(plane, x, y, k, border) {
  const [radius, values, made] = [k >> 1, new Float64Array(k * k), new Uint8Array(k * k)];
  const [height, width] = plane.of;
  for (let i = 0; i < k * k; i++) {
    const [column, row] = [x + (i % k) - radius, y + Math.floor(i / k) - radius];
    values[i] = levelAt(plane, column, row, border);
    made[i] = column < 0 || row < 0 || column >= width || row >= height ? 1 : 0;
  }
  return { values, made, lacking: values.some(Number.isNaN) };
}

// The products of a patch and a kernel, and the new pixel. offset: in grey levels.
function productsOf(patch, kernel, offset = 0) {
  const products = patch.values.map((level, i) => level * kernel[i]);
  return { products, sum: products.reduce((total, v) => total + v, 0) + offset };
}

// A square of the full picture with `radius` more pixels around it, by the border rule:
// {pixels, height, width}, for correlate().
function around(plane, { left, top, side }, radius, border) {
  const across = side + 2 * radius;
  const pixels = new Float32Array(across * across);
  const place = (i, start, length, from) => {
    const at = borderPlace(start - radius + i, length, border);
    return at < 0 ? -1 : at - from;
  };
  const [height, width] = plane.of;
  const columns = Array.from({ length: across }, (_, j) => place(j, left, width, plane.left));
  for (let i = 0; i < across; i++) {
    const row = place(i, top, height, plane.top);
    const held = row >= 0 && row < plane.height;
    for (let j = 0; j < across; j++) {
      const at = columns[j];
      const nowhere = row === -1 || at === -1;
      const level = held && at >= 0 && at < plane.width ? plane.values[row * plane.width + at]
        : nowhere ? 0 : NaN;
      pixels[i * across + j] = level;
    }
  }
  return { pixels, height: across, width: across };
}

// result[y, x] = sum kernel[i, j] * picture[y + i, x + j], valid pixels only, and of these the
// first `columns`: the rest stays 0. Three taps at a time, as the sums' loads and stores cost most.
function correlate({ pixels, height, width }, kernel, k, columns = Infinity) {
  const [h, w] = [height - k + 1, width - k + 1];
  const result = new Float32Array(h * w);
  const most = Math.min(w, columns);
  for (let row = 0; row < h; row++) {
    const to = row * w;
    for (let i = 0; i < k; i++) {
      const from = (row + i) * width;
      for (let j = 0; j < k; j += 3) {
        const tap = i * k + j;
        const a = kernel[tap];
        const b = j + 1 < k ? kernel[tap + 1] : 0;
        const c = j + 2 < k ? kernel[tap + 2] : 0;
        if (a === 0 && b === 0 && c === 0) continue;
        // Where there is no second or third tap, its pixel is one that the row holds all the same.
        const [second, third] = [Math.min(j + 1, k - 1), Math.min(j + 2, k - 1)];
        for (let x = 0; x < most; x++) {
          const at = from + x;
          result[to + x] += a * pixels[at + j] + b * pixels[at + second] + c * pixels[at + third];
        }
      }
    }
  }
  return { values: result, height: h, width: w };
}

// A pixel on a strong edge, to begin with: where the filter answers most, beyond what it makes of
// a flat picture, over three pixels each way; where it never does, where the picture changes most.
// Of the square's middle, left of `share` of it: there the learned result can be seen.
function edgeOf(before, after, side, flat, share) {
  const answer = new Float64Array(side * side);
  for (let y = 1; y < side - 1; y++) {
    for (let x = 1; x < side - 1; x++) {
      const at = y * side + x;
      const steep = Math.abs(before[at + 1] - before[at - 1])
        + Math.abs(before[at + side] - before[at - side]);
      answer[at] = Math.abs(after[at] - flat * before[at]) + 1e-3 * steep;
    }
  }
  const around3 = (at) => {
    let sum = 0;
    for (const row of [-side, 0, side]) {
      for (const column of [-1, 0, 1]) sum += answer[at + row + column];
    }
    return sum;
  };
  const inset = Math.max(2, Math.floor(side / 8));
  let best = [-1, side >> 1, side >> 1];
  for (let y = inset; y < side - inset; y++) {
    for (let x = inset; x < share * side - inset / 2 && x < side - inset; x++) {
      const sum = around3(y * side + x);
      if (sum > best[0]) best = [sum, x, y];
    }
  }
  return best.slice(1);
}

const WORKED = 5; // kernels up to this size are worked out in numbers

// The three tables of a pixel: {patch, kernel, products}, each a canvas. Beyond 3 x 3 the products
// alone are numbers, beyond 5 x 5 all are heat maps. scale: of the kernel.
function drawArithmetic(canvases, { patch, kernel, products, k, scale }, theme) {
  const small = k <= 3;
  drawCells(canvases.patch, patch.values, k, {
    grey: true, made: patch.made, decimals: small ? 0 : null,
  }, theme);
  drawCells(canvases.kernel, kernel, k, {
    scale, decimals: small ? decimalsOf(scale) : null,
  }, theme);
  drawCells(canvases.products, products, k, {
    scale: 255 * scale, decimals: k <= WORKED ? 0 : null,
  }, theme);
}

// Writes what a pixel comes to into its place: {x, y, k, patch, sum, trueSum, border}. own: whose
// sum it is; beside: the words for trueSum, with {sum} for it. text: the place's parts, where known.
function tellArithmetic(place, found, words, own, beside, text = parts(place, 'text')) {
  const { x, y, k, patch, sum, trueSum, border } = found;
  const size = k <= 3 ? 'small' : k <= WORKED ? 'middle' : 'large';
  const made = patch.made.includes(1);
  setData(place, { size, x, y, sum, true: trueSum, made });
  write(text.kernel, own);
  write(text.own, own);
  write(text.sum, whole(sum));
  write(text.true_sum, say(beside, { sum: whole(trueSum) }));
  write(text.square, patch.lacking ? words.lacking
    : made ? say(words.made_up, { border }) : k <= 3 ? words.rounded : words.square);
  write(text.products, k <= WORKED ? words.products : say(words.many_products, { count: k * k }));
}

// A sum in grey levels, in the little room that it has: halves go up, as they do in files. The sum is
// one of float64: what is as good as a half is one.
const whole = (sum) => (Math.abs(sum) < 1e5 ? fixed(Math.floor(sum + 0.5 + 1e-9), 0) : figure(sum));

// ---- Pointing at pixels

// How a part of a picture, {left, top, width, height} in its pixels, lies in a view: as large as
// fits, in the middle.
function fitted(view, { width, height }) {
  const [across, down] = sizeOf(view);
  const scale = Math.min(across / width, down / height);
  return { scale, inset: [(across - width * scale) / 2, (down - height * scale) / 2], across, down };
}

// The pixel of the full picture under the pointer.
function pixelUnder(view, part, event) {
  const box = view.getBoundingClientRect();
  const { scale, inset } = fitted(view, part);
  return [part.left + Math.floor((event.clientX - box.left - view.clientLeft - inset[0]) / scale),
    part.top + Math.floor((event.clientY - box.top - view.clientTop - inset[1]) / scale)];
}

// Lays the view's mark on a pixel; null: takes it away.
function markPixel(view, part, pixel) {
  const node = view.querySelector('.kd-mark');
  node.hidden = !pixel;
  if (!pixel) return;
  const { scale, inset, across, down } = fitted(view, part);
  const share = (v, from, all) => `${(100 * (from + (v + 0.5) * scale)) / all}%`;
  node.style.left = share(pixel.x - part.left, inset[0], across);
  node.style.top = share(pixel.y - part.top, inset[1], down);
}

// Hover, tap and arrow keys choose a pixel. part(): what the view shows, null while there is
// nothing to point at; at(): the pixel now; choose(x, y, how): how is over, tap or key.
function choosable(view, { part, at, choose, leave }) {
  view.addEventListener('pointermove', (event) => {
    if (part() && event.pointerType === 'mouse') choose(...pixelUnder(view, part(), event), 'over');
  });
  view.addEventListener('click', (event) => {
    if (part() && !event.target.matches('input, [role=slider]')) {
      choose(...pixelUnder(view, part(), event), 'tap');
    }
  });
  view.addEventListener('keydown', (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.target !== view || !part() || !at()) return;
    if (event.key === 'Escape') leave?.();
    if (!move) return;
    event.preventDefault();
    const pace = event.shiftKey ? 10 : 1;
    choose(at().x + pace * move[0], at().y + pace * move[1], 'key');
  });
}
