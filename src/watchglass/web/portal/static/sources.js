// The sources' health, brought up to date once a second; and the page that waits for a proposed backdrop.

const count = (n) => n.toLocaleString("en-GB").replaceAll(",", "\u202f");

/** The same words as the macro `lost` in macros.html. */
function lostAs(cause, n) {
  if (cause.endsWith("_ms")) return `${cause.slice(0, -3).replaceAll("_", " ")}: ${count(Math.ceil(n / 1000))} s`;
  return `${cause.replaceAll("_", " ")}: ${count(n)}`;
}

function put(card, field, text) {
  const place = card.querySelector(`[data-field="${field}"]`);
  if (place && place.textContent !== text) place.textContent = text;
}

/** The same words as `title_of` in sources.py. */
function titleOf(scene) {
  const [first, number] = scene.split("-");
  const title = { day: "Daylight", infrared: "Infrared" }[first] ?? first[0].toUpperCase() + first.slice(1);
  return number ? `${title} ${number}` : title;
}

/** Whether the page waits for a picture of this source, or shows one that nobody has said yes to yet. */
function proposalOf(name) {
  const place = document.querySelector("[data-proposal]");
  return place?.dataset.proposal === name && !document.querySelector("#nobody")?.checked;
}

/** As `_SILENT_MS` in sources.py: what a worker said before it hung holds no more. */
const SILENT_MS = 5000;
const cards = [...document.querySelectorAll("[data-source]")];
const heard = new Map(cards.map((card) => [card.dataset.source, Date.now()]));

function tagged(card, state) {
  const tag = card.querySelector('[data-field="state"] .tag');
  if (!tag || tag.textContent === state) return;
  tag.textContent = state;
  tag.className = state === "fine" ? "tag tag-on" : "tag tag-off";
}

setInterval(() => {
  for (const card of cards) {
    if (Date.now() - heard.get(card.dataset.source) <= SILENT_MS) continue;
    put(card, "scene", "unsure: nothing is heard from it");
    put(card, "fps", "unknown");
    put(card, "open", "unknown");
    if (card.querySelector('[data-field="state"] .tag')?.textContent === "fine") tagged(card, "silent");
  }
}, 1000);

const source = new EventSource("/sources/events");
source.addEventListener("message", ({ data }) => {
  const line = JSON.parse(data);
  if (line.type === "proposal" && proposalOf(line.source)) location.reload();
  if (line.type !== "health") return;
  const card = document.querySelector(`[data-source="${CSS.escape(line.source)}"]`);
  if (!card) return;
  heard.set(line.source, Date.now());
  put(card, "scene", line.scene ? titleOf(line.scene) : `unsure: ${line.unsure}`);
  put(card, "fps", line.fps_in.toFixed(1));
  put(card, "open", `${Math.round(60 * line.open_share)} s of 60`);
  put(card, "frames", [line.frames, line.decoded, line.inferences].map(count).join(", "));
  const lost = Object.entries(line.dropped).filter(([, n]) => n);
  put(card, "dropped", lost.map(([cause, n]) => lostAs(cause, n)).join(", ") || "none");
  put(card, "ready", `${Math.round(100 * line.backdrop_ready)} of 100 pixels`);
  if (line.gate) put(card, "gate", line.gate);
  if (line.group_ms) put(card, "group", `${(line.group_ms / 1000).toFixed(1)} s`);
  if (line.kbit_s) put(card, "kbit", `${count(Math.round(line.kbit_s))} kbit/s`);
  put(card, "cpu", `${count(Math.round(line.cpu_seconds))} s`);
  put(card, "seen", `Last heard ${new Date(line.at_ms).toISOString().slice(11, 19)} UTC`);
  tagged(card, line.fault ? "fault" : "fine");
});
