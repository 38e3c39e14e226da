// Draws nothing. Listens for "?", names the language of the page, and keeps the mark of the tour.

const MARK = "tracin-viz-tour";
const TYPING = "input, textarea, select, [contenteditable=true], [contenteditable='']";

// Where storage is refused, nobody would want the same tour at every visit.
function seen() {
  try { return localStorage.getItem(MARK) !== null; } catch { return true; }
}

function remember() {
  try { localStorage.setItem(MARK, "1"); } catch { /* nothing is kept here */ }
}

function typing(event) {
  const target = event.composedPath()[0];
  return target instanceof Element && target.closest(TYPING) !== null;
}

// The button may be drawn a moment after this component.
function focus(key, tries) {
  const button = document.querySelector(`.st-key-${CSS.escape(key)} button`);
  if (button) button.focus();
  else if (tries > 0) setTimeout(() => focus(key, tries - 1), 50);
}

export default function ({ data, parentElement, setTriggerValue }) {
  document.documentElement.lang = data.language;

  if (data.offer && !parentElement.offered && !seen()) {
    parentElement.offered = true;
    remember();
    setTriggerValue("first", true);
  }
  // A new step of the tour takes the focus, so that Enter goes on.
  if (!data.focus) parentElement.focused = null;
  else if (parentElement.focused !== data.focus.at) {
    parentElement.focused = data.focus.at;
    setTimeout(() => focus(data.focus.key, 60), 0);
  }

  const onKey = (event) => {
    if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey || typing(event)) return;
    if (event.key === "?" && !document.querySelector("[role=dialog]")) {
      event.preventDefault();
      setTriggerValue("help", true);
    } else if (event.key === "Escape" && data.touring && !document.querySelector("[role=dialog]")) {
      setTriggerValue("leave", true);
    }
  };
  if (parentElement.listener) window.removeEventListener("keydown", parentElement.listener);
  parentElement.listener = onKey;
  window.addEventListener("keydown", onKey);
  return () => {
    window.removeEventListener("keydown", onKey);
    if (parentElement.listener === onKey) parentElement.listener = null;
  };
}
