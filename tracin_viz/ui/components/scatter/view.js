// What is visible: size, zoom, redrawing, words on the map, the line beneath it.

const SLOW = 45; // milliseconds between two pictures from which on a moving map is drawn coarser
const HEAVY = 120; // milliseconds of a whole picture from which on a coarse one comes first

// The theme's colours may be written in any way that CSS knows; a canvas turns them into numbers.
const reader = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

function parts(colour) {
  reader.fillStyle = "#888888";
  reader.fillStyle = colour;
  reader.fillRect(0, 0, 1, 1);
  return [...reader.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

const colourOf = (map, name) => parts(getComputedStyle(map.root).getPropertyValue(name).trim() || "#888888");

const placed = (map, n) => Number.isFinite(map.places[2 * n]) && Number.isFinite(map.places[2 * n + 1]);

const visible = (map, n) => !map.hidden.has(map.codes[n]) && placed(map, n);

// Fewer points are drawn larger, and all grow a little when one comes nearer.
function pointSize(map) {
  const count = map.codes.length;
  const base = count < 3000 ? 8 : count < 20000 ? 6 : count < 150000 ? 4 : 2.5;
  return Math.min(14, base * Math.max(1, map.view.scale / map.whole.scale) ** 0.4);
}

function resize(map) {
  const box = map.stage.getBoundingClientRect(), ratio = Math.min(2, window.devicePixelRatio || 1);
  if (!box.width || !box.height) return;
  const first = !map.size.width;
  if (map.size.width === box.width && map.size.height === box.height && map.size.ratio === ratio) return;
  map.size = { width: box.width, height: box.height, ratio };
  map.canvas.width = Math.round(box.width * ratio);
  map.canvas.height = Math.round(box.height * ratio);
  const moved = map.view && map.view.scale !== map.whole.scale;
  map.whole = fitted(map.bounds, box.width, box.height);
  if (first || !moved) map.view = { ...map.whole };
  if (!map.cross.on) Object.assign(map.cross, { x: box.width / 2, y: box.height / 2 });
  redraw(map);
}

function redraw(map, moving = false) {
  if (!map.codes || !map.size.width) return;
  if (moving) {
    const now = performance.now();
    if (now - map.drawnAt < 400) map.step = now - map.drawnAt > SLOW ? Math.min(16, map.step * 2) : Math.max(1, map.step / 2);
    wholeLater(map, 160);
  } else {
    clearTimeout(map.settling);
    map.step = 1;
  }
  if (map.frame) return;
  map.frame = requestAnimationFrame(() => {
    map.frame = 0;
    map.drawnAt = performance.now();
    const look = { size: pointSize(map), dim: map.count > 0, paper: colourOf(map, "--st-background-color"), step: map.step };
    map.painter.draw(map.view, map.size, look);
    // How long a whole picture takes shows in when the next one may begin.
    if (map.step === 1) requestAnimationFrame(() => { map.cost = performance.now() - map.drawnAt; });
    placeLabels(map);
    if (!map.root.dataset.drawn) map.root.dataset.drawn = String(Math.round(performance.now()));
    map.root.dataset.state = "ready";
  });
}

function wholeLater(map, wait) {
  clearTimeout(map.settling);
  map.settling = setTimeout(() => redraw(map), wait);
}

// A new selection: where a whole picture takes long, every k-th point at once and the rest when the page has answered.
function redrawSelection(map) {
  redraw(map);
  if (map.cost < HEAVY) return;
  map.step = Math.min(16, Math.ceil(map.cost / SLOW));
  wholeLater(map, 800);
}

function zoom(map, factor, px, py) {
  const scale = Math.min(map.whole.scale * 4000, Math.max(map.whole.scale / 4, map.view.scale * factor));
  const [x, y] = toMap(map.view, map.size, px, py);
  map.view = { x: x - (px - map.size.width / 2) / scale, y: y + (py - map.size.height / 2) / scale, scale };
  redraw(map, true);
}

function pan(map, dx, dy) {
  map.view = { ...map.view, x: map.view.x - dx / map.view.scale, y: map.view.y + dy / map.view.scale };
  redraw(map, true);
}

function fit(map) {
  map.view = { ...map.whole };
  redraw(map);
}

function drawLabels(map) {
  map.names = map.look.labels.map((one) => ({ ...one, node: element("span", "label", one.text) }));
  map.labels.replaceChildren(...map.names.map((one) => one.node));
  for (const one of map.names) Object.assign(one, { wide: one.node.offsetWidth, high: one.node.offsetHeight });
}

// Most important first; a name that would lie over another or outside is left out.
function placeLabels(map) {
  const taken = [];
  for (const one of map.names) {
    const [px, py] = toScreen(map.view, map.size, one.x, one.y);
    // At the upper edge a name slides down as far as it must.
    const bottom = one.above && py > 0 ? Math.max(one.high + 1, py - 6) : py + one.high / 2;
    const box = [px - one.wide / 2, bottom - one.high, px + one.wide / 2, bottom];
    const outside = box[0] < 0 || box[1] < 0 || box[2] > map.size.width || box[3] > map.size.height;
    const over = taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]);
    one.node.style.visibility = outside || over ? "hidden" : "visible";
    if (outside || over) continue;
    taken.push(box);
    one.node.style.transform = `translate(${Math.round(box[0])}px, ${Math.round(box[1])}px)`;
  }
}

function say(map) {
  const words = map.data.words, number = (value) => value.toLocaleString("en");
  let shown = map.codes.length;
  if (map.hidden.size) shown = map.look.categories.reduce((sum, one, n) => sum + (map.hidden.has(n) ? 0 : one.count), 0);
  const text = [words.points.replace("{n}", number(shown)), map.count ? words.selected.replace("{n}", number(map.count)) : ""];
  map.status.textContent = text.filter(Boolean).join(" · ");
  map.clear.hidden = !map.count;
}
