// Marks the results named in `props` as stale, or not; see freshness.py. Gradio makes elements anew
// whenever it shows them again, so that they are marked whenever one comes into the page.
const note = element.querySelector('.kd-stale');
const mark = () => {
  const told = props.value?.stale || [];
  const marked = told === true ? [...props.results, ...props.taken] : told;
  note.hidden = !marked.length;
  for (const id of [...props.results, ...props.taken]) {
    const stale = marked.includes(id);
    const result = document.getElementById(id);
    if (!result) continue;
    if (result.dataset.stale !== String(stale)) result.dataset.stale = stale;
    if (props.taken.includes(id)) result.inert = stale;
  }
};
new MutationObserver(mark).observe(document.body, { childList: true, subtree: true });
watch('value', mark);
mark();
