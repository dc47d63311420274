// One session's terminal WebSocket (API v1, "Terminal WebSocket"): keeps it open, resumes where it was, and
// acknowledges what has been drawn, so that a flood waits in the session and not in this tab.
import { terminalURL } from './api.js';
import { caller } from './caller.js';

const ACK_BYTES = 64 * 1024;
const ACK_DELAY = 100;
const CHUNK = 32 * 1024;
const FIRST_DELAY = 300;
const LONGEST_DELAY = 10_000;
const ALIVE = 20_000;

export class Link {
  /** 'connecting' | 'on' | 'lost' | 'off' */
  onConnection = () => {};
  /** A control message that is not about bytes: state, driver, exit, reap_warning, error. */
  onMessage = () => {};
  /** The socket closed by itself. Answers whether to connect again. */
  onClosed = async () => true;

  #id;
  #view;
  #socket = null;
  #attempt = 0;
  #tries = 0;
  #timer = 0;
  #ping = 0;
  #closed = true;
  #wake = false;
  // What of the session's byte stream is on the screen.
  #mark = null; // the last mark received
  #behindMark = false; // bytes came after it
  #drawn = null; // the last mark whose bytes are parsed
  #acknowledged = null;
  #bytesSinceAck = 0;
  #ackTimer = 0;

  constructor(id, view) {
    this.#id = id;
    this.#view = view;
  }

  /** Opens the connection and keeps it open. It starts no session but with `wake`, and then a parked one. */
  open({ wake = false } = {}) {
    this.#closed = false;
    this.#wake = wake;
    this.#attempt = 0;
    this.#connect();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#ping);
    this.#socket?.close(1000);
    this.#socket = null;
    this.onConnection('off');
  }

  get connected() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Tries at once when a try is due later: the network is back, or the tab is looked at again. */
  hurry() {
    if (this.#closed || this.#socket) return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  /** Terminal input, in pieces that every server takes. */
  type(bytes) {
    if (!this.connected) return false;
    for (let at = 0; at < bytes.length; at += CHUNK) this.#socket.send(bytes.subarray(at, at + CHUNK));
    return true;
  }

  resize(cols, rows) {
    this.#send({ type: 'resize', cols, rows });
  }

  takeOver() {
    this.#send({ type: 'take_over' });
  }

  #send(message) {
    if (this.connected) this.#socket.send(JSON.stringify(message));
  }

  async #connect() {
    clearTimeout(this.#timer);
    this.onConnection('connecting');
    this.#tries += 1;
    const tries = this.#tries;
    let address;
    try {
      address = await terminalURL(this.#id, { wake: this.#wake });
    } catch {
      if (tries === this.#tries) this.#ended();
      return;
    }
    if (this.#closed || this.#socket || tries !== this.#tries) return;
    const socket = new WebSocket(address);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    socket.onopen = () => this.#opened();
    socket.onmessage = ({ data }) => {
      if (this.#socket === socket) this.#received(data);
    };
    socket.onclose = (event) => {
      if (this.#socket === socket) this.#ended(event);
    };
  }

  #opened() {
    this.#wake = false;
    const hello = { type: 'hello', mode: caller.mayDrive ? 'drive' : 'view', ...this.#view.fitting };
    // Only when the screen is exactly at a mark does the server know what is missing; else it repaints.
    if (this.#mark !== null && !this.#behindMark) hello.since = this.#mark;
    this.#bytesSinceAck = 0;
    this.#send(hello);
    this.onConnection('on');
    this.#ping = setInterval(() => this.#send({ type: 'ping' }), ALIVE);
  }

  #received(data) {
    this.#attempt = 0;
    if (data instanceof ArrayBuffer) {
      const size = data.byteLength;
      this.#behindMark = true;
      this.#view.write(new Uint8Array(data), () => this.#parsed(size));
      return;
    }
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    if (message.type === 'mark') {
      this.#mark = message.seq;
      this.#behindMark = false;
      this.#view.write('', () => this.#reached(message.seq));
    } else if (message.type === 'snapshot') {
      this.#mark = message.seq;
      this.#behindMark = false;
      this.onMessage(message);
      this.#view.repaint(screenData(message), () => this.#reached(message.seq));
    } else {
      this.onMessage(message);
    }
  }

  #parsed(bytes) {
    this.#bytesSinceAck += bytes;
    if (this.#bytesSinceAck >= ACK_BYTES) this.#acknowledge();
  }

  #reached(seq) {
    this.#drawn = seq;
    if (this.#bytesSinceAck >= ACK_BYTES) this.#acknowledge();
    else if (!this.#ackTimer) this.#ackTimer = setTimeout(() => this.#acknowledge(), ACK_DELAY);
  }

  #acknowledge() {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = 0;
    if (this.#drawn === null || this.#drawn === this.#acknowledged) return;
    this.#bytesSinceAck = 0;
    this.#acknowledged = this.#drawn;
    this.#send({ type: 'ack', seq: this.#drawn });
  }

  async #ended(event) {
    clearInterval(this.#ping);
    this.#socket = null;
    this.#acknowledged = null;
    if (this.#closed) return;
    this.onConnection('lost');
    const again = await this.onClosed(event);
    if (this.#closed || this.#socket) return;
    if (!again) {
      this.close();
      return;
    }
    const delay = Math.min(FIRST_DELAY * 2 ** this.#attempt, LONGEST_DELAY) * (0.75 + Math.random() / 2);
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.#connect(), delay);
  }
}

/** A snapshot's screen as bytes or text. */
function screenData({ data, encoding }) {
  return encoding === 'base64' ? Uint8Array.from(atob(data), (character) => character.charCodeAt(0)) : data;
}
