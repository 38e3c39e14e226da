// Cards of examples. All text enters through textContent, all pictures through img.src.

// Pictures that are fetched at once; those after them when they come near the window.
const EAGER = 24;
const SIGNS = { proponent: "▲", opponent: "▼", suspect: "⚑", decided: "✓" };

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

function picture(card, place) {
  const frame = element("span", "picture");
  const image = element("img");
  image.alt = card.alt;
  image.decoding = "async";
  image.loading = place < EAGER ? "eager" : "lazy";
  // A 28-pixel digit is enlarged in whole pixels; smoothing would only blur it.
  image.onload = () => image.classList.toggle("pixels", image.naturalWidth <= 64);
  image.onerror = () => frame.replaceChildren(element("span", "missing", "picture not readable"));
  image.src = card.src;
  frame.append(image);
  return frame;
}

function labels(card) {
  const line = element("span", "labels");
  if (card.given) line.append(element("span", "given", card.given));
  if (card.other) {
    const arrow = element("span", "arrow", "→");
    arrow.setAttribute("aria-label", card.other_kind);
    const other = element("span", card.differs ? "other differs" : "other", card.other);
    other.title = card.other_kind + ": " + card.other;
    line.append(arrow, other);
  }
  return line;
}

function score(card) {
  const line = element("span", "score " + card.sign);
  if (SIGNS[card.sign]) line.append(element("span", "sign", SIGNS[card.sign]));
  if (card.bar !== null) {
    const track = element("span", "track");
    const fill = element("span", "fill");
    fill.style.width = Math.round(100 * Math.min(1, Math.abs(card.bar))) + "%";
    track.append(fill);
    line.append(track);
  }
  line.append(element("span", "number", card.number));
  return line;
}

function draw(card, place, clickable) {
  const node = element(clickable ? "button" : "div", "card");
  if (clickable) node.type = "button";
  node.dataset.id = card.id;
  node.append(card.src ? picture(card, place) : element("span", "words", card.text));
  if (card.given || card.other) node.append(labels(card));
  if (card.number) node.append(score(card));
  if (card.why) node.append(element("span", "why", card.why));
  if (card.done) node.append(element("span", "done", "✓ " + card.done));
  const entry = element("div", "entry");
  entry.setAttribute("role", "listitem");
  entry.append(node);
  return entry;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector("#gallery");
  root.className = data.layout;
  root.setAttribute("role", "list");
  root.setAttribute("aria-label", data.label);

  // Built anew only when the cards changed: a rerun keeps focus, scroll place and loaded pictures.
  const drawn = JSON.stringify([data.cards, data.clickable]);
  if (root.drawn !== drawn) {
    root.drawn = drawn;
    root.replaceChildren(...data.cards.map((card, place) => draw(card, place, data.clickable)));
  }
  for (const node of root.querySelectorAll(".card")) {
    const chosen = node.dataset.id === data.selected;
    node.classList.toggle("selected", chosen);
    if (data.clickable) node.setAttribute("aria-pressed", String(chosen));
  }
  root.onclick = (event) => {
    const node = event.target.closest("button.card");
    if (node) setTriggerValue("pick", { id: node.dataset.id });
  };
}
