// A Slack thread, shown under its message: the replies, who is busy there, and a box to reply in.

import { Composer } from "./composer.js";
import { find, fromTemplate } from "./elements.js";
import { Messages } from "./messages.js";
import { Presence } from "./presence.js";

export class Thread {
  element = fromTemplate("thread");
  messages = new Messages(find(this.element, ".messages"));
  presence = new Presence(find(this.element, ".presence"));
  #composer;

  /** `context.say(words)` sends; it is told the thread. */
  constructor(parent, context) {
    this.#composer = new Composer({
      label: `Reply in the thread of ${parent.author}`,
      placeholder: "Reply…",
      send: (words) => context.say({ ...words, reply_to: parent.id }),
    });
    this.element.append(this.#composer.element);
    this.count();
  }

  count() {
    const replies = this.messages.size;
    find(this.element, "summary").textContent =
      replies === 0 ? "Thread" : replies === 1 ? "1 reply" : `${replies} replies`;
  }

  focus() {
    this.element.open = true;
    this.#composer.focus();
  }
}
