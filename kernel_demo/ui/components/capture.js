// Pictures from the clipboard and the camera become files of a field of gradio's; see capture.py.

const root = element.querySelector('.kd-capture');
const { words, fields, several } = props;
const note = root.querySelector('p');
const dialog = root.querySelector('dialog');
const video = dialog.querySelector('video');
const button = (name) => root.querySelector(`[data-does=${name}]`);
const CAMERA = { video: { width: { ideal: 1280 }, height: { ideal: 960 }, facingMode: 'environment' } };

const OPENING = 10000; // milliseconds that the fields are waited for

let made = 0; // so far: each has a name of its own

// The field that a picture goes to: the one pointed at or with the focus, else the first without one.
function fieldFor() {
  const all = fields.map((id) => document.getElementById(id)).filter(Boolean);
  const empty = all.filter((field) => several || !field.querySelector('tbody'));
  return empty.find((field) => field.matches(':hover, :focus-within')) || empty[0];
}

// As if the visitor had chosen the file there.
function hand(blob, stem, said) {
  const input = fieldFor()?.querySelector('input[type=file]');
  if (!input) return write(note, words.no_room);
  made += 1;
  const kind = blob.type.split('/')[1] || 'png';
  const file = new File([blob], `${stem}_${made}.${kind}`, { type: blob.type });
  const all = new DataTransfer();
  all.items.add(file);
  input.files = all.files;
  input.dispatchEvent(new Event('change', { bubbles: true }));
  return write(note, say(said, { name: file.name }));
}

const pasted = (blob) => hand(blob, 'pasted', words.pasted);

document.addEventListener('paste', (event) => {
  const inField = event.target.closest?.('input:not([type=file], [type=radio]), textarea');
  if (!root.closest('[role=tabpanel]')?.checkVisibility() || dialog.open || inField) return;
  const files = [...(event.clipboardData?.files || [])].filter(({ type }) => type.startsWith('image/'));
  if (!files.length) return;
  event.preventDefault();
  reveal().then((shown) => {
    if (shown) pasted(files[0]);
    else document.dispatchEvent(new CustomEvent('kd-told', { detail: words.closed }));
  });
});

// Opens, one after the other, what stands in the way of the fields; false where that cannot be now.
async function reveal() {
  const closed = () => !root.offsetParent;
  for (const selector of closed() ? props.opens : []) {
    const way = document.querySelector(selector);
    if (!way || way.disabled) return false;
    const open = way.matches('input') ? way.checked : root.closest('.kd-panel').checkVisibility();
    if (!open) way.click();
  }
  for (const end = performance.now() + OPENING; closed() && performance.now() < end;) {
    await new Promise((done) => { setTimeout(done, 50); });
  }
  return !closed();
}

async function paste() {
  try {
    for (const item of await navigator.clipboard.read()) {
      const type = item.types.find((one) => one.startsWith('image/'));
      if (type) return pasted(await item.getType(type));
    }
  } catch { /* refused, or nothing to read */ }
  return write(note, words.no_picture);
}

async function look() {
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia(CAMERA);
  } catch {
    return write(note, words.no_camera);
  }
  return dialog.showModal();
}

// The camera is off as soon as nobody looks.
dialog.addEventListener('close', () => {
  for (const track of video.srcObject?.getTracks() || []) track.stop();
  video.srcObject = null;
});

async function take() {
  const { videoWidth: width, videoHeight: height } = video;
  if (!width) return;
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d').drawImage(video, 0, 0);
  const blob = await canvas.convertToBlob({ type: 'image/png' });
  dialog.close();
  hand(blob, 'photo', words.taken);
}

button('paste').hidden = !navigator.clipboard?.read;
button('camera').hidden = !(props.camera && navigator.mediaDevices?.getUserMedia);
const does = { paste, camera: look, take, cancel: () => dialog.close() };
for (const [name, call] of Object.entries(does)) button(name).addEventListener('click', call);
