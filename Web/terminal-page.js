// A session with Claude Code's own screen: the terminal and its connection.
import { api } from './api.js';
import { caller } from './caller.js';
import { Link } from './link.js';
import { CONNECTION, REASONS, RESTING, SessionPage } from './session.js';
import { badge, bannerKind, hideBanner, hideCover, showBanner, showCover } from './status.js';

const element = (id) => document.getElementById(id);
/** How long a session's state may take to follow the end of its program, in milliseconds. */
const ENDING = 5000;
/** And how long a switch to the other kind, or back, may take. */
const SWITCHING = 20_000;

export class TerminalPage extends SessionPage {
  #view;
  #link;
  #driving = false;
  #ended = false;

  constructor(record, view) {
    super(record);
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
    this.#link.onClosed = () => this.#reconnects();
    view.onInput = (bytes) => this.#typed(bytes);
    view.onTouch = () => this.#touched();
    view.onFit = (cols, rows) => this.#link.resize(cols, rows);
    element('take-over').onclick = () => {
      this.#link.takeOver();
      this.#view.focus();
    };
  }

  /** Attaches. A parked session is started first: a person opened it. */
  start() {
    this.render();
    const { lifecycle } = this.record;
    if (lifecycle === 'parked' && caller.mayDrive) {
      this.#wake();
    } else if (this.isResting) {
      this.#rest();
    } else {
      if (lifecycle === 'starting') showCover('Starting…');
      this.#link.open();
      this.#view.focus();
    }
  }

  /** Whoever may not manage sessions wakes one by coming to it. */
  #wake() {
    if (caller.mayManage) {
      this.resume();
    } else {
      showCover('Starting…');
      this.#link.open({ wake: true });
      this.#view.focus();
    }
  }

  connect() {
    this.#link.open();
  }

  disconnect() {
    this.#link.close();
  }

  focus() {
    this.#view.focus();
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
      if (this.record.lifecycle === 'running') showBanner('Not connected: what you type now is not sent.', 'error');
    } else if (!caller.mayDrive) {
      showBanner('You may look on here, not type.');
    } else if (!this.#driving) {
      showBanner('Somebody else types in this session. “Take over” makes it yours.');
    } else if (bannerKind() !== 'error') {
      this.endWarning();
    }
  }

  // What the server says

  #received(message) {
    switch (message.type) {
      case 'snapshot': this.#view.resize(message.cols, message.rows); break;
      case 'state': this.update({ ...this.record, ...message, type: undefined }); break;
      case 'driver': this.#driver(message); break;
      case 'reap_warning': this.warn(message.at, 'Type anything to keep it running.'); break;
      case 'exit': this.#exited(message); break;
      case 'error': showBanner(message.detail || message.message || 'The session refused something.', 'error'); break;
      default: break; // a newer server may say more
    }
  }

  /** One client drives and owns the size; the others see its grid. */
  #driver({ you, principal }) {
    this.#driving = you;
    const button = element('take-over');
    button.hidden = you || !caller.mayDrive;
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

  /** The socket closed: whether the session still runs decides what to do. */
  async #reconnects() {
    if (this.waking) return false;
    const gone = this.#ended ? Date.now() + ENDING : 0; // the program ended: soon the session's state says so
    this.#ended = false;
    const started = Date.now();
    for (;;) {
      try {
        this.record = await api.session(this.id);
      } catch (problem) {
        return this.#unreadable(problem);
      }
      if (this.record.kind === 'structured') {
        this.onSwitched(this.record);
        return false;
      }
      this.render();
      const { lifecycle, detail } = this.record;
      // Between two kinds a session is parked for a moment.
      const switching = lifecycle === 'parked' && detail?.startsWith('switched to ') && Date.now() < started + SWITCHING;
      if (this.isResting && !switching) {
        this.#rest();
        return false;
      }
      const ending = switching || lifecycle === 'parking' || lifecycle === 'stopping' || (lifecycle === 'running' && Date.now() < gone);
      if (!ending) return true;
      await new Promise((resolve) => setTimeout(resolve, 300));
      if (this.waking) return false;
    }
  }

  /** The session could not be read. Answers whether to connect again. */
  #unreadable(problem) {
    if (problem.status === 401) {
      this.onLoggedOut();
      return false;
    }
    if (problem.status === 404) {
      this.record = { ...this.record, lifecycle: 'deleted' };
      this.render();
      this.#rest();
      return false;
    }
    return true; // the server is away: sessions go on without it
  }

  rested() {
    if (!this.#link.connected) this.#rest();
  }

  /** Covers the terminal with why nothing runs and what can be done. */
  #rest() {
    const { lifecycle, reason, detail } = this.record;
    if (!this.isResting) return;
    this.#link.close();
    const [title, text] = RESTING[lifecycle];
    const because = reason ? `\nReason: ${REASONS[reason] ?? reason}.` : '';
    const resume = lifecycle === 'parked' ? ['Wake', () => this.#wake(), true] : ['Resume', () => this.resume(), true];
    const fresh = ['New session', () => this.onNew(), lifecycle === 'deleted'];
    const goesOn = ['parked', 'stopped', 'failed'].includes(lifecycle)
      && (caller.mayManage || (caller.mayDrive && lifecycle === 'parked'));
    const actions = [...(goesOn ? [resume] : []), ...(caller.mayManage && lifecycle !== 'queued' ? [fresh] : [])];
    showCover(title, text + because, { details: detail ?? '', actions });
  }
}
