// The reviewer's open queue: alerts come by themselves, one key decides, Z takes it back. Works on the server's own
// HTML: an alert is fetched as the same part that the page without script shows.

const room = document.getElementById("room");
const stage = document.getElementById("stage");
const csrf = room.dataset.csrf;
const skew = Number(room.dataset.now) - Date.now();
const now = () => Date.now() + skew;
const still = matchMedia("(prefers-reduced-motion: reduce)");
const byId = (id) => document.getElementById(id);

const latency = [];
window.__watchglass = { latency };

let current = room.dataset.alert || null;
let waiting = [];
let mine = new Set();
let undoing = null; // {alert, until, value}
let busy = false;
let passed = new Set();
let frame = 1 / 10;

// ---- asking the server ---------------------------------------------------------------------------------------------

async function ask(path, fields) {
  const options = { headers: { accept: "application/json" }, cache: "no-store" };
  if (fields) {
    options.method = "POST";
    options.headers["x-csrf-token"] = csrf;
    options.body = new URLSearchParams(fields);
  }
  const answer = await fetch(path, options);
  if (answer.status === 401) location.assign("/login?next=/review");
  const data = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(data.message), { data });
  return data;
}

function say(text) {
  byId("said").textContent = text;
}

function message(text) {
  const box = byId("message");
  box.textContent = text;
  box.hidden = !text;
}

function fault(error) {
  message(error.data ? `${error.data.message} ${error.data.fix}` : "The portal does not answer. Nothing was decided.");
}

// ---- the list --------------------------------------------------------------------------------------------------------

let asked = 0;
async function refresh() {
  const turn = ++asked;
  let data;
  try {
    data = await ask("/review.json");
  } catch {
    return;
  }
  if (turn !== asked) return;
  waiting = data.alerts;
  draw(data);
  if (!current) next();
}

function draw(data) {
  const count = byId("count");
  const strong = (n) => Object.assign(document.createElement("strong"), { textContent: n });
  count.replaceChildren(strong(data.waiting), " waiting");
  if (data.overdue) count.append(", ", strong(data.overdue), " overdue");
  const others = waiting.filter((item) => item.id !== current);
  byId("items").replaceChildren(...others.slice(0, 12).map(line));
  byId("none-else").hidden = others.length > 0;
  byId("list-title").textContent = current ? "Also waiting" : "Waiting";
  doubted(data.doubts);
  const calm = byId("calm");
  if (calm) calm.hidden = waiting.length > 0;
  if (!current) document.title = `${data.waiting} waiting – Watchglass`;
}

// Only for those who lead a shift: a second person says otherwise about so many alerts.
function doubted(number) {
  const place = byId("doubts");
  const words = `${number} ${number === 1 ? "alert is" : "alerts are"} doubted`;
  if (place.hidden && number) say(words);
  place.hidden = !number;
  place.querySelector("strong").textContent = words;
}

function line(item) {
  const part = (name, text, kind) => Object.assign(document.createElement(name), { textContent: text, className: kind });
  const link = Object.assign(document.createElement("a"), { href: `/review/alerts/${item.id}` });
  link.append(part("strong", item.title, ""), " ", part("span", item.zone ? `${item.place}, ${item.zone}` : item.place, ""));
  link.append(" ", part("span", `${clock(item.at_ms)} UTC`, "soft number"));
  if (item.overdue) {
    const kind = item.life_safety ? "overdue overdue-danger" : "overdue";
    link.append(" ", part("span", `overdue since ${clock(item.due_ms)}`, kind));
  }
  if (item.open_with) link.append(" ", part("span", `${item.open_with} has this open`, "soft"));
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(item.id);
  });
  const row = document.createElement("li");
  row.append(link);
  return row;
}

const clock = (ms) => new Date(ms).toISOString().slice(11, 16);

// ---- one alert -------------------------------------------------------------------------------------------------------

async function open(id, received) {
  const before = current;
  current = id;
  if (before && before !== id) giveBack(before);
  let part;
  try {
    const answer = await fetch(`/review/alerts/${id}?part=true`, { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    part = await answer.text();
  } catch {
    if (current === id) current = null;
    return;
  }
  if (current !== id) return;
  const calm = byId("calm");
  stage.innerHTML = part; // our own server's template, with every value escaped
  if (calm) {
    calm.hidden = true;
    stage.append(calm);
  }
  message("");
  history.replaceState(null, "", `/review/alerts/${id}`);
  show(received);
  refresh();
}

function show(received) {
  const alert = stage.querySelector(".alert");
  if (!alert) return;
  current = alert.dataset.alert;
  document.title = `${alert.dataset.title} – Watchglass`;
  say(`Alert: ${alert.dataset.title}. ${alert.querySelector(".words-why").textContent}`);
  const seen = () => received && (received.shown_ms = Date.now());
  const picture = byId("still");
  if (picture.complete !== false) seen();
  else picture.addEventListener("load", seen, { once: true });
  if (alert.dataset.clip) play();
  const form = byId("verdict");
  if (form) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      decide(event.submitter.value);
    });
    claim();
  }
  overdue();
}

function play() {
  const clip = byId("clip");
  if (!clip || clip.getAttribute("src")) return;
  clip.addEventListener("loadeddata", () => {
    if (!clip.isConnected) return; // decided before it came
    clip.hidden = false;
    byId("boxes").remove();
    byId("clip-state").textContent = clip.dataset.words;
    stage.querySelector(".scene-keys").hidden = false;
    if (!still.matches) clip.play().catch(() => {});
    learn(clip);
  }, { once: true });
  clip.addEventListener("error", () => {
    if (!clip.isConnected) return;
    clip.removeAttribute("src"); // news of the clip tries again
    byId("clip-state").textContent = "The clip cannot be shown. Decide by the still, or choose unsure.";
  });
  clip.src = clip.dataset.src;
}

// The clip came while the alert is open: what is withheld of it is said before it plays.
async function arrive(id) {
  try {
    const data = await ask(`/review/alerts/${id}.json`);
    if (current !== id) return;
    byId("clip").dataset.words = data.clip_words;
  } catch { // what is withheld says so in its frames too
    if (current === id) byId("clip").dataset.words = "Mosaicked clip. A mosaic is not anonymity.";
  }
  play();
}

// How long one frame lasts, from two that were shown.
function learn(clip) {
  if (!clip.requestVideoFrameCallback) return;
  let last = null;
  const tick = (_, data) => {
    const step = last === null ? 0 : data.mediaTime - last;
    last = data.mediaTime;
    if (step > 0.01 && step < 1) frame = step;
    else if (clip.isConnected) clip.requestVideoFrameCallback(tick);
  };
  clip.requestVideoFrameCallback(tick);
}

function step(direction) {
  const clip = byId("clip");
  if (!clip || clip.hidden || !clip.duration) return;
  clip.pause();
  clip.currentTime = Math.min(Math.max(clip.currentTime + direction * frame, 0), clip.duration - frame / 2);
}

async function claim() {
  const id = current;
  if (!id || !byId("verdict")) return;
  try {
    const data = await ask(`/review/alerts/${id}/claim`, {});
    if (current !== id) return;
    if (data.open_with && !byId("held")) {
      message(`${data.open_with[0].toUpperCase()}${data.open_with.slice(1)} has this open, and is looking at it now.`);
    }
  } catch { /* presence only; deciding tells */ }
}

function giveBack(id) {
  navigator.sendBeacon(`/review/alerts/${id}/release`, new URLSearchParams({ csrf }));
}

function overdue() {
  const alert = stage.querySelector(".alert");
  const due = byId("due");
  if (!alert || !due || !byId("verdict") || now() <= Number(alert.dataset.due)) return;
  due.textContent = `Overdue since ${clock(Number(alert.dataset.due))} UTC`;
  due.classList.add("overdue");
  if (alert.dataset.danger) due.classList.add("overdue-danger");
}

function next() {
  const free = waiting.filter((item) => item.id !== current && !item.open_with && !mine.has(item.id));
  const found = free.find((item) => !passed.has(item.id));
  if (found) return open(found.id);
  idle();
  return undefined;
}

function idle() {
  const before = current;
  current = null;
  if (before) giveBack(before);
  const calm = byId("calm") || Object.assign(document.createElement("div"), { id: "calm", className: "calm" });
  calm.innerHTML = "<h1></h1><p class='lead'></p>";
  const some = waiting.some((item) => !mine.has(item.id));
  calm.children[0].textContent = some ? "Nothing that is free waits" : "Nothing waits";
  calm.children[1].textContent = some
    ? "What still waits is below: open with someone else, or left by you."
    : "The next alert will appear here by itself. You can leave this page open.";
  calm.hidden = false;
  stage.replaceChildren(calm);
  history.replaceState(null, "", "/review");
  document.title = "Nothing waits – Watchglass";
}

// ---- the verdict -----------------------------------------------------------------------------------------------------

async function decide(value) {
  const form = byId("verdict");
  if (!form || busy || !current) return;
  busy = true;
  const id = current;
  const chosen = form.querySelector(`input[name=reason_${value}]:checked`);
  const over = form.querySelector("input[name=over_claim]");
  const fields = { value, reason: chosen ? chosen.value : "" };
  if (over && over.checked) fields.over_claim = "true";
  mine.add(id);
  try {
    const data = await ask(`/review/alerts/${id}/verdict`, fields);
    message("");
    offerUndo({ alert: id, until: Date.now() + (data.undo_until_ms - data.now_ms), value });
    say(`Decided: ${value}. Z takes it back within ten seconds.`);
    current = null;
    waiting = waiting.filter((item) => item.id !== id);
    next();
    refresh();
  } catch (error) {
    mine.delete(id);
    fault(error);
    if (error.data && error.data.claimed && !over) addOverClaim(form);
    refresh();
  } finally {
    busy = false;
  }
}

function addOverClaim(form) {
  const label = Object.assign(document.createElement("label"), { className: "reason over-claim" });
  const box = Object.assign(document.createElement("input"), { type: "checkbox", name: "over_claim", value: "true" });
  label.append(box, Object.assign(document.createElement("span"), { textContent: "Decide anyway, although someone else has it open" }));
  form.append(label);
}

function offerUndo(offer) {
  undoing = offer;
  const words = { confirm: "Confirmed", reject: "Rejected", unsure: "Unsure" };
  const button = Object.assign(document.createElement("button"), { type: "button", className: "button-quiet" });
  button.append("Undo ", Object.assign(document.createElement("kbd"), { textContent: "Z" }));
  button.addEventListener("click", undo);
  const left = Object.assign(document.createElement("span"), { className: "undo-left" });
  byId("undo").replaceChildren(`${words[offer.value]}.`, button, left, " s");
  byId("undo").hidden = false;
  const tick = () => {
    if (undoing !== offer) return;
    const seconds = Math.ceil((offer.until - Date.now()) / 1000);
    if (seconds <= 0) {
      undoing = null;
      byId("undo").hidden = true;
      return;
    }
    left.textContent = seconds;
    setTimeout(tick, 250);
  };
  tick();
}

async function undo() {
  if (!undoing || busy) return;
  busy = true;
  const { alert } = undoing;
  try {
    await ask(`/review/alerts/${alert}/undo`, {});
    undoing = null;
    byId("undo").hidden = true;
    mine.delete(alert);
    busy = false;
    await open(alert);
    say("Taken back. Decide again.");
  } catch (error) {
    fault(error);
  } finally {
    busy = false;
  }
}

// ---- news ------------------------------------------------------------------------------------------------------------

let soon = null;
function refreshSoon() {
  clearTimeout(soon);
  soon = setTimeout(refresh, 60);
}

function listen() {
  const source = new EventSource("/review/events");
  let lost = false;
  source.addEventListener("open", () => {
    if (lost) message("");
    lost = false;
    refresh();
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) location.assign("/login?next=/review"); // the session is over
    lost = true;
    message("The connection is interrupted. New alerts cannot arrive; trying again.");
  });
  source.addEventListener("message", ({ data }) => hear(JSON.parse(data)));
}

function hear(event) {
  if (event.type === "raised") {
    const received = { alert: event.alert, at_ms: event.at_ms, received_ms: Date.now() };
    latency.push(received);
    if (latency.length > 1000) latency.shift();
    if (!current) {
      open(event.alert, received);
      return;
    }
    say("Another alert waits.");
  }
  if (event.alert === current) {
    if (event.type === "clip-ready") arrive(event.alert);
    if (event.type === "decided" && !mine.has(event.alert)) {
      message("Someone else just decided this alert. Press N for the next.");
      const form = byId("verdict");
      if (form) form.remove();
    }
    if (event.type === "withdrawn" && !busy && !byId("verdict")) message("Whoever decided took the verdict back and is deciding again. Press N for the next.");
  }
  if (event.type === "withdrawn") mine.delete(event.alert);
  refreshSoon();
}

// ---- keys ------------------------------------------------------------------------------------------------------------

const verdicts = { c: "confirm", r: "reject", u: "unsure" };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const help = byId("help");
  const key = event.key.toLowerCase();
  if (key === "?") {
    event.preventDefault();
    if (help.open) help.close();
    else help.showModal();
    return;
  }
  if (help.open || /^(input|textarea|select)$/i.test(event.target.tagName) && event.target.type === "text") return;
  const clip = byId("clip");
  if (verdicts[key]) decide(verdicts[key]);
  else if (key === "z") undo();
  else if (key === "n") {
    if (current) passed.add(current);
    next();
  } else if (key === " " && !/^(button|a|summary)$/i.test(event.target.tagName) && clip && !clip.hidden) {
    if (clip.paused) clip.play();
    else clip.pause();
  } else if ((key === "arrowleft" || key === "arrowright") && event.target.type !== "radio") step(key === "arrowleft" ? -1 : 1);
  else if (/^[1-9]$/.test(key)) {
    const chosen = stage.querySelector(`input[data-digit="${key}"]`);
    if (!chosen) return;
    chosen.checked = true;
    say(chosen.parentElement.textContent.trim().slice(1).trim());
  } else return;
  event.preventDefault();
});

byId("help-open").hidden = false;
byId("help-open").addEventListener("click", () => byId("help").showModal());
addEventListener("pagehide", () => current && byId("verdict") && giveBack(current));
setInterval(claim, 30000);
setInterval(overdue, 1000);

if (current) show();
const left = byId("undo").querySelector("form");
if (left) {
  left.addEventListener("submit", (event) => {
    event.preventDefault();
    undoing = { alert: left.getAttribute("action").split("/")[3], until: Date.now() + 10000, value: "" };
    undo();
  });
}
listen();
