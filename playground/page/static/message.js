// One message: its frame is made once, its text is patched with every edit.

import { find, fromTemplate } from "./elements.js";
import { Below } from "./below.js";
import { patch } from "./patch.js";
import { Thread } from "./thread.js";

const GROUPED = 5 * 60_000; // milliseconds within which messages of one author stand under one name

const time = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });

export class Message {
  element = fromTemplate("message");
  thread = null;
  #text = find(this.element, ".text");
  #below = new Below(this.element);
  #waiting = false; // posted without a text, as Discord does for a command that takes its time
  #streaming; // a stream of the platform's own is not "edited" while it grows
  #public; // the moment that everybody sees
  #alone = null; // a newer one that one person sees

  /** `moment` is the one in which it was posted; `reply` says how the reply button is named and what it does. */
  constructor(moment, reply) {
    this.#public = moment;
    this.#streaming = moment.live;
    this.id = moment.message;
    this.author = moment.author;
    this.bot = moment.bot;
    this.at = moment.at;
    this.secret = Boolean(moment.private_to); // seen by one person only
    find(this.element, ".author").textContent = moment.author;
    find(this.element, ".app").hidden = !moment.bot;
    find(this.element, ".private").hidden = !this.secret;
    const stamp = find(this.element, "time");
    stamp.textContent = time.format(moment.at);
    stamp.dateTime = new Date(moment.at).toISOString();
    this.element.classList.toggle("only-you", this.secret);
    this.#drawAvatar();
    const button = find(this.element, ".reply");
    button.textContent = reply.label;
    button.hidden = this.secret;
    button.addEventListener("click", () => reply.act(this));
    if (moment.html || moment.files.length) {
      this.#show(moment);
    } else {
      this.#awaitText();
    }
  }

  /** The first words, for those who quote it. */
  get excerpt() {
    return this.#text.textContent.trim().replace(/\s+/g, " ").slice(0, 120);
  }

  write(html) {
    patch(this.#text, html);
  }

  /** Something about it has changed; `viewer` is who looks. */
  edit(moment, viewer) {
    if (moment.private_to && !this.secret) {
      this.#alone = moment;
    } else {
      this.#public = moment;
      this.#alone = null;
    }
    if (!this.#streaming) {
      find(this.element, ".edited").hidden = this.#waiting;
    }
    this.#streaming &&= moment.live;
    this.#waiting = false;
    this.view(viewer);
  }

  /** Shows it as this person sees it. */
  view(viewer) {
    if (!this.#waiting) {
      this.#show(this.#alone?.private_to === viewer ? this.#alone : this.#public);
    }
  }

  /** It was deleted, but what hangs on it is still there. */
  withdraw() {
    const html = "<p><em>This message was deleted.</em></p>";
    this.#public = { ...this.#public, html, files: [], previews: [], live: false, fallback: "" };
    this.#alone = null;
    this.#show(this.#public);
  }

  #show(moment) {
    this.write(moment.html);
    this.#below.show(moment);
  }

  /** Shows what it answers: another message, or none any more. */
  quote(original) {
    const line = find(this.element, ".quoted");
    line.hidden = false;
    line.textContent = original ? original.excerpt : "Original message was deleted";
    if (original) {
      const author = document.createElement("b");
      author.textContent = original.author;
      line.prepend(author, " ");
    }
    this.element.classList.add("answers");
  }

  /** Whether it needs no name of its own under `previous`. */
  continues(previous) {
    if (!previous || previous.thread || this.element.classList.contains("answers")) {
      return false;
    }
    const alike = previous.author === this.author && previous.secret === this.secret;
    return alike && this.at - previous.at < GROUPED;
  }

  /** Its thread, made when it is first needed. */
  openThread(context) {
    if (!this.thread) {
      this.thread = new Thread(this, context);
      find(this.element, ".body").append(this.thread.element);
    }
    return this.thread;
  }

  #awaitText() {
    this.#waiting = true;
    const line = document.createElement("p");
    line.textContent = `${this.author} is thinking…`;
    this.#text.append(line);
  }

  #drawAvatar() {
    const avatar = find(this.element, ".avatar");
    avatar.classList.toggle("bot", this.bot);
    if (!this.bot) {
      avatar.textContent = this.author.slice(0, 1).toUpperCase();
      const sum = [...this.author].reduce((total, letter) => total + letter.codePointAt(0), 0);
      avatar.dataset.colour = sum % 5;
    }
  }
}
