// Where a person writes: text, images, model and mode, and the buttons around them.
import { visible } from './visible.js';
import { ImageTray } from './images.js';
import { make, money } from './dom.js';

/** Claude Code's permission modes, in words. */
const MODES = {
  default: 'Asks first', acceptEdits: 'Accepts edits', plan: 'Plans only', auto: 'Decides itself', dontAsk: 'Denies what asks',
  bypassPermissions: 'Never asks',
};
const MODELS = ['default', 'opus', 'sonnet', 'haiku'];
const OTHER = '\u0000other';

export class Composer {
  /** `(text, images)`; answers whether it was taken over. */
  onSend = () => true;
  onInterrupt = () => {};
  onModel = () => {};
  onMode = () => {};
  onProblem = () => {};

  #form;
  #field;
  #tray;
  #draft;
  #model;
  #mode;
  #interrupt;
  #send;
  #cost;
  #works = false;

  constructor(form, sessionID) {
    this.#form = form;
    this.#draft = `draft:${sessionID}`;
    this.#field = form.querySelector('textarea');
    this.#model = form.querySelector('[name=model]');
    this.#mode = form.querySelector('[name=mode]');
    this.#interrupt = form.querySelector('[name=interrupt]');
    this.#send = form.querySelector('[name=send]');
    this.#cost = form.querySelector('.cost');
    this.#tray = new ImageTray(form.querySelector('.images'));
    this.#tray.clear();
    this.#tray.onChange = () => this.#changed();
    this.#tray.onProblem = (text) => this.onProblem(text);
    this.#bind();
    this.#field.value = load(this.#draft);
    this.#changed();
  }

  #bind() {
    const picker = this.#form.querySelector('input[type=file]');
    this.#form.querySelector('[name=attach]').onclick = () => picker.click();
    picker.onchange = () => {
      this.#tray.add([...picker.files]).then(() => this.focus());
      picker.value = '';
    };
    this.#form.onsubmit = (event) => {
      event.preventDefault();
      this.#submit();
    };
    this.#field.oninput = () => this.#changed();
    this.#field.onkeydown = (event) => {
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.#submit();
      } else if (event.key === 'Escape' && this.#works) {
        event.preventDefault();
        this.onInterrupt();
      }
    };
    this.#field.onpaste = (event) => {
      const files = [...(event.clipboardData?.files ?? [])].filter(({ type }) => type.startsWith('image/'));
      if (!files.length) return;
      event.preventDefault();
      this.#tray.add(files);
    };
    this.#form.ondragover = (event) => event.preventDefault();
    this.#form.ondrop = (event) => {
      event.preventDefault();
      this.#tray.add([...(event.dataTransfer?.files ?? [])]);
    };
    this.#interrupt.onclick = () => this.onInterrupt();
    this.#model.onchange = () => this.#chooseModel();
    this.#mode.onchange = () => this.onMode(this.#mode.value);
  }

  #chooseModel() {
    let name = this.#model.value;
    if (name === OTHER) name = prompt('The model’s name')?.trim();
    if (name) this.onModel(name);
    else this.revert();
  }

  /** Shows the model and the mode that are, whatever was chosen. */
  revert() {
    for (const select of [this.#model, this.#mode]) select.value = select.dataset.now ?? '';
  }

  #submit() {
    const text = this.#field.value;
    const { images } = this.#tray;
    if (!text.trim() && !images.length) return;
    if (!this.onSend(text, images)) return;
    this.#field.value = '';
    this.#tray.clear();
    this.#changed();
  }

  #changed() {
    this.#send.disabled = !this.#field.value.trim() && this.#tray.images.length === 0;
    save(this.#draft, this.#field.value);
    this.#fit();
  }

  /** As high as its text. */
  #fit() {
    this.#field.style.height = 'auto';
    if (this.#field.scrollHeight) this.#field.style.height = `${this.#field.scrollHeight}px`;
  }

  /** Puts words back to be changed, before those that are there. */
  restore(text, images = []) {
    const rest = this.#field.value;
    this.#field.value = rest.trim() ? `${text}\n${rest}` : text;
    if (images.length) this.#tray.images = [...images, ...this.#tray.images];
    this.#changed();
    this.focus();
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  get hasFocus() {
    return document.activeElement === this.#field;
  }

  /** Shows where the session stands. */
  show({ works, runs, settings, usage, models, modes }) {
    if (!this.#field.style.height || this.#field.style.height === 'auto') this.#fit(); // it was not shown before
    this.#works = works;
    this.#interrupt.hidden = !works;
    this.#send.textContent = works ? 'Queue' : 'Send';
    this.#send.title = works ? 'It waits until the turn is over (Enter)' : 'Enter sends, Shift+Enter makes a new line';
    this.#cost.textContent = usage?.cost_usd ? money(usage.cost_usd) : '';
    const model = settings.model ?? 'default';
    const names = models ?? MODELS;
    fill(this.#model, [...new Set([...names, model])].map((name) => [name, visible(name)]), model,
      models ? [] : [[OTHER, 'Another…']]);
    const mode = settings.permission_mode ?? 'default';
    fill(this.#mode, [...new Set([...modes, mode])].map((name) => [name, MODES[name] ?? visible(name)]), mode);
    this.#model.disabled = !runs;
    this.#mode.disabled = !runs;
  }
}

/** Fills a select only when its choices are others: an open one stays as it is. */
function fill(select, choices, value, more = []) {
  const key = JSON.stringify([choices, more]);
  if (select.dataset.choices !== key) {
    select.dataset.choices = key;
    delete select.dataset.now;
    select.replaceChildren(...[...choices, ...more].map(([name, text]) => make('option', { value: name, text })));
  }
  if (select.dataset.now !== value) select.value = value;
  select.dataset.now = value;
}

function load(key) {
  try {
    return sessionStorage.getItem(key) ?? '';
  } catch {
    return ''; // storage is switched off
  }
}

function save(key, text) {
  try {
    if (text) sessionStorage.setItem(key, text);
    else sessionStorage.removeItem(key);
  } catch {
    // The draft lasts as long as the page.
  }
}
