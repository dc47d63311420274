// A structured session: its conversation, as its events tell it, and what a person says to it.
import { api, randomKey } from '../api.js';
import { caller } from '../caller.js';
import { RookerySession } from '../client/index.js';
import { CONNECTION, REASONS, RESTING, SessionPage } from '../session.js';
import { badge, hideCover, showBanner, showCover } from '../status.js';
import { Composer } from './composer.js';
import { button, make } from './dom.js';
import { Conversation } from './model.js';
import { Outbox } from './outbox.js';
import { Timeline } from './timeline.js';

const element = (id) => document.getElementById(id);
/** Events of a session's life, after which its document is read anew. */
const LIFE = /^session\.(queued|starting|running|parking|parked|stopping|stopped|failed|deleted|switched)$/;
/** Milliseconds without an event after which what is replayed counts as told. */
const QUIET = 400;
/** Events that are read at first, and more at a time. */
const TAIL = 300;
/** Of them, for one wish to see more. */
const MOST_PAGES = 10;
const LONGEST_ANNOUNCEMENT = 400;

export class ConversationPage extends SessionPage {
  /** Something about permissions changed: the inbox is out of date. */
  onPermissions = () => {};

  #session;
  #model = new Conversation();
  #timeline;
  #composer;
  #root = element('conversation');
  #bounds = { models: null, modes: ['default', 'acceptEdits', 'plan'] };
  #isOpen = false;
  #outbox;
  /** Where the session stands, as long as its events up to there have not all come. */
  #standing = null;
  /** What comes happened before the page did: it is shown, and not announced. */
  #isPast = true;
  #quiet = 0;
  #reading = 0;
  #warned = null;
  #listening = new AbortController();

  constructor(record) {
    super(record);
    this.#session = new RookerySession(record.id, {
      tail: TAIL, reconnectDelay: 300, maxReconnectDelay: 10_000, token: caller.share,
    });
    this.#session.on('event', (event) => this.#take(event));
    this.#session.on('connected', () => this.#connected());
    this.#session.on('disconnected', () => badge('connection', 'lost', CONNECTION.lost));
    this.#session.on('error', (problem) => this.#refused(problem));
    this.#session.on('delayed', (problem) => {
      this.#model.delayed(problem.message);
      this.#timeline.refresh();
    });
    this.#timeline = new Timeline(this.#model, {
      withdraw: (item) => this.#withdraw(item),
      retry: (item) => this.#retry(item),
      discard: (item) => this.#discard(item),
      answer: (item, decision, options) => this.#answer(item, decision, options),
      setMode: caller.mayDrive ? (mode) => this.#session.setPermissionMode(mode) : null,
    }, this.#root);
    this.#timeline.onMove = () => this.#drawAsks();
    this.#timeline.hasEarlier = () => this.#session.hasEarlier;
    this.#timeline.loadEarlier = () => this.#loadEarlier();
    this.#outbox = new Outbox(record.id);
    this.#composer = new Composer(this.#root.querySelector('.composer'), record.id);
    this.#composer.onSend = (text, images) => this.#send(text, images);
    this.#composer.onInterrupt = () => this.#interrupt();
    this.#composer.onModel = (name) => this.#set('model', this.#session.setModel(name));
    this.#composer.onMode = (mode) => this.#set('permission mode', this.#session.setPermissionMode(mode));
    this.#composer.onProblem = (text) => showBanner(text, 'error');
    this.#root.addEventListener('answered', () => { if (caller.mayDrive) this.#composer.focus(); }, { signal: this.#listening.signal });
    this.#root.querySelector('.asks').onclick = () => {
      const [first] = this.#model.openPermissions;
      if (first) this.#timeline.show(first.id);
    };
    addEventListener('beforeunload', (event) => {
      if (this.#session.pending) event.preventDefault();
    }, { signal: this.#listening.signal });
  }

  /** Shows what was said. A parked session stays parked: the next prompt wakes it. */
  start() {
    this.#root.hidden = false;
    this.#root.querySelector('.rest').dataset.key = '';
    this.#root.querySelector('.announcements').textContent = '';
    this.render();
    badge('connection', 'connecting', CONNECTION.connecting);
    this.connect();
    // What a page before this one had not got rid of: the session takes each only once.
    for (const { clientID, text, images } of this.#outbox.entries) this.#deliver(clientID, text, images);
    this.#readBounds();
    if (this.isResting) this.rested();
    this.#draw();
    if (caller.mayDrive && !matchMedia('(pointer: coarse)').matches) this.focus();
  }

  connect() {
    hideCover();
    if (!this.#isOpen) this.#session.open();
    this.#isOpen = true;
  }

  disconnect() {
    this.#listening.abort();
    clearTimeout(this.#quiet);
    clearTimeout(this.#reading);
    this.#isOpen = false;
    this.#session.close();
    this.#timeline.stop();
    this.#root.hidden = true;
    badge('connection', 'off', CONNECTION.off);
  }

  focus() {
    this.#composer.focus();
  }

  hurry() {
    this.#session.hurry();
  }

  press() {}

  /** For tests and for people who debug. */
  get model() {
    return this.#model;
  }

  // What the person does

  #send(text, images) {
    const clientID = randomKey();
    this.#outbox.keep({ clientID, text, images });
    this.endWarning();
    this.#deliver(clientID, text, images);
    this.#timeline.toEnd();
    return true;
  }

  async #deliver(clientID, text, images) {
    this.#model.sending(clientID, text, images);
    this.#timeline.refresh();
    try {
      const { prompt_id: promptID } = await this.#session.prompt(text, { images, clientID });
      this.#outbox.drop(clientID);
      this.#model.delivered(clientID, promptID);
    } catch (problem) {
      // Left: the next page goes on with it.
      if (!this.#isOpen) return;
      this.#model.refused(clientID, problem.message);
      this.#timeline.refresh();
      if (problem.status === 401) this.onLoggedOut();
    }
  }

  #retry(item) {
    this.#discard(item);
    this.#send(item.text, item.pictures ?? []);
  }

  #discard(item) {
    this.#outbox.drop(item.clientID);
    this.#model.discard(item.clientID);
    this.#timeline.refresh();
  }

  async #withdraw(item) {
    try {
      await this.#session.withdraw(item.promptID);
      this.#composer.restore(item.text, item.pictures ?? []);
    } catch (problem) {
      this.failed(problem);
    }
  }

  async #interrupt() {
    try {
      await this.#session.interrupt();
      this.#announce('Interrupted.');
    } catch (problem) {
      this.failed(problem);
    }
  }

  async #answer(item, decision, options) {
    await this.#session.answer(item.data.id, decision, options);
    this.onPermissions();
  }

  async #set(what, change) {
    try {
      await change;
      this.#announce(`The ${what} was changed.`);
    } catch (problem) {
      this.#composer.revert();
      this.failed(problem);
    }
  }

  // What the server says

  async #connected() {
    badge('connection', 'on', CONNECTION.on);
    // What is open may have changed while nobody listened here; and events that are not kept tell nothing.
    try {
      this.#standing = await this.#session.state();
    } catch (problem) {
      if (problem.status === 401) this.onLoggedOut();
    }
    if (this.#isOpen) this.#settleSoon();
  }

  /** Once the events up to where the session stands have come, or none comes any more, both are put together. */
  #settleSoon() {
    clearTimeout(this.#quiet);
    if (this.#standing && this.#model.seq >= this.#standing.seq) this.#settle();
    else this.#quiet = setTimeout(() => this.#settle(), QUIET);
  }

  #settle() {
    if (this.#standing) this.#model.reconcile(this.#standing);
    this.#standing = null;
    this.#isPast = false;
    this.#timeline.refresh();
    this.#draw();
  }

  #refused(problem) {
    badge('connection', 'off', CONNECTION.off);
    if (problem.status === 401) {
      this.onLoggedOut();
    } else if (problem.status === 404) {
      this.update({ ...this.record, lifecycle: 'deleted' });
    } else {
      showBanner(problem.message, 'error');
    }
  }

  #take(event) {
    this.#model.apply(event);
    if (LIFE.test(event.type)) this.#readRecord();
    if (event.type.startsWith('permission.') && !this.#isPast) this.onPermissions();
    if (event.type === 'gap') this.#connected();
    this.#timeline.refresh();
    if (this.#isPast || this.#standing) this.#settleSoon();
    if (this.#isPast) return;
    this.#announceEvent(event);
    this.#draw();
  }

  /** Answers whether anything was put before what is there. Some pages are of nothing that is drawn. */
  async #loadEarlier() {
    const { length } = this.#model.items;
    let pages = 0;
    try {
      while (this.#session.hasEarlier && this.#model.items.length <= length && pages < MOST_PAGES) {
        const events = await this.#session.earlier(TAIL);
        if (!this.#isOpen) return false;
        this.#model.prepend(events);
        pages += 1;
      }
    } catch (problem) {
      this.failed(problem);
    }
    return pages > 0;
  }

  async #readRecord() {
    clearTimeout(this.#reading);
    this.#reading = setTimeout(async () => {
      try {
        const record = await api.session(this.id);
        if (!this.#isOpen) return;
        if (record.kind === this.record.kind) this.update(record);
        else if (!this.waking) this.onSwitched(record);
      } catch (problem) {
        if (problem.status === 404) this.update({ ...this.record, lifecycle: 'deleted' });
        else if (problem.status === 401) this.onLoggedOut();
      }
    }, 150);
  }

  /** The model's name and mode are within the policy. */
  async #readBounds() {
    try {
      const { bounds = {} } = await api.policy(this.record.policy);
      if (Array.isArray(bounds.models)) this.#bounds.models = bounds.models;
      if (Array.isArray(bounds.permission_modes)) this.#bounds.modes = bounds.permission_modes;
      this.#draw();
    } catch {
      // The server refuses what the policy does not allow.
    }
  }

  // What is shown around the conversation

  update(record) {
    super.update(record);
    if (!this.isResting) hideCover();
    this.#draw();
  }

  rested() {
    hideCover();
    if (this.record.lifecycle === 'deleted') {
      showCover(...RESTING.deleted, { actions: caller.mayManage ? [['New session', () => this.onNew(), true]] : [] });
    }
    this.#draw();
  }

  #draw() {
    const { lifecycle } = this.record;
    const runs = lifecycle === 'running';
    const { activity, settings, usage, parksAt } = this.#model;
    if (runs && !this.#isPast && activity && activity !== this.record.activity) {
      this.record = { ...this.record, activity };
      if (activity !== 'idle') this.endWarning();
    }
    this.render();
    const works = runs && (this.record.activity === 'working' || this.record.activity === 'pending');
    this.#root.dataset.activity = runs ? this.record.activity : lifecycle;
    this.#composer.show({
      works, runs, usage, ...this.#bounds,
      settings: { model: this.record.model, permission_mode: this.record.permission_mode, ...settings },
    });
    this.#drawAsks();
    this.#drawRest();
    if (parksAt && runs && new Date(parksAt) > Date.now() && !works && this.#warned !== parksAt) {
      this.#warned = parksAt;
      this.warn(parksAt, 'A message keeps it running.');
    }
  }

  /** The way to what waits for an answer, unless it is in sight. */
  #drawAsks() {
    const { length } = this.#model.openPermissions;
    const asks = this.#root.querySelector('.asks');
    asks.hidden = length === 0 || (length === 1 && this.#timeline.isAtEnd);
    asks.textContent = length > 1 ? `${length} answers are waited for` : 'An answer is waited for';
  }

  #drawRest() {
    const bar = this.#root.querySelector('.rest');
    const { lifecycle, reason, detail } = this.record;
    bar.hidden = !this.isResting || lifecycle === 'deleted';
    const key = `${lifecycle}:${reason}:${detail}`;
    if (bar.hidden || bar.dataset.key === key) return;
    bar.dataset.key = key;
    const [title] = RESTING[lifecycle];
    const because = reason ? `: ${REASONS[reason] ?? reason}` : '';
    const remedy = {
      parked: this.isElsewhere ? 'It goes on when its program is connected again.' : caller.mayDrive ? 'Your next message wakes it.' : '',
      stopped: this.isElsewhere ? 'Its conversation is kept until the session is deleted.' : caller.mayManage ? 'Resume it to go on.' : '', failed: caller.mayManage ? 'Resume it to try again.' : '',
      queued: 'It starts when there is room.',
    }[lifecycle];
    bar.replaceChildren(make('p', {}, make('strong', { text: `${title}${because}.` }), ` ${remedy ?? ''}`));
    if (caller.mayManage && !this.isElsewhere && ['stopped', 'failed'].includes(lifecycle)) bar.append(button('Resume', () => this.resume(), { primary: true }));
    if (detail && lifecycle === 'failed') bar.append(make('pre', { text: detail }));
  }

  // For whoever listens instead of looking

  #announceEvent({ type, data }) {
    switch (type) {
      case 'message.assistant': this.#announce(`Claude: ${data.text}`); break;
      case 'permission.requested':
        this.#announce(data.kind === 'question' ? 'Claude asks a question.' : data.kind === 'plan' ? 'Claude has a plan.' : `Claude asks to use ${data.tool_name}.`);
        break;
      case 'permission.resolved': this.#announce(`${data.tool_name ?? 'It'} was ${data.resolution}${data.by ? ` by ${data.by}` : ''}.`); break;
      case 'turn.completed': if (data.outcome !== 'completed') this.#announce(`The turn was ${data.outcome}.`); break;
      default:
    }
  }

  #announce(text) {
    this.#root.querySelector('.announcements').textContent = text.slice(0, LONGEST_ANNOUNCEMENT);
  }
}
