// Cards of examples. All text enters through textContent, all pictures through img.src.

// Pictures that are fetched at once; those after them when they come near the window.
const EAGER = 24;
const SIGNS = { proponent: "▲", opponent: "▼", suspect: "⚑", decided: "✓" };

function picture(root, card, place) {
  const frame = element("span", "picture");
  const image = pictureOf(card, root.data.missing_words, place < EAGER ? "eager" : "lazy");
  frame.append(image);
  return frame;
}

function labels(card) {
  const line = element("span", "labels");
  if (card.given) {
    const given = element("span", "given", card.given);
    given.title = card.given;
    line.append(given);
  }
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

function mark(root, card) {
  const box = element("button", "mark", "✓");
  box.type = "button";
  box.tabIndex = -1; // by keyboard the card itself is marked, with the space bar
  box.setAttribute("role", "checkbox");
  box.setAttribute("aria-label", root.data.mark_words.replace("{id}", card.id));
  box.onclick = (event) => toggle(root, [card.id], event.shiftKey);
  return box;
}

function draw(root, card, place, clickable) {
  const node = element(clickable ? "button" : "div", "card");
  if (clickable) node.type = "button";
  node.dataset.id = card.id;
  node.append(card.src ? picture(root, card, place) : element("span", "words", card.text));
  if (card.given || card.other) node.append(labels(card));
  if (card.number) node.append(score(card));
  if (card.why) node.append(element("span", "why", card.why));
  if (card.done) node.append(element("span", "done", "✓ " + card.done));
  const entry = element("div", "entry");
  entry.setAttribute("role", "listitem");
  entry.append(node);
  if (root.data.markable) entry.append(mark(root, card));
  return entry;
}

const cardsOf = (root) => [...root.querySelectorAll(".card")];

// The gallery is one stop of the Tab key; arrows walk inside it.
function rove(root, to, focus = true) {
  const cards = cardsOf(root);
  for (const one of cards) one.tabIndex = one === to ? 0 : -1;
  root.at = to ? to.dataset.id : "";
  if (to && focus) to.focus();
}

// The card over or under this one: the nearest in the next row.
function beside(cards, from, down) {
  const start = from.getBoundingClientRect();
  const rows = cards.map((one) => [one, one.getBoundingClientRect()]).filter(([, box]) => (down ? box.top > start.top + 4 : box.top < start.top - 4));
  rows.sort(([, a], [, b]) => (down ? a.top - b.top : b.top - a.top) || Math.abs(a.left - start.left) - Math.abs(b.left - start.left));
  const first = rows.length ? rows[0][1].top : 0;
  const row = rows.filter(([, box]) => Math.abs(box.top - first) < 4);
  row.sort(([, a], [, b]) => Math.abs(a.left - start.left) - Math.abs(b.left - start.left));
  return row.length ? row[0][0] : null;
}

// Marks or unmarks; with `through`, everything from the last one to this one.
function toggle(root, ids, through = false) {
  const order = root.data.cards.map((card) => card.id);
  const on = !ids.every((id) => root.marked.has(id));
  if (through && root.last && order.includes(root.last)) {
    const [from, to] = [order.indexOf(root.last), order.indexOf(ids[0])].sort((a, b) => a - b);
    ids = order.slice(from, to + 1);
  }
  for (const id of ids) if (on) root.marked.add(id); else root.marked.delete(id);
  root.last = ids[ids.length - 1];
  showMarks(root);
  root.tell("mark", { ids: order.filter((id) => root.marked.has(id)) });
}

function showMarks(root) {
  for (const box of root.querySelectorAll(".mark")) {
    box.setAttribute("aria-checked", String(root.marked.has(box.parentElement.querySelector(".card").dataset.id)));
  }
}

function press(root, event) {
  const from = event.target.closest(".card"), cards = cardsOf(root), place = cards.indexOf(from);
  if (place < 0 || event.altKey) return;
  const control = event.ctrlKey || event.metaKey, { markable } = root.data;
  let to = null;
  if (event.key === "ArrowRight") to = cards[place + 1];
  else if (event.key === "ArrowLeft") to = cards[place - 1];
  else if (event.key === "ArrowDown") to = beside(cards, from, true);
  else if (event.key === "ArrowUp") to = beside(cards, from, false);
  else if (event.key === "Home") to = cards[0];
  else if (event.key === "End") to = cards[cards.length - 1];
  else if (event.key === " " && markable) toggle(root, [from.dataset.id], event.shiftKey);
  else if (event.key.toLowerCase() === "a" && control && markable) toggle(root, cards.map((one) => one.dataset.id));
  else if (event.key === "Escape" && markable && root.marked.size) toggle(root, [...root.marked]);
  else return;
  event.preventDefault();
  event.stopPropagation();
  if (to) rove(root, to);
}

// Lines that come after the cards. A card that is gone by then, or has its line, gets none.
function tellLater(root, later) {
  if (!later || root.later === later.url) return;
  root.later = later.url;
  fetch(later.url).then((answer) => (answer.ok ? answer.json() : {})).catch(() => ({})).then((found) => {
    if (root.later !== later.url) return;
    root.lines = found;
    root.lineWords = later.words;
    showLater(root);
  });
}

function showLater(root) {
  if (!root.lines) return;
  for (const card of cardsOf(root)) {
    const lines = root.lines[card.dataset.id];
    if (!lines || card.querySelector(".later")) continue;
    for (const [name, words] of Object.entries(root.lineWords)) {
      // A function: labels may hold "$&", which is special in a plain replacement.
      if (lines[name]) card.append(element("span", `why later ${name}`, words.replace("{labels}", () => lines[name])));
    }
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector("#gallery");
  root.data = data;
  root.tell = setTriggerValue;
  root.className = data.layout;
  root.setAttribute("role", "list");
  root.setAttribute("aria-label", data.label);

  // Built anew only when the cards changed: a rerun keeps focus, scroll place and loaded pictures.
  const drawn = JSON.stringify([data.cards, data.clickable, data.markable]);
  if (root.drawn !== drawn) {
    root.drawn = drawn;
    root.replaceChildren(...data.cards.map((card, place) => draw(root, card, place, data.clickable)));
  }
  for (const node of root.querySelectorAll(".card")) {
    const chosen = node.dataset.id === data.selected;
    node.classList.toggle("selected", chosen);
    if (data.clickable) node.setAttribute("aria-pressed", String(chosen));
  }
  if (!data.later || root.later !== data.later.url) root.lines = null;
  tellLater(root, data.later);
  showLater(root);
  root.marked = new Set(data.marked);
  showMarks(root);
  if (data.clickable) {
    const cards = cardsOf(root), known = (id) => cards.find((one) => one.dataset.id === id);
    rove(root, known(root.at) || known(data.selected) || cards[0], false);
  }
  root.onkeydown = data.clickable ? (event) => press(root, event) : null;
  root.onclick = (event) => {
    const node = event.target.closest("button.card");
    if (!node) return;
    rove(root, node, false);
    if (data.markable && (event.ctrlKey || event.metaKey || event.shiftKey)) toggle(root, [node.dataset.id], event.shiftKey);
    else setTriggerValue("pick", { id: node.dataset.id });
  };
  // What comes next is fetched while this is looked at.
  for (const address of data.ahead) new Image().src = address;
}
