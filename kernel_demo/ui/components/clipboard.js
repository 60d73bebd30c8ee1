const toClipboard = async (text) => {
  // Outside https and localhost a browser has no clipboard for scripts: copy a selection instead.
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = Object.assign(document.createElement('textarea'), { value: text });
  document.body.append(field);
  field.select();
  document.execCommand('copy');
  field.remove();
};
