// Marks the results named in `props` as stale, or not; see freshness.py. Gradio makes elements anew
// whenever it shows them again, so that they are marked whenever one comes into the page.
const note = element.querySelector('.kd-stale');
let last = props.value; // the word that counts
const mark = () => {
  const everything = [...props.results, ...props.taken];
  const marked = last.stale === true ? everything : last.stale || [];
  note.hidden = !marked.length;
  for (const id of everything) {
    const stale = marked.includes(id);
    const result = document.getElementById(id);
    if (!result) continue;
    if (result.dataset.stale !== String(stale)) result.dataset.stale = stale;
    if (props.taken.includes(id)) result.inert = stale;
  }
};
new MutationObserver(mark).observe(document.body, { childList: true, subtree: true });
const hear = () => {
  const { server, number } = props.value;
  if (server !== last.server || number > last.number) last = props.value; // else it was overtaken
  mark();
};
watch('value', hear);
mark();
