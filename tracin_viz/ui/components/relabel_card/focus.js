// The keys go on working when the server does not: Streamlit then opens a dialog that takes the focus and, when
// it closes, leaves it nowhere. The card says the same in its banner, and nothing has to wait for an answer.

const LOST = "Connection error";

function keepFocus(root) {
  let held = true; // until somebody goes elsewhere on purpose
  const elsewhere = (event) => {
    if (event.type === "keydown" ? event.key === "Tab" : !event.composedPath().includes(root)) held = false;
  };
  root.addEventListener("focusin", () => (held = true));
  window.addEventListener("pointerdown", elsewhere, true);
  window.addEventListener("keydown", elsewhere, true);
  const timer = setInterval(() => {
    if (!root.isConnected) {
      clearInterval(timer);
      window.removeEventListener("pointerdown", elsewhere, true);
      window.removeEventListener("keydown", elsewhere, true);
      return;
    }
    if (!held) return;
    const dialog = [...document.querySelectorAll("[role=dialog]")].find((one) => one.textContent.includes(LOST));
    if (dialog) dialog.querySelector("button")?.click();
    else if (document.activeElement === document.body) root.focus({ preventScroll: true });
  }, 200);
}
