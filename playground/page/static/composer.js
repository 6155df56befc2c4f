// A box to write in: Enter sends, Shift+Enter begins a new line.

import { find, fromTemplate, show } from "./elements.js";

export class Composer {
  element = fromTemplate("composer");
  #text = find(this.element, "textarea");
  #mention = find(this.element, ".mention-toggle");
  #bot;
  #replyTo = null;
  #send;

  /** `send({text, mention, reply_to})` is a promise; `bot`, where given, can be mentioned. */
  constructor({ label, placeholder, bot = "", send }) {
    this.#send = send;
    this.#text.setAttribute("aria-label", label);
    this.#text.placeholder = placeholder;
    this.#mention.textContent = `@${bot}`;
    this.#bot = bot;
    this.#mention.hidden = !bot;
    this.#mention.title = `Mention ${bot}: it answers only when it is spoken to`;
    this.#mention.addEventListener("click", () => this.#toggleMention());
    this.#text.addEventListener("keydown", (event) => this.#onKey(event));
    this.#text.addEventListener("input", () => this.#grow());
    find(this.element, ".replying button").addEventListener("click", () => this.replyTo(null));
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.say(this.#text.value);
    });
  }

  /** Offers sentences to send with one click; none hides them. */
  suggest(sentences) {
    const group = find(this.element, ".suggestions");
    group.hidden = sentences.length === 0;
    group.replaceChildren(
      ...sentences.map((sentence) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = sentence;
        button.addEventListener("click", () => this.say(sentence));
        return button;
      }),
    );
  }

  /** The next message answers this one, or none. */
  replyTo(message) {
    this.#replyTo = message;
    const line = find(this.element, ".replying");
    line.hidden = !message;
    find(line, "span").textContent = message ? `Replying to ${message.author}` : "";
    // an answer to the bot reaches it without a mention
    this.#mention.hidden = !this.#bot || Boolean(message?.bot);
    this.focus();
  }

  focus() {
    this.#text.focus();
  }

  async say(text) {
    if (!text.trim()) {
      return;
    }
    const original = this.#replyTo;
    const mention = !this.#mention.hidden && this.#mention.ariaPressed === "true";
    this.#text.value = "";
    this.replyTo(null);
    this.#grow();
    this.#problem("");
    try {
      await this.#send({ text, mention, reply_to: original?.id ?? "" });
    } catch (error) {
      this.#text.value ||= text;
      this.#grow();
      this.#problem(error.message);
    }
  }

  #problem(sentence) {
    show(find(this.element, ".problem"), sentence);
  }

  #toggleMention() {
    this.#mention.ariaPressed = this.#mention.ariaPressed === "true" ? "false" : "true";
    this.focus();
  }

  #onKey(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.element.requestSubmit();
    } else if (event.key === "Escape" && this.#replyTo) {
      this.replyTo(null);
    }
  }

  #grow() {
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }
}
