// The client of claude-socket's protocol, with the API that its own library has.
import { Backoff } from './backoff.js';
import { Emitter } from './emitter.js';

const OPEN = 1;
const SERVER_MESSAGES = new Set(['reply', 'status', 'history', 'permission_request', 'error']);

export class ClaudeSocket {
  #url;
  #session;
  #user;
  #reconnect;
  #backoff;
  #WebSocket;
  #events = new Emitter();
  #socket = null;
  #connecting = false;
  #timer = null;

  constructor(url, options = {}) {
    this.#url = url;
    this.#session = options.session ?? 'default';
    this.#user = options.user ?? 'user';
    this.#reconnect = options.reconnect ?? true;
    this.#backoff = new Backoff(options.reconnectDelay ?? 1000, options.maxReconnectDelay ?? 30_000);
    this.#WebSocket = options.WebSocket ?? globalThis.WebSocket;
  }

  get connected() {
    return this.#socket?.readyState === OPEN;
  }

  get connecting() {
    return this.#connecting;
  }

  /** Opens the connection, if it is not open or opening already. */
  connect() {
    if (this.connected || this.#connecting) return;
    clearTimeout(this.#timer);
    this.#connecting = true;
    const separator = this.#url.includes('?') ? '&' : '?';
    const address = `${this.#url}${separator}session=${encodeURIComponent(this.#session)}`;
    let socket;
    try {
      socket = new this.#WebSocket(address);
    } catch (error) {
      this.#connecting = false;
      throw error;
    }
    this.#socket = socket;
    socket.onopen = () => {
      if (this.#socket !== socket) return;
      this.#connecting = false;
      this.#backoff.reset();
      this.#events.emit('connected');
    };
    socket.onmessage = ({ data }) => {
      if (this.#socket === socket) this.#received(data);
    };
    socket.onclose = () => {
      if (this.#socket === socket) this.#closed();
    };
    // A 'close' follows.
    socket.onerror = () => {};
  }

  /** Sends a message; one that is sent while not connected is dropped. */
  send(content) {
    this.#write({
      type: 'message', session_id: this.#session, content, user: this.#user, ts: new Date().toISOString(),
    });
  }

  fetchHistory(limit = 50) {
    this.#write({ type: 'fetch_history', session_id: this.#session, limit });
  }

  respondToPermission(requestID, allowed) {
    this.#write({ type: 'permission_response', request_id: requestID, allowed });
  }

  /** Closes the connection for good. */
  disconnect() {
    this.#reconnect = false;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  on(event, listener) {
    return this.#events.on(event, listener);
  }

  off(event, listener) {
    this.#events.off(event, listener);
  }

  #write(message) {
    if (this.connected) this.#socket.send(JSON.stringify(message));
  }

  #received(data) {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    if (SERVER_MESSAGES.has(message?.type)) this.#events.emit(message.type, message);
    this.#events.emit('message', message);
  }

  #closed() {
    this.#socket = null;
    this.#connecting = false;
    this.#events.emit('disconnected');
    if (!this.#reconnect) return;
    this.#timer = setTimeout(() => this.connect(), this.#backoff.next());
  }
}

export default ClaudeSocket;
