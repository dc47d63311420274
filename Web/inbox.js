// The permissions that wait for this person's answer, of all sessions, answerable without opening one.
import { api } from './api.js';
import { caller } from './caller.js';
import { RookerySession } from './client/index.js';
import { PermissionCard } from './conversation/card.js';
import { make } from './conversation/dom.js';

const panel = document.getElementById('inbox');
const toggle = document.getElementById('inbox-toggle');
const counter = toggle.querySelector('.count');
const list = panel.querySelector('ul');
const hint = panel.querySelector('.hint');
/** Milliseconds between two looks. */
const OPEN = 2000;
const CLOSED = 6000;

export class Inbox {
  #cards = new Map();
  #timer = 0;
  #isLooking = false;
  #again = false;
  #open;
  #onToggle;

  /** `open(id)` shows a session; `onOpen()` is called when the inbox is opened. */
  constructor({ open, onOpen }) {
    this.#open = open;
    this.#onToggle = onOpen;
    toggle.hidden = false;
    toggle.onclick = () => (panel.hidden ? this.show() : this.hide());
    panel.onkeydown = (event) => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      this.hide();
      toggle.focus();
    };
    panel.addEventListener('answered', () => (list.querySelector('button') ?? toggle).focus());
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.look(); });
    this.#schedule();
  }

  get isOpen() {
    return !panel.hidden;
  }

  async show() {
    this.#onToggle();
    panel.hidden = false;
    toggle.setAttribute('aria-expanded', 'true');
    await this.look();
    list.querySelector('button')?.focus();
  }

  hide() {
    panel.hidden = true;
    toggle.setAttribute('aria-expanded', 'false');
    this.#schedule();
  }

  /** Looks now; a look that is under way is followed by another. */
  async look() {
    if (this.#isLooking) {
      this.#again = true;
      return;
    }
    this.#isLooking = true;
    try {
      do {
        this.#again = false;
        this.#draw((await api.permissions()).items ?? []);
      } while (this.#again);
    } catch (problem) {
      if (problem.status === 401 || problem.status === 403) this.#draw([]);
      else hint.textContent = problem.message;
    } finally {
      this.#isLooking = false;
      this.#schedule();
    }
  }

  #schedule() {
    clearTimeout(this.#timer);
    const look = () => (document.hidden ? this.#schedule() : this.look());
    this.#timer = setTimeout(look, this.isOpen ? OPEN : CLOSED);
  }

  #draw(items) {
    const keys = new Set(items.map(key));
    for (const [known, { node, card }] of this.#cards) {
      if (keys.has(known)) continue;
      this.#cards.delete(known);
      // It had its answer elsewhere: what one is about to touch does not jump away.
      card.resolve({ resolution: 'elsewhere' });
      setTimeout(() => node.remove(), node.contains(document.activeElement) || panel.hidden ? 0 : 2500);
    }
    for (const item of items) if (!this.#cards.has(key(item))) this.#add(item);
    counter.textContent = items.length ? String(items.length) : '';
    counter.hidden = items.length === 0;
    toggle.classList.toggle('waiting', items.length > 0);
    toggle.setAttribute('aria-label', items.length ? `Inbox: ${items.length} waiting` : 'Inbox');
    hint.textContent = items.length ? '' : 'Nothing waits for your answer.';
  }

  #add(item) {
    const id = item.session_id;
    const link = make('a', { className: 'origin', href: `?id=${encodeURIComponent(id)}` },
      make('strong', { dir: 'auto', text: item.session_name || id.slice(0, 8) }), ` of ${item.owner}`);
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a tab of its own
      event.preventDefault();
      this.hide();
      this.#open(id);
    };
    const card = new PermissionCard(item, {
      origin: link,
      answer: async (decision, options) => {
        const session = new RookerySession(id, { token: caller.share });
        try {
          await session.answer(item.id, decision, options);
        } finally {
          session.close();
        }
        card.resolve({ resolution: decision === 'allow' ? 'allowed' : 'denied', remember: options.remember });
        this.look();
      },
    });
    const node = make('li', {}, card.node);
    this.#cards.set(key(item), { node, card });
    list.append(node);
  }
}

function key({ session_id: session, id }) {
  return `${session}/${id}`;
}
