// Decisions on their way to the server. Each has an entry of its own in localStorage until the server has said
// that it is durable, so a reload, a closed tab or a server that is down loses none. The server stores each
// identifier once: sending late, twice or from another tab does no harm.

const STORE = "tracin-viz/outbox/";
const AT_ONCE = 200;
// Entries of another tab are sent by this one too when that tab has had its time.
const ORPHANED = 4000;
const SLOWEST = 5000;

function identifier() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

class Outbox {
  constructor(onchange) {
    this.onchange = onchange;
    this.tab = identifier().slice(0, 8);
    this.seq = 0;
    this.last = 0;
    this.unkept = new Map(); // where the browser keeps nothing (private window, storage full)
    this.failures = 0;
    this.said = ""; // why the server takes nothing from this visitor
    this.busy = false;
    this.timer = 0;
    this.dropped = [];
    this.online = () => this.flush();
    window.addEventListener("online", this.online);
  }

  connect(data, renew) {
    this.data = data;
    this.renew = renew;
  }

  close() {
    window.removeEventListener("online", this.online);
    clearTimeout(this.timer);
  }

  // Numbered: the key sorts by time, then by number, so the order is the order of the keys pressed.
  add(decisions) {
    for (const decision of decisions) {
      this.last = Math.max(this.last + 1, Date.now());
      const name = STORE + String(this.last).padStart(14, "0") + "/" + String(this.seq).padStart(6, "0") + "/" + decision.uuid;
      const entry = { tab: this.tab, seq: this.seq, audit: this.data.audit, kept: this.last, decision };
      this.seq += 1;
      try {
        localStorage.setItem(name, JSON.stringify(entry));
      } catch {
        this.unkept.set(name, entry);
      }
    }
    this.onchange();
    this.flush();
  }

  entries() {
    const found = [...this.unkept];
    try {
      for (const name of Object.keys(localStorage)) {
        if (!name.startsWith(STORE)) continue;
        try {
          found.push([name, JSON.parse(localStorage.getItem(name))]);
        } catch {
          localStorage.removeItem(name); // no entry of ours
        }
      }
    } catch {
      // storage is switched off: what is unkept is all there is
    }
    return found.filter(([, entry]) => entry && entry.decision).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  // Where people sign in, decisions of somebody else wait until they are signed in again.
  mine(entry) {
    return !this.data.signed_in || entry.decision.annotator === this.data.annotator;
  }

  waiting() {
    return this.entries().filter(([, entry]) => this.mine(entry)).length;
  }

  async flush() {
    if (this.busy || !this.data) return;
    clearTimeout(this.timer);
    const old = Date.now() - ORPHANED;
    const due = this.entries().filter(([, entry]) => this.mine(entry) && (entry.tab === this.tab || entry.kept < old));
    if (!due.length) {
      if (this.waiting()) this.later(ORPHANED);
      return;
    }
    const { audit } = due[0][1];
    const part = due.filter(([, entry]) => entry.audit === audit).slice(0, AT_ONCE);
    this.busy = true;
    const sent = await this.send(audit, part.map(([, entry]) => entry.decision));
    this.busy = false;
    if (sent) {
      const gone = new Set([...sent.stored, ...sent.refused.map((one) => one.uuid)]);
      for (const [name, entry] of part) if (gone.has(entry.decision.uuid)) this.remove(name);
      this.failures = 0;
      this.said = "";
      if (sent.refused.length) this.dropped.push(...sent.refused);
      this.onchange(sent);
      this.flush();
    } else {
      this.failures += 1;
      this.onchange();
      this.later(Math.min(SLOWEST, 250 * 2 ** Math.min(this.failures, 5)));
    }
  }

  later(milliseconds) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), milliseconds);
  }

  remove(name) {
    this.unkept.delete(name);
    try {
      localStorage.removeItem(name);
    } catch {
      // nothing was kept there
    }
  }

  // The server's answer, or null when it gave none that counts.
  async send(audit, entries) {
    const body = JSON.stringify({ entries });
    const stop = new AbortController();
    const patience = setTimeout(() => stop.abort(), 15000);
    try {
      const answer = await fetch(this.data.urls.decisions + encodeURIComponent(audit), {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Tracin-Viz-Pass": this.data.pass, "X-Tracin-Viz-Language": this.data.language },
        body,
        keepalive: body.length < 50000,
        signal: stop.signal,
      });
      if (answer.status === 403) {
        // A pass that ran out is renewed; somebody who is signed in no more must be told.
        this.renew();
        const { message, remedy } = await answer.json();
        this.said = this.failures ? `${message} ${remedy}` : "";
      }
      if (answer.status !== 200) return null;
      const said = await answer.json();
      return Array.isArray(said.stored) && Array.isArray(said.refused) ? said : null;
    } catch {
      return null;
    } finally {
      clearTimeout(patience);
    }
  }
}
