const toClipboard = async (text) => {
  // Outside https and localhost a browser has no clipboard for scripts: copy a selection instead.
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = Object.assign(document.createElement('textarea'), { value: text });
  document.body.append(field);
  field.select();
  document.execCommand('copy');
  field.remove();
};

// The address of what Learn is set to, without these keys and with those of `added`.
function addressOf(keys, added = {}) {
  const asked = new URLSearchParams(location.search);
  for (const key of keys) asked.delete(key);
  for (const [key, text] of Object.entries(added)) asked.set(key, text);
  const said = String(asked).replaceAll('%2C', ',').replaceAll('%3B', ';').replaceAll('%2F', '/');
  return location.origin + location.pathname + (said && `?${said}`);
}

// Copies, and says so for a moment where it was asked for.
const toldBefore = new WeakMap(); // what stood there
async function copyFrom(place, text, said) {
  await toClipboard(text);
  if (!toldBefore.has(place)) {
    toldBefore.set(place, place.textContent);
    setTimeout(() => { place.textContent = toldBefore.get(place); toldBefore.delete(place); }, 1500);
  }
  place.textContent = said;
}
