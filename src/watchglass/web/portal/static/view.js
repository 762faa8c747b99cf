// The painted view, live. Without this script the page shows a still; with it, marks move as the server tells.
// What may be shown is decided on the server; nothing here can ask for more.

const SVG = "http://www.w3.org/2000/svg";
const PATIENCE_MS = 8000;
const SILENCE_MS = 40000;

/** A new SVG element with attributes. */
function draw(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** One mark: a disc of the one size, with a small sign of its kind; the same as in macros_view.html. */
function mark(kind, radius) {
  const group = draw("g", { class: "pin-set" });
  group.append(draw("circle", { class: "pin-ring", r: radius }));
  group.append(draw("circle", { class: `pin-kind pin-kind-${kind}`, r: radius * 0.82 }));
  const box = (half, high) => draw("rect", { class: "pin-mark", x: -half, y: -high, width: 2 * half, height: 2 * high });
  if (kind === 0) group.append(draw("circle", { class: "pin-mark", r: radius * 0.26 }));
  else if (kind === 1) group.append(box(radius * 0.44, radius * 0.2));
  else if (kind === 2) for (const side of [-1, 1]) group.append(draw("circle", { class: "pin-mark", cx: side * radius * 0.3, r: radius * 0.2 }));
  else group.append(box(radius * 0.26, radius * 0.26));
  return group;
}

/** How many are in view, in words; the same as in macros_view.html. */
function people(shown) {
  if (shown.state === "stopped") return "Nothing is shown.";
  if (shown.state === "none") return "Nothing is seen.";
  if (shown.state === "unsure") return "Nobody is counted while it is grey.";
  if (shown.hidden) return "Too few people are in view to show any.";
  if (shown.people === 0) return "Nobody is in view.";
  return shown.people === 1 ? "One person is in view." : `${shown.people} people are in view.`;
}

class View {
  constructor(figure) {
    this.radius = Number(figure.dataset.radius);
    this.layer = figure.querySelector("[data-pins]");
    this.when = figure.querySelector("[data-when]");
    this.people = figure.querySelector("[data-people]");
    this.grey = figure.querySelector("[data-grey]");
    this.age = figure.querySelector("[data-age]");
    this.backdrop = figure.querySelector("[data-backdrop]");
    this.wanted = this.backdrop.getAttribute("href");
    this.marks = [];
    this.layer.replaceChildren();
    this.held = false;
    this.holder = figure.querySelector("[data-hold] button");
    this.holder.parentElement.hidden = false;
    this.holder.addEventListener("click", () => this.hold(!this.held));
    this.address = figure.dataset.view;
    this.open();
    // A page that the browser keeps for going back must not show then what may not be shown any more.
    addEventListener("pagehide", () => {
      this.stream.close();
      clearTimeout(this.deadline);
      this.blank();
    });
    addEventListener("pageshow", (event) => event.persisted && this.open());
  }

  open() {
    this.stream = new EventSource(this.address);
    this.stream.onmessage = (event) => {
      this.hear();
      this.show(JSON.parse(event.data));
    };
    this.stream.addEventListener("here", () => this.hear());
    this.stream.onerror = () => this.worry();
    this.wait(SILENCE_MS);
  }

  /** The server says something every quarter of a minute, if only that it is here. Longer silence is a lost line. */
  hear() {
    this.worried = false;
    this.wait(SILENCE_MS);
  }

  wait(patience) {
    clearTimeout(this.deadline);
    this.deadline = setTimeout(() => this.lose(), patience);
  }

  show(shown) {
    this.latest = shown;
    if (this.held && shown.backdrop && !shown.hidden) {
      this.ground(shown.backdrop);
      return;
    }
    this.press(false);
    this.when.textContent = shown.when;
    this.when.dataset.state = shown.state;
    this.people.textContent = people(shown);
    this.say(this.grey, shown.why_grey);
    this.say(this.age, shown.age);
    this.ground(shown.backdrop);
    this.place(shown.pins);
  }

  /** For those whom moving marks disturb: they stand still until told otherwise, or until they may not be shown. */
  hold(still) {
    this.press(still);
    if (still) {
      this.when.textContent = "Held still";
      this.when.dataset.state = "held";
    } else if (this.latest) this.show(this.latest);
  }

  press(still) {
    this.held = still;
    this.holder.setAttribute("aria-pressed", String(still));
  }

  /** A sentence that may be missing. */
  say(element, sentence) {
    element.textContent = sentence ?? "";
    element.hidden = !sentence;
  }

  /** The empty scene: gone at once when it may not be shown; another one is there before the old one goes. */
  ground(address) {
    if (address === this.wanted) return;
    this.wanted = address;
    if (!address) {
      this.backdrop.removeAttribute("href");
      return;
    }
    const next = new Image();
    next.onload = () => this.wanted === address && this.backdrop.setAttribute("href", address);
    next.onerror = () => this.wanted === address && this.backdrop.removeAttribute("href");
    next.src = address;
  }

  /** Move each mark to the nearest new place of its kind; the rest appear and disappear. Only so that eyes can rest. */
  place(pins) {
    const free = new Set(this.marks);
    const next = [];
    for (const [x, y, kind] of pins) {
      let best;
      let least = 8 * this.radius;
      for (const candidate of free) {
        const distance = Math.hypot(candidate.x - x, candidate.y - y);
        if (candidate.kind === kind && distance < least) [best, least] = [candidate, distance];
      }
      if (best) free.delete(best);
      else {
        best = { kind, element: mark(kind, this.radius) };
        this.layer.append(best.element);
      }
      Object.assign(best, { x, y });
      best.element.style.transform = `translate(${x}px, ${y}px)`;
      next.push(best);
    }
    for (const gone of free) gone.element.remove();
    this.marks = next;
  }

  /** A broken line may be back in a moment. */
  worry() {
    if (this.worried) return;
    this.worried = true;
    this.wait(PATIENCE_MS);
  }

  /** A line that stays lost is said, and the marks go, because they would be wrong. Then it is tried anew. */
  lose() {
    this.when.textContent = "Connection lost";
    this.when.dataset.state = "lost";
    this.people.textContent = "Trying to reach the server again.";
    this.blank();
    this.worried = false;
    this.stream.close(); // some errors end a stream for good
    this.open();
  }

  /** Nothing but grey: it is not known what may be shown. */
  blank() {
    this.press(false);
    this.latest = undefined;
    this.say(this.grey, "Grey, because it is not known what may be shown now.");
    this.say(this.age, null);
    this.ground(null);
    this.place([]);
  }
}

for (const figure of document.querySelectorAll("[data-view]")) new View(figure);
