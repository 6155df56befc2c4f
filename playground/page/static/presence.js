// "Rivulet is typing…" and "Rivulet is thinking…": a line that goes away by itself.

/** Shows sentences in `element`, each for as long as it is true. */
export class Presence {
  #element;
  #timer = 0;

  constructor(element) {
    this.#element = element;
  }

  /** Shows a sentence until the time `until` (in milliseconds since 1970). */
  show(sentence, until) {
    const left = until - Date.now();
    if (left <= 0) {
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.clear(), left);
    this.#element.textContent = sentence;
    this.#element.classList.add("busy");
  }

  clear() {
    clearTimeout(this.#timer);
    this.#element.textContent = "";
    this.#element.classList.remove("busy");
  }
}
