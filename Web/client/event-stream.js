// A session's events, each once and in order, over as many connections as it takes.
import { Backoff } from './backoff.js';
import { EventReader } from './event-reader.js';

/** Silence after which a connection counts as dead: the server says something every 15 s. */
const SILENCE = 45_000;
/** The same for somebody who is waiting: a word of the server's is missing. */
const DOUBT = 20_000;

export class EventStream {
  onEvent = () => {};
  onConnection = () => {};
  /** The newest page is told; what is older is from `before` on, null: nothing is. Before any event of it. */
  onTail = () => {};
  onError = () => {};

  #transport;
  #path;
  #backoff;
  #since;
  #tail;
  #abort = null;
  #timer = null;
  #open = false;
  #waits = false;
  #heard = 0;

  /** `tail: {path, limit}`: without `since`, the newest events of that history are told first. */
  constructor(transport, path, { since = null, tail = null, backoff = new Backoff(500, 30_000, 0.5), silence = SILENCE } = {}) {
    this.#transport = transport;
    this.#path = path;
    this.#since = since;
    this.#tail = tail;
    this.#backoff = backoff;
    this.silence = silence;
  }

  /** The number of the last event; null before the first. */
  get since() {
    return this.#since;
  }

  start() {
    if (this.#open) return;
    this.#open = true;
    this.#run();
  }

  stop() {
    this.#open = false;
    clearTimeout(this.#timer);
    this.#abort?.abort();
  }

  /** Connects at once if that is due later, or if the connection may be dead: a device that slept does not know. */
  hurry() {
    if (!this.#open) return;
    if (this.#waits) {
      clearTimeout(this.#timer);
      this.#run();
    } else if (Date.now() - this.#heard > DOUBT) {
      this.#backoff.reset();
      this.#abort?.abort();
    }
  }

  async #run() {
    this.#waits = false;
    this.#heard = Date.now();
    const abort = new AbortController();
    this.#abort = abort;
    let reason = null;
    try {
      await this.#read(abort);
    } catch (error) {
      reason = error;
    }
    if (!this.#open) return;
    this.onConnection(false);
    // What the server refuses for good is not asked again.
    if (reason?.status && !reason.temporary) {
      this.#open = false;
      this.onError(reason);
      return;
    }
    const delay = Math.max(this.#backoff.next(), (reason?.retryAfter ?? 0) * 1000);
    this.#waits = true;
    this.#timer = setTimeout(() => this.#run(), delay);
  }

  async #readTail(abort) {
    const { path, limit } = this.#tail;
    const { items, before } = await this.#transport.call('GET', `${path}?limit=${limit}`, undefined, {}, abort.signal);
    this.onTail(before);
    for (const event of items) this.#tell(event);
    this.#since ??= 0;
  }

  async #read(abort) {
    if (this.#tail && this.#since === null) await this.#readTail(abort);
    const query = this.#since === null ? '' : `?since=${this.#since}`;
    const response = await this.#transport.request(
      'GET', this.#path + query, undefined, { accept: 'text/event-stream' }, abort.signal);
    this.#backoff.reset();
    this.onConnection(true);
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    const parser = new EventReader();
    let watch = null;
    try {
      for (;;) {
        clearTimeout(watch);
        watch = setTimeout(() => abort.abort(), this.silence);
        const { done, value } = await reader.read();
        this.#heard = Date.now();
        if (done) return;
        for (const { data } of parser.push(decoder.decode(value, { stream: true }))) this.#take(data);
      }
    } finally {
      clearTimeout(watch);
    }
  }

  #take(data) {
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      return;
    }
    this.#tell(event);
  }

  #tell(event) {
    if (this.#since !== null && event.seq <= this.#since && event.type !== 'gap') return;
    this.#since = Math.max(this.#since ?? 0, event.seq);
    this.onEvent(event);
  }
}
