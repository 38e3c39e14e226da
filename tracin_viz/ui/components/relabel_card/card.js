// One example: large, with its labels, why it is suspected, and what pushed it. All text through textContent.

const filled = (words, values) => words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));

// Characters of a name; a longer one is cut unless the page gave a short one for it.
const LONGEST_NAME = 60;

// A class as it is called on this page. What is decided and stored is always the whole name.
function called(root, name) {
  const { names = {} } = root.data;
  if (Object.hasOwn(names, name)) return names[name];
  const signs = [...name.slice(0, 2 * LONGEST_NAME)];
  return signs.length <= LONGEST_NAME ? name : signs.slice(0, LONGEST_NAME - 1).join("") + "…";
}

// A button that shows its key; after a click the card has the focus again, so that the keys go on working.
function button(root, name, words, act, className) {
  const node = element("button", className || "");
  node.type = "button";
  node.dataset.action = name;
  node.append(element("span", "", words));
  const key = root.keys.label(name);
  if (key) node.append(element("kbd", "", key));
  node.onclick = () => {
    act();
    root.focus({ preventScroll: true });
  };
  return node;
}

function picture(root, card) {
  const { words } = root.data;
  if (!card.src) return element("p", "words", card.text);
  const image = pictureOf({ src: card.src, alt: filled(words.alt, { id: card.id, label: called(root, card.given) || words.unknown }) }, words.unreadable);
  image.decoding = "sync"; // the next example comes with its picture, not after it
  return image;
}

function fact(name, value, className) {
  const line = element("div", "fact " + (className || ""));
  line.append(element("span", "name", name), element("strong", "", value));
  return line;
}

const percent = (share) => Math.round(100 * share) + " %";

function drawCard(root, card) {
  const { words } = root.data;
  const shown = element("div", "shown");
  shown.dataset.id = card.id;
  const large = element("figure", "large");
  large.append(picture(root, card));
  const facts = element("div", "facts");
  facts.append(fact(words.given, called(root, card.given) || words.unknown));
  if (card.suggested) {
    const sure = card.confidence === null ? "" : " (" + percent(card.confidence) + ")";
    facts.append(fact(words.suggested, called(root, card.suggested) + sure, "suggested"));
  }
  if (card.percentile !== null) facts.append(element("p", "suspect", "⚑ " + filled(words.suspicious, { share: Math.min(card.percentile, 99.9).toFixed(1) })));
  const reasons = element("ul", "reasons");
  for (const reason of card.reasons) reasons.append(element("li", "", reason));
  facts.append(reasons);
  for (const vote of card.votes || []) facts.append(fact(called(root, vote.annotator), answerWords(root, vote), "vote"));
  const answer = root.queue.answer(card.id);
  if (answer) facts.append(element("p", "done", "✓ " + answerWords(root, answer)));
  shown.append(large, facts);
  return shown;
}

function labelWords(root, label) {
  if (root.data.target !== "multi-label") return called(root, label);
  try {
    return JSON.parse(label).map((name) => called(root, name)).join(", ") || root.data.words.no_class;
  } catch {
    return called(root, label);
  }
}

function answerWords(root, answer) {
  const { words } = root.data;
  return answer.action === "relabel" ? filled(words.did_relabel, { label: labelWords(root, answer.label) }) : words["did_" + answer.action];
}

// The closest training examples for and against; they come later than the card and never hold it up.
function drawPushed(root, found) {
  const { words } = root.data;
  const parts = [];
  for (const [side, sign, list] of [["for", "▲", found.proponents], ["against", "▼", found.opponents]]) {
    const part = element("div", "side " + side);
    part.append(element("h4", "", sign + " " + words["pushed_" + side]));
    const row = element("div", "row");
    row.setAttribute("role", "list");
    for (const one of list) {
      const entry = element("div", "small");
      entry.setAttribute("role", "listitem");
      entry.append(picture(root, one), element("span", "label", called(root, one.given) || words.unknown));
      row.append(entry);
    }
    if (!list.length) row.append(element("p", "missing", words.none));
    part.append(row);
    parts.push(part);
  }
  return parts;
}
