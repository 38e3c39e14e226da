// Filters with counts. All text enters through textContent.

const WAIT = 300; // milliseconds after the last letter of a search

const ticked = (facet) => facet.values.filter((value) => value.on);

function head(root, facet) {
  const button = element("button", "head");
  const on = ticked(facet);
  button.type = "button";
  button.dataset.name = facet.name;
  button.id = `head-${facet.name}`;
  button.setAttribute("aria-expanded", String(root.open === facet.name));
  button.setAttribute("aria-controls", "panel");
  button.classList.toggle("active", on.length > 0);
  button.append(element("span", "title", facet.title));
  if (on.length) button.append(element("span", "now", on.length === 1 ? on[0].word : String(on.length)));
  button.append(element("span", "caret", root.open === facet.name ? "▴" : "▾"));
  button.lastChild.setAttribute("aria-hidden", "true");
  button.onclick = () => {
    root.open = root.open === facet.name ? "" : facet.name;
    draw(root);
    root.querySelector(`#head-${facet.name}`).focus();
  };
  // Down goes into the list, which opens where it is closed.
  button.onkeydown = (event) => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    root.open = facet.name;
    draw(root);
    root.querySelector(".panel input")?.focus();
  };
  return button;
}

function line(root, facet, value) {
  const label = element("label", "value");
  const box = element("input");
  box.type = "checkbox";
  box.checked = value.on;
  box.dataset.key = value.key;
  box.onchange = () => {
    value.on = box.checked;
    root.tell("choose", { name: facet.name, keys: ticked(facet).map((one) => one.key) });
  };
  const bar = element("span", "bar");
  bar.style.width = `${Math.round(100 * Math.max(0, Math.min(1, value.share)))}%`;
  const word = element("span", "word", value.word);
  word.title = value.word;
  label.append(box, word, element("span", "count", value.count), bar);
  return label;
}

function panel(root, facet) {
  const node = element("div", "panel");
  node.id = "panel";
  node.setAttribute("role", "group");
  node.setAttribute("aria-label", facet.title);
  if (facet.searchable) {
    const search = element("input", "search");
    search.type = "search";
    search.value = facet.search;
    search.placeholder = root.data.words.search;
    search.setAttribute("aria-label", root.data.words.search);
    search.oninput = () => {
      clearTimeout(root.wait);
      root.wait = setTimeout(() => root.tell("search", { name: facet.name, words: search.value }), WAIT);
    };
    node.append(search);
  }
  const list = element("div", "list");
  list.append(...facet.values.map((value) => line(root, facet, value)));
  if (!facet.values.length) list.append(element("span", "more", root.data.words.none));
  node.append(list);
  if (facet.more) node.append(element("span", "more", facet.more));
  node.onkeydown = (event) => {
    if (event.key !== "Escape") return;
    root.open = "";
    draw(root);
    root.querySelector(`#head-${facet.name}`).focus();
  };
  return node;
}

// What has the focus is found again by what it is, because a rerun brings new counts.
function focused(root) {
  const node = root.getRootNode().activeElement;
  if (!node || !root.contains(node)) return null;
  if (node.classList.contains("search")) return () => {
    const search = root.querySelector(".search");
    if (search) { search.value = node.value; search.focus(); search.setSelectionRange(node.selectionStart, node.selectionEnd); }
  };
  if (node.dataset.key !== undefined) return () => [...root.querySelectorAll("input[type=checkbox]")].find((one) => one.dataset.key === node.dataset.key)?.focus();
  if (node.id) return () => root.querySelector(`#${CSS.escape(node.id)}`)?.focus();
  return null;
}

function draw(root) {
  const { facets, words } = root.data;
  const again = focused(root), scrolled = root.querySelector(".list")?.scrollTop || 0;
  const heads = element("div", "heads");
  heads.append(...facets.map((facet) => head(root, facet)));
  if (facets.some((facet) => ticked(facet).length)) {
    const clear = element("button", "clear", words.clear);
    clear.type = "button";
    clear.id = "clear";
    clear.onclick = () => root.tell("clear", { n: Date.now() });
    heads.append(clear);
  }
  const open = facets.find((facet) => facet.name === root.open);
  root.replaceChildren(heads, ...(open ? [panel(root, open)] : []));
  if (open) root.querySelector(".list").scrollTop = scrolled;
  if (again) again();
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector("#facets");
  const drawn = JSON.stringify(data);
  root.tell = setTriggerValue;
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", data.words.label);
  if (root.drawn === drawn) return;
  root.drawn = drawn;
  root.data = data;
  draw(root);
}
