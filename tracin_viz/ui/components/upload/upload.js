// Files to the server in pieces. A broken connection loses nothing: the server says how far each file is.

const PIECE = 8 * 1024 * 1024;
const WAITS = [1, 2, 4, 8, 15]; // seconds between attempts after a broken connection
const WINDOW = 8; // seconds that the speed is averaged over

function bytes(size) {
  if (size < 1000) return size + " bytes";
  for (const unit of ["kB", "MB", "GB"]) {
    size /= 1000;
    if (size < 1000 || unit === "GB") return (size < 10 ? size.toFixed(1) : Math.round(size)) + " " + unit;
  }
}

// The page's words with values in their places: fill("{n} files", { n: 3 }).
function fill(words, values) {
  return words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

function duration(seconds, said) {
  if (seconds < 60) return fill(said.seconds, { number: Math.max(1, Math.round(seconds)) });
  if (seconds < 3600) return fill(said.minutes, { number: Math.round(seconds / 60) });
  return fill(said.hours, { number: (seconds / 3600).toFixed(1) });
}

const pause = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

// One request; progress within a piece needs XMLHttpRequest. Resolves to {status, answer}; status 0 = no connection.
function send(job, method, address, body, onProgress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    job.request = request;
    request.open(method, address);
    request.setRequestHeader("X-TracIn-Viz-Token", job.root.settings.token);
    request.setRequestHeader("X-TracIn-Viz-Language", document.documentElement.lang);
    request.timeout = 120000;
    if (onProgress) request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onloadend = () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* no answer of ours: the status says enough */ }
      resolve({ status: request.status, answer });
    };
    request.send(body);
  });
}

// Like send, tried again while the connection is broken. null = given up or cancelled.
async function insist(job, method, address, body, onProgress) {
  for (let attempt = 0; ; attempt++) {
    const found = await send(job, method, address, body, onProgress);
    if (job.cancelled || !job.root.isConnected) return null;
    const broken = found.status === 0 || (found.status >= 500 && found.status !== 507) || found.status === 403;
    if (!broken) return found;
    if (attempt === WAITS.length) {
      job.failed(found.answer.message || job.said.broken, found.answer.remedy || job.said.nothing_lost, true);
      return null;
    }
    job.say(job.said.again);
    await pause(WAITS[attempt]);
    if (job.cancelled) return null;
    if (method === "PUT") return { status: 409, answer: {} }; // ask how far it is before sending again
  }
}

async function run(job) {
  const { files, root } = job;
  job.say("");
  const list = files.map((file) => ({
    path: (file.webkitRelativePath || file.name).normalize("NFC"), size: file.size, changed: file.lastModified,
  }));
  const begun = await insist(job, "POST", root.settings.url, JSON.stringify({ files: list }));
  if (!begun) return;
  if (begun.status !== 200) return job.failed(begun.answer.message, begun.answer.remedy, false);
  job.id = begun.answer.id;
  let state = begun.answer;
  while (!state.finished) {
    const number = Math.max(0, state.offsets.findIndex((offset, place) => offset < files[place].size));
    const offset = state.offsets[number];
    const arrived = state.offsets.reduce((sum, one) => sum + one, 0);
    job.progress(arrived);
    const piece = files[number].slice(offset, offset + PIECE);
    const address = `${root.settings.url}/${job.id}/${number}?offset=${offset}`;
    const found = await insist(job, "PUT", address, piece, (loaded) => job.progress(arrived + loaded));
    if (!found) return;
    if (found.status === 200) { state = found.answer; job.say(""); continue; }
    if (found.status !== 409) return job.failed(found.answer.message, found.answer.remedy, found.status === 507);
    const now = await insist(job, "GET", `${root.settings.url}/${job.id}`);
    if (!now) return;
    if (now.status !== 200) return job.failed(now.answer.message, now.answer.remedy, false);
    state = now.answer;
  }
  job.progress(job.total);
  job.done();
}

function start(root, chosen) {
  const files = [...chosen].filter((file) => !file.name.startsWith("."));
  if (!files.length) return;
  const total = files.reduce((sum, file) => sum + file.size, 0);
  const settings = root.settings, said = settings.said;
  const name = files.length === 1 ? files[0].name : fill(said.files, { n: files.length });
  const panel = element("div", "panel");
  const title = element("div", "title", `${name} · ${bytes(total)}`);
  const bar = element("progress");
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", fill(said.upload_of, { name }));
  const line = element("div", "line");
  const message = element("div", "message");
  message.setAttribute("role", "status");
  const resume = element("button", "", said.go_on);
  const cancel = element("button", "", said.cancel);
  for (const button of [resume, cancel]) button.type = "button";
  resume.hidden = true;
  const buttons = element("div", "buttons");
  buttons.append(resume, cancel);
  panel.append(title, bar, line, message, buttons);
  root.panel.replaceChildren(panel);
  root.choose.hidden = true;

  const marks = [];
  const job = {
    root, files, total, said, cancelled: false,
    say: (text) => { message.className = "message"; if (message.textContent !== text) message.textContent = text; },
    progress: (arrived) => {
      const now = performance.now() / 1000;
      marks.push([now, arrived]);
      while (marks.length > 2 && now - marks[0][0] > WINDOW) marks.shift();
      const share = total ? Math.min(1, arrived / total) : 1;
      bar.value = share;
      const speed = (arrived - marks[0][1]) / Math.max(0.001, now - marks[0][0]);
      const left = speed > 0 && now - marks[0][0] > 1 ? " · " + duration((total - arrived) / speed, said) : "";
      const sizes = fill(said.of, { done: bytes(arrived), total: bytes(total) });
      line.textContent = `${Math.floor(100 * share)} % · ${sizes}${left}`;
    },
    failed: (text, remedy, again) => {
      message.className = "message bad";
      message.textContent = `${text || said.failed} ${remedy || ""}`.trim();
      resume.hidden = !again;
      cancel.textContent = again ? said.cancel : said.close;
      (again ? resume : cancel).focus();
    },
    done: () => {
      reset(root);
      root.tell("done", { id: job.id });
    },
  };
  resume.onclick = () => { resume.hidden = true; marks.length = 0; run(job); };
  cancel.onclick = async () => {
    job.cancelled = true;
    if (job.request) job.request.abort();
    reset(root);
    if (job.id) await send(job, "DELETE", `${settings.url}/${job.id}`);
  };
  root.job = job;
  cancel.focus();
  if (total > settings.largest) {
    return job.failed(
      fill(said.too_large, { size: bytes(total), most: bytes(settings.largest) }), said.give_path, false,
    );
  }
  run(job);
}

function reset(root) {
  root.panel.replaceChildren();
  root.choose.hidden = false;
  root.job = null;
}

function chooser(root, folder) {
  const input = element("input");
  input.type = "file";
  input.hidden = true;
  if (folder) input.webkitdirectory = true;
  else input.multiple = true;
  input.className = folder ? "folder" : "file";
  const button = element("button", "choose", "");
  button.type = "button";
  button.onclick = () => input.click();
  input.onchange = () => { start(root, input.files); input.value = ""; };
  return [button, input];
}

function build(root) {
  root.choose = element("div", "drop");
  const words = element("span", "words");
  const buttons = element("div", "buttons");
  buttons.append(...chooser(root, false), ...chooser(root, true));
  root.choose.append(words, buttons);
  root.words = words;
  root.panel = element("div");
  root.replaceChildren(root.choose, root.panel);
  root.choose.ondragover = (event) => { event.preventDefault(); root.choose.classList.add("over"); };
  root.choose.ondragleave = () => root.choose.classList.remove("over");
  root.choose.ondrop = (event) => {
    event.preventDefault();
    root.choose.classList.remove("over");
    // A folder that is dropped arrives as an empty file without a type: the button reads folders properly.
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry());
    if (entries.some((entry) => entry && entry.isDirectory)) {
      root.words.textContent = root.settings.said.drop_folder;
      return;
    }
    start(root, event.dataTransfer.files);
  };
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector("#upload");
  root.settings = data; // the newest token, also for an upload that goes on
  root.tell = setTriggerValue;
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", data.label);
  if (!root.choose) build(root);
  root.words.textContent = data.words;
  const [file, folder] = root.choose.querySelectorAll("button.choose");
  file.textContent = data.said.choose_file;
  folder.textContent = data.said.choose_folder;
}
