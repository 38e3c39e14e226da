// Mouse, touch and keys: lasso, box, pan, zoom, hover, pick.

const STILL = 4; // pixels that a click may move
const REACH = 12; // pixels around the pointer in which a point is found

function wayOf(map, event) {
  const off = event.ctrlKey || event.metaKey || event.altKey;
  return event.shiftKey && off ? "intersect" : event.shiftKey ? "add" : off ? "subtract" : map.way;
}

const at = (map, event) => {
  const box = map.stage.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};

function under(map, px, py) {
  map.grid ||= gridOf(map.places);
  const [x, y] = toMap(map.view, map.size, px, py);
  return nearest(map.places, map.grid, x, y, REACH / map.view.scale, (n) => visible(map, n));
}

// A new selection, shown at once and told to the page.
function select(map, hit, way) {
  map.chosen = combined(map.chosen, hit, way);
  map.count = countOf(map.chosen);
  map.painter.chosen(map.chosen);
  map.sent = `${Date.now()}-${Math.random()}`;
  map.waitingFor = map.sent;
  say(map);
  redrawSelection(map);
  map.tell("select", { bits: bitsOf(map.chosen), n: map.sent });
}

function selectPolygon(map, corners, way) {
  map.polygon = corners.map(([px, py]) => toMap(map.view, map.size, px, py));
  const hit = inside(map.places, map.polygon);
  if (map.hidden.size) for (let n = 0; n < hit.length; n++) if (hit[n] && !visible(map, n)) hit[n] = 0;
  select(map, hit, way);
}

function clearSelection(map) {
  if (map.count) select(map, new Uint8Array(map.codes.length), "replace");
}

function outline(map, corners) {
  map.line.setAttribute("points", corners.map((corner) => corner.join(",")).join(" "));
}

function begin(map, event) {
  const spot = at(map, event);
  map.fingers.set(event.pointerId, spot);
  map.cross.on = false;
  map.marker.hidden = true;
  hideCard(map);
  if (map.fingers.size === 2) { map.drag = null; outline(map, []); return; }
  if (event.button > 1) return;
  const tool = event.button === 1 || map.space ? "pan" : map.tool;
  map.drag = { tool, way: wayOf(map, event), path: [spot], from: spot, moved: false };
}

function pinch(map, event) {
  const [one, two] = [...map.fingers.values()].map((spot) => [...spot]);
  map.fingers.set(event.pointerId, at(map, event));
  const [three, four] = [...map.fingers.values()];
  const apart = (a, b) => Math.max(10, Math.hypot(a[0] - b[0], a[1] - b[1])), half = (a, b, n) => (a[n] + b[n]) / 2;
  pan(map, half(three, four, 0) - half(one, two, 0), half(three, four, 1) - half(one, two, 1));
  zoom(map, apart(three, four) / apart(one, two), half(three, four, 0), half(three, four, 1));
}

function move(map, event) {
  if (map.fingers.size === 2 && map.fingers.has(event.pointerId)) return pinch(map, event);
  const spot = at(map, event), drag = map.drag;
  if (!drag) {
    if (event.pointerType !== "mouse" || map.hovering) return;
    map.hovering = requestAnimationFrame(() => {
      map.hovering = 0;
      const place = under(map, ...spot);
      map.overlay.classList.toggle("point", place >= 0);
      showCard(map, place, ...spot);
    });
    return;
  }
  const last = drag.path[drag.path.length - 1];
  drag.moved ||= Math.hypot(spot[0] - drag.from[0], spot[1] - drag.from[1]) >= STILL;
  if (drag.tool === "pan") { pan(map, spot[0] - last[0], spot[1] - last[1]); drag.path = [spot]; return; }
  if (Math.hypot(spot[0] - last[0], spot[1] - last[1]) >= 2) drag.path.push(spot);
  if (drag.moved) outline(map, drag.tool === "box" ? boxAround(drag.from, spot) : drag.path);
}

function finish(map, event) {
  map.fingers.delete(event.pointerId);
  const drag = map.drag;
  map.drag = null;
  outline(map, []);
  if (!drag || event.type === "pointercancel") return;
  const spot = at(map, event);
  if (!drag.moved) {
    const place = under(map, ...spot);
    if (place >= 0) map.tell("pick", { place, n: Date.now() });
  } else if (drag.tool !== "pan") {
    selectPolygon(map, drag.tool === "box" ? boxAround(drag.from, spot) : drag.path, drag.way);
  }
}

function wheel(map, event) {
  // A plain wheel over a map that nobody works in scrolls the page.
  if (!event.ctrlKey && !event.metaKey && map.root.getRootNode().activeElement !== map.overlay) return;
  event.preventDefault();
  zoom(map, Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), ...at(map, event));
}

function walk(map, dx, dy, event) {
  if (event.shiftKey) return pan(map, -4 * dx, -4 * dy);
  const cross = map.cross;
  cross.on = true;
  cross.x = Math.min(map.size.width, Math.max(0, cross.x + dx));
  cross.y = Math.min(map.size.height, Math.max(0, cross.y + dy));
  map.marker.hidden = false;
  map.marker.style.transform = `translate(${cross.x}px, ${cross.y}px)`;
  if (map.corner) outline(map, boxAround(map.corner, [cross.x, cross.y]));
  showCard(map, under(map, cross.x, cross.y), cross.x, cross.y);
}

function cornerOfBox(map) {
  const spot = [map.cross.x, map.cross.y];
  if (!map.corner) { map.corner = spot; map.spoken.textContent = map.data.words.box_begun; return; }
  const corners = boxAround(map.corner, spot);
  map.corner = null;
  outline(map, []);
  selectPolygon(map, corners, map.way);
}

function escape(map) {
  hideCard(map);
  if (map.drag || map.corner) { map.drag = map.corner = null; outline(map, []); } else clearSelection(map);
}

function press(map, event) {
  const { cross } = map, control = event.ctrlKey || event.metaKey;
  const done = {
    ArrowLeft: () => walk(map, -16, 0, event), ArrowRight: () => walk(map, 16, 0, event),
    ArrowUp: () => walk(map, 0, -16, event), ArrowDown: () => walk(map, 0, 16, event),
    "+": () => zoom(map, 1.4, cross.x, cross.y), "=": () => zoom(map, 1.4, cross.x, cross.y),
    "-": () => zoom(map, 1 / 1.4, cross.x, cross.y), 0: () => fit(map), b: () => cornerOfBox(map),
    Escape: () => escape(map), " ": () => { map.space = true; },
    Enter: () => { const place = under(map, cross.x, cross.y); if (place >= 0) map.tell("pick", { place, n: Date.now() }); },
  }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (control && event.key.toLowerCase() === "a") {
    select(map, Uint8Array.from(map.codes, (_, n) => (visible(map, n) ? 1 : 0)), map.way);
  } else if (!done || control || event.altKey) {
    return;
  } else {
    done();
  }
  event.preventDefault();
  event.stopPropagation();
}

function listen(map) {
  const { overlay } = map;
  overlay.onpointerdown = (event) => { overlay.setPointerCapture(event.pointerId); if (event.button === 1) event.preventDefault(); begin(map, event); };
  overlay.onpointermove = (event) => move(map, event);
  overlay.onpointerup = overlay.onpointercancel = (event) => finish(map, event);
  overlay.onpointerleave = () => { if (!map.drag) hideCard(map); };
  overlay.onkeydown = (event) => press(map, event);
  overlay.onkeyup = (event) => { if (event.key === " ") map.space = false; };
  overlay.onblur = () => { map.space = false; map.corner = null; map.cross.on = false; map.marker.hidden = true; hideCard(map); };
  // One finger may scroll the page up and down; two belong to the map, or the browser takes them as scrolling.
  for (const kind of ["touchstart", "touchmove"]) {
    overlay.addEventListener(kind, (event) => { if (event.touches.length > 1) event.preventDefault(); }, { passive: false });
  }
  overlay.addEventListener("wheel", (event) => wheel(map, event), { passive: false });
}
