// "Rivulet is typing…" and "Rivulet is thinking…": a line that goes away by itself.

/** Shows sentences in `element`, each for as long as it is true. */
export class Presence {
  #element;
  #timer = 0;

  constructor(element) {
    this.#element = element;
  }

  /** Shows a sentence for `lasts` milliseconds after `at`, or for good if that is 0; `stop`, where given, is offered. */
  show(sentence, { at, lasts }, stop = null) {
    const left = at + lasts - Date.now();
    if (lasts && left <= 0) {
      return;
    }
    clearTimeout(this.#timer);
    if (lasts) {
      this.#timer = setTimeout(() => this.clear(), left);
    }
    this.#element.textContent = sentence;
    this.#element.classList.add("busy");
    if (stop) {
      this.#element.append(this.#button(stop));
    }
  }

  #button(stop) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "stop";
    button.textContent = "Stop";
    button.addEventListener("click", () => stop().catch((error) => (this.#element.textContent = error.message)));
    return button;
  }

  clear() {
    clearTimeout(this.#timer);
    this.#element.textContent = "";
    this.#element.classList.remove("busy");
  }
}
