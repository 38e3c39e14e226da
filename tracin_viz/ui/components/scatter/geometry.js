// Places, polygons and selections: numbers only, nothing of the page.

// The smallest box around all finite places; [left, bottom, right, top].
function boundsOf(places) {
  let [left, bottom, right, top] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < places.length; i += 2) {
    const x = places[i], y = places[i + 1];
    if (!(Number.isFinite(x) && Number.isFinite(y))) continue;
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < bottom) bottom = y;
    if (y > top) top = y;
  }
  return left <= right ? [left, bottom, right, top] : [-1, -1, 1, 1];
}

// A view is the place in its middle and how many pixels one unit takes; it shows all of `bounds` at first.
function fitted([left, bottom, right, top], width, height) {
  const across = Math.max(right - left, 1e-6), up = Math.max(top - bottom, 1e-6);
  const scale = Math.min(Math.max(1, width - 40) / across, Math.max(1, height - 40) / up);
  return { x: (left + right) / 2, y: (bottom + top) / 2, scale };
}

const toMap = (view, size, px, py) => [view.x + (px - size.width / 2) / view.scale, view.y - (py - size.height / 2) / view.scale];
const toScreen = (view, size, x, y) => [size.width / 2 + (x - view.x) * view.scale, size.height / 2 - (y - view.y) * view.scale];

const boxAround = ([x1, y1], [x2, y2]) => [[x1, y1], [x2, y1], [x2, y2], [x1, y2]];

// One byte per point, 1 = inside by the even-odd rule. The edges are sorted into rows first, so that a
// lasso of a thousand corners costs hardly more than a box.
function inside(places, polygon) {
  const hit = new Uint8Array(places.length / 2);
  const [left, bottom, right, top] = boundsOf(new Float64Array(polygon.flat()));
  const rows = Math.min(1024, Math.max(1, polygon.length)), high = (top - bottom) / rows || 1;
  const edges = Array.from({ length: rows + 1 }, () => []);
  const rowOf = (y) => Math.min(rows, Math.max(0, Math.floor((y - bottom) / high)));
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const low = Math.min(polygon[i][1], polygon[j][1]), up = Math.max(polygon[i][1], polygon[j][1]);
    if (low === up) continue;
    // One row more on each side: a place and an edge may be rounded into neighbouring rows.
    for (let row = Math.max(0, rowOf(low) - 1); row <= Math.min(rows, rowOf(up) + 1); row++) edges[row].push(polygon[i], polygon[j]);
  }
  for (let n = 0; n < hit.length; n++) {
    const x = places[2 * n], y = places[2 * n + 1];
    if (!(x >= left && x <= right && y >= bottom && y <= top)) continue;
    const near = edges[rowOf(y)];
    let odd = 0;
    for (let e = 0; e < near.length; e += 2) {
      const a = near[e], b = near[e + 1];
      if (a[1] > y !== b[1] > y && x < ((b[0] - a[0]) * (y - a[1])) / (b[1] - a[1]) + a[0]) odd ^= 1;
    }
    hit[n] = odd;
  }
  return hit;
}

// Both are one byte per point; `way` is what a new selection does to the one before.
function combined(before, hit, way) {
  const after = new Uint8Array(hit.length);
  for (let i = 0; i < hit.length; i++) {
    after[i] = way === "add" ? before[i] | hit[i] : way === "subtract" ? before[i] & (hit[i] ^ 1) : way === "intersect" ? before[i] & hit[i] : hit[i];
  }
  return after;
}

function countOf(mask) {
  let count = 0;
  for (let i = 0; i < mask.length; i++) count += mask[i];
  return count;
}

function bitsOf(mask) {
  const bits = new Uint8Array((mask.length + 7) >> 3);
  for (let i = 0; i < mask.length; i++) if (mask[i]) bits[i >> 3] |= 1 << (i & 7);
  let text = "";
  for (let i = 0; i < bits.length; i += 8192) text += String.fromCharCode.apply(null, bits.subarray(i, i + 8192));
  return btoa(text);
}

function maskOf(bits, count) {
  const mask = new Uint8Array(count);
  for (let i = 0; i < count; i++) mask[i] = (bits[i >> 3] >> (i & 7)) & 1;
  return mask;
}

// Points by cell of a grid, for "which point is here?": `next` lists them cell after cell.
function gridOf(places) {
  const [left, bottom, right, top] = boundsOf(places), count = places.length / 2;
  const side = Math.max(1, Math.min(1024, Math.floor(Math.sqrt(count / 4))));
  const wide = (right - left) / side || 1, high = (top - bottom) / side || 1;
  const column = (x) => Math.min(side - 1, Math.max(0, Math.floor((x - left) / wide)));
  const row = (y) => Math.min(side - 1, Math.max(0, Math.floor((y - bottom) / high)));
  const first = new Uint32Array(side * side + 1), cell = new Int32Array(count).fill(-1);
  for (let n = 0; n < count; n++) {
    if (!(Number.isFinite(places[2 * n]) && Number.isFinite(places[2 * n + 1]))) continue;
    cell[n] = row(places[2 * n + 1]) * side + column(places[2 * n]);
    first[cell[n] + 1]++;
  }
  for (let c = 0; c < side * side; c++) first[c + 1] += first[c];
  const next = new Uint32Array(count), filled = first.slice();
  for (let n = 0; n < count; n++) if (cell[n] >= 0) next[filled[cell[n]]++] = n;
  return { side, column, row, first, next };
}

// The nearest point within `reach` that `shown` lets through; -1 = none.
function nearest(places, grid, x, y, reach, shown) {
  let best = -1, least = reach * reach;
  for (let row = grid.row(y - reach); row <= grid.row(y + reach); row++) {
    for (let column = grid.column(x - reach); column <= grid.column(x + reach); column++) {
      const cell = row * grid.side + column;
      for (let k = grid.first[cell]; k < grid.first[cell + 1]; k++) {
        const n = grid.next[k], dx = places[2 * n] - x, dy = places[2 * n + 1] - y;
        if (dx * dx + dy * dy <= least && shown(n)) { least = dx * dx + dy * dy; best = n; }
      }
    }
  }
  return best;
}
