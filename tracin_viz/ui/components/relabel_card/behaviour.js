// What the card does: keys, decisions, and what is fetched ahead.

function behaviour(root) {
  const { data, queue, outbox } = root;

  root.draw = () => {
    bar(root);
    const said = body(root);
    status(root);
    if (root.parts.live.textContent !== said) root.parts.live.textContent = said;
    root.push();
  };

  root.go = (id) => {
    root.at = id;
    root.note.value = "";
    root.draw();
    root.fetchCards();
    root.offer();
  };

  root.decide = (action, label = null) => {
    const card = root.mode === "card" && root.at !== null ? root.cards.get(root.at) : null;
    if (!card) return; // nothing is decided that was not shown
    if (performance.now() - root.swapped < SWAPPED) return; // the key was meant for the card before
    queue.decide([{ id: card.id, action, label }], root.note.value.trim());
    root.go(queue.next(card.id));
    root.quiet();
  };

  root.bulk = (choices) => {
    if (!choices.length) return;
    queue.decide(choices, "");
    root.marked.clear();
    root.go(queue.next(null));
    root.quiet();
  };

  // One class decides; of several classes it is put in or taken out.
  root.choose = (place) => {
    const name = data.classes[place], card = root.cards.get(root.at);
    if (name === undefined || !card || root.mode !== "card" || data.target === "number") return;
    if (data.target === "class") {
      if (name === card.given) root.decide("keep");
      else root.decide("relabel", name);
      return;
    }
    if (root.chosen.has(name)) root.chosen.delete(name);
    else root.chosen.add(name);
    const note = root.note.value;
    root.draw();
    root.note.value = note;
  };

  root.confirm = () => {
    const card = root.cards.get(root.at);
    if (data.target !== "multi-label" || !card) return;
    const chosen = data.classes.filter((name) => root.chosen.has(name));
    const same = card.given !== "" && chosen.length === card.given_set.length && chosen.every((name) => card.given_set.includes(name));
    if (same) root.decide("keep");
    else root.decide("relabel", JSON.stringify(chosen));
  };

  root.browse = (step) => {
    const from = root.at === null ? queue.ids.length : queue.places.get(root.at);
    for (let place = from + step; place >= 0 && place < queue.ids.length; place += step) {
      const id = queue.ids[place];
      if (!queue.offered || queue.offered.has(id) || queue.answers.has(id)) return root.go(id);
    }
  };

  root.act = (name) => {
    const card = root.at === null ? null : root.cards.get(root.at);
    if (name === "undo" || name === "redo") {
      const id = name === "undo" ? queue.undo() : queue.redo();
      if (id === null) return;
      root.go(name === "undo" ? id : queue.next(id));
      root.quiet();
    } else if (name === "take") {
      if (card && card.take !== null) root.decide("relabel", card.take);
    } else if (["keep", "exclude", "review", "skip"].includes(name)) root.decide(name);
    else if (name === "back") root.browse(-1);
    else if (name === "forward") root.browse(1);
    else if (name === "confirm") root.confirm();
    else if (name === "help") drawHelp(root);
    else if (name === "note") root.note.focus();
    else if (name === "search") root.querySelector(".search input, form.number input")?.focus();
    else if (name === "grid") {
      root.mode = root.mode === "grid" ? "card" : "grid";
      root.draw();
      root.fetchCards();
    }
  };

  root.press = (event) => {
    const target = event.composedPath()[0];
    if (target.closest("input, textarea, select, dialog")) return;
    if (target.closest("button") && [" ", "Enter"].includes(event.key)) return;
    const meaning = root.keys.meaning(event);
    if (meaning === null) return;
    const grid = root.mode === "grid" && !["undo", "redo", "grid", "help"].includes(meaning);
    event.preventDefault();
    event.stopPropagation();
    if (grid && !root.keysOff && typeof meaning === "string") root.querySelector('.body button[data-action="' + meaning + '"]')?.click();
    if (grid || (event.repeat && !["back", "forward"].includes(meaning))) return;
    if (typeof meaning === "object") root.choose(meaning.digit);
    else root.act(meaning);
  };

  root.delivered = (sent) => {
    if (sent) {
      for (const { uuid } of sent.refused) queue.refuse(uuid);
      root.fetchCards(); // the server is there: what failed before does not wait for its turn
      if (sent.refused.length) return root.draw();
    }
    status(root);
    if (sent && !outbox.waiting()) root.quiet();
  };

  // When nothing was decided for a while and all is stored, the page may draw its table anew.
  root.quiet = () => {
    clearTimeout(root.quietly);
    root.quietly = setTimeout(() => {
      if (!outbox.waiting() && root.isConnected) root.tell("rest", { answered: queue.answered(), finished: root.at === null });
    }, QUIET);
  };

  root.fetchCards = async () => {
    const open = queue.unanswered();
    const from = root.at === null ? 0 : Math.max(0, queue.places.get(root.at) - 2);
    const near = root.mode === "grid" ? open.slice(0, SHOWN) : [...queue.ids.slice(from, from + WINDOW), ...open.filter((id) => queue.places.get(id) >= from).slice(0, WINDOW)];
    for (const id of near.slice(0, PICTURES + 2)) if (root.cards.get(id)?.src) new Image().src = root.cards.get(id).src;
    const missing = [...new Set(near)].filter((id) => !root.cards.has(id)).slice(0, TOGETHER);
    const urgent = root.mode === "grid" || missing.includes(root.at) || near.slice(0, AHEAD).some((id) => missing.includes(id));
    if (!missing.length || !urgent || root.fetching) return;
    root.fetching = true;
    try {
      const answer = await fetch(data.urls.cards + "?lang=" + data.language + "&session=" + encodeURIComponent(data.session) + "&ids=" + encodeURIComponent(missing.join(",")));
      const found = answer.ok ? await answer.json() : { cards: [] };
      for (const card of found.cards) root.cards.set(card.id, card);
      root.fetching = false;
      if (found.cards.length && (root.mode === "grid" || missing.includes(root.at))) root.draw();
      if (found.cards.length) root.fetchCards();
    } catch {
      root.fetching = false;
      setTimeout(() => root.isConnected && root.fetchCards(), 1500);
    }
  };

  root.push = () => {
    clearTimeout(root.pushing);
    const id = root.at;
    if (root.mode !== "card" || id === null || !root.cards.has(id)) return;
    const show = () => root.at === id && root.mode === "card" && root.parts.pushes.replaceChildren(...drawPushed(root, root.pushed.get(id)));
    if (root.pushed.has(id)) return void show();
    root.pushing = setTimeout(async () => {
      for (const wanted of [id, queue.next(id)]) {
        if (wanted === null || root.pushed.has(wanted)) continue;
        const answer = await fetch(data.urls.pushed + wanted.split(":")[1] + "?visit=" + data.visit).catch(() => null);
        if (!answer?.ok || !root.isConnected) return;
        root.pushed.set(wanted, await answer.json());
        if (wanted === id) show();
        if (root.at !== id) return;
      }
    }, REST);
  };

  // Of a shared queue the next few are asked for; they are offered to nobody else for a while, and longer
  // while somebody works with them.
  root.offer = async () => {
    if (!queue.offered || root.asking) return;
    const held = Date.now() - root.claimed < RENEWED; // by the last try: a server that is away is not pressed
    if ((held && queue.unanswered().length > OFFERED / 2) || queue.answered() >= queue.ids.length) return;
    root.asking = true;
    root.claimed = Date.now();
    const headers = { "Content-Type": "application/json", "X-Tracin-Viz-Pass": data.pass, "X-Tracin-Viz-Language": data.language };
    const ask = { session: data.session, annotator: data.annotator, count: OFFERED };
    const answer = await fetch(data.urls.claim, { method: "POST", headers, body: JSON.stringify(ask) }).catch(() => null);
    root.asking = false;
    if (!root.isConnected) return;
    if (answer?.ok) {
      const found = await answer.json();
      root.offers = true;
      queue.offer(found.offered, found.answered);
      const gone = root.at !== null && !queue.open(root.at) && !queue.answers.has(root.at);
      if (gone) root.swapped = performance.now();
      if (root.at === null || gone) root.go(queue.next(root.at));
      else bar(root), status(root), root.fetchCards();
    }
    // Somebody's examples may become free, or the server is away.
    if (!queue.unanswered().length && queue.answered() < queue.ids.length) setTimeout(() => root.isConnected && root.offer(), 3000);
  };
}
