// The zone editor: the picture in front of the form. Every corner lives in the form's own text, so that what is sent is
// what a form without this script would send. The server judges every shape; nothing here decides anything.

const SVG = "http://www.w3.org/2000/svg";
const FEWEST = { polygon: 3, line: 2, never: 3 };
const SAID = { polygon: "area", line: "line", never: "hidden part" };
const ZOOMS = 4;
const MOST_CORNERS = 64;

/** A new element of the picture. */
function draw(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

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
    this.draw();
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
    this.group.addEventListener("pointerdown", () => this.editor.choose(this));
    this.text.addEventListener("input", () => this.editor.drawn(this));
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
    add("Change it", () => this.editor.choose(this, true)).dataset.choose = "";
    if (this.kind === "line") add("Turn it round", () => this.editor.change(this, [...this.points].reverse()));
    if (!this.remove) add("Remove it", () => this.editor.drop(this));
    this.fieldset.querySelector("[data-numbers]").before(row);
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
    } else this.group.append(draw("polygon", { class: this.kind === "never" ? "draw-never" : "draw-area", points: list }));
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
    for (const button of form.querySelectorAll("[data-add]")) button.addEventListener("click", () => this.add(button.dataset.add));
    for (const button of form.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => this.enlarge(Number(button.dataset.zoom)));
    this.undoButton.addEventListener("click", () => this.undo());
    form.addEventListener("keydown", (event) => {
      if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || event.target.closest("input, textarea")) return;
      event.preventDefault();
      this.undo();
    });
    form.querySelector("[data-tools]").hidden = false;
    form.classList.add("is-live");
    const wrong = this.shapes.find((shape) => shape.fieldset.classList.contains("field-wrong"));
    this.choose(wrong ?? this.shapes.find((shape) => !shape.removed) ?? null);
  }

  /** How large a label must be, in the picture's pixels, so that it can be read on this screen. */
  get letters() {
    return Math.round((14 * this.width) / Math.max(this.svg.getBoundingClientRect().width, 1));
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
    if (points.length) this.handles.append(this.#grip("draw-all", null));
    if (shape.kind !== "line" && points.length < MOST_CORNERS) points.forEach((_, index) => this.handles.append(this.#dot(index)));
    this.settle();
  }

  /** Put the handles where the corners are, and let them say so. */
  settle() {
    const shape = this.chosen;
    const points = shape.points;
    const place = (button, [x, y]) => {
      button.style.left = `${(100 * x) / this.width}%`;
      button.style.top = `${(100 * y) / this.height}%`;
    };
    for (const button of this.handles.children) {
      const index = Number(button.dataset.index);
      if (button.classList.contains("draw-all")) {
        place(button, shape.middle(points));
        button.setAttribute("aria-label", `Move all of ${shape.called}`);
      } else if (button.classList.contains("draw-corner")) {
        place(button, points[index]);
        button.setAttribute("aria-label", this.#where(shape, points, index));
      } else {
        const [a, b] = [points[index], points[(index + 1) % points.length]];
        place(button, [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
      }
    }
  }

  #where(shape, points, index) {
    const what = shape.kind === "line" ? `End ${index + 1}` : `Corner ${index + 1} of ${points.length}`;
    return `${what} of ${shape.called}: ${points[index].join(", ")}`;
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
    if (index !== null) return points.map(([x, y], at) => (at === index ? put(x + dx, y + dy) : [x, y]));
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

  take(index) {
    const shape = this.chosen;
    if (shape.points.length <= FEWEST[shape.kind]) {
      this.say(`A ${SAID[shape.kind]} needs ${FEWEST[shape.kind]} ${shape.kind === "line" ? "ends" : "corners"}. Remove it as a whole in the list.`);
      return;
    }
    this.change(shape, shape.points.toSpliced(index, 1), Math.max(index - 1, 0));
    this.say(`Removed. ${shape.points.length} corners are left.`);
  }

  /** Follow a pointer. `counts`: whether it is a step of its own to undo; a corner that was just added is not. */
  drag(event, button, index, counts = true) {
    if (event.button) return;
    event.preventDefault();
    button.focus();
    const shape = this.chosen;
    const before = shape.points;
    const begin = this.#spot(event);
    let moved = false;
    const move = (next) => {
      const [x, y] = this.#spot(next);
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
  #spot(event) {
    const box = this.svg.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * this.width, ((event.clientY - box.top) / box.height) * this.height];
  }

  // ---- whole shapes ---------------------------------------------------------------------------------------------

  /** Begin a new one in the middle of the picture. */
  add(kind) {
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
    shape.points = kind === "line" ? [[x, y + h], [x, y - h]] : [[x - w, y - h], [x + w, y - h], [x + w, y + h], [x - w, y + h]];
    made.querySelector("[data-numbers]").open = false;
    this.remember(() => this.#forget(shape));
    this.choose(shape, true);
    this.say(`A new ${SAID[kind]} is in the middle of the picture. Move its ${kind === "line" ? "ends" : "corners"}.`);
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
    this.form.querySelector("[data-add]").focus();
    this.say("Removed.");
  }

  #forget(shape) {
    this.shapes = this.shapes.filter((each) => each !== shape);
    shape.fieldset.remove();
    shape.group.remove();
    if (this.chosen === shape) this.choose(this.shapes.find((each) => !each.removed) ?? null);
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
