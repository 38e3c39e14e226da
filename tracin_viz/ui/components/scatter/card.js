// The card of the example under the pointer or cross. Its words enter through textContent only.

const KEPT_CARDS = 300;
const PAUSE = 70; // milliseconds that the pointer rests before anything is fetched

async function cardOf(map, row) {
  const address = map.data.card.replace("{row}", row);
  if (map.cards.has(address)) return map.cards.get(address);
  const answer = await fetch(address);
  if (!answer.ok || !(answer.headers.get("content-type") || "").includes("json")) return null;
  const found = await answer.json();
  if (map.cards.size >= KEPT_CARDS) map.cards.delete(map.cards.keys().next().value);
  map.cards.set(address, found);
  return found;
}

function fillCard(map, card, category) {
  const node = map.card;
  node.replaceChildren();
  if (card.src) {
    node.append(pictureOf(card, map.data.words.missing));
  } else {
    node.append(element("div", "excerpt", card.text));
  }
  const line = element("div", "labels");
  line.append(element("strong", "", card.given));
  if (card.other) line.append(" → ", element("span", card.differs ? "differs" : "", card.other));
  node.append(line, element("div", "what", category), element("div", "what", card.id));
}

function showCard(map, place, px, py) {
  if (place === map.hovered) return moveCard(map, px, py);
  map.hovered = place;
  clearTimeout(map.waiting);
  if (place < 0 || !map.data.card) { map.card.hidden = true; return; }
  map.waiting = setTimeout(async () => {
    const row = map.rows ? map.rows[place] : place;
    let card = null;
    try { card = await cardOf(map, row); } catch { /* offline: no card is better than an error over the map */ }
    if (map.hovered !== place || !card) return;
    const category = map.look.categories[map.codes[place]];
    fillCard(map, card, category ? category.name : "");
    map.card.hidden = false;
    moveCard(map, px, py);
    if (map.cross.on) map.spoken.textContent = [card.id, card.given, card.other, card.text].filter(Boolean).join(", ");
  }, PAUSE);
}

function moveCard(map, px, py) {
  if (map.card.hidden) return;
  const wide = map.card.offsetWidth, high = map.card.offsetHeight;
  const left = px + 16 + wide > map.size.width ? px - 16 - wide : px + 16;
  map.card.style.left = `${Math.max(0, left)}px`;
  map.card.style.top = `${Math.max(0, Math.min(py + 16, map.size.height - high))}px`;
}

function hideCard(map) {
  clearTimeout(map.waiting);
  map.hovered = -1;
  map.card.hidden = true;
}
