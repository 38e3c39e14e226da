// Keys of the card: they work while it has the focus, can be given to other letters and be switched off.

const KEYS = "tracin-viz/keys";
const USUAL = { keep: "q", take: "w", exclude: "e", review: "n", grid: "g", note: "t", search: "/" };
// For hands that learned them elsewhere; they yield to a letter that somebody chose.
const ALSO = { a: "take", x: "keep", f: "review" };
const FIXED = { " ": "skip", "?": "help" };
const PLAIN = { Backspace: "undo", ArrowLeft: "back", ArrowRight: "forward", Enter: "confirm" };

class Keys {
  constructor() {
    this.on = true;
    this.map = { ...USUAL };
    try {
      const kept = JSON.parse(localStorage.getItem(KEYS) || "{}");
      this.on = kept.on !== false;
      for (const name of Object.keys(USUAL)) if (typeof kept.map?.[name] === "string" && kept.map[name].length === 1) this.map[name] = kept.map[name];
    } catch {
      // nothing was kept, or nothing that can be read
    }
  }

  keep() {
    try {
      localStorage.setItem(KEYS, JSON.stringify({ on: this.on, map: this.map }));
    } catch {
      // holds for this tab only
    }
  }

  // Gives an action another key; false when that key has a meaning already.
  give(name, key) {
    const wanted = key.toLowerCase();
    const taken = Object.keys(this.map).some((other) => other !== name && this.map[other] === wanted);
    if (wanted.length !== 1 || taken || /[0-9\s?]/.test(wanted)) return false;
    this.map[name] = wanted;
    this.keep();
    return true;
  }

  // What a key means: the name of an action, {digit: n}, or null.
  meaning(event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.altKey) return null;
    if (event.ctrlKey || event.metaKey) return key === "z" ? (event.shiftKey ? "redo" : "undo") : null;
    if (PLAIN[key]) return PLAIN[key];
    if (!this.on) return null;
    if (FIXED[key]) return FIXED[key];
    if (/^[0-9]$/.test(key)) return { digit: key === "0" ? 9 : Number(key) - 1 };
    const own = Object.keys(this.map).find((name) => this.map[name] === key);
    return own || ALSO[key] || null;
  }

  label(name) {
    const fixed = { skip: "Space", undo: "Backspace", redo: "Ctrl+Shift+Z", help: "?", back: "←", forward: "→", confirm: "Enter" };
    if (fixed[name]) return this.on || !["skip", "help"].includes(name) ? fixed[name] : "";
    return this.on ? (this.map[name] || "").toUpperCase() : "";
  }
}
