// Pictures in an answer (HTML) that can be pointed at; see html() and view() of worked.py. Comes
// after worked.js.

let pointed = null; // of the answer that is shown

function findPointed() {
  const place = element.querySelector('[data-record] .kd-worked');
  pointed?.take(null);
  pointed = place && makeWorked(place);
  if (!place) return;
  for (const view of element.querySelectorAll('[data-pixels]')) {
    const [left, top, width, height] = JSON.parse(view.dataset.pixels);
    pointed.add(view, () => ({ left, top, width, height }), view.dataset.border);
  }
  pointed.take(JSON.parse(place.parentElement.dataset.record));
}

watch('value', findPointed);
findPointed();
