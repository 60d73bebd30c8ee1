// The picture of the run that is shown; see share_card.py. Gradio runs this once. The card is drawn
// in a frame of WIDE x HIGH, in RATIO pixels each: 2400 x 1260 pixels, twice what messengers show.

const root = element.querySelector('.kd-share-card');
const { words } = props;
const opener = root.querySelector('.kd-share-open');
const dialog = root.querySelector('dialog');
const image = dialog.querySelector('img');
const save = dialog.querySelector('a');
const note = dialog.querySelector('.kd-note');
const runs = dialog.querySelector('input');
const button = (name) => dialog.querySelector(`[data-does=${name}]`);

const [WIDE, HIGH, RATIO] = [800, 420, 3];
const SIDE = 32; // of the card, left free
const KERNEL = { side: 148, gap: 26, top: 92 };
const CURVE = { wide: 360, high: 112, top: 276 };

// A canvas that is on no page, for what draws into one: so wide and high.
function plate(wide, high) {
  const canvas = document.createElement('canvas');
  canvas.dataset.ratio = RATIO;
  sizes.set(canvas, [wide, high]);
  return canvas;
}

const shows = () => {
  const shown = window.kdShown;
  return shown?.row && shown.difference && shown.state !== 'before' && shown.run.rows.length > 1;
};

function put(ctx, text, x, y, { size = 14, bold = false, colour, align = 'left', most } = {}) {
  ctx.font = `${bold ? '700 ' : ''}${size}px ${ctx.family}`;
  ctx.fillStyle = colour;
  ctx.textAlign = align;
  ctx.textBaseline = 'alphabetic';
  let said = text;
  while (most && said.length > 1 && ctx.measureText(said).width > most) said = `${said.slice(0, -2)}…`;
  ctx.fillText(said, x, y);
  return ctx.measureText(said).width;
}

// Words one after the other in a column, each [text, bold]; where they do not fit, they end in "…".
function column(ctx, parts, [x, top, wide, high], theme) {
  const [size, line] = [15, 21];
  let [at, y] = [x, top + size];
  for (const [text, bold] of parts) {
    for (const word of text.replaceAll(' %', '\u00a0%').split(' ')) {
      ctx.font = `${bold ? '700 ' : ''}${size}px ${theme.font}`;
      const room = ctx.measureText(word).width;
      if (at > x && at + room > x + wide) [at, y] = [x, y + line];
      if (y > top + high) return;
      const end = y + line > top + high && at + room + 40 > x + wide;
      ctx.fillStyle = bold ? theme.ink : theme.muted;
      ctx.textAlign = 'left';
      ctx.textBaseline = 'alphabetic';
      ctx.fillText(end ? '…' : word, at, y);
      if (end) return;
      at += room + ctx.measureText(' ').width;
    }
  }
}

function kernelsOf(ctx, shown, theme) {
  const { side, gap, top } = KERNEL;
  const { run, difference } = shown;
  const learned = learnedFrom(difference, run.truth);
  const canvases = Object.fromEntries(
    ['truth', 'main', 'learned', 'difference', 'chip'].map((name) => [name, plate(side, side)]),
  );
  const now = { truth: run.truth, size: run.size, learned, difference, marked: -1 };
  const unit = drawKernels(canvases, now, (name, key, make) => make(), words, theme);
  ['truth', 'learned', 'difference'].forEach((name, i) => {
    const x = SIDE + i * (side + gap);
    const caption = name === 'truth' ? words.true : words[name];
    const wide = put(ctx, caption, x, top - 9, { bold: true, colour: theme.ink });
    const beside = name === 'difference' ? unit : name === 'learned' ? `${words.step} ${shown.row[STEP]}` : '';
    put(ctx, beside, x + wide + 6, top - 9, { colour: theme.muted });
    ctx.drawImage(canvases[name], x, top, side, side);
    if (i) {
      put(ctx, i === 1 ? '−' : '=', x - gap / 2, top + side / 2 + 6, {
        size: 18, colour: theme.muted, align: 'center',
      });
    }
  });
}

function curvesOf(ctx, shown, theme) {
  const { run, row, state, steps, rates } = shown;
  const ended = state === 'finished';
  const last = ended ? Math.max(1, run.rows[run.rows.length - 1][STEP]) : axisFor(row[STEP], steps);
  const marks = (rates || []).map(([step]) => [step, '']);
  [['loss', LOSS, theme.accent], ['error', ERROR, theme.warm]].forEach(([name, at, colour], i) => {
    const { wide, high, top } = CURVE;
    const x = SIDE + i * (WIDE - 2 * SIDE - wide);
    const until = (points) => points.filter(([step]) => ended || step <= row[STEP]);
    const [points, checked] = [until(run[name]), name === 'loss' ? until(run.validation) : []];
    const canvas = plate(wide, high);
    drawChart(canvas, {
      series: [{ points: checked, colour: theme.muted, dashed: true, until: row[STEP] },
        { points, colour, until: row[STEP] }],
      last, marks, end: `${words.step} ${last}`,
      range: fittingDecades([...points, ...checked].map(([, v]) => v)),
      cursor: { step: row[STEP], value: row[at], colour },
    }, theme);
    put(ctx, words[name], x, top - 7, { bold: true, colour: theme.ink });
    put(ctx, figure(row[at]), x + wide - 6, top - 7, { bold: true, colour: theme.ink, align: 'right' });
    ctx.drawImage(canvas, x, top, wide, high);
  });
}

// 0.000 000 003 8 as the figures of the curves are written: 3.8·10⁻⁹.
const inPowers = (text) => text.replace(/(?<!\d)0\.000[\d\u202f]*\d/g, (size) => (
  figure(Number(size.replaceAll('\u202f', '')))));

// What the page says of the run, but for what it offers beside: [[text, bold], ...].
const verdictShown = () => [...document.querySelectorAll('#live [data-text=verdict] > :not(a)')]
  .map((part) => [inPowers(part.textContent.trim()), part.tagName === 'B']);

function draw() {
  const shown = window.kdShown;
  const theme = { ...readTheme(root), palette: readPalette(root) };
  const canvas = plate(WIDE, HIGH);
  const { ctx } = surface(canvas);
  ctx.family = theme.font;
  ctx.fillStyle = theme.ground;
  ctx.fillRect(0, 0, WIDE, HIGH);
  const { filter, pictures, method } = shown.chips;
  const wide = put(ctx, filter.text, SIDE, 46, { size: 24, bold: true, colour: theme.ink, most: 460 });
  const how = `${pictures.text} · ${`${method.text} ${method.note || ''}`.trim()}`;
  put(ctx, how, SIDE + wide + 12, 46, {
    size: 16, colour: theme.muted, most: WIDE - 2 * SIDE - wide - 12,
  });
  kernelsOf(ctx, shown, theme);
  const left = SIDE + 3 * KERNEL.side + 2 * KERNEL.gap + 24;
  const said = verdictShown();
  column(ctx, said, [left, KERNEL.top - 22, WIDE - SIDE - left, KERNEL.side + 22], theme);
  curvesOf(ctx, shown, theme);
  const address = decodeURI(addressOf(props.keys)).replace(/^https?:\/\//, '').replace(/\/$/, '');
  const name = put(ctx, words.site, SIDE, HIGH - 12, { size: 13, bold: true, colour: theme.ink });
  put(ctx, address, SIDE + name + 10, HIGH - 12, {
    size: 13, colour: theme.muted, most: WIDE - 2 * SIDE - name - 10,
  });
  const alt = [filter.text, how, ...said.map(([text]) => text), `${words.loss} ${figure(shown.row[LOSS])}.`,
    `${words.error} ${figure(shown.row[ERROR])}.`, address].join(' ');
  return { canvas, alt, name: filter.text };
}

let file = null; // of the picture in the dialog

async function open() {
  if (!shows()) return;
  await document.fonts?.ready;
  const { canvas, alt, name } = draw();
  const blob = await new Promise((done) => { canvas.toBlob(done, 'image/png'); });
  const stem = name.replace(/[^\p{L}\d]+/gu, '_').replace(/^_|_$/g, '').toLowerCase();
  file = new File([blob], `kernel_${stem}_step_${window.kdShown.row[STEP]}.png`, { type: 'image/png' });
  URL.revokeObjectURL(save.href);
  Object.assign(save, { href: URL.createObjectURL(blob), download: file.name });
  Object.assign(image, { src: save.href, alt });
  button('copy').hidden = !(navigator.clipboard?.write && window.ClipboardItem);
  button('send').hidden = !navigator.canShare?.({ files: [file] });
  const { unshared } = window.kdShown.chips.pictures; // of what a link lacks, nothing can be started
  runs.closest('label').hidden = Boolean(unshared);
  write(note, unshared ? say(words.lacks, { unshared }) : '');
  dialog.showModal();
}

const link = () => addressOf(props.keys, runs.checked && !runs.closest('label').hidden ? { run: '1' } : {});
const does = {
  copy: async () => {
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': file })]);
    write(note, words.copied);
  },
  send: () => navigator.share({ files: [file], title: words.title, url: link() })
    .catch((error) => { if (error.name !== 'AbortError') throw error; }), // closed by the visitor
  link: () => copyFrom(button('link'), link(), words.link_copied),
  close: () => dialog.close(),
};
for (const [name, call] of Object.entries(does)) {
  button(name).addEventListener('click', async () => {
    try { await call(); } catch { write(note, words.refused); }
  });
}
opener.addEventListener('click', open);
const enable = () => { opener.disabled = !shows(); };
document.addEventListener('kd-shown', enable);
enable();
