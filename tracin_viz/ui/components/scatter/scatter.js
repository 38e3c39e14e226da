// The map as a whole: its parts on the page, the bytes it fetches, and what changes with each rerun.

const TRIES = 3;
const RESTORE = 3000; // milliseconds that a lost graphics card may take to come back

async function bytesAt(map, address, mark) {
  const answer = await fetch(address);
  if (answer.status === 404 && map.missing < TRIES) {
    map.missing += 1;
    map.tell("missing", { n: map.missing }); // the page keeps the bytes anew when it runs again
    return null;
  }
  const bytes = answer.ok ? await answer.arrayBuffer() : new ArrayBuffer(0);
  if (bytes.byteLength < 8 || new TextDecoder("latin1").decode(bytes.slice(0, 4)) !== mark) throw new Error(`${answer.status}`);
  return { bytes, count: new DataView(bytes).getUint32(4, true) };
}

// Each part is fetched when its address changed; an older answer never overwrites a newer one.
async function part(map, name, address, mark, read) {
  if (map.have[name] === address) return;
  map.have[name] = address;
  try {
    const found = address ? await bytesAt(map, address, mark) : { bytes: null, count: 0 };
    if (map.have[name] !== address) return;
    if (found) read(found); else map.have[name] = null;
  } catch (error) {
    if (map.have[name] !== address) return;
    map.have[name] = null;
    map.note.textContent = `${map.data.words.failed} (${error.message})`;
    map.note.hidden = false;
  }
}

function complete(map) {
  const count = map.data.count;
  if (!map.places || !map.newCodes || map.places.length !== 2 * count || map.newCodes.length !== count) return;
  const fresh = map.codes !== map.newCodes;
  map.codes = map.newCodes;
  if (map.chosen.length !== count) { map.chosen = new Uint8Array(count); map.count = 0; map.painter.chosen(map.chosen); }
  if (map.uploaded !== map.places) {
    map.uploaded = map.places;
    map.painter.places(map.places);
    map.grid = null;
    // A part of the same map keeps the place that is looked at.
    const frame = map.data.frame, stays = frame && map.view && JSON.stringify(frame) === map.framed;
    map.framed = JSON.stringify(frame);
    map.bounds = frame || boundsOf(map.places);
    if (!stays) {
      map.view = null;
      map.size = { width: 0, height: 0, ratio: 1 };
    }
  }
  if (fresh) { map.painter.codes(map.codes); map.hidden.clear(); }
  map.skeleton.hidden = true;
  if (map.size.width) redraw(map); else resize(map);
  drawWords(map);
  showChosen(map);
}

// Legend and names belong to the categories that are drawn, not to those still on their way.
function drawWords(map) {
  map.look = map.data;
  drawLabels(map);
  drawLegend(map);
}

// The page's selection replaces ours, unless it is still about to hear of ours.
function showChosen(map) {
  if (!map.codes || !map.waitingMask) return;
  const { mask, address } = map.waitingMask;
  map.waitingMask = null;
  if (address && mask.length !== map.codes.length) return;
  map.chosen = address ? mask : new Uint8Array(map.codes.length);
  map.count = countOf(map.chosen);
  map.painter.chosen(map.chosen);
  say(map);
  redraw(map);
}

function load(map) {
  const { data } = map;
  part(map, "places", data.places, "TVxy", ({ bytes }) => { map.places = new Float32Array(bytes, 8); complete(map); });
  part(map, "codes", data.codes, "TVcc", ({ bytes, count }) => {
    map.codesFrom = data.codes;
    map.newCodes = bytes.byteLength - 8 === count ? new Uint8Array(bytes, 8) : new Uint16Array(bytes, 8);
    complete(map);
  });
  part(map, "rows", data.rows, "TVrr", ({ bytes }) => { map.rows = bytes && new Uint32Array(bytes, 8); });
  if (map.waitingFor && data.answered === map.waitingFor) {
    map.waitingFor = "";
    map.have.chosen = data.chosen; // it is what we sent
  }
  if (map.waitingFor) return;
  part(map, "chosen", data.chosen, "TVmm", ({ bytes, count }) => {
    map.waitingMask = { address: data.chosen, mask: bytes && maskOf(new Uint8Array(bytes, 8), count) };
    showChosen(map);
  });
}

// One of several buttons is the present choice.
function choice(map, name, options, present) {
  const group = element("div", `choice ${name}`);
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", map.data.words[name]);
  const pick = (value) => {
    map[name] = value;
    for (const button of group.children) button.setAttribute("aria-pressed", String(button.dataset.value === value));
    map.overlay.dataset.tool = map.tool;
  };
  for (const [value, sign] of options) {
    const button = pressable("", sign, map.data.words[value], () => pick(value));
    button.dataset.value = value;
    group.append(button);
  }
  return [group, () => pick(present)];
}

// A painter begins with nothing: it gets all that the last one had.
function repaint(map, painter) {
  map.painter = painter;
  if (!map.codes) return;
  painter.places(map.places);
  painter.codes(map.codes);
  painter.chosen(map.chosen);
  restyle(map);
}

// A graphics card that is taken away (a sleeping computer, too many tabs) usually comes back in a moment.
// Where it does not, a canvas that never had WebGL takes the place of the one that had.
function guardContext(map) {
  map.canvas.addEventListener("webglcontextlost", (event) => {
    event.preventDefault();
    map.note.textContent = map.data.words.lost;
    map.note.hidden = false;
    map.giveUp = setTimeout(() => {
      const fresh = element("canvas");
      fresh.width = map.canvas.width;
      fresh.height = map.canvas.height;
      map.canvas.replaceWith(fresh);
      map.canvas = fresh;
      map.note.textContent = map.data.words.lost_for_good;
      repaint(map, canvasPainter(fresh));
    }, map.patience);
  });
  map.canvas.addEventListener("webglcontextrestored", () => {
    clearTimeout(map.giveUp);
    const painter = webglPainter(map.canvas);
    if (!painter) return;
    map.note.hidden = true;
    repaint(map, painter);
  });
}

function build(root, data, tell) {
  const words = data.words;
  const map = {
    root, data, tell, have: {}, hidden: new Set(), fingers: new Map(), cards: new Map(), chosen: new Uint8Array(0), count: 0, cost: 0, patience: RESTORE,
    cross: { x: 0, y: 0, on: false }, step: 1, names: [], drawnAt: 0, hovered: -1, missing: 0, size: { width: 0, height: 0, ratio: 1 },
    stage: element("div", "stage"), canvas: element("canvas"), labels: element("div", "names"), overlay: document.createElementNS(SVG, "svg"),
    line: document.createElementNS(SVG, "polygon"), marker: element("div", "marker"), card: element("div", "hover"), legend: element("div", "legend"),
    note: element("div", "note"), status: element("span", "status"), spoken: element("div", "spoken"), skeleton: element("div", "skeleton", words.loading),
  };
  const bar = element("div", "bar");
  const touch = matchMedia("(pointer: coarse)").matches;
  const [tools, pickTool] = choice(map, "tool", ["lasso", "box", "pan"].map((tool) => [tool, words[`${tool}_short`]]), touch ? "pan" : "lasso");
  const [ways, pickWay] = choice(map, "way", ["replace", "add", "subtract", "intersect"].map((way) => [way, words[`${way}_short`]]), "replace");
  const zooms = element("div", "choice zoom");
  const middle = () => [map.size.width / 2, map.size.height / 2];
  zooms.append(
    pressable("", "+", words.zoom_in, () => zoom(map, 1.5, ...middle())), pressable("", "−", words.zoom_out, () => zoom(map, 1 / 1.5, ...middle())),
    pressable("", words.fit_short, words.fit, () => fit(map)),
  );
  map.clear = pressable("small", words.clear, "", () => clearSelection(map));
  map.clear.hidden = true;
  bar.append(tools, ways, zooms);
  map.overlay.setAttribute("tabindex", "0");
  map.overlay.setAttribute("role", "application"); // screen readers pass the arrow keys on
  map.overlay.append(map.line);
  map.status.setAttribute("role", "status");
  map.spoken.setAttribute("aria-live", "polite");
  map.keys = element("div", "keys", words.keys);
  map.keys.id = "keys";
  map.overlay.setAttribute("aria-describedby", "keys");
  for (const node of [map.marker, map.card, map.note]) node.hidden = true;
  map.stage.append(map.canvas, map.labels, map.overlay, map.marker, map.card, map.skeleton, map.note, map.spoken);
  const foot = element("div", "foot");
  foot.append(map.status, map.clear, element("span", "hint", touch ? words.hint_touch : words.hint), map.keys);
  root.replaceChildren(bar, map.stage, map.legend, foot);
  pickTool();
  pickWay();
  map.painter = webglPainter(map.canvas);
  if (!map.painter) {
    map.painter = canvasPainter(map.canvas);
    map.note.textContent = words.no_webgl;
    map.note.hidden = false;
  }
  guardContext(map);
  map.where = (place) => toScreen(map.view, map.size, map.places[2 * place], map.places[2 * place + 1]);
  listen(map);
  return map;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector("#scatter");
  const map = (root.map ||= build(root, data, setTriggerValue));
  const drawn = JSON.stringify([data.categories, data.labels, data.title]);
  map.data = data;
  map.tell = setTriggerValue;
  map.overlay.setAttribute("aria-label", data.label);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", data.label);
  load(map);
  const ready = map.look && map.codesFrom === data.codes && map.codes === map.newCodes;
  if (ready && map.drawn !== drawn) drawWords(map);
  map.drawn = drawn;
  const watch = new ResizeObserver(() => map.codes && resize(map));
  watch.observe(map.stage);
  const theme = matchMedia("(prefers-color-scheme: dark)");
  const recolour = () => { if (map.look && map.painted !== colours(map)) restyle(map); };
  theme.addEventListener("change", recolour);
  recolour();
  return () => { watch.disconnect(); theme.removeEventListener("change", recolour); };
}
