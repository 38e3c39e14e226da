// Examples large. All text enters through textContent, all pictures through img.src.

// What has more characters scrolls inside itself, so it can have the focus.
const LONG_TEXT = 600, LONG_VALUE = 100;
const SVG = "http://www.w3.org/2000/svg";

function scrolling(node, name) {
  node.tabIndex = 0;
  node.setAttribute("role", "region");
  node.setAttribute("aria-label", name);
}

function shownPicture(root, card, words) {
  const button = element("button", "picture");
  button.type = "button";
  button.title = words.enlarge;
  const image = pictureOf(card, words.missing);
  image.addEventListener("error", () => { button.disabled = true; });
  // The picture's own words name the button; the sign says what a press does.
  const sign = element("span", "enlarge", "⤢");
  sign.setAttribute("aria-hidden", "true");
  button.append(image, sign);
  button.onclick = () => openZoom(root, card, words);
  return button;
}

function shownText(card, words) {
  const text = element("div", "words");
  text.dir = "auto";
  if (card.pieces.length) text.append(...card.pieces.map(shaded));
  else text.textContent = card.text;
  if (text.textContent.length > LONG_TEXT) scrolling(text, words.text);
  return text;
}

// Drawn, because few fonts have such a sign.
function twoSheets() {
  const sign = document.createElementNS(SVG, "svg"), outline = document.createElementNS(SVG, "path");
  sign.setAttribute("viewBox", "0 0 16 16");
  sign.setAttribute("aria-hidden", "true");
  outline.setAttribute("d", "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3");
  sign.append(outline);
  return sign;
}

function copier(card, words) {
  const line = element("div", "identity");
  const name = element("code", "", card.id);
  const button = element("button", "copy");
  const said = element("span", "said");
  said.setAttribute("role", "status");
  button.append(twoSheets());
  button.type = "button";
  button.title = words.copy.replace("{id}", () => card.id);
  button.setAttribute("aria-label", button.title);
  button.onclick = async () => {
    // Where a page is not served safely there is no clipboard: then the name is selected, for the reader's own keys.
    try {
      await navigator.clipboard.writeText(card.id);
      said.textContent = "✓ " + words.copied;
    } catch {
      getSelection().selectAllChildren(name);
    }
  };
  line.append(name, button, said);
  return line;
}

function factLine(fact) {
  const line = element("div", "fact");
  const value = element("dd", fact.differs ? "differs" : "");
  const said = element("span", "value", fact.value);
  said.dir = "auto";
  if (fact.value.length > LONG_VALUE) scrolling(said, fact.name);
  value.append(said);
  if (fact.share !== null) {
    const track = element("span", "track"), fill = element("span", "fill");
    fill.style.width = Math.round(100 * Math.max(0, Math.min(1, fact.share))) + "%";
    track.append(fill);
    value.append(track);
  }
  if (fact.number) value.append(element("span", "number", fact.number));
  line.append(element("dt", "", fact.name), value);
  return line;
}

function wayOn(root, card, link) {
  const node = element("a", link.main ? "main" : "", link.words);
  node.href = link.address;
  node.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return; // another tab, by its address
    event.preventDefault();
    root.tell("go", { page: link.page, id: card.id });
  };
  return node;
}

function list(tag, className, parts) {
  const node = element(tag, className);
  node.append(...parts);
  return node;
}

function drawExample(root, card, words) {
  const node = element("article", "card");
  node.dataset.id = card.id;
  const told = element("div", "told");
  if (card.id) told.append(copier(card, words));
  if (card.flag) told.append(element("p", "flag", "⚑ " + card.flag));
  if (card.facts.length) told.append(list("dl", "facts", card.facts.map(factLine)));
  if (card.reasons.length) told.append(list("ul", "reasons", card.reasons.map((reason) => element("li", "", reason))));
  if (card.note) told.append(element("p", "note", card.note));
  if (card.done) told.append(element("p", "done", "✓ " + card.done));
  if (card.links.length) told.append(list("div", "links", card.links.map((link) => wayOn(root, card, link))));
  node.append(card.src ? shownPicture(root, card, words) : shownText(card, words), told);
  if (card.details.length) node.append(list("dl", "facts details", card.details.map(factLine)));
  return node;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector("#example_card");
  root.tell = setTriggerValue;
  root.className = data.compact ? "compact" : "";
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", data.label);
  // Built anew only when something changed: a rerun keeps the focus, the loaded picture and an enlarged one.
  const drawn = JSON.stringify([data.cards, data.words]);
  if (root.drawn === drawn) return;
  root.drawn = drawn;
  root.replaceChildren(...data.cards.map((card) => drawExample(root, card, data.words)));
}
