/** How long to wait before each attempt to connect again. */
export class Backoff {
  #first;
  #longest;
  #jitter;
  #random;
  #delay;

  /** Milliseconds; `jitter` is the part of a delay that is left to chance, 0 to 1. */
  constructor(first, longest, jitter = 0, random = Math.random) {
    this.#first = first;
    this.#longest = longest;
    this.#jitter = jitter;
    this.#random = random;
    this.#delay = first;
  }

  /** The next delay; each doubles the one after it. */
  next() {
    const delay = this.#delay;
    this.#delay = Math.min(this.#delay * 2, this.#longest);
    return delay * (1 - this.#jitter + 2 * this.#jitter * this.#random());
  }

  reset() {
    this.#delay = this.#first;
  }
}
