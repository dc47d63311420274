// Requests that must arrive, in the order they were made, each once: what cannot be sent waits and is tried again.
import { Backoff } from './backoff.js';

export class SendQueue {
  /** What waits could not be sent just now, and why; it is tried again. */
  onDelay = () => {};

  #send;
  #backoff;
  #limit;
  #items = [];
  #running = false;
  #timer = null;
  #wake = null;
  #closed = false;

  /** `send(item)` throws an error whose `temporary` says whether to try again. */
  constructor(send, { backoff = new Backoff(500, 30_000, 0.5), limit = 1000 } = {}) {
    this.#send = send;
    this.#backoff = backoff;
    this.#limit = limit;
  }

  get length() {
    return this.#items.length;
  }

  /** Resolves with what `send` answers; rejects with what it refuses, or when the queue is full or closed. */
  push(item) {
    if (this.#closed) return Promise.reject(new Error('the session was closed'));
    if (this.#items.length >= this.#limit) {
      return Promise.reject(new Error(`${this.#limit} messages wait already`));
    }
    return new Promise((resolve, reject) => {
      this.#items.push({ item, resolve, reject });
      this.#run();
    });
  }

  /** Tries at once what waits: the network is back. */
  hurry() {
    this.#wake?.();
  }

  close() {
    this.#closed = true;
    this.#wake?.();
    for (const { reject } of this.#items.splice(0)) reject(new Error('the session was closed'));
  }

  async #run() {
    if (this.#running) return;
    this.#running = true;
    while (this.#items.length && !this.#closed) {
      const entry = this.#items[0];
      try {
        const answer = await this.#send(entry.item);
        this.#backoff.reset();
        this.#items.shift();
        entry.resolve(answer);
      } catch (error) {
        if (this.#closed) break;
        if (!error?.temporary) {
          this.#items.shift();
          entry.reject(error);
          continue;
        }
        this.onDelay(error);
        await this.#pause(Math.max(this.#backoff.next(), (error.retryAfter ?? 0) * 1000));
      }
    }
    this.#running = false;
  }

  #pause(milliseconds) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(this.#timer);
        this.#wake = null;
        resolve();
      };
      this.#wake = done;
      this.#timer = setTimeout(done, milliseconds);
    });
  }
}
