// The frozen queue in the browser: what is answered, what comes next, what undo and redo take back.

class Queue {
  constructor(data, outbox) {
    this.data = data;
    this.outbox = outbox;
    this.ids = data.ids;
    this.places = new Map(data.ids.map((id, place) => [id, place]));
    this.answers = new Map(); // id -> answers of this annotator that hold, the newest last
    this.others = new Set(); // answered by somebody else of a shared queue
    this.offered = data.mode === "shared" ? new Set() : null;
    this.taken = new Set(); // taken back here: the server may hear of it after its next offer
    this.done = []; // steps of one or more answers
    this.undone = [];
    for (const [uuid, id, action, label, batch] of data.done) this.restore({ uuid, id, action, label, batch });
    for (const [undo, uuid, id, action, label, batch] of data.undone) {
      const top = this.undone[this.undone.length - 1];
      const answer = { uuid, id, action, label, batch };
      if (batch && top && top.answers[0].batch === batch) {
        top.answers.push(answer);
        top.undos.push(undo);
      } else this.undone.push({ answers: [answer], undos: [undo] });
    }
    this.replay();
  }

  // What was decided before a reload and has not reached the server yet.
  replay() {
    const known = new Set([...this.done, ...this.undone].flatMap((step) => step.answers.map((one) => one.uuid)));
    for (const step of this.undone) for (const undo of step.undos) known.add(undo);
    for (const [, { audit, decision }] of this.outbox.entries()) {
      const own = audit === this.data.audit && decision.session === this.data.session && decision.annotator === this.data.annotator;
      if (!own || known.has(decision.uuid)) continue;
      if (!decision.undo_of) {
        this.undone = [];
        this.restore({ uuid: decision.uuid, id: decision.example, action: decision.action, label: decision.label, batch: decision.batch });
        continue;
      }
      const back = this.done.find((step) => step.answers.some((one) => one.uuid === decision.undo_of));
      const again = this.undone.find((step) => step.undos.includes(decision.undo_of));
      if (back) {
        const answer = back.answers.find((one) => one.uuid === decision.undo_of);
        this.forget(answer);
        back.answers = back.answers.filter((one) => one !== answer);
        this.done = this.done.filter((step) => step.answers.length);
        const top = this.undone[this.undone.length - 1];
        if (answer.batch && top && top.answers[0].batch === answer.batch) {
          top.answers.push(answer);
          top.undos.push(decision.uuid);
        } else this.undone.push({ answers: [answer], undos: [decision.uuid] });
      } else if (again) {
        const place = again.undos.indexOf(decision.undo_of);
        this.restore(again.answers[place]);
        again.answers.splice(place, 1);
        again.undos.splice(place, 1);
        this.undone = this.undone.filter((step) => step.answers.length);
      }
    }
  }

  restore(answer) {
    const last = this.done[this.done.length - 1];
    if (answer.batch && last && last.answers[0].batch === answer.batch) last.answers.push(answer);
    else this.done.push({ answers: [answer] });
    this.remember(answer);
  }

  remember(answer) {
    if (!this.answers.has(answer.id)) this.answers.set(answer.id, []);
    this.answers.get(answer.id).push(answer);
  }

  forget(answer) {
    const left = (this.answers.get(answer.id) || []).filter((one) => one.uuid !== answer.uuid);
    if (left.length) this.answers.set(answer.id, left);
    else this.answers.delete(answer.id);
  }

  answer(id) {
    const own = this.answers.get(id);
    return own ? own[own.length - 1] : null;
  }

  open(id) {
    return !this.answers.has(id) && !this.others.has(id) && (!this.offered || this.offered.has(id));
  }

  unanswered() {
    return this.ids.filter((id) => this.open(id));
  }

  // What the server offers to this annotator, and what anybody has answered.
  offer(offered, answered) {
    this.offered = new Set([...offered, ...this.taken]);
    this.others = new Set(answered.filter((id) => !this.answers.has(id) && !this.taken.has(id)));
  }

  answered() {
    return this.ids.filter((id) => this.answers.has(id) || this.others.has(id)).length;
  }

  // The next open example after `id`, else the first one.
  next(id) {
    const from = this.places.has(id) ? this.places.get(id) + 1 : 0;
    for (let place = from; place < this.ids.length; place += 1) if (this.open(this.ids[place])) return this.ids[place];
    return this.ids.find((one) => this.open(one)) ?? null;
  }

  decide(choices, note) {
    const { session, annotator } = this.data;
    const batch = choices.length > 1 ? identifier() : null;
    const answers = choices.map((choice) => ({ ...choice, uuid: identifier(), batch }));
    this.done.push({ answers });
    this.undone = [];
    for (const answer of answers) this.remember(answer);
    for (const answer of answers) this.taken.delete(answer.id);
    this.outbox.add(
      answers.map(({ uuid, id, action, label }) => ({ uuid, example: id, action, label: label ?? null, session, annotator, note, batch, at: Date.now() / 1000 })),
    );
  }

  takeBack(uuids) {
    const { session, annotator } = this.data;
    const events = uuids.map((of) => ({ uuid: identifier(), undo_of: of, session, annotator, at: Date.now() / 1000 }));
    this.outbox.add(events);
    return events.map((event) => event.uuid);
  }

  // The id whose card comes again; null when there is nothing to undo.
  undo() {
    const step = this.done.pop();
    if (!step) return null;
    for (const answer of step.answers) this.forget(answer);
    if (this.offered) for (const { id } of step.answers) this.taken.add(id), this.offered.add(id);
    this.undone.push({ answers: step.answers, undos: this.takeBack(step.answers.map((one) => one.uuid)) });
    return step.answers[0].id;
  }

  redo() {
    const step = this.undone.pop();
    if (!step) return null;
    for (const answer of step.answers) this.remember(answer), this.taken.delete(answer.id);
    this.takeBack(step.undos);
    this.done.push({ answers: step.answers });
    return step.answers[step.answers.length - 1].id;
  }

  // A decision that the server can never store: its example is open again.
  refuse(uuid) {
    for (const step of this.done) for (const answer of step.answers) if (answer.uuid === uuid) this.forget(answer);
    for (const step of this.done) step.answers = step.answers.filter((one) => one.uuid !== uuid);
    this.done = this.done.filter((step) => step.answers.length);
  }
}
