// The messages of one log or one thread, in the order of their posting.

import { Message } from "./message.js";

export class Messages {
  #all = new Map();

  constructor(element) {
    this.element = element;
  }

  get size() {
    return this.#all.size;
  }

  all() {
    return [...this.#all.values()];
  }

  get(id) {
    return this.#all.get(id);
  }

  add(moment, reply) {
    const message = new Message(moment, reply);
    this.#all.set(message.id, message);
    this.element.append(message.element);
    return message;
  }

  remove(id) {
    this.#all.get(id)?.element.remove();
    this.#all.delete(id);
    this.group();
  }

  /** Joins neighbouring messages of one author under one name. */
  group() {
    let previous = null;
    for (const message of this.#all.values()) {
      message.element.classList.toggle("continued", message.continues(previous));
      previous = message;
    }
  }
}
