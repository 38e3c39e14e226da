// The relabel card: the browser goes on at once, and the outbox brings the decisions to the server.

const WINDOW = 60; // cards that are kept, two of them behind: the others can be decided while the server is away
const AHEAD = 48; // fetched again when fewer than these are left
const TOGETHER = 48; // cards in one request
const PICTURES = 6;
const OFFERED = 8; // of a shared queue at a time
const QUIET = 900; // milliseconds without a decision after which the page may draw its table anew
const RENEWED = 60000; // milliseconds after which working on renews what is held of a shared queue
const SWAPPED = 500; // milliseconds in which no key decides about a card that came by itself
const REST = 250; // a card that is looked at so long gets its proponents and opponents

function start(root, data, tell) {
  root.data = data;
  root.keys = new Keys();
  root.cards = new Map();
  root.pushed = new Map();
  root.marked = new Set();
  root.mode = "card";
  root.claimed = 0;
  root.offers = false; // whether the server has offered anything yet
  root.swapped = -SWAPPED;
  root.outbox = new Outbox((sent) => root.delivered(sent));
  root.outbox.connect(data, () => root.tell("renew", Date.now()));
  root.tell = tell;
  root.queue = new Queue(data, root.outbox);
  root.at = data.start && root.queue.places.has(data.start) ? data.start : root.queue.next(null);
  frame(root);
  behaviour(root);
  root.onkeydown = (event) => (root.offer(), root.press(event));
  root.onpointermove = () => root.offer();
}

function frame(root) {
  const { words } = root.data;
  root.tabIndex = 0;
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", words.card);
  root.parts = {};
  for (const [name, role] of [["bar", ""], ["banner", "status"], ["body", ""], ["pushes", ""], ["live", "status"]]) {
    root.parts[name] = element("div", name);
    if (role) root.parts[name].setAttribute("role", role);
    root.append(root.parts[name]);
  }
  root.parts.live.setAttribute("aria-live", "polite");
  root.note = drawNote(root);
}

function bar(root) {
  const { words } = root.data, { queue } = root;
  const total = queue.ids.length, answered = queue.answered();
  const line = element("div", "line");
  const meter = element("progress");
  meter.max = total;
  meter.value = answered;
  meter.setAttribute("aria-label", words.progress_label);
  line.append(element("span", "count", filled(words.progress, { done: answered.toLocaleString(), total: total.toLocaleString() })), meter);
  root.saved = element("span", "saved");
  line.append(root.saved);
  const tools = element("div", "tools");
  const undo = button(root, "undo", words.undo, () => root.act("undo"));
  undo.disabled = !queue.done.length;
  const redo = button(root, "redo", words.redo, () => root.act("redo"));
  redo.disabled = !queue.undone.length;
  const grid = button(root, "grid", root.mode === "grid" ? words.one : words.many, () => root.act("grid"));
  tools.append(undo, redo, grid, button(root, "help", words.keys, () => root.act("help")));
  root.parts.bar.replaceChildren(line, tools);
}

function status(root) {
  const { words } = root.data;
  const waiting = root.outbox.waiting(), lost = root.outbox.failures > 0;
  root.saved.textContent = waiting ? filled(words.sending, { n: waiting }) : words.saved;
  root.saved.classList.toggle("done", !waiting);
  root.dataset.waiting = waiting;
  const said = [];
  if (waiting && lost) said.push(filled(waiting === 1 ? words.waiting_one : words.waiting, { n: waiting }));
  if (waiting && root.outbox.said) said.push(filled(words.not_taken, { message: root.outbox.said }));
  if (waiting && root.outbox.unkept.size) said.push(words.unkept);
  for (const { message } of root.outbox.dropped) said.push(filled(words.refused, { message }));
  root.parts.banner.classList.toggle("on", said.length > 0);
  const text = said.join(" ");
  if (root.parts.banner.textContent !== text) root.parts.banner.textContent = text;
}

function body(root) {
  const { words } = root.data, { queue } = root;
  if (root.mode === "grid") {
    const parts = drawGrid(root);
    if (parts.length) {
      root.parts.pushes.replaceChildren();
      root.parts.body.replaceChildren(...parts);
      return "";
    }
  }
  const card = root.at === null ? null : root.cards.get(root.at);
  root.parts.pushes.replaceChildren();
  if (root.at === null) {
    const finished = element("div", "finished");
    const whole = queue.answered() >= queue.ids.length;
    const said = whole ? words.finished : root.offers ? words.with_others : words.loading;
    finished.append(element("p", "", (whole ? "✓ " : "") + said));
    root.parts.body.replaceChildren(finished);
    return said;
  }
  if (!card) {
    root.parts.body.replaceChildren(element("p", "missing", words.loading));
    return "";
  }
  root.chosen = new Set(root.choosing === card.id ? root.chosen : card.given_set);
  root.choosing = card.id;
  const decide = element("div", "decide");
  decide.append(...drawChoices(root, card), root.note);
  const shown = drawCard(root, card);
  shown.querySelector(".facts").append(decide);
  root.parts.body.replaceChildren(shown);
  const place = queue.places.get(card.id) + 1;
  return filled(card.suggested ? words.live : words.live_plain, { place, total: queue.ids.length, given: called(root, card.given) || words.unknown, suggested: called(root, card.suggested) });
}

export default function ({ data, parentElement, setTriggerValue }) {
  let root = parentElement.querySelector("#relabel");
  const identity = data.audit + " " + data.session + " " + data.annotator + " " + data.item;
  if (root.identity !== identity) {
    if (root.outbox) {
      root.outbox.close();
      const fresh = element("div");
      fresh.id = "relabel";
      root.replaceWith(fresh);
      root = fresh;
    }
    root.identity = identity;
    // The name is asked for once: it is kept in this browser, where the next visit finds it.
    if (data.cookie) document.cookie = data.cookie + "=" + encodeURIComponent(data.annotator) + "; path=/; max-age=31536000; samesite=strict";
    start(root, data, setTriggerValue);
    for (const card of data.cards) root.cards.set(card.id, card);
    root.draw();
    root.fetchCards();
    root.offer();
    root.outbox.flush();
    if (!document.activeElement || document.activeElement === document.body) {
      root.focus({ preventScroll: true });
      keepFocus(root);
    } else root.addEventListener("focusin", () => keepFocus(root), { once: true });
  } else {
    // The page ran again: only what may change while the card is used.
    Object.assign(root.data, { pass: data.pass, words: data.words, urls: data.urls });
    root.tell = setTriggerValue;
    root.outbox.connect(root.data, () => root.tell("renew", Date.now()));
    root.outbox.flush();
  }
}
