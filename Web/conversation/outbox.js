// Prompts that were sent and not acknowledged, kept over a reload of the page. Each goes out again under its own
// client id, so that the session takes it once.

export class Outbox {
  #key;
  #storage;

  constructor(sessionID, storage = browserStorage()) {
    this.#key = `outbox:${sessionID}`;
    this.#storage = storage;
  }

  /** `{clientID, text, images}`, the oldest first. */
  get entries() {
    try {
      const entries = JSON.parse(this.#storage?.getItem(this.#key) ?? '[]');
      return Array.isArray(entries) ? entries : [];
    } catch {
      return [];
    }
  }

  keep(entry) {
    this.#write([...this.entries, entry]);
  }

  drop(clientID) {
    this.#write(this.entries.filter((entry) => entry.clientID !== clientID));
  }

  #write(entries) {
    try {
      if (entries.length) this.#storage?.setItem(this.#key, JSON.stringify(entries));
      else this.#storage?.removeItem(this.#key);
    } catch {
      // Too large to be kept: it lasts as long as the page.
    }
  }
}

function browserStorage() {
  try {
    return globalThis.sessionStorage;
  } catch {
    return null; // switched off
  }
}
