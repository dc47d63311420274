// One session on the page, whatever its kind: its state, what may be done with it, and what is said while it rests.
import { api } from './api.js';
import { caller } from './caller.js';
import { badge, bannerKind, distance, hideBanner, hideCover, showBanner, showCover } from './status.js';

const element = (id) => document.getElementById(id);

/** Lifecycles in which nothing runs, with what is said about them. */
export const RESTING = {
  queued: ['Waiting for room', 'The machine is full; this session starts when another one ends.'],
  parked: ['Parked', 'Its processes are gone and its memory is free. Workspace and conversation are kept.'],
  stopped: ['Stopped', 'Workspace and conversation are kept until the session is deleted.'],
  failed: ['Failed', 'The session could not go on.'],
  deleted: ['Deleted', 'This session is gone for good.'],
};
export const REASONS = {
  requested: 'somebody asked for it', idle: 'nothing happened for its idle time', budget: 'its budget is used up',
  max_lifetime: 'it reached its longest lifetime', oom: 'it ran out of memory', crashed: 'it crashed',
  exited: 'its program ended', launch_failed: 'its sandbox did not start', host_restart: 'the machine restarted',
};
export const CONNECTION = { connecting: 'connecting…', on: 'connected', lost: 'reconnecting…', off: 'not connected' };
/** Kinds that a session can be switched to, with the words for it. */
const OTHER_KIND = {
  terminal: ['structured', 'As a chat', 'Go on as a conversation, without Claude Code’s own screen'],
  structured: ['terminal', 'As a terminal', 'Go on with Claude Code’s own screen'],
};

/** What pages of both kinds have. A page of a kind says how it connects, and what it shows while nothing runs. */
export class SessionPage {
  /** The API said 401: the login has run out. */
  onLoggedOut = () => {};
  onNew = () => {};
  /** The session is of another kind now: `(record)`. */
  onSwitched = () => {};

  activity = null;
  waking = false;
  #warning = 0;

  /** `record` is the session as the API shows it. */
  constructor(record) {
    this.record = record;
    this.#bindControls();
  }

  get id() {
    return this.record.id;
  }

  /** Its program is started and ended where it runs. */
  get isElsewhere() {
    return this.record.kind === 'remote';
  }

  get isResting() {
    return this.record.lifecycle in RESTING;
  }

  // Of each kind: start(), connect(), disconnect(), focus(), hurry(), press(key); rested(), when nothing runs any more.

  leave() {
    clearInterval(this.#warning);
    this.disconnect();
    hideBanner();
    hideCover();
    badge('activity', 'none', '');
    badge('access', 'none', '');
    for (const id of ['id', 'take-over', 'park', 'stop', 'resume', 'switch']) element(id).hidden = true;
  }

  #bindControls() {
    const id = element('id');
    id.hidden = false;
    id.textContent = this.id.slice(0, 8);
    id.title = `${this.id} (click to copy)`;
    id.onclick = () => this.#copy(id);
    element('park').onclick = () => this.#act('park', 'Parking…');
    element('stop').onclick = () => this.#act('stop', 'Stopping…');
    element('resume').onclick = () => this.resume();
    element('switch').onclick = () => this.#switchKind();
  }

  async #copy(button) {
    try {
      await navigator.clipboard.writeText(this.id);
      button.textContent = 'copied';
    } catch {
      prompt('The session id', this.id); // no clipboard without https
    }
    setTimeout(() => { button.textContent = this.id.slice(0, 8); }, 1500);
  }

  async #act(name, title) {
    showCover(title);
    try {
      this.update(await api[name](this.id));
      if (!this.isResting) hideCover();
    } catch (problem) {
      hideCover();
      this.failed(problem);
    }
  }

  async resume() {
    showCover('Starting…');
    this.waking = true;
    try {
      const record = await api.resume(this.id);
      if (record.kind !== this.record.kind) {
        this.onSwitched(record);
        return;
      }
      this.update(record);
      this.connect();
      this.focus();
    } catch (problem) {
      hideCover();
      this.failed(problem);
      this.rested();
    } finally {
      this.waking = false;
    }
  }

  async #switchKind() {
    const [kind] = OTHER_KIND[this.record.kind];
    showCover(kind === 'terminal' ? 'Going on as a terminal…' : 'Going on as a conversation…');
    this.waking = true;
    try {
      const record = await api.switchKind(this.id, kind);
      this.onSwitched(record);
    } catch (problem) {
      hideCover();
      this.failed(problem);
    } finally {
      this.waking = false;
    }
  }

  /** The session is parked at `at`, unless somebody does something. */
  warn(at, remedy) {
    clearInterval(this.#warning);
    const show = () => showBanner(
      `Nothing happens here: this session is parked ${distance(at)}, at ${new Date(at).toLocaleTimeString()}. ${remedy}`,
      'warning');
    show();
    this.#warning = setInterval(show, 1000);
  }

  endWarning() {
    clearInterval(this.#warning);
    if (bannerKind() === 'warning') hideBanner();
  }

  update(record) {
    this.record = record;
    if (record.lifecycle !== 'running' || (record.activity && record.activity !== 'idle')) this.endWarning();
    this.render();
    if (this.isResting) this.rested();
  }

  render() {
    const { lifecycle, activity, name, kind } = this.record;
    const running = lifecycle === 'running';
    this.activity = running ? activity : lifecycle;
    badge('activity', this.activity ?? 'none', this.activity ?? '');
    badge('access', caller.access, caller.word);
    element('park').hidden = !running || this.isElsewhere;
    element('stop').hidden = !running && lifecycle !== 'parked';
    element('resume').hidden = this.isElsewhere || !['parked', 'stopped', 'failed'].includes(lifecycle);
    const [, label, title] = OTHER_KIND[kind] ?? [];
    const button = element('switch');
    button.hidden = !label || lifecycle === 'deleted';
    button.disabled = running ? activity !== 'idle' : !['parked', 'stopped', 'failed'].includes(lifecycle);
    button.textContent = label;
    button.title = button.disabled ? 'Once the session is idle it can be switched to the other kind' : title;
    const sign = { working: '● ', pending: '! ' }[this.activity] ?? '';
    document.title = `${sign}${name || this.id.slice(0, 8)} · Rookery`;
  }

  failed(problem) {
    if (problem.status === 401) this.onLoggedOut();
    else showBanner(problem.message, 'error');
  }
}
