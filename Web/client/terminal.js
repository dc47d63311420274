// A session's terminal (API v1, "Terminal WebSocket"): resumes where it was, and acknowledges what was taken.
import { Backoff } from './backoff.js';
import { Emitter } from './emitter.js';

const OPEN = 1;
/** Closed by the server because what let us in was taken back. */
const REVOKED = 4401;
const ACKNOWLEDGE_AFTER = 64 * 1024;
const PIECE = 32 * 1024;
const PING = 20_000;
const MOST_QUEUED = 256 * 1024;

/**
 * Events: `output` (Uint8Array, done): call `done` when it is drawn; `snapshot` ({cols, rows, bytes}, done): reset the
 * terminal, give it that size, draw the bytes; `state`, `driver`, `exit`, `reap_warning`, `error` with the message;
 * `connected`, `disconnected`.
 */
export class RookeryTerminal {
  #open;
  #size;
  #mode;
  #backoff;
  #events = new Emitter();
  #socket = null;
  #wanted = false;
  #timer = null;
  #ping = null;
  #queued = [];
  #queuedBytes = 0;
  // The last mark; null while bytes came after it, for then only the server's repaint is exact.
  #mark = null;
  // Bytes handed out, bytes drawn, and which marks those reach.
  #received = 0;
  #drawn = 0;
  #marks = [];
  #acknowledged = 0;

  /** `open()` answers a WebSocket, or a promise of one. */
  constructor(open, { cols = 80, rows = 24, mode = 'drive', backoff = new Backoff(300, 10_000, 0.5) } = {}) {
    this.#open = open;
    this.#size = { cols, rows };
    this.#mode = mode;
    this.#backoff = backoff;
  }

  get connected() {
    return this.#socket?.readyState === OPEN;
  }

  on(event, listener) {
    return this.#events.on(event, listener);
  }

  off(event, listener) {
    this.#events.off(event, listener);
  }

  connect() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#connect();
  }

  close() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    clearInterval(this.#ping);
    this.#queued = [];
    this.#queuedBytes = 0;
    this.#socket?.close(1000);
  }

  /** Types text or bytes: now, or when the connection is back. False when too much waits already. */
  type(input) {
    const bytes = typeof input === 'string' ? new TextEncoder().encode(input) : input;
    if (!this.connected) {
      if (this.#queuedBytes + bytes.length > MOST_QUEUED) return false;
      this.#queued.push(bytes.slice());
      this.#queuedBytes += bytes.length;
      return true;
    }
    for (let at = 0; at < bytes.length; at += PIECE) this.#socket.send(bytes.subarray(at, at + PIECE));
    return true;
  }

  resize(cols, rows) {
    this.#size = { cols, rows };
    this.#control({ type: 'resize', cols, rows });
  }

  takeOver() {
    this.#control({ type: 'take_over' });
  }

  #control(message) {
    if (this.connected) this.#socket.send(JSON.stringify(message));
  }

  async #connect() {
    let socket;
    try {
      socket = await this.#open();
    } catch (error) {
      if (error?.status && !error.temporary) {
        this.#wanted = false;
        this.#events.emit('error', error);
      } else {
        this.#again();
      }
      return;
    }
    if (!this.#wanted) {
      socket.close();
      return;
    }
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    socket.onopen = () => this.#opened();
    socket.onmessage = ({ data }) => this.#take(data);
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
    socket.onerror = () => {};
  }

  #opened() {
    const hello = { type: 'hello', mode: this.#mode, ...this.#size };
    if (this.#mark !== null) hello.since = this.#mark;
    this.#marks = [];
    this.#acknowledged = this.#received;
    this.#control(hello);
    this.#ping = setInterval(() => this.#control({ type: 'ping' }), PING);
    for (const bytes of this.#queued.splice(0)) this.type(bytes);
    this.#queuedBytes = 0;
    this.#events.emit('connected');
  }

  #take(data) {
    this.#backoff.reset();
    if (typeof data !== 'string') {
      const bytes = new Uint8Array(data);
      this.#mark = null;
      this.#received += bytes.length;
      this.#events.emit('output', bytes, once(() => this.#drew(bytes.length)));
      return;
    }
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    switch (message.type) {
      case 'mark':
        this.#reach(message.seq);
        break;
      case 'snapshot': {
        const bytes = Uint8Array.from(atob(message.data), (character) => character.charCodeAt(0));
        const { cols, rows, seq } = message;
        this.#received += bytes.length;
        this.#events.emit('snapshot', { cols, rows, bytes }, once(() => this.#drew(bytes.length)));
        this.#reach(seq);
        break;
      }
      case 'pong': break;
      default: this.#events.emit(message.type, message);
    }
  }

  #reach(seq) {
    this.#mark = seq;
    this.#marks.push({ seq, received: this.#received });
    this.#acknowledge();
  }

  #drew(count) {
    this.#drawn += count;
    this.#acknowledge();
  }

  /** Tells the server the last mark whose bytes are drawn, now and then: a flood waits in the session, not here. */
  #acknowledge() {
    const reached = this.#marks.findLastIndex(({ received }) => received <= this.#drawn);
    if (reached < 0 || this.#marks[reached].received - this.#acknowledged < ACKNOWLEDGE_AFTER) return;
    const { seq, received } = this.#marks[reached];
    this.#marks.splice(0, reached + 1);
    this.#acknowledged = received;
    this.#control({ type: 'ack', seq });
  }

  #closed(code, reason) {
    clearInterval(this.#ping);
    this.#socket = null;
    this.#events.emit('disconnected', { code, reason });
    // The session's program ended, or we may not come back.
    if (code === 1000 || code === REVOKED) this.#wanted = false;
    if (this.#wanted) this.#again();
  }

  #again() {
    if (this.#wanted) this.#timer = setTimeout(() => this.#connect(), this.#backoff.next());
  }
}

function once(action) {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
