// The sheet of keys: what each does, another letter for it, and the switch that turns them off.

function drawHelp(root) {
  const { words } = root.data, { keys } = root;
  const dialog = element("dialog", "help");
  dialog.setAttribute("aria-label", words.keys);
  const table = element("table");
  const line = (name, cell) => {
    const row = element("tr");
    const key = element("td");
    key.append(cell);
    row.append(element("th", "", words["key_" + name]), key);
    row.firstChild.scope = "row";
    table.append(row);
  };
  const said = element("p", "wrong");
  said.setAttribute("role", "alert");
  for (const name of Object.keys(USUAL)) {
    const field = element("input");
    field.maxLength = 1;
    field.value = keys.map[name].toUpperCase();
    field.setAttribute("aria-label", words["key_" + name]);
    field.onfocus = () => field.select();
    field.onchange = () => {
      said.textContent = keys.give(name, field.value) ? "" : filled(words.key_taken, { key: field.value });
      field.value = keys.map[name].toUpperCase();
    };
    line(name, field);
  }
  for (const name of ["skip", "undo", "redo", "browse", "class", "also"]) line(name, element("span", "", words["keys_" + name]));
  const label = element("label");
  const box = element("input");
  box.type = "checkbox";
  box.checked = keys.on;
  box.onchange = () => {
    keys.on = box.checked;
    keys.keep();
  };
  label.append(box, element("span", "", words.keys_on));
  const close = element("button", "primary", words.close);
  close.type = "button";
  close.onclick = () => dialog.close();
  dialog.append(element("h3", "", words.keys), element("p", "", words.keys_when), table, said, label, close);
  dialog.onkeydown = (event) => event.stopPropagation();
  dialog.onclose = () => {
    dialog.remove();
    root.draw();
    root.focus();
  };
  root.append(dialog);
  dialog.showModal();
}
