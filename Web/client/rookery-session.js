// One session of the native API: its events, its terminal, its permissions, and what is said to it.
import { Backoff } from './backoff.js';
import { Emitter } from './emitter.js';
import { EventStream } from './event-stream.js';
import { SendQueue } from './send-queue.js';
import { RookeryTerminal } from './terminal.js';
import { Transport } from './transport.js';

/**
 * Events: `event` with every event, and each under its own type (`message.assistant`, `permission.requested`, …);
 * `connected`, `disconnected`; `error` when the server refuses the events for good; `delayed` with why a message waits.
 */
export class RookerySession {
  #transport;
  #stream;
  #queue;
  #events = new Emitter();
  #terminals = new Set();
  #permissions = new Map();
  #before = null;
  #online = () => this.hurry();

  /** Starts a session and answers it, opened. Options: those of the constructor and the body of POST /v1/sessions. */
  static async create(body = {}, options = {}) {
    const transport = new Transport(options);
    const document = await transport.call('POST', '/v1/sessions', body, { 'idempotency-key': options.key ?? randomKey() });
    const session = new RookerySession(document.id, { since: 0, ...options });
    session.open();
    return session;
  }

  constructor(id, options = {}) {
    this.id = id;
    this.#transport = new Transport(options);
    const { reconnectDelay = 500, maxReconnectDelay = 30_000, jitter = 0.5 } = options;
    const backoff = () => new Backoff(reconnectDelay, maxReconnectDelay, jitter);
    this.#stream = new EventStream(this.#transport, this.#path('/events'), {
      since: options.since ?? null, backoff: backoff(), silence: options.silence,
      tail: options.tail ? { path: this.#path('/history'), limit: options.tail } : null,
    });
    this.#stream.onTail = (before) => { this.#before = before; };
    this.#stream.onEvent = (event) => this.#take(event);
    this.#stream.onConnection = (connected) => this.#events.emit(connected ? 'connected' : 'disconnected');
    this.#stream.onError = (error) => this.#events.emit('error', error);
    this.#queue = new SendQueue(({ method, path, body }) => this.#transport.call(method, path, body), {
      backoff: backoff(), limit: options.queueLimit,
    });
    this.#queue.onDelay = (error) => this.#events.emit('delayed', error);
  }

  /** The number of the last event that was seen: what a later RookerySession is told as `since`. */
  get since() {
    return this.#stream.since;
  }

  /** Messages that are not with the server yet. */
  get pending() {
    return this.#queue.length;
  }

  /** Permissions that were asked for and not answered, by id, as far as the events say. */
  get openPermissions() {
    return new Map(this.#permissions);
  }

  /** Whether there are events before those that were told; known once `tail` of them are. */
  get hasEarlier() {
    return this.#before !== null;
  }

  on(event, listener) {
    return this.#events.on(event, listener);
  }

  off(event, listener) {
    this.#events.off(event, listener);
  }

  /** Follows the events from `since` on, over as many connections as it takes. */
  open() {
    this.#stream.start();
    globalThis.addEventListener?.('online', this.#online);
  }

  /** Ends everything that belongs to this object; the session itself goes on. */
  close() {
    globalThis.removeEventListener?.('online', this.#online);
    this.#stream.stop();
    this.#queue.close();
    for (const terminal of this.#terminals) terminal.close();
    this.#terminals.clear();
  }

  /** Tries at once what would be tried later. */
  hurry() {
    this.#queue.hurry();
    this.#stream.hurry();
  }

  /**
   * Says something to the session; wakes it if it is parked. Resolves with `{seq}` once the session has it for good.
   * While the server is out of reach, messages wait and go out in their order, each taken once.
   */
  send(text, { submit = true, clientID = randomKey() } = {}) {
    return this.#queue.push({ method: 'POST', path: this.#path('/input'), body: { text, submit, client_id: clientID } });
  }

  /**
   * Says something to a structured session, with images `{media_type, data}` (base64) if there are any. Resolves with
   * `{seq, prompt_id, queued}`; waits and keeps its order as `send` does.
   */
  prompt(text, { images = [], clientID = randomKey() } = {}) {
    const body = { type: 'prompt', text, client_id: clientID };
    if (images.length) body.images = images;
    return this.#queue.push({ method: 'POST', path: this.#path('/commands'), body });
  }

  /** Takes back a prompt that was not begun; rejects with the code `already_begun` when it is too late. */
  withdraw(promptID) {
    return this.command({ type: 'withdraw', prompt_id: promptID });
  }

  /**
   * One command for a structured session's program: once, for what is not answered (`uncertain`) may have been carried
   * out. Resolves with the answer's `data`.
   */
  command(command) {
    return this.#transport.call('POST', this.#path('/commands'), command);
  }

  /** The model's name from now on, within the policy. */
  setModel(model) {
    return this.command({ type: 'set_model', model });
  }

  setPermissionMode(mode) {
    return this.command({ type: 'set_permission_mode', mode });
  }

  rename(title) {
    return this.command({ type: 'rename', title });
  }

  /** Where a running session stands: activity, turn, tools, permissions, queued prompts, settings, and as of which `seq`. */
  state() {
    return this.command({ type: 'state' });
  }

  /**
   * `allow` or `deny`; rejects with status 409 and who answered when somebody was faster. `answers` are those of a
   * question, by its text; `remember` is `session` or `tenant`; `interrupt` ends the turn with a deny.
   */
  answer(permissionID, decision, { message, updatedInput, answers, remember, interrupt } = {}) {
    return this.#queue.push({
      method: 'POST',
      path: this.#path(`/permissions/${encodeURIComponent(permissionID)}`),
      body: { decision, message, updated_input: updatedInput, answers, remember, interrupt },
    });
  }

  /** The open permissions, as the server has them. */
  permissions() {
    return this.#transport.call('GET', this.#path('/permissions'));
  }

  interrupt() {
    return this.#transport.call('POST', this.#path('/interrupt'));
  }

  resume() {
    return this.#transport.call('POST', this.#path('/resume'));
  }

  stop() {
    return this.#transport.call('POST', this.#path('/stop'));
  }

  park() {
    return this.#transport.call('POST', this.#path('/park'));
  }

  /** Goes on as `terminal` or `structured`; only an idle session does. */
  switchKind(kind) {
    return this.#transport.call('POST', this.#path('/switch'), { kind });
  }

  /** A page of events, oldest first, and where the page before it ends: `{items, before}`; `before` is null at the beginning. */
  history({ before, limit } = {}) {
    const query = new URLSearchParams();
    if (before) query.set('before', before);
    if (limit) query.set('limit', limit);
    return this.#transport.call('GET', this.#path(`/history?${query}`));
  }

  /** The events before those that were told, oldest first; they are not told as events. Empty: there are none. */
  async earlier(limit = undefined) {
    while (this.#before !== null) {
      const { items, before } = await this.history({ before: this.#before, limit });
      this.#before = before;
      if (items.length) return items;
    }
    return [];
  }

  /** The session's document. */
  info() {
    return this.#transport.call('GET', this.#path(''));
  }

  /** A connection to the session's terminal; `connect()` opens it. */
  terminal({ wake = false, ...options } = {}) {
    const path = this.#path(`/terminal${wake ? '?wake=true' : ''}`);
    const terminal = new RookeryTerminal(() => this.#transport.socket(path, this.id), options);
    this.#terminals.add(terminal);
    return terminal;
  }

  #path(rest) {
    return `/v1/sessions/${encodeURIComponent(this.id)}${rest}`;
  }

  #take(event) {
    if (event.type === 'permission.requested') this.#permissions.set(event.data.id, event.data);
    if (event.type === 'permission.resolved') this.#permissions.delete(event.data.id);
    if (event.type === 'gap') this.#permissions.clear();
    this.#events.emit('event', event);
    this.#events.emit(event.type, event);
  }
}

/** Tells one message from all others; it is no secret. randomUUID() is missing on plain http away from localhost. */
function randomKey() {
  const bytes = new Uint8Array(16);
  if (globalThis.crypto) crypto.getRandomValues(bytes);
  else bytes.forEach((_, index) => { bytes[index] = Math.random() * 256; });
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
