// The legend: what a colour and shape mean, how many there are; hides, isolates and selects.

const SVG = "http://www.w3.org/2000/svg";
const MOST_ENTRIES = 60;
const OUTLINES = [
  "M8 2a6 6 0 1 0 .01 0z", "M3 3h10v10h-10z", "M8 2l6 11h-12z", "M8 1l7 7-7 7-7-7z", "M2 3h12l-6 11z",
  "M6 1h4v5h5v4h-5v5h-4v-5h-5v-4h5z", "M2 4.5l2.5-2.5 3.5 3.5 3.5-3.5 2.5 2.5-3.5 3.5 3.5 3.5-2.5 2.5-3.5-3.5-3.5 3.5-2.5-2.5 3.5-3.5z",
  "M8 1a7 7 0 1 0 .01 0zM8 5a3 3 0 1 1-.01 0z",
];

function pressable(className, text, title, action) {
  const button = element("button", className, text);
  button.type = "button";
  if (title) { button.title = title; button.setAttribute("aria-label", title); }
  button.onclick = action;
  return button;
}

function swatch(category) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 16 16");
  picture.setAttribute("class", "swatch");
  picture.setAttribute("aria-hidden", "true");
  const outline = document.createElementNS(SVG, "path");
  outline.setAttribute("d", category.shape < 0 ? "M8 4a4 4 0 1 0 .01 0z" : OUTLINES[category.shape % OUTLINES.length]);
  outline.setAttribute("fill", category.colour || "var(--st-gray-color)");
  outline.setAttribute("fill-rule", "evenodd");
  picture.append(outline);
  return picture;
}

function entry(map, number, category) {
  const words = map.data.words;
  const line = element("li", "entry");
  const name = pressable("name", "", "", () => toggle(map, number));
  name.append(swatch(category), element("span", "text", category.name), element("span", "count", category.count.toLocaleString("en")));
  name.title = words.hide;
  name.ondblclick = () => isolate(map, number);
  line.append(
    name,
    pressable("small", words.only, `${words.only_long}: ${category.name}`, () => isolate(map, number)),
    pressable("small", words.select, `${words.select_long}: ${category.name}`, () => selectCategory(map, number)),
  );
  return line;
}

function drawLegend(map) {
  const { categories, title, words } = map.look;
  const list = element("ul", "entries");
  categories.slice(0, MOST_ENTRIES).forEach((category, number) => list.append(entry(map, number, category)));
  const head = element("div", "head");
  map.all = pressable("small", words.show_all, "", () => { map.hidden.clear(); restyle(map); });
  head.append(element("strong", "title", title), map.all);
  map.legend.replaceChildren(head, list);
  const left = categories.length - MOST_ENTRIES;
  if (left > 0) map.legend.append(element("div", "more", words.more.replace("{n}", left.toLocaleString("en"))));
  restyle(map);
}

function toggle(map, number) {
  if (!map.hidden.delete(number)) map.hidden.add(number);
  restyle(map);
}

function isolate(map, number) {
  const alone = !map.hidden.has(number) && map.hidden.size === map.look.categories.length - 1;
  map.hidden = new Set(alone ? [] : map.look.categories.keys());
  map.hidden.delete(number);
  restyle(map);
}

function selectCategory(map, number) {
  const hit = new Uint8Array(map.codes.length);
  for (let n = 0; n < hit.length; n++) hit[n] = map.codes[n] === number && placed(map, n) ? 1 : 0;
  select(map, hit, map.way);
}

const colours = (map) => ["--st-gray-color", "--st-primary-color", "--st-background-color"].map((name) => colourOf(map, name)).join(";");

// Styles follow from categories, from what is hidden and from the theme.
function restyle(map) {
  const grey = colourOf(map, "--st-gray-color"), accent = colourOf(map, "--st-primary-color");
  const { categories } = map.look;
  const alone = map.hidden.size === categories.length - 1;
  map.painted = colours(map);
  map.painter.styles(categories.map((one, number) => ({
    // A grey category that is looked at alone is drawn in the accent colour.
    rgb: one.colour ? parts(one.colour) : alone ? accent : grey,
    shape: one.shape < 0 && alone ? 0 : one.shape,
    hidden: map.hidden.has(number),
  })));
  map.legend.querySelectorAll(".entry").forEach((line, number) => {
    line.classList.toggle("hidden", map.hidden.has(number));
    line.querySelector(".name").setAttribute("aria-pressed", String(!map.hidden.has(number)));
  });
  map.all.hidden = map.hidden.size === 0;
  say(map);
  redraw(map);
}
