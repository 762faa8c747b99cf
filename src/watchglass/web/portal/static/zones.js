// The zone editor: the picture in front of the form. Every corner lives in the form's own text, so that what is sent is
// what a form without this script would send. The server judges every shape; nothing here decides anything.

const SVG = "http://www.w3.org/2000/svg";
const FEWEST = { polygon: 3, line: 2, never: 3, grey: 3, plane: 0 };
const SAID = { polygon: "area", line: "line", never: "hidden part", grey: "grey part", plane: "the ground" };
const ZOOMS = 4;
const MOST_CORNERS = 64;

/** A new element of the picture. */
function draw(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** What a corner is called. */
const CORNER = { polygon: "Corner", line: "End", never: "Corner", grey: "Corner", plane: "Point" };

const place = (point) => `${point[0]}, ${point[1]}`;
const between = (low, value, high) => Math.min(Math.max(value, low), high);

/** One fieldset of the form: reads and writes its corners, and stands for them on the picture. */
class Shape {
  constructor(editor, fieldset) {
    this.editor = editor;
    this.fieldset = fieldset;
    this.kind = fieldset.dataset.kind;
    this.text = fieldset.querySelector("textarea");
    this.nameField = fieldset.querySelector('[name^="name-"]');
    this.remove = fieldset.querySelector('[name^="remove-"]');
    this.group = draw("g", { class: "draw-shape" });
    editor.layer.append(this.group);
    this.#listen();
    this.draw();
  }

  get points() {
    const found = this.text.value.matchAll(/(-?\d+(?:\.\d+)?)\s*[,; ]\s*(-?\d+(?:\.\d+)?)/g);
    return Array.from(found, ([, x, y]) => [Number(x), Number(y)]);
  }

  set points(points) {
    this.text.value = points.map(([x, y]) => `${x}, ${y}`).join("\n");
    this.text.rows = Math.max(points.length, 3);
    this.stale();
    this.draw();
  }

  /** Its size on the ground was told by the server, and no longer holds. */
  stale() {
    const told = this.fieldset.querySelector("[data-measured]");
    if (told) told.textContent = "Its size on the ground is told anew with “Show what would change”.";
  }

  get removed() {
    return this.remove?.checked ?? false;
  }

  /** What it is called when it is spoken of. */
  get called() {
    const name = this.nameField?.value.trim();
    return name || `${SAID[this.kind]} ${this.editor.shapes.filter((s) => s.kind === this.kind).indexOf(this) + 1}`;
  }

  #listen() {
    this.listenToPicture();
    this.text.addEventListener("input", () => {
      this.stale();
      this.editor.drawn(this);
    });
    this.remove?.addEventListener("change", () => this.editor.drawn(this));
    this.nameField?.addEventListener("input", () => {
      const legend = this.fieldset.querySelector("[data-name]");
      if (legend) legend.textContent = this.nameField.value;
      this.draw();
    });
    const row = document.createElement("div");
    row.className = "shape-buttons";
    const add = (words, what) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button-quiet";
      button.textContent = words;
      button.addEventListener("click", what);
      row.append(button);
      return button;
    };
    add(this.kind === "plane" ? "Show it" : "Change it", () => this.editor.choose(this, this.points.length > 0)).dataset.choose = "";
    if (this.kind === "plane") return this.fieldset.querySelector("[data-rows]").before(row);
    if (this.kind === "line") add("Turn it round", () => this.editor.change(this, [...this.points].reverse()));
    if (!this.remove) add("Remove it", () => this.editor.drop(this));
    this.fieldset.querySelector("[data-numbers]").before(row);
  }

  /** A press chooses. On what is chosen it moves all of it, and on its edge it sets a corner. With a finger, a press
      inside leaves the page free to scroll: there the cross moves it. */
  listenToPicture() {
    let was = false;
    const onEdge = (event) => this.kind !== "line" && event.target.classList.contains("draw-edge");
    this.group.addEventListener("pointerdown", (event) => {
      was = this.editor.chosen === this;
      this.editor.choose(this);
      if (!was || event.button || event.pointerType === "touch") return;
      if (onEdge(event)) this.editor.split(this, event);
      else this.editor.drag(event, this.editor.handles.querySelector(".draw-all"), null);
    });
    this.group.addEventListener("click", (event) => {
      if (was && event.pointerType === "touch" && onEdge(event)) this.editor.split(this, event, false);
    });
  }

  draw() {
    const points = this.points;
    const list = points.map((point) => point.join(",")).join(" ");
    this.group.replaceChildren();
    this.fieldset.classList.toggle("is-removed", this.removed);
    if (this.removed || !points.length) return;
    if (this.kind === "line") {
      this.group.append(draw("polyline", { class: "draw-line", points: list }));
      const arrow = this.#arrow(points);
      for (const edge of ["draw-arrow-edge", "draw-arrow"]) this.group.append(draw("path", { class: edge, d: arrow }));
    } else this.group.append(draw("polygon", { class: `draw-${this.kind === "polygon" ? "area" : this.kind}`, points: list }));
    this.group.append(draw(this.kind === "line" ? "polyline" : "polygon", { class: "draw-edge", points: list }));
    const name = this.nameField?.value.replaceAll("-", " ");
    if (!name) return;
    const [x, y] = this.middle(points);
    const label = draw("text", { class: "draw-label", x, y, "text-anchor": "middle", "font-size": this.editor.letters });
    label.textContent = name;
    this.group.append(label);
  }

  /** The allowed way: across the line, from its left to its right as the picture shows them. */
  #arrow([first, second]) {
    if (!second) return "";
    const length = Math.hypot(second[0] - first[0], second[1] - first[1]);
    if (!length) return "";
    const reach = this.editor.width / 20;
    const [ax, ay] = [-(second[1] - first[1]) / length, (second[0] - first[0]) / length];
    const [mx, my] = [(first[0] + second[0]) / 2, (first[1] + second[1]) / 2];
    const [tx, ty] = [mx + ax * reach, my + ay * reach];
    const barb = (side) => `M${tx} ${ty}l${(-ax - side * ay) * reach * 0.35} ${(-ay + side * ax) * reach * 0.35}`;
    return `M${mx - ax * reach} ${my - ay * reach}L${tx} ${ty}${barb(1)}${barb(-1)}`;
  }

  middle(points = this.points) {
    const sum = (at) => points.reduce((total, point) => total + point[at], 0) / points.length;
    return [Math.round(sum(0)), Math.round(sum(1))];
  }
}

/** The measured ground: points that know their metres, each as [x, y, X, Y]; metres stay text, as they were typed. */
class Ground extends Shape {
  get points() {
    const found = this.text.value.matchAll(/^\s*(-?\d+(?:\.\d+)?)\s*[,; ]\s*(-?\d+(?:\.\d+)?)\s*(?:=(.*))?$/gm);
    return Array.from(found, ([, x, y, metres = ""]) => {
      const [right = "", away = ""] = metres.trim().split(/\s*[,; ]\s*/);
      return [Number(x), Number(y), right, away];
    });
  }

  set points(points) {
    this.text.value = points.map(([x, y, right, away]) => `${x}, ${y} = ${right}, ${away}`).join("\n");
    this.text.rows = Math.max(points.length, 4);
    this.stale();
    this.draw();
  }

  get called() {
    return SAID.plane;
  }

  /** Nothing that follows from the old points is shown beside new ones. */
  stale() {
    this.editor.form.querySelector("[data-grid]")?.replaceChildren();
    this.fieldset.querySelector("[data-checked]")?.remove();
    for (const shape of this.editor.shapes) if (shape !== this) shape.stale();
  }

  listenToPicture() {
    this.group.addEventListener("pointerdown", () => this.editor.choose(this));
  }

  draw() {
    const points = this.points;
    const size = this.editor.letters;
    this.group.replaceChildren();
    points.forEach(([x, y], index) => {
      const number = draw("text", { class: "draw-place-number", x, y: y + size * 0.35, "text-anchor": "middle", "font-size": size });
      number.textContent = index + 1;
      this.group.append(draw("circle", { class: "draw-place", cx: x, cy: y, r: size * 0.85 }), number);
    });
    this.rows(points);
  }

  /** A row for each point: what is typed there is its metres. Rows that are there stay, so that typing is not disturbed. */
  rows(points) {
    const rows = this.fieldset.querySelector("[data-rows]");
    while (rows.children.length > points.length) rows.lastElementChild.remove();
    while (rows.children.length < points.length) rows.append(this.row(rows.children.length));
    points.forEach((point, index) => {
      const row = rows.children[index];
      row.querySelector("[data-at]").textContent = `at ${place(point)}`;
      row.querySelectorAll("input").forEach((input, at) => {
        if (input.value !== point[2 + at]) input.value = point[2 + at];
      });
    });
  }

  row(index) {
    const row = document.querySelector("template[data-new=point]").content.firstElementChild.cloneNode(true);
    row.querySelector("[data-number]").textContent = index + 1;
    row.setAttribute("aria-label", `Point ${index + 1}`);
    const inputs = [...row.querySelectorAll("input")];
    inputs.forEach((input, at) => {
      input.addEventListener("input", () => {
        this.points = this.points.map((point, n) => (n === index ? point.with(2 + at, input.value.trim().replace(",", ".")) : point));
        if (this.editor.chosen === this) this.editor.settle();
      });
      input.addEventListener("focus", () => this.editor.choose(this));
      input.addEventListener("keydown", (event) => {
        if (event.key !== "Enter") return;
        event.preventDefault();
        if (!at) inputs[1].focus();
        else this.editor.pen.again();
      });
    });
    row.querySelector("button").addEventListener("click", () => {
      this.editor.change(this, this.points.toSpliced(index, 1));
      this.editor.say(`Removed. ${this.points.length} points are left.`);
      this.editor.form.querySelector("[data-draw=plane]").focus();
    });
    return row;
  }

  /** A new point; its metres are asked for at once. */
  put(at) {
    const n = this.points.length;
    this.editor.change(this, [...this.points, [...at, "", ""]]);
    this.fieldset.querySelector("[data-rows]").children[n].querySelector("input").focus();
    this.editor.say(`Point ${n + 1} at ${place(at)}. Write its metres.`);
  }
}

/** Corner after corner: with clicks, with taps, or with a cross that the arrow keys move. */
class Pen {
  constructor(editor) {
    const find = (what) => editor.form.querySelector(`[data-${what}]`);
    this.editor = editor;
    [this.surface, this.bar, this.words, this.band, this.help] = ["pen", "bar", "bar-words", "band", "pen-help"].map(find);
    this.kind = null;
    this.points = [];
    find("pen-done").addEventListener("click", () => this.finish());
    find("pen-back").addEventListener("click", () => this.back());
    find("pen-ready").addEventListener("click", () => this.ready());
    find("pen-cancel").addEventListener("click", () => this.cancel());
    editor.form.addEventListener("keydown", (event) => {
      if (!this.open || event.key !== "Escape") return;
      event.preventDefault();
      this.cancel();
    });
    this.surface.addEventListener("keydown", (event) => this.#key(event));
    this.surface.addEventListener("pointerdown", (event) => {
      this.down = event.isPrimary && !event.button ? event.pointerId : null; // a second finger pinches, and sets nothing
      this.surface.focus({ preventScroll: true });
      this.#follow(event);
    });
    this.surface.addEventListener("pointermove", (event) => this.#follow(event));
    this.surface.addEventListener("pointerup", (event) => {
      if (this.down !== event.pointerId) return;
      this.down = null;
      this.set(this.at, event.pointerType === "touch" ? 24 : 10);
    });
    this.surface.addEventListener("pointercancel", () => (this.down = null));
    // What a browser makes of a tap afterwards (a click, a zoom) would take the focus back from what was just asked.
    this.surface.addEventListener("touchend", (event) => event.cancelable && event.preventDefault(), { passive: false });
  }

  get open() {
    return this.kind !== null;
  }

  begin(kind) {
    if (this.open) this.#close();
    this.before = this.editor.chosen;
    this.kind = kind;
    this.points = [];
    this.at = [Math.round(this.editor.width / 2), Math.round(this.editor.height / 2)];
    this.steered = false;
    this.cross = true;
    this.words.textContent = {
      polygon: "Set corner after corner on the picture. End on the first one, or with Done.",
      never: "Set corner after corner around what nobody may see. End on the first one, or with Done.",
      grey: "Set corner after corner around what the public may not see; rules still look there. End on the first one, or with Done.",
      line: "Set where the line begins, then where it ends.",
      plane: "Set a point of the ground, then write its metres. Four points or more, far apart.",
    }[kind];
    const drawing = kind !== "plane";
    this.bar.querySelector("[data-pen-ready]").hidden = this.bar.querySelector("[data-pen-back]").hidden = !drawing;
    this.bar.querySelector("[data-pen-cancel]").hidden = !drawing;
    this.editor.choose(drawing ? null : this.editor.ground);
    this.editor.form.classList.add("is-drawing");
    for (const element of [this.bar, this.surface]) element.hidden = false;
    this.editor.form.querySelector("[data-begin]").hidden = true;
    this.#show();
    for (const element of [this.editor.live, this.editor.canvas]) element.scrollIntoView({ block: "nearest" });
    this.surface.focus({ preventScroll: true });
    this.editor.say(`${this.words.textContent} With keys: arrows move the cross, Space sets a ${CORNER[kind].toLowerCase()}, Escape leaves.`);
  }

  /** After the metres of a point: back to the picture for the next one. */
  again() {
    if (this.open) this.surface.focus();
    else this.editor.form.querySelector("[data-draw=plane]").focus();
    this.editor.say("Now the next point.");
  }

  #close() {
    this.kind = null;
    this.points = [];
    this.band.replaceChildren();
    this.editor.form.classList.remove("is-drawing");
    for (const element of [this.bar, this.surface]) element.hidden = true;
    this.editor.form.querySelector("[data-begin]").hidden = false;
  }

  #follow(event) {
    if (!event.isPrimary) return;
    const [x, y] = this.editor.spot(event);
    this.at = [between(0, Math.round(x), this.editor.width), between(0, Math.round(y), this.editor.height)];
    this.steered = this.cross = false;
    this.#show();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey) return;
    const [across, down] = [Math.round(this.editor.width / 10), Math.round(this.editor.height / 10)];
    const step = event.altKey ? null : event.shiftKey ? 10 : 1;
    const [right, below] = [step ?? across, step ?? down];
    const ways = {
      ArrowLeft: [-right, 0], ArrowRight: [right, 0], ArrowUp: [0, -below], ArrowDown: [0, below],
      PageUp: [0, -down], PageDown: [0, down], Home: [-across, 0], End: [across, 0],
    };
    if (ways[event.key]) this.#steer(...ways[event.key]);
    else if (event.key === " ") this.set(this.at, 1);
    else if (event.key === "Enter") this.steered || this.kind === "plane" ? this.set(this.at, 1) : this.finish();
    else if (event.key === "Backspace" || event.key === "Delete") this.back();
    else return;
    event.preventDefault();
  }

  #steer(right, below) {
    this.at = [between(0, this.at[0] + right, this.editor.width), between(0, this.at[1] + below, this.editor.height)];
    this.steered = this.cross = true;
    this.#show();
    this.band.querySelector(".draw-aim")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.editor.say(`${place(this.at)}${this.#closes(this.at, 1) ? ", on the first corner" : ""}`);
  }

  /** Whether two points are one for whoever sees them. `reach`: in pixels of the screen. */
  #same(a, b, reach) {
    return a && b && Math.hypot(a[0] - b[0], a[1] - b[1]) <= reach * this.editor.scale;
  }

  #closes(at, reach) {
    return this.kind !== "line" && this.points.length >= FEWEST[this.kind] && this.#same(at, this.points[0], reach);
  }

  set(at, reach) {
    if (this.kind === "plane") return this.editor.ground.put(at);
    if (this.#closes(at, reach)) return this.finish();
    if (this.#same(at, this.points.at(-1), Math.min(reach, 6))) return this.finish(); // a double click ends it
    this.points.push(at);
    this.steered = false;
    if (this.points.length === (this.kind === "line" ? 2 : MOST_CORNERS)) return this.finish();
    this.#show();
    const left = FEWEST[this.kind] - this.points.length;
    this.editor.say(`${CORNER[this.kind]} ${this.points.length} at ${place(at)}. ${left > 0 ? `At least ${left} more.` : "Press Enter to finish."}`);
  }

  back() {
    if (this.kind === "plane") return this.editor.undo();
    const gone = this.points.pop();
    this.steered = false;
    this.#show();
    this.editor.say(gone ? `Taken back. ${this.points.length} are set.` : "There is nothing to take back.");
  }

  finish() {
    const { kind, points } = this;
    if (kind === "plane") return this.cancel();
    if (points.length < FEWEST[kind]) {
      this.editor.say(`A${kind === "polygon" ? "n" : ""} ${SAID[kind]} needs ${FEWEST[kind]} ${kind === "line" ? "ends" : "corners"}; ${points.length} so far.`);
      this.surface.focus({ preventScroll: true });
      return;
    }
    this.#close();
    this.editor.add(kind, points);
  }

  /** One of the usual size in the middle, to be dragged into place. */
  ready() {
    const { kind } = this;
    this.#close();
    this.editor.add(kind);
  }

  cancel() {
    const { kind, points, before } = this;
    this.#close();
    if (kind !== "plane") this.editor.choose(this.editor.shapes.includes(before) ? before : null);
    this.editor.form.querySelector(`[data-draw=${kind}]`).focus();
    this.editor.say(kind === "plane" ? "Done with the ground." : points.length ? "Dropped." : "Nothing was drawn.");
  }

  #show() {
    const { points, at, band } = this;
    const [dot, edges] = [this.editor.letters * 0.4, [...points, at].map(place)];
    band.replaceChildren();
    if (this.cross) {
      const { width, height } = this.editor;
      const d = `M0 ${at[1]}H${width}M${at[0]} 0V${height}`;
      for (const kind of ["draw-cross-edge", "draw-cross"]) band.append(draw("path", { class: kind, d }));
      band.append(draw("circle", { class: "draw-aim", cx: at[0], cy: at[1], r: dot }));
    }
    if (!points.length) return;
    for (const kind of ["draw-band-edge", "draw-band"]) band.append(draw("polyline", { class: kind, points: edges.join(" ") }));
    if (points.length > 1) band.append(draw("polyline", { class: "draw-closing", points: `${edges.at(-1)} ${edges[0]}` }));
    const closes = this.#closes(at, 10);
    points.forEach(([cx, cy], index) => band.append(draw("circle", { class: "draw-set", cx, cy, r: index || !closes ? dot : dot * 2 })));
  }
}

class Editor {
  constructor(form) {
    this.form = form;
    this.width = Number(form.dataset.width);
    this.height = Number(form.dataset.height);
    this.canvas = form.querySelector("[data-canvas]");
    this.svg = form.querySelector("[data-svg]");
    this.layer = form.querySelector("[data-shapes]");
    this.handles = form.querySelector("[data-handles]");
    this.live = form.querySelector("[data-live]");
    this.list = form.querySelector("[data-list]");
    this.undoButton = form.querySelector("[data-undo]");
    this.past = [];
    this.zoom = 1;
    this.chosen = null;
    this.news = 0;
    this.layer.replaceChildren();
    this.shapes = [];
    for (const fieldset of this.list.querySelectorAll("[data-shape]")) this.shapes.push(new Shape(this, fieldset));
    this.ground = new Ground(this, form.querySelector("[data-ground]"));
    this.shapes.push(this.ground);
    if (!this.ground.fieldset.classList.contains("field-wrong")) this.ground.fieldset.querySelector("[data-numbers]").open = false;
    this.pen = new Pen(this);
    for (const button of form.querySelectorAll("[data-draw]")) button.addEventListener("click", () => this.pen.begin(button.dataset.draw));
    for (const button of form.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => this.enlarge(Number(button.dataset.zoom)));
    this.undoButton.addEventListener("click", () => this.undo());
    form.addEventListener("keydown", (event) => {
      if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || event.target.closest("input, textarea")) return;
      event.preventDefault();
      if (this.pen.open) this.pen.back();
      else this.undo();
    });
    form.querySelector("[data-tools]").hidden = false;
    form.classList.add("is-live");
    const wrong = this.shapes.find((shape) => shape.fieldset.classList.contains("field-wrong"));
    this.choose(wrong ?? this.#first());
  }

  /** How large a label must be, in the picture's pixels, so that it can be read on this screen. */
  get letters() {
    return Math.round(14 * this.scale);
  }

  /** How many pixels of the picture a pixel of this screen is. */
  get scale() {
    return this.width / Math.max(this.svg.getBoundingClientRect().width, 1);
  }

  #first() {
    return this.shapes.find((shape) => !shape.removed && shape !== this.ground) ?? null;
  }

  say(words) {
    this.live.textContent = words;
  }

  // ---- which one, and where its handles are ---------------------------------------------------------------------

  choose(shape, focus = false) {
    if (this.chosen !== shape) {
      for (const each of this.shapes) {
        each.group.classList.toggle("is-chosen", each === shape);
        each.fieldset.classList.toggle("is-chosen", each === shape);
      }
      if (shape) this.layer.append(shape.group);
      this.chosen = shape;
      this.grips();
    }
    if (!focus || !shape) return;
    this.canvas.scrollIntoView({ block: "nearest" });
    this.handles.querySelector(".draw-corner")?.focus();
  }

  /** The form's text of a shape was changed by hand. */
  drawn(shape) {
    shape.draw();
    if (shape === this.chosen) this.grips();
  }

  /** New handles for the chosen shape: one for each corner, one for all, and a dot between each two corners. */
  grips() {
    this.handles.replaceChildren();
    const shape = this.chosen;
    if (!shape || shape.removed) return;
    const points = shape.points;
    points.forEach((_, index) => this.handles.append(this.#grip("draw-corner", index)));
    if (shape.kind === "line") this.handles.lastElementChild?.classList.add("is-second");
    if (shape === this.ground) for (const [index, grip] of [...this.handles.children].entries()) {
      grip.classList.add("draw-point");
      grip.dataset.number = index + 1;
    }
    else if (points.length) this.handles.append(this.#grip("draw-all", null));
    if (shape.kind !== "line" && shape !== this.ground && points.length < MOST_CORNERS) points.forEach((_, index) => this.handles.append(this.#dot(index)));
    this.settle();
  }

  /** Put the handles where the corners are, and let them say so. */
  settle() {
    const shape = this.chosen;
    const points = shape.points;
    const put = (button, [x, y]) => {
      button.style.left = `${(100 * x) / this.width}%`;
      button.style.top = `${(100 * y) / this.height}%`;
    };
    for (const button of this.handles.children) {
      const index = Number(button.dataset.index);
      if (button.classList.contains("draw-all")) {
        put(button, shape.middle(points));
        button.setAttribute("aria-label", `Move all of ${shape.called}`);
      } else if (button.classList.contains("draw-corner")) {
        put(button, points[index]);
        button.setAttribute("aria-label", this.#where(shape, points, index));
      } else {
        const [a, b] = [points[index], points[(index + 1) % points.length]];
        put(button, [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
      }
    }
  }

  #where(shape, points, index) {
    const what = `${CORNER[shape.kind]} ${index + 1}${shape.kind === "line" ? "" : ` of ${points.length}`}`;
    return `${what} of ${shape.called}: ${place(points[index])}`;
  }

  #grip(kind, index) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = kind;
    if (index !== null) button.dataset.index = index;
    button.addEventListener("focus", () => {
      this.before = this.chosen.points;
      this.say(button.getAttribute("aria-label"));
    });
    button.addEventListener("keydown", (event) => this.key(event, index));
    button.addEventListener("pointerdown", (event) => this.drag(event, button, index));
    button.addEventListener("click", (event) => event.preventDefault());
    return button;
  }

  #dot(index) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "draw-middle";
    button.dataset.index = index;
    button.tabIndex = -1;
    button.setAttribute("aria-hidden", "true");
    button.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.insert(index);
      const corner = this.handles.querySelector(`.draw-corner[data-index="${index + 1}"]`);
      this.drag(event, corner, index + 1, false);
    });
    return button;
  }

  // ---- what changes a shape -------------------------------------------------------------------------------------

  /** Give a shape other points; undo brings back the ones before. */
  change(shape, points, focus = null) {
    const before = shape.points;
    this.remember(() => {
      shape.points = before;
      this.chosen = null;
      this.choose(shape);
    });
    this.show(shape, points, focus);
  }

  show(shape, points, focus = null) {
    const anew = shape.points.length !== points.length;
    shape.points = points;
    if (shape !== this.chosen) this.choose(shape);
    else if (anew) this.grips();
    else this.settle();
    if (focus !== null) this.handles.querySelector(`.draw-corner[data-index="${focus}"]`)?.focus();
  }

  remember(back) {
    this.past.push(back);
    this.undoButton.disabled = false;
  }

  undo() {
    const within = this.handles.contains(document.activeElement);
    this.past.pop()?.();
    if (within) this.handles.querySelector(".draw-corner")?.focus();
    this.undoButton.disabled = !this.past.length;
    this.say("Undone.");
  }

  /** All points moved by as much as fits: what is moved whole keeps its form. */
  moved(points, index, dx, dy) {
    const put = (x, y) => [between(0, Math.round(x), this.width), between(0, Math.round(y), this.height)];
    if (index !== null) return points.map(([x, y, ...rest], at) => (at === index ? [...put(x + dx, y + dy), ...rest] : [x, y, ...rest]));
    const reach = (at, by, most) => between(-Math.min(...points.map((p) => p[at])), by, most - Math.max(...points.map((p) => p[at])));
    const [right, down] = [reach(0, dx, this.width), reach(1, dy, this.height)];
    return points.map(([x, y]) => put(x + right, y + down));
  }

  key(event, index) {
    const shape = this.chosen;
    const step = event.shiftKey ? 10 : 1;
    const ways = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (ways[event.key] && !event.ctrlKey && !event.altKey && !event.metaKey) {
      this.change(shape, this.moved(shape.points, index, ...ways[event.key]));
      this.say(index === null ? `${shape.called} is now around ${shape.middle().join(", ")}` : this.#where(shape, shape.points, index));
    } else if (event.key === "Enter" && index !== null) this.insert(index);
    else if ((event.key === "Delete" || event.key === "Backspace") && index !== null) this.take(index);
    else if (event.key === "Escape") {
      if (this.before?.length === shape.points.length) this.change(shape, this.before);
      this.say("Put back.");
    } else return;
    event.preventDefault();
  }

  insert(index) {
    const shape = this.chosen;
    const points = shape.points;
    if (shape === this.ground) {
      this.say("A point of the ground has its own metres: add one with “Measure the ground”.");
      return;
    }
    if (shape.kind === "line") {
      this.say("A line has two ends, and no corners between them.");
      return;
    }
    if (points.length >= MOST_CORNERS) {
      this.say(`No more than ${MOST_CORNERS} corners.`);
      return;
    }
    const [a, b] = [points[index], points[(index + 1) % points.length]];
    const middle = [Math.round((a[0] + b[0]) / 2), Math.round((a[1] + b[1]) / 2)];
    this.change(shape, points.toSpliced(index + 1, 0, middle), index + 1);
    this.say(`Added: ${this.#where(shape, shape.points, index + 1)}`);
  }

  /** A corner where the edge of a shape was pressed, which can be dragged on at once. */
  split(shape, event, drags = true) {
    const points = shape.points;
    if (points.length >= MOST_CORNERS) return this.say(`No more than ${MOST_CORNERS} corners.`);
    const spot = this.spot(event);
    const near = points.map((a, index) => {
      const b = points[(index + 1) % points.length];
      const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
      const along = between(0, ((spot[0] - a[0]) * dx + (spot[1] - a[1]) * dy) / Math.max(dx * dx + dy * dy, 1), 1);
      const on = [a[0] + along * dx, a[1] + along * dy];
      return { index, on: on.map(Math.round), far: Math.hypot(spot[0] - on[0], spot[1] - on[1]) };
    });
    const { index, on } = near.reduce((best, each) => (each.far < best.far ? each : best));
    this.change(shape, points.toSpliced(index + 1, 0, on), index + 1);
    this.say(`Added: ${this.#where(shape, shape.points, index + 1)}`);
    if (drags) this.drag(event, this.handles.querySelector(`.draw-corner[data-index="${index + 1}"]`), index + 1, false);
  }

  take(index) {
    const shape = this.chosen;
    if (shape.points.length <= FEWEST[shape.kind]) {
      this.say(`A ${SAID[shape.kind]} needs ${FEWEST[shape.kind]} ${shape.kind === "line" ? "ends" : "corners"}. Remove it as a whole in the list.`);
      return;
    }
    this.change(shape, shape.points.toSpliced(index, 1), Math.max(index - 1, 0));
    this.say(`Removed. ${shape.points.length} ${shape === this.ground ? "points" : "corners"} are left.`);
  }

  /** Follow a pointer. `counts`: whether it is a step of its own to undo; a corner that was just added is not. */
  drag(event, button, index, counts = true) {
    if (event.button) return;
    event.preventDefault();
    button.focus();
    const shape = this.chosen;
    const before = shape.points;
    const begin = this.spot(event);
    let moved = false;
    const move = (next) => {
      const [x, y] = this.spot(next);
      moved ||= Math.hypot(next.clientX - event.clientX, next.clientY - event.clientY) > 2;
      if (!moved) return;
      this.show(shape, this.moved(before, index, x - begin[0], y - begin[1]));
      this.say(index === null ? `${shape.called} is around ${shape.middle().join(", ")}` : this.#where(shape, shape.points, index));
    };
    const end = (last) => {
      button.removeEventListener("pointermove", move);
      button.removeEventListener("pointerup", end);
      button.removeEventListener("pointercancel", end);
      const after = shape.points;
      if (last.type === "pointercancel") this.show(shape, before);
      else if (moved && counts) {
        shape.points = before;
        this.change(shape, after);
      }
    };
    button.setPointerCapture(event.pointerId);
    button.addEventListener("pointermove", move);
    button.addEventListener("pointerup", end);
    button.addEventListener("pointercancel", end);
  }

  /** Where in the picture a pointer is. */
  spot(event) {
    const box = this.svg.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * this.width, ((event.clientY - box.top) / box.height) * this.height];
  }

  // ---- whole shapes ---------------------------------------------------------------------------------------------

  /** A new one, as it was drawn; or in the middle of the picture. */
  add(kind, points = null) {
    const made = document.querySelector(`template[data-new="${kind}"]`).content.firstElementChild.cloneNode(true);
    const id = this.#fresh();
    for (const element of [made, ...made.querySelectorAll("*")])
      for (const { name, value } of [...element.attributes]) if (value.includes(`new-${kind}`)) element.setAttribute(name, value.replace(`new-${kind}`, id));
    this.list.querySelector("[data-nothing]")?.remove();
    this.list.append(made);
    const name = made.querySelector('[name^="name-"]');
    if (name) {
      name.value = this.#name(kind === "line" ? "line" : "area");
      const shown = document.createElement("span");
      shown.dataset.name = "";
      shown.textContent = name.value;
      made.querySelector("legend").append(" “", shown, "”");
    } else made.querySelector("legend").append(` ${this.shapes.filter((shape) => shape.kind === kind).length + 1}`);
    const shape = new Shape(this, made);
    this.shapes.push(shape);
    const [x, y, w, h] = [this.width / 2, this.height / 2, this.width / 10, this.height / 10].map(Math.round);
    shape.points = points ?? (kind === "line" ? [[x, y + h], [x, y - h]] : [[x - w, y - h], [x + w, y - h], [x + w, y + h], [x - w, y + h]]);
    made.querySelector("[data-numbers]").open = false;
    this.remember(() => this.#forget(shape));
    this.choose(shape, true);
    this.say(
      points
        ? `${shape.called} is drawn${kind === "line" ? "" : ` with ${points.length} corners`}.${name ? " Its name is in the list." : ""}`
        : `A new ${SAID[kind]} is in the middle of the picture. Move its ${kind === "line" ? "ends" : "corners"}.`,
    );
  }

  #fresh() {
    do this.news += 1;
    while (this.form.querySelector(`[data-shape="new${this.news}"]`));
    return `new${this.news}`;
  }

  #name(stem) {
    const taken = new Set(this.shapes.map((shape) => shape.nameField?.value));
    let n = 1;
    while (taken.has(`${stem}-${n}`)) n += 1;
    return `${stem}-${n}`;
  }

  /** Take a new one away again; one that is in the file has a box to tick instead. */
  drop(shape) {
    const next = shape.fieldset.nextSibling;
    const at = this.shapes.indexOf(shape);
    this.#forget(shape);
    this.remember(() => {
      this.list.insertBefore(shape.fieldset, next);
      this.shapes.splice(at, 0, shape);
      this.layer.append(shape.group);
      this.choose(shape);
    });
    this.form.querySelector("[data-draw]").focus();
    this.say("Removed.");
  }

  #forget(shape) {
    this.shapes = this.shapes.filter((each) => each !== shape);
    shape.fieldset.remove();
    shape.group.remove();
    if (this.chosen === shape) this.choose(this.#first());
  }

  enlarge(by) {
    this.canvas.classList.remove(`zoom-${this.zoom}`);
    this.zoom = between(1, this.zoom + by, ZOOMS);
    this.canvas.classList.add(`zoom-${this.zoom}`);
    for (const button of this.form.querySelectorAll("[data-zoom]")) button.disabled = this.zoom === (Number(button.dataset.zoom) > 0 ? ZOOMS : 1);
    for (const shape of this.shapes) shape.draw();
    this.say(`The picture is ${["in its size", "larger", "much larger", "as large as it gets"][this.zoom - 1]}.`);
  }
}

for (const form of document.querySelectorAll("#drawing")) new Editor(form);
