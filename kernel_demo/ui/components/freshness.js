// Marks the results named in `props` as stale, or not; see freshness.py. Gradio makes elements anew
// whenever it shows them again, so that they are marked whenever one comes into the page.
const note = element.querySelector('.kd-stale');
const taken = [...props.taken];
const everything = [...props.results, ...taken];
let last = props.value; // the word that counts
const mark = () => {
  const marked = last.stale === true ? everything : last.stale || [];
  note.hidden = !marked.length || Boolean(last.pending);
  for (const id of everything) {
    const stale = marked.includes(id);
    const result = document.getElementById(id);
    if (!result) continue;
    if (result.dataset.stale !== String(stale)) result.dataset.stale = stale;
    if (taken.includes(id)) result.inert = stale;
  }
};
let due = 0; // a stage that learns changes the page many times between two frames
const soon = () => {
  due ||= requestAnimationFrame(() => {
    due = 0;
    mark();
  });
};
new MutationObserver(soon).observe(document.body, { childList: true, subtree: true });
const hear = () => {
  const { server, number } = props.value;
  if (server !== last.server || number > last.number) last = props.value; // else it was overtaken
  mark();
};
watch('value', hear);
// Who knows of a change before the server has compared says so: pale until it has.
document.addEventListener('kd-changed', ({ detail }) => {
  if (!props.results.includes(detail)) return;
  last = { ...last, stale: true, pending: true };
  mark();
});
mark();
