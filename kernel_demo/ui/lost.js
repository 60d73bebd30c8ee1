// Gradio reloads a page that lost its server as soon as one answers, be it another one or the same.
// What that was is told when it is there again; its settings are in its address.
{
  const [KEY, LOST] = ['kd-lost', 'Connection to the server was lost']; // as gradio 6.31 says it
  const TOLD = 'The connection to the server was lost, and the run with it. The page is here anew, '
    + 'with the same settings: start again.';
  addEventListener('pagehide', () => {
    const toasts = [...document.querySelectorAll('.toast-body')];
    if (toasts.some((toast) => toast.textContent.includes(LOST))) sessionStorage.setItem(KEY, '1');
  });
  function tell() {
    const note = Object.assign(document.createElement('div'), { id: 'lost' });
    const words = Object.assign(document.createElement('p'), { textContent: TOLD });
    const close = Object.assign(document.createElement('button'), {
      textContent: '×', ariaLabel: 'Close', onclick: () => note.remove(),
    });
    words.setAttribute('role', 'status');
    note.append(words, close);
    document.body.append(note);
  }
  if (sessionStorage.getItem(KEY)) {
    sessionStorage.removeItem(KEY);
    if (document.readyState === 'complete') tell();
    else addEventListener('load', tell);
  }
}
