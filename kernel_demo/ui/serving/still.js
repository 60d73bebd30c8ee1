// Where the page is; and what it is made of never changes, but Gradio (6.31) has Svelte watch it,
// so that each look at an event is a call. Svelte watches plain lists and objects, which these are
// not.
{
  class Still extends Array {}
  const config = window.gradio_config;
  config.root = document.currentScript.dataset.root;
  for (const name of ['components', 'dependencies']) config[name] = Still.from(config[name]);
  for (const { layout } of Object.values(config.page)) Object.setPrototypeOf(layout, null);
}
