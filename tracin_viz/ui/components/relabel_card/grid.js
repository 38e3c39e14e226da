// Many at once: mark some, decide once. Without a mark the decision is about everything shown, and says so.

const SHOWN = 48;

function drawGrid(root) {
  const { words } = root.data;
  const ids = root.queue.unanswered().slice(0, SHOWN);
  root.marked = new Set([...root.marked].filter((id) => ids.includes(id)));
  const grid = element("div", "cells");
  grid.setAttribute("role", "group");
  grid.setAttribute("aria-label", words.grid_label);
  for (const id of ids) {
    const card = root.cards.get(id);
    const cell = element("button", "cell");
    cell.type = "button";
    cell.dataset.id = id;
    cell.tabIndex = grid.childElementCount ? -1 : 0;
    if (card) {
      cell.append(card.src ? thumb(root, card) : element("span", "words", card.text.slice(0, 160)));
      cell.append(element("span", "pair", (called(root, card.given) || words.unknown) + (card.suggested ? " → " + called(root, card.suggested) : "")));
    } else cell.append(element("span", "missing", words.loading));
    cell.setAttribute("aria-pressed", String(root.marked.has(id)));
    cell.onclick = (event) => mark(root, grid, id, event.shiftKey);
    grid.append(cell);
  }
  grid.onkeydown = (event) => walk(root, grid, event);
  const bar = element("div", "main");
  root.fillBar = () => bar.replaceChildren(...bulkButtons(root, ids));
  root.fillBar();
  return ids.length ? [bar, grid] : [];
}

function thumb(root, card) {
  const image = picture(root, card);
  image.decoding = "async";
  return image;
}

function bulkButtons(root, ids) {
  const { words, classes, target } = root.data;
  // Only what can be seen is decided: a card that is still on its way is left out.
  const chosen = (root.marked.size ? ids.filter((id) => root.marked.has(id)) : ids).filter((id) => root.cards.has(id));
  const n = chosen.length;
  const about = root.marked.size ? words.n_marked : words.n_shown;
  const count = (verb) => filled(about, { verb, n });
  const taking = chosen.filter((id) => root.cards.get(id).take !== null);
  const all = (action, list = chosen) => () => root.bulk(list.map((id) => ({ id, action })));
  const nodes = [];
  // Keys need a mark: one key must not decide about a whole page by accident.
  root.keysOff = !root.marked.size;
  if (taking.length) {
    const take = () => root.bulk(taking.map((id) => ({ id, action: "relabel", label: root.cards.get(id).take })));
    nodes.push(button(root, "take", filled(about, { verb: words.take_all, n: taking.length }), take, "primary"));
  }
  nodes.push(button(root, "keep", count(words.keep_all), all("keep")));
  nodes.push(button(root, "exclude", count(words.exclude), all("exclude")), button(root, "review", count(words.review), all("review")));
  if (target === "class") {
    const select = element("select");
    select.setAttribute("aria-label", words.change_all);
    select.append(new Option(count(words.change_all), ""), ...classes.map((name) => new Option(called(root, name), name)));
    select.onchange = () => {
      const label = select.value;
      if (label) root.bulk(chosen.map((id) => (root.cards.get(id).given === label ? { id, action: "keep" } : { id, action: "relabel", label })));
    };
    nodes.push(select);
  }
  for (const node of nodes) {
    node.disabled = !n;
    if (root.keysOff) node.querySelector("kbd")?.remove();
  }
  return nodes;
}

function mark(root, grid, id, through) {
  const ids = [...grid.children].map((cell) => cell.dataset.id);
  const on = !root.marked.has(id);
  let span = [id];
  if (through && ids.includes(root.lastMark)) {
    const [from, to] = [ids.indexOf(root.lastMark), ids.indexOf(id)].sort((a, b) => a - b);
    span = ids.slice(from, to + 1);
  }
  for (const one of span) if (on) root.marked.add(one); else root.marked.delete(one);
  root.lastMark = id;
  for (const cell of grid.children) cell.setAttribute("aria-pressed", String(root.marked.has(cell.dataset.id)));
  root.fillBar();
}

function walk(root, grid, event) {
  const cells = [...grid.children], place = cells.indexOf(event.target.closest(".cell"));
  if (place < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
  const across = cells.filter((cell) => cell.offsetTop === cells[0].offsetTop).length;
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across };
  const to = event.key in steps ? cells[place + steps[event.key]] : null;
  if (event.key in steps) {
    event.preventDefault();
    event.stopPropagation();
    if (!to) return;
    for (const cell of cells) cell.tabIndex = cell === to ? 0 : -1;
    to.focus();
  } else if (event.key === " " || event.key === "Enter") event.stopPropagation(); // the cell's own click marks it
}
