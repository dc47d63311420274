// The conversation's items on the page, in their order, and the place where one reads.
import { drawItem } from './items.js';

/** Items that are drawn at first, and more at a time. */
const WINDOW = 300;
/** Pixels from the end that still count as the end. */
const NEAR = 48;
/** Pixels from the beginning at which somebody who scrolls up is given more. */
const UPPER = 200;

export class Timeline {
  /** The end came into sight, or went out of it. */
  onMove = () => {};
  /** Whether the session has more than the model. */
  hasEarlier = () => false;
  /** Puts what came before into the model; answers whether there was any. */
  loadEarlier = async () => false;

  #model;
  #actions;
  #scroll;
  #list;
  #tail;
  #earlier;
  #latest;
  #drawn = new Map();
  #from = 0;
  #frame = 0;
  #isAtEnd = true;
  #top = 0;
  #isLoading = false;
  #observer;

  constructor(model, actions, root) {
    this.#model = model;
    this.#actions = actions;
    this.#scroll = root.querySelector('.scroll');
    this.#list = root.querySelector('.timeline');
    this.#tail = root.querySelector('.tail');
    this.#earlier = root.querySelector('.earlier');
    this.#latest = root.querySelector('.latest');
    this.#list.replaceChildren();
    this.#tail.replaceChildren();
    this.#scroll.onscroll = () => this.#scrolled();
    this.#earlier.onclick = () => this.#goBack();
    this.#latest.onclick = () => this.toEnd();
    this.#observer = new ResizeObserver(() => this.#settle());
    this.#observer.observe(this.#scroll);
    this.#earlier.hidden = true;
    this.#latest.hidden = true;
  }

  stop() {
    cancelAnimationFrame(this.#frame);
    this.#observer.disconnect();
  }

  /** Draws what changed, with the next frame; a hidden tab has none, and needs none. */
  refresh() {
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.draw());
  }

  get isAtEnd() {
    return this.#isAtEnd;
  }

  toEnd() {
    this.#isAtEnd = true;
    this.#settle();
  }

  /** Shows an item and puts the focus into it. */
  show(id) {
    const drawn = this.#drawn.get(id);
    drawn?.node.scrollIntoView({ block: 'nearest' });
    drawn?.node.querySelector('button, input, summary')?.focus({ preventScroll: true });
  }

  draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const changed = this.#model.takeChanges();
    const { items, waiting, outbox } = this.#model;
    if (this.#isAtEnd) this.#from = Math.max(this.#from, items.length - WINDOW * 2);
    if (this.#drawn.size === 0) this.#from = Math.max(0, items.length - WINDOW);
    // Items are only added at the end: those before one that is placed are placed.
    let first = items.length;
    while (first > this.#from && !this.#drawn.get(items[first - 1].id)?.isPlaced) first -= 1;
    this.#place(first, items.length, null);
    for (const [id, drawn] of this.#drawn) {
      if (drawn.isPlaced && drawn.index < this.#from) this.#remove(id);
    }
    for (const id of changed) {
      const drawn = this.#drawn.get(id);
      drawn?.update(drawn.item);
    }
    this.#drawTail([...waiting, ...outbox]);
    this.#drawEarlier();
    this.#settle();
  }

  #drawEarlier() {
    this.#earlier.hidden = this.#from === 0 && !this.hasEarlier();
    this.#earlier.disabled = this.#isLoading;
    this.#earlier.textContent = this.#isLoading ? 'Reading earlier…' : this.#from > 0 ? `Show earlier (${this.#from})` : 'Show earlier';
  }

  /** Puts items before a node of the list; null: at its end. What belongs to a subagent goes to that. */
  #place(from, to, next) {
    for (let at = from; at < to; at += 1) {
      const item = this.#model.items[at];
      const drawn = this.#node(item);
      drawn.isPlaced = true;
      drawn.index = at;
      const parent = item.parent && this.#drawn.get(this.#model.tool(item.parent)?.id)?.children;
      if (parent) parent.append(drawn.node);
      else this.#list.insertBefore(drawn.node, next);
    }
  }

  #node(item) {
    let drawn = this.#drawn.get(item.id);
    if (!drawn) {
      drawn = drawItem(item, this.#actions);
      drawn.item = item;
      this.#drawn.set(item.id, drawn);
    }
    return drawn;
  }

  #remove(id) {
    this.#drawn.get(id).node.remove();
    this.#drawn.delete(id);
  }

  /** Prompts that have no place yet: what waits, and what is on its way. */
  #drawTail(entries) {
    const nodes = entries.map((entry) => this.#node(entry).node);
    for (const [id, drawn] of this.#drawn) {
      if (!drawn.isPlaced && !nodes.includes(drawn.node)) this.#remove(id);
    }
    nodes.forEach((node, at) => {
      if (this.#tail.children[at] !== node) this.#tail.insertBefore(node, this.#tail.children[at] ?? null);
    });
    this.#tail.hidden = nodes.length === 0;
  }

  /** Shows what the model has, and then what the session has. */
  async #goBack() {
    if (this.#isLoading) return;
    if (this.#from > 0) {
      this.#keepingPlace(() => {
        const before = this.#from;
        this.#from = Math.max(0, before - WINDOW);
        this.#place(this.#from, before, this.#list.firstChild);
      });
      return;
    }
    if (!this.hasEarlier()) return;
    this.#isLoading = true;
    this.#drawEarlier();
    try {
      if (await this.loadEarlier()) this.#keepingPlace(() => this.#placeAnew());
    } finally {
      this.#isLoading = false;
      this.#drawEarlier();
    }
  }

  /** What one reads stays where it is, whatever comes above it. */
  #keepingPlace(change) {
    const height = this.#scroll.scrollHeight - this.#scroll.scrollTop;
    this.#isAtEnd = false;
    change();
    this.#drawEarlier();
    this.#scroll.scrollTop = this.#scroll.scrollHeight - height;
    this.#top = this.#scroll.scrollTop;
  }

  /** The model was told anew. Nodes whose items are still there stay as they are: somebody may have begun an answer. */
  #placeAnew() {
    this.#from = 0;
    const { items, waiting, outbox } = this.#model;
    const known = new Set([...items, ...waiting, ...outbox].map(({ id }) => id));
    for (const id of [...this.#drawn.keys()]) {
      if (!known.has(id)) this.#remove(id);
    }
    let next = this.#list.firstChild;
    items.forEach((item, at) => {
      const drawn = this.#node(item);
      Object.assign(drawn, { isPlaced: true, index: at });
      const parent = item.parent && this.#drawn.get(this.#model.tool(item.parent)?.id)?.children;
      if (parent) {
        if (drawn.node === next) next = next.nextSibling;
        parent.append(drawn.node);
      } else if (drawn.node === next) {
        next = next.nextSibling;
      } else {
        this.#list.insertBefore(drawn.node, next);
      }
    });
    this.draw();
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    const isUpwards = scrollTop < this.#top;
    this.#top = scrollTop;
    if (isUpwards && !isAtEnd && scrollTop < UPPER) this.#goBack();
    if (isAtEnd === this.#isAtEnd) return;
    this.#isAtEnd = isAtEnd;
    this.#latest.hidden = isAtEnd;
    this.onMove();
  }

  #settle() {
    if (this.#isAtEnd) this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#latest.hidden = this.#isAtEnd;
  }
}
