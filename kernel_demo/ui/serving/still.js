// Where the page is; and what it is made of never changes, but Gradio (6.31) has Svelte watch it,
// so that each look at an event is a call. Svelte watches plain lists and objects, which these are
// not. Of an event that shows no progress it tells every part that has to do with any such event,
// with each message, and copies all that each part has: the list of whom it tells stays empty.
{
  class Still extends Array {}
  const config = window.gradio_config;
  config.root = document.currentScript.dataset.root;
  for (const name of ['components', 'dependencies']) config[name] = Still.from(config[name]);
  const nobody = Object.assign([], { concat: () => [] }); // the event's inputs are joined to it
  for (const event of config.dependencies) {
    if (event.show_progress === 'hidden') event.show_progress_on = nobody;
  }
  for (const { layout } of Object.values(config.page)) Object.setPrototypeOf(layout, null);
}
