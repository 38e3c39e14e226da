// A presentation over the whole window. All text enters through textContent, all pictures through img.src.

const SIGNS = { suspect: "⚑", decided: "✓" };
const FORWARD = ["ArrowRight", "ArrowDown", "PageDown", " ", "Enter"];
const BACK = ["ArrowLeft", "ArrowUp", "PageUp", "Backspace"];
// A swipe shorter than this many pixels is a touch.
const SWIPE = 40;

function drawn(slide, words, place, total) {
  const body = element("div", slide.picture || slide.text ? "slide" : "slide alone");
  if (slide.picture) {
    const image = pictureOf({ src: slide.picture, alt: slide.alt }, words.missing);
    image.classList.add("picture");
    body.append(image);
  } else if (slide.text) {
    const text = element("p", "example", slide.text);
    text.dir = "auto";
    body.append(text);
  }
  const told = element("div", "told");
  const title = element("h1", "");
  if (SIGNS[slide.sign]) {
    const sign = element("span", "sign " + slide.sign, SIGNS[slide.sign] + " ");
    sign.setAttribute("aria-hidden", "true");
    title.append(sign);
  }
  title.append(slide.title);
  title.dir = "auto";
  told.append(title);
  for (const line of slide.lines) told.append(element("p", "", line));
  if (slide.small) told.append(element("p", "small", slide.small));
  body.append(told);
  const foot = element("div", "foot");
  const dots = element("div", "dots");
  dots.setAttribute("role", "img");
  dots.setAttribute("aria-label", words.step.replace("{n}", place + 1).replace("{total}", total));
  for (let one = 0; one < total; one++) dots.append(element("span", one === place ? "dot here" : "dot"));
  foot.append(dots, element("span", "keys", words.keys));
  return [body, foot];
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector("#stage");
  const total = data.slides.length;
  root.setAttribute("role", "dialog");
  root.setAttribute("aria-modal", "true");
  root.setAttribute("aria-label", data.words.label);
  root.tabIndex = -1;
  // A rerun must not turn the pages back: the browser is always at or ahead of the server.
  if (root.place === undefined) root.place = data.place;

  const show = () => {
    root.place = Math.max(0, Math.min(total - 1, root.place));
    root.replaceChildren(...drawn(data.slides[root.place], data.words, root.place, total));
    const next = data.slides[root.place + 1];
    if (next && next.picture) new Image().src = next.picture;
  };
  const step = (by) => {
    const before = root.place;
    root.place = Math.max(0, Math.min(total - 1, root.place + by));
    if (root.place === before) return;
    show();
    setTriggerValue("move", { place: root.place });
  };
  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") setTriggerValue("leave", true);
    else if (FORWARD.includes(event.key)) step(1);
    else if (BACK.includes(event.key)) step(-1);
    else if (event.key === "Home") step(-total);
    else if (event.key === "End") step(total);
    else if (event.key !== "Tab") return; // there is nothing to go to: this covers the page
    event.preventDefault();
    event.stopPropagation();
  };
  let from = null;
  root.onpointerdown = (event) => { from = event.clientX; };
  root.onpointerup = (event) => {
    if (from !== null && Math.abs(event.clientX - from) > SWIPE) step(event.clientX < from ? 1 : -1);
    from = null;
  };

  show();
  if (!root.contains(document.activeElement)) root.focus();
  // Capturing, so that shortcuts of the page behind do not see the keys.
  window.addEventListener("keydown", onKey, true);
  return () => window.removeEventListener("keydown", onKey, true);
}
