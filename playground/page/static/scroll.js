// The view follows the newest text while the reader is at the bottom, and stays where it is when the reader has scrolled up.

const NEAR = 48; // pixels from the bottom that still count as being there

/** Keeps `log` at its end; `button` leads back there and is shown when something new is out of sight. */
export class Scroll {
  #log;
  #button;
  #following = true;

  constructor(log, button) {
    this.#log = log;
    this.#button = button;
    log.addEventListener("scroll", () => {
      this.#following = this.#distance() < NEAR;
      if (this.#following) {
        button.hidden = true;
      }
    });
    button.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.#following && this.toEnd()).observe(log);
  }

  /** Something has changed in the log. */
  changed() {
    if (this.#following) {
      this.toEnd();
    } else {
      this.#button.hidden = false;
    }
  }

  toEnd() {
    this.#following = true;
    this.#button.hidden = true;
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  #distance() {
    return this.#log.scrollHeight - this.#log.clientHeight - this.#log.scrollTop;
  }
}
