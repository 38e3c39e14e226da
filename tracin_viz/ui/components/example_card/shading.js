// Stretches of a text, shaded by their part of an influence; the sign shows by colour and by the kind of underline.

function shaded(piece) {
  if (!piece.share) return document.createTextNode(piece.text);
  const node = element("mark", piece.share > 0 ? "for" : "against", piece.text);
  node.style.setProperty("--share", Math.min(1, Math.abs(piece.share)).toFixed(3));
  node.title = piece.number;
  return node;
}
