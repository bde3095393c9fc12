// @ts-check
// A widget's places on a page. What is saved is plain HTML; where a kernel answers, a live view moves into it.
//
// So a page that is opened again without its kernel shows what it showed, and not a widget that cannot be found.

/**
 * @typedef {object} Model what anywidget hands over
 * @property {(name: string) => any} get
 * @property {(name: string, value: any) => void} set
 * @property {() => void} save_changes
 * @property {(content: any) => void} [send] missing on a page without a kernel
 * @property {(event: string, handler: (...values: any[]) => void) => void} on
 * @property {(event: string, handler: (...values: any[]) => void) => void} off
 *
 * @typedef {object} View
 * @property {HTMLElement} root
 * @property {() => void} close the page does not need it any more
 * @property {() => void} cut the kernel is gone, and what is shown stays
 */

const PATIENCE = 3000; // ms until an answer of the kernel is missed
export const NO_ANSWER = "The kernel has not answered: is it running, and is no cell at work? Then try again.";

/**
 * The hooks of a widget, as anywidget wants them: a view in each place of the page that carries the widget's key, or
 * where the client itself makes a place for it.
 * @param {new (model: Model) => View} Kind
 */
export function live(Kind) {
  const page = /** @type {any} */ (globalThis);
  page.talkingProcessesKeys ??= shareKeys();
  return {
    /** @param {{ model: Model }} widget */
    initialize({ model }) {
      page.talkingProcessesPlaces ??= new Places();
      return page.talkingProcessesPlaces.add(model.get("key"), model, Kind);
    },
    /** @param {{ model: Model, el: HTMLElement }} place */
    render({ model, el }) {
      const view = new Kind(model);
      el.replaceChildren(view.root);
      return () => view.close();
    },
  };
}

/** Give keys to the widget that has the focus, and those with Ctrl, Cmd or Alt to JupyterLab. */
function shareKeys() {
  const mark = "data-lm-suppress-shortcuts";
  /** @type {Element | null} */
  let marked = null;
  // before JupyterLab, which listens at the document
  window.addEventListener("keydown", (event) => {
    const isForLab = event.ctrlKey || event.metaKey || event.altKey;
    marked?.removeAttribute(mark);
    // on the very element, which JupyterLab looks at before those around it
    marked = event.target instanceof Element && event.target.closest(".tp-widget") ? event.target : null;
    if (!isForLab) marked?.setAttribute(mark, "true");
  }, true);
  return true;
}

/** The places of all widgets on the page; one for all, as it watches the page. */
class Places {
  /** @type {Map<string, { build: () => View, views: Map<HTMLElement, View> }>} by key of the widget */
  #widgets = new Map();
  /** @type {any} */
  #focused = null;

  constructor() {
    document.addEventListener("focusin", ({ target }) => { this.#focused = target; });
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) {
        for (const node of addedNodes) if (node instanceof HTMLElement) this.#settleIn(node);
      }
    }).observe(document.documentElement, { childList: true, subtree: true });
  }

  /** @param {string} key @param {Model} model @param {new (model: Model) => View} Kind */
  add(key, model, Kind) {
    const views = new Map();
    this.#widgets.set(key, { build: () => new Kind(model), views });
    this.#settleIn(document.documentElement);
    const cut = () => {
      this.#widgets.delete(key);
      views.forEach((view) => view.cut());
    };
    model.on("comm_live_update", cut);
    return cut;
  }

  /** @param {HTMLElement} element */
  #settleIn(element) {
    if (element.matches("[data-talking-processes]")) this.#settle(element);
    element.querySelectorAll("[data-talking-processes]").forEach((place) => this.#settle(place));
  }

  /** Put a view into a place: one whose own place was replaced, or else a new one. */
  #settle(place) {
    const widget = this.#widgets.get(place.dataset.talkingProcesses);
    if (!widget || widget.views.has(place)) return;
    const [left, moving] = [...widget.views].find(([old]) => !old.isConnected) ?? [];
    const view = moving ?? widget.build();
    if (left) widget.views.delete(left);
    widget.views.set(place, view);
    // a script that wakes up saved pages lets this place alone
    place.dataset.alive = "";
    place.replaceChildren(view.root);
    // the keyboard's focus was lost with the place that was replaced
    if (document.activeElement === document.body && view.root.contains(this.#focused)) {
      this.#focused.focus({ preventScroll: true });
    }
  }
}

/** A view that shows what its model holds, and that asks the kernel: what is alike in all but the explorer. */
export class LiveView {
  /** @type {string[]} names of the values that are shown, and shown anew when they change */
  static watched = [];

  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    this.problem = ""; // what went wrong with the last question to the kernel
    this.kernel = new Kernel(model, (problem) => {
      this.problem = problem;
      this.show();
    });
    this.root = this.build();
    this.show = this.show.bind(this);
    for (const name of this.watched) model.on(`change:${name}`, this.show);
    this.show();
  }

  get watched() { return /** @type {typeof LiveView} */ (this.constructor).watched; }

  /** Make the elements, once. @returns {HTMLElement} */
  build() { throw new Error("a view says how it is built"); }

  /** Bring the elements up to date. */
  show() { throw new Error("a view says what it shows"); }

  cut() { this.kernel.cut(); }

  close() {
    for (const name of this.watched) this.model.off(`change:${name}`, this.show);
    this.kernel.close();
  }
}

/** Asks the kernel for one thing at a time, and notices when it does not answer. */
export class Kernel {
  /**
   * @param {Model} model
   * @param {(problem: string) => void} changed called when it gets busy, when it is done, and with what went wrong
   */
  constructor(model, changed) {
    this.model = model;
    this.changed = changed;
    this.isThere = Boolean(model.send);
    /** @type {string | null} the task that the kernel is at work on */
    this.busy = null;
    this.hear = this.hear.bind(this);
    model.on("msg:custom", this.hear);
  }

  /** @param {string} task @param {object} content */
  ask(task, content) {
    if (!this.isThere || this.busy) return;
    this.busy = task;
    this.patience = setTimeout(() => this.#end(NO_ANSWER), PATIENCE);
    this.changed("");
    try {
      this.model.send?.({ task, ...content });
    } catch (error) {
      this.#end(`The kernel cannot be reached: ${/** @type {Error} */ (error).message}`);
    }
  }

  /** Tell the kernel what needs no answer. @param {string} task */
  tell(task) {
    if (!this.isThere) return;
    try {
      this.model.send?.({ task });
    } catch {
      // a kernel that cannot be reached is told of when something is asked of it
    }
  }

  /** @param {{ kind: string, task: string }} message */
  hear({ kind, task }) {
    if (task !== this.busy) return;
    clearTimeout(this.patience);
    if (kind === "done") this.#end("");
  }

  /** @param {string} problem */
  #end(problem) {
    clearTimeout(this.patience);
    this.busy = null;
    this.changed(problem);
  }

  /** From now on there is none. */
  cut() {
    this.isThere = false;
    this.#end("");
  }

  close() {
    clearTimeout(this.patience);
    this.model.off("msg:custom", this.hear);
  }
}
