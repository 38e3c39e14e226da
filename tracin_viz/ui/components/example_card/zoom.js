// A picture over the whole window: larger and smaller by buttons, keys, wheel or a double click; moved by dragging.

const SIZES = [1, 1.5, 2, 3, 4, 6, 8];

function openZoom(root, card, words) {
  const dialog = element("dialog", "zoom");
  dialog.setAttribute("aria-label", card.alt);
  const field = element("div", "field");
  field.tabIndex = 0;
  field.setAttribute("role", "group");
  field.setAttribute("aria-label", words.keys);
  const image = pictureOf({ src: card.zoom || card.src, alt: card.alt }, words.missing);
  const number = element("span", "size");
  number.setAttribute("aria-live", "polite");
  let at = 0;

  // The point of the picture under (x, y) stays where it is; by default the middle.
  const fit = (to, x = field.clientWidth / 2, y = field.clientHeight / 2) => {
    at = Math.max(0, Math.min(SIZES.length - 1, to));
    if (!image.naturalWidth) return;
    const before = image.getBoundingClientRect(), place = field.getBoundingClientRect();
    const share = [(place.left + x - before.left) / (before.width || 1), (place.top + y - before.top) / (before.height || 1)];
    const whole = Math.min(field.clientWidth / image.naturalWidth, field.clientHeight / image.naturalHeight);
    const width = image.naturalWidth * whole * SIZES[at];
    image.style.width = width + "px";
    // Beyond its own pixels a smoothed picture would show detail that is not there.
    image.classList.toggle("pixels", width > 1.5 * image.naturalWidth);
    const after = image.getBoundingClientRect();
    field.scrollLeft += after.left + share[0] * after.width - place.left - x;
    field.scrollTop += after.top + share[1] * after.height - place.top - y;
    number.textContent = Math.round(100 * SIZES[at]) + " %";
    smaller.disabled = at === 0;
    larger.disabled = at === SIZES.length - 1;
  };
  const button = (sign, name, act) => {
    const node = element("button", "", sign);
    node.type = "button";
    node.setAttribute("aria-label", name);
    node.title = name;
    node.onclick = act;
    return node;
  };
  const close = () => dialog.close();
  const smaller = button("−", words.smaller, () => fit(at - 1));
  const larger = button("+", words.larger, () => fit(at + 1));
  const bar = element("div", "bar");
  bar.append(smaller, number, larger, button("✕", words.close, close));
  field.append(image);
  dialog.append(bar, field);

  dialog.onkeydown = (event) => {
    if (event.key === "+" || event.key === "=") fit(at + 1);
    else if (event.key === "-") fit(at - 1);
    else if (event.key === "0") fit(0);
    else if (event.key === "Escape") close();
    else return void event.stopPropagation(); // keys of the page behind do nothing here
    event.preventDefault();
    event.stopPropagation();
  };
  field.onwheel = (event) => {
    event.preventDefault();
    const place = field.getBoundingClientRect();
    fit(at + (event.deltaY < 0 ? 1 : -1), event.clientX - place.left, event.clientY - place.top);
  };
  field.ondblclick = (event) => {
    const place = field.getBoundingClientRect();
    fit(at ? 0 : SIZES.indexOf(3), event.clientX - place.left, event.clientY - place.top);
  };
  let held = null;
  field.onpointerdown = (event) => { if (event.pointerType === "mouse") { held = event; field.setPointerCapture(event.pointerId); } };
  field.onpointermove = (event) => { if (held) field.scrollBy(-event.movementX, -event.movementY); };
  field.onpointerup = field.onpointercancel = () => { held = null; };
  dialog.onclick = (event) => { if (event.target === dialog) close(); };
  dialog.onclose = () => dialog.remove();
  image.addEventListener("load", () => fit(0));
  root.append(dialog);
  dialog.showModal();
  field.focus();
}
