// A browser that is first asked about languages reads a large table. Gradio's translations ask (6.31)
// when the page is made; on a phone that takes a moment, in which here nothing has come yet.
setTimeout(() => Intl.NumberFormat.supportedLocalesOf(navigator.languages));
