// One session on the page: its state, what may be done with it, and its terminal's connection.
import { api } from './api.js';
import { Link } from './link.js';
import { badge, bannerKind, distance, hideBanner, hideCover, showBanner, showCover } from './status.js';

const element = (id) => document.getElementById(id);

/** Lifecycles in which nothing runs, with what is said about them. */
const RESTING = {
  queued: ['Waiting for room', 'The machine is full; this session starts when another one ends.'],
  parked: ['Parked', 'Its processes are gone and its memory is free. Workspace and conversation are kept.'],
  stopped: ['Stopped', 'Workspace and conversation are kept until the session is deleted.'],
  failed: ['Failed', 'The session could not go on.'],
  deleted: ['Deleted', 'This session is gone for good.'],
};
const REASONS = {
  requested: 'somebody asked for it', idle: 'nothing happened for its idle time', budget: 'its budget is used up',
  max_lifetime: 'it reached its longest lifetime', oom: 'it ran out of memory', crashed: 'it crashed',
  exited: 'its program ended', launch_failed: 'its sandbox did not start', host_restart: 'the machine restarted',
};
/** How long a session's state may take to follow the end of its program, in milliseconds. */
const ENDING = 5000;
const CONNECTION = { connecting: 'connecting…', on: 'connected', lost: 'reconnecting…', off: 'not connected' };

export class SessionPage {
  /** The API said 401: the login has run out. */
  onLoggedOut = () => {};
  onNew = () => {};

  #view;
  #link;
  #record;
  #activity = null;
  #warning = 0;
  #driving = false;
  #waking = false;
  #ended = false;

  /** `record` is the session as the API shows it. */
  constructor(record, view) {
    this.#record = record;
    this.#view = view;
    this.#link = new Link(record.id, view);
    this.#link.onConnection = (state) => {
      badge('connection', state, CONNECTION[state]);
      this.#driving = false; // until the server says so
      if (state === 'on') {
        hideCover();
        if (bannerKind() === 'error') hideBanner();
      } else {
        element('take-over').hidden = true;
      }
    };
    this.#link.onMessage = (message) => this.#received(message);
    this.#link.onClosed = (event) => this.#reconnects(event);
    view.onInput = (bytes) => this.#typed(bytes);
    view.onTouch = () => this.#touched();
    view.onFit = (cols, rows) => this.#link.resize(cols, rows);
    this.#bindControls();
  }

  get id() {
    return this.#record.id;
  }

  /** Attaches. A parked session is started first: a person opened it. */
  start() {
    this.#render();
    const { lifecycle } = this.#record;
    if (lifecycle === 'parked') {
      this.#resume();
    } else if (lifecycle in RESTING) {
      this.#rest();
    } else {
      if (lifecycle === 'starting') showCover('Starting…');
      this.#link.open();
      this.#view.focus();
    }
  }

  leave() {
    clearInterval(this.#warning);
    this.#link.close();
    hideBanner();
    hideCover();
    badge('activity', 'none', '');
    for (const id of ['id', 'take-over', 'park', 'stop', 'resume']) element(id).hidden = true;
  }

  hurry() {
    this.#link.hurry();
  }

  press(key) {
    this.#touched();
    this.#view.press(key);
    this.#view.focus();
  }

  // What the person does

  /** Input for the session: keys, and the terminal's own answers to what programs ask it. The driver's count. */
  #typed(bytes) {
    if (this.#driving) this.#link.type(bytes);
  }

  #touched() {
    if (!this.#link.connected) {
      if (this.#record.lifecycle === 'running') showBanner('Not connected: what you type now is not sent.', 'error');
    } else if (!this.#driving) {
      showBanner('Somebody else types in this session. “Take over” makes it yours.');
    } else if (bannerKind() !== 'error') {
      this.#endWarning();
    }
  }

  #bindControls() {
    const id = element('id');
    id.hidden = false;
    id.textContent = this.id.slice(0, 8);
    id.title = `${this.id} (click to copy)`;
    id.onclick = () => this.#copy(id);
    element('take-over').onclick = () => {
      this.#link.takeOver();
      this.#view.focus();
    };
    element('park').onclick = () => this.#act('park', 'Parking…');
    element('stop').onclick = () => this.#act('stop', 'Stopping…');
    element('resume').onclick = () => this.#resume();
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
      this.#update(await api[name](this.id));
    } catch (problem) {
      hideCover();
      this.#failed(problem);
    }
  }

  async #resume() {
    showCover('Starting…');
    this.#waking = true;
    try {
      this.#update(await api.resume(this.id));
      this.#link.open();
      this.#view.focus();
    } catch (problem) {
      hideCover();
      this.#failed(problem);
      this.#rest();
    } finally {
      this.#waking = false;
    }
  }

  // What the server says

  #received(message) {
    switch (message.type) {
      case 'snapshot': this.#view.resize(message.cols, message.rows); break;
      case 'state': this.#update({ ...this.#record, ...message, type: undefined }); break;
      case 'driver': this.#driver(message); break;
      case 'reap_warning': this.#warn(message.at); break;
      case 'exit': this.#exited(message); break;
      case 'error': showBanner(message.detail || message.message || 'The session refused something.', 'error'); break;
      default: break; // a newer server may say more
    }
  }

  /** One client drives and owns the size; the others see its grid. */
  #driver({ you, principal }) {
    this.#driving = you;
    const button = element('take-over');
    button.hidden = you;
    if (you && bannerKind() === 'note') hideBanner();
    button.title = principal ? `${principal} drives this session from another place` : 'Nobody drives this session';
    if (you) this.#view.lead();
    else this.#view.follow();
  }

  #exited({ code, signal, reason }) {
    this.#ended = true;
    const how = signal ? `by signal ${signal}` : `with code ${code ?? '?'}`;
    this.#view.write(`\r\n\x1b[2m[the session's program ended ${how}${reason ? `: ${REASONS[reason] ?? reason}` : ''}]\x1b[0m\r\n`);
  }

  #warn(at) {
    clearInterval(this.#warning);
    const show = () => showBanner(
      `Nothing happens here: this session is parked ${distance(at)}, at ${new Date(at).toLocaleTimeString()}. `
      + 'Type anything to keep it running.', 'warning');
    show();
    this.#warning = setInterval(show, 1000);
  }

  #endWarning() {
    clearInterval(this.#warning);
    if (bannerKind() === 'warning') hideBanner();
  }

  #update(record) {
    this.#record = record;
    if (record.lifecycle !== 'running' || (record.activity && record.activity !== 'idle')) this.#endWarning();
    this.#render();
    if (record.lifecycle in RESTING && !this.#link.connected) this.#rest();
  }

  #render() {
    const { lifecycle, activity, name } = this.#record;
    const running = lifecycle === 'running';
    this.#activity = running ? activity : lifecycle;
    badge('activity', this.#activity ?? 'none', this.#activity ?? '');
    element('park').hidden = !running;
    element('stop').hidden = !running && lifecycle !== 'parked';
    element('resume').hidden = !['parked', 'stopped', 'failed'].includes(lifecycle);
    const sign = { working: '● ', pending: '! ' }[this.#activity] ?? '';
    document.title = `${sign}${name || this.id.slice(0, 8)} · Rookery`;
  }

  /** The socket closed: whether the session still runs decides what to do. */
  async #reconnects() {
    if (this.#waking) return false;
    const gone = this.#ended ? Date.now() + ENDING : 0; // the program ended: soon the session's state says so
    this.#ended = false;
    for (;;) {
      try {
        this.#record = await api.session(this.id);
      } catch (problem) {
        return this.#unreadable(problem);
      }
      this.#render();
      const { lifecycle } = this.#record;
      if (lifecycle in RESTING) {
        this.#rest();
        return false;
      }
      const ending = lifecycle === 'parking' || lifecycle === 'stopping' || (lifecycle === 'running' && Date.now() < gone);
      if (!ending) return true;
      await new Promise((resolve) => setTimeout(resolve, 300));
      if (this.#waking) return false;
    }
  }

  /** The session could not be read. Answers whether to connect again. */
  #unreadable(problem) {
    if (problem.status === 401) {
      this.onLoggedOut();
      return false;
    }
    if (problem.status === 404) {
      this.#record = { ...this.#record, lifecycle: 'deleted' };
      this.#render();
      this.#rest();
      return false;
    }
    return true; // the server is away: sessions go on without it
  }

  /** Covers the terminal with why nothing runs and what can be done. */
  #rest() {
    const { lifecycle, reason, detail } = this.#record;
    if (!(lifecycle in RESTING)) return;
    this.#link.close();
    const [title, text] = RESTING[lifecycle];
    const because = reason ? `\nReason: ${REASONS[reason] ?? reason}.` : '';
    const resume = [lifecycle === 'parked' ? 'Wake' : 'Resume', () => this.#resume(), true];
    const fresh = ['New session', () => this.onNew(), lifecycle === 'deleted'];
    const actions = lifecycle === 'deleted' ? [fresh] : lifecycle === 'queued' ? [] : [resume, fresh];
    showCover(title, text + because, { details: detail ?? '', actions });
  }

  #failed(problem) {
    if (problem.status === 401) this.onLoggedOut();
    else showBanner(problem.message, 'error');
  }
}
