/** What the server refused or could not do, in its own words (RFC 9457); `status` is 0 when it was not reached. */
export class RookeryError extends Error {
  constructor(status, problem = {}, retryAfter = undefined) {
    super(problem.detail || problem.title || (status ? `the server answered ${status}` : 'the server was not reached'));
    this.name = 'RookeryError';
    this.status = status;
    this.code = problem.code || '';
    this.problem = problem;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later. */
  get temporary() {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

/** Requests to one server, with the caller's token if there is one. */
export class Transport {
  #base;
  #token;
  #fetch;
  WebSocket;

  constructor({ server, token, fetch: fetchFunction, WebSocket: socketClass } = {}) {
    this.#base = (server ?? globalThis.location?.origin ?? '').replace(/\/+$/, '');
    if (!this.#base) throw new TypeError('RookerySession needs the address of a server');
    this.#token = token;
    this.#fetch = fetchFunction ?? globalThis.fetch.bind(globalThis);
    this.WebSocket = socketClass ?? globalThis.WebSocket;
  }

  get usesToken() {
    return this.#token !== undefined;
  }

  #headers(more) {
    return this.#token === undefined ? more : { ...more, authorization: `Bearer ${this.#token}` };
  }

  /** The parsed answer; throws RookeryError. */
  async call(method, path, body, headers = {}, signal = undefined) {
    const response = await this.request(method, path, body, { accept: 'application/json', ...headers }, signal);
    const text = await response.text();
    if (!text) return undefined;
    try {
      return JSON.parse(text);
    } catch {
      throw new RookeryError(response.status, { detail: `the answer is not JSON: ${text.slice(0, 200)}` });
    }
  }

  /** The response, which is a success. */
  async request(method, path, body, headers = {}, signal = undefined) {
    const options = { method, headers: this.#headers(headers), credentials: 'same-origin', signal };
    if (body !== undefined) {
      options.headers = { ...options.headers, 'content-type': 'application/json' };
      options.body = JSON.stringify(body);
    }
    let response;
    try {
      response = await this.#fetch(this.#base + path, options);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new RookeryError(0, { code: 'unreachable', detail: `no answer from ${this.#base}` });
    }
    if (response.ok) return response;
    let problem = {};
    try {
      problem = await response.json();
    } catch {
      // The status says enough.
    }
    throw new RookeryError(response.status, problem, Number(response.headers.get('retry-after')) || undefined);
  }

  /** A WebSocket; with a token, which no browser can send along, by a ticket that is good for one connection. */
  async socket(path, session) {
    let address = this.#base.replace(/^http/, 'ws') + path;
    if (this.usesToken) {
      const { ticket } = await this.call('POST', '/v1/tickets', { session_id: session });
      address += `${path.includes('?') ? '&' : '?'}ticket=${encodeURIComponent(ticket)}`;
    }
    return new this.WebSocket(address);
  }
}
