// Texts with shaded pieces. All text enters through textContent.

function shaded(piece) {
  if (!piece.share) return document.createTextNode(piece.text);
  const node = element("mark", piece.share > 0 ? "for" : "against", piece.text);
  node.style.setProperty("--share", Math.min(1, Math.abs(piece.share)).toFixed(3));
  node.title = piece.number;
  return node;
}

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector("#words");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", data.label);
  root.replaceChildren(
    ...data.texts.map((text) => {
      const part = element("section", "");
      part.append(element("h4", "", text.title));
      const line = element("p", "text");
      line.append(...text.pieces.map(shaded));
      part.append(line);
      if (text.note) part.append(element("p", "note", text.note));
      return part;
    }),
  );
}
