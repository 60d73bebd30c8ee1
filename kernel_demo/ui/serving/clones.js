// With each message Gradio (6.31) copies all properties of every part that was ever answered, value
// by value: thousands of texts, numbers and functions, for which the browser writes out and reads
// back what is itself, or makes an error anew. Here they are told from what has to be copied.
{
  const clone = window.structuredClone.bind(window);
  const refused = new DOMException('A function could not be cloned.', 'DataCloneError');
  const plain = new Set(['string', 'number', 'boolean', 'undefined', 'bigint']);
  window.structuredClone = (value, ...options) => {
    if (options.length) return clone(value, ...options);
    if (typeof value === 'function') throw refused;
    return value === null || plain.has(typeof value) ? value : clone(value);
  };
}
