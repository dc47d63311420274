// The native API, version 1. Every call answers the parsed body or throws a Problem.
import { caller } from './caller.js';

/** What the server refused or could not do, in its own words (RFC 9457). */
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(body.detail || body.title || `The server answered ${status}.`);
    this.name = 'Problem';
    this.status = status;
    this.code = body.code || '';
    this.title = body.title || '';
    this.retryAfter = retryAfter;
  }
}

async function call(method, path, body, headers = {}) {
  const options = { method, headers: { accept: 'application/json', ...headers }, credentials: 'same-origin' };
  if (caller.share) options.headers.authorization = `Bearer ${caller.share}`;
  if (body !== undefined) {
    options.headers['content-type'] = 'application/json';
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Problem(0, {
      code: 'unreachable',
      detail: `No answer from ${location.host}. Is the server running, and are you online?`,
    });
  }
  const text = await response.text();
  let parsed = {};
  try {
    parsed = text ? JSON.parse(text) : {};
  } catch {
    if (response.ok) throw new Problem(response.status, { detail: `The server's answer is not JSON: ${text.slice(0, 200)}` });
    parsed = { detail: text.slice(0, 500) };
  }
  if (!response.ok) throw new Problem(response.status, parsed, Number(response.headers.get('retry-after')) || undefined);
  return parsed;
}

const at = (id, rest = '') => `/v1/sessions/${encodeURIComponent(id)}${rest}`;

export const api = {
  login: (token) => call('POST', '/v1/auth/login', { token }),
  logout: () => call('POST', '/v1/auth/logout'),
  me: () => call('GET', '/v1/me'),
  list: () => call('GET', '/v1/sessions?limit=100'),
  session: (id) => call('GET', at(id)),
  create: (body, key) => call('POST', '/v1/sessions', body, { 'idempotency-key': key }),
  park: (id) => call('POST', at(id, '/park')),
  stop: (id) => call('POST', at(id, '/stop')),
  resume: (id) => call('POST', at(id, '/resume')),
  switchKind: (id, kind) => call('POST', at(id, '/switch'), { kind }),
  permissions: () => call('GET', '/v1/permissions'),
  policies: () => call('GET', '/v1/policies'),
  policy: (name) => call('GET', `/v1/policies/${encodeURIComponent(name)}`),
};

/** Address of a session's terminal, good for one connection. No browser sends a share link along: a ticket stands for it. */
export async function terminalURL(id, { wake = false } = {}) {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const query = new URLSearchParams(wake ? { wake } : {});
  if (caller.share) query.set('ticket', (await call('POST', '/v1/tickets', { session_id: id })).ticket);
  return `${scheme}//${location.host}${at(id, '/terminal')}${query.size ? `?${query}` : ''}`;
}

/** 128 random bits in hexadecimal; randomUUID() is missing on plain http away from localhost. */
export function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
