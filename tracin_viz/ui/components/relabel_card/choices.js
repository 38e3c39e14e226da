// What can be decided: one class, a set of classes, or a number. The order of the classes never changes.

const DIGITS = 10;

function drawChoices(root, card) {
  const { words, target } = root.data;
  const main = element("div", "main");
  if (card.take !== null) main.append(button(root, "take", filled(words.take, { label: called(root, card.suggested) }), () => root.act("take"), "primary"));
  main.append(button(root, "keep", filled(words.keep, { label: called(root, card.given) || words.unknown }), () => root.act("keep")));
  for (const name of ["exclude", "review", "skip"]) main.append(button(root, name, words[name], () => root.act(name)));
  const parts = [main];
  if (target === "number") parts.push(numberEntry(root, card));
  else parts.push(classButtons(root, card), ...(root.data.classes.length > DIGITS ? [classSearch(root, card)] : []));
  return parts;
}

function classButton(root, card, name, place) {
  const several = root.data.target === "multi-label";
  const node = element("button", "class");
  node.type = "button";
  node.dataset.label = name;
  if (place < DIGITS && root.keys.on) node.append(element("kbd", "", String((place + 1) % 10)));
  node.append(element("span", "", called(root, name)));
  if (name === card.suggested) node.classList.add("suggested");
  if (several) node.setAttribute("aria-pressed", String(root.chosen.has(name)));
  else if (name === card.given) node.classList.add("given");
  node.onclick = () => {
    root.choose(place);
    root.focus({ preventScroll: true });
  };
  return node;
}

function classButtons(root, card) {
  const { words, classes, target } = root.data;
  const row = element("div", "classes");
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", words.classes);
  row.append(...classes.slice(0, DIGITS).map((name, place) => classButton(root, card, name, place)));
  if (target === "multi-label") {
    // Those of the set that have no digit are shown too, so that a click can take them out.
    classes.forEach((name, place) => {
      if (place >= DIGITS && root.chosen.has(name)) row.append(classButton(root, card, name, place));
    });
    row.append(button(root, "confirm", words.confirm, () => root.act("confirm"), "primary"));
  }
  return row;
}

function classSearch(root, card) {
  const { words, classes } = root.data;
  const box = element("div", "search");
  const field = element("input");
  field.type = "search";
  field.placeholder = filled(words.search, { n: classes.length, key: root.keys.label("search") });
  field.setAttribute("aria-label", field.placeholder);
  const list = element("div", "classes");
  const found = () => {
    const wanted = field.value.trim().toLowerCase();
    const places = [];
    if (wanted) classes.forEach((name, place) => name.toLowerCase().includes(wanted) && places.push(place));
    return places.slice(0, 12);
  };
  field.oninput = () => list.replaceChildren(...found().map((place) => classButton(root, card, classes[place], place)));
  field.onkeydown = (event) => {
    event.stopPropagation();
    if (event.key === "Escape") root.focus();
    if (event.key !== "Enter") return;
    event.preventDefault();
    const [place] = found();
    if (place === undefined) return;
    field.value = "";
    root.choose(place);
    root.focus();
  };
  box.append(field, list);
  return box;
}

function numberEntry(root, card) {
  const { words } = root.data;
  const form = element("form", "number");
  const field = element("input");
  field.type = "text";
  field.inputMode = "decimal";
  field.setAttribute("aria-label", words.number);
  field.placeholder = words.number;
  const wrong = element("span", "wrong");
  wrong.setAttribute("role", "alert");
  const set = element("button", "", words.set);
  set.type = "submit";
  form.onsubmit = (event) => {
    event.preventDefault();
    const value = Number(field.value.trim().replace(",", "."));
    if (field.value.trim() === "" || !Number.isFinite(value)) {
      wrong.textContent = words.no_number;
      return;
    }
    root.decide("relabel", String(value));
    root.focus({ preventScroll: true });
  };
  field.onkeydown = (event) => {
    event.stopPropagation();
    if (event.key === "Escape") root.focus();
  };
  form.append(field, set, wrong);
  return form;
}

function drawNote(root) {
  const note = element("input", "note");
  note.type = "text";
  note.maxLength = 2000;
  note.placeholder = root.data.words.note;
  note.setAttribute("aria-label", root.data.words.note);
  note.onkeydown = (event) => {
    event.stopPropagation();
    if (event.key === "Escape" || event.key === "Enter") {
      event.preventDefault();
      root.focus();
    }
  };
  return note;
}
