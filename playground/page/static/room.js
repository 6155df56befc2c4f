// One channel or direct message: its log, and what a moment changes in it.

import { find, fromTemplate } from "./elements.js";
import { Messages } from "./messages.js";
import { Presence } from "./presence.js";
import { Scroll } from "./scroll.js";

// Slack's own words for a session; any other status is the app's.
const SESSIONS = { processing: "is working…", suspended: "waits for you" };

export class Room {
  element = fromTemplate("room");
  #messages = new Messages(find(this.element, ".messages"));
  #threadOf = new Map(); // the id of a reply -> its thread
  #presence = new Presence(find(this.element, ".room > .presence"));
  #scroll = new Scroll(find(this.element, ".log"), find(this.element, ".newest"));
  #context;

  /** `context` = {threads, viewer, say, stop, reply}: whether replies stand in threads, who looks, and what they can do. */
  constructor(description, context) {
    this.#context = context;
    find(this.element, ".log").setAttribute("aria-label", `Messages in ${description.title}`);
    find(this.element, ".welcome strong").textContent = description.title;
    find(this.element, ".welcome p").textContent = description.welcome;
  }

  get empty() {
    return this.#messages.size === 0;
  }

  happened(moment) {
    switch (moment.kind) {
      case "posted":
        this.#posted(moment);
        break;
      case "edited":
        this.#find(moment.message)?.edit(moment, this.#context.viewer());
        break;
      case "deleted":
        this.#deleted(moment.message);
        break;
      case "typing":
        this.#presence.show(`${moment.author} is typing…`, moment);
        break;
      case "status":
        this.#status(moment);
        break;
    }
    this.#scroll.changed();
  }

  shown() {
    this.#scroll.toEnd();
  }

  /** Shows everything as the one who looks now sees it. */
  view() {
    const viewer = this.#context.viewer();
    for (const message of this.#messages.all()) {
      message.view(viewer);
      message.thread?.messages.all().forEach((reply) => reply.view(viewer));
    }
  }

  #posted(moment) {
    const thread = this.#threadFor(moment);
    const place = thread?.messages ?? this.#messages;
    const message = place.add(moment, this.#reply());
    if (thread) {
      this.#threadOf.set(moment.message, thread);
      thread.count();
    } else if (moment.reply_to) {
      message.quote(this.#messages.get(moment.reply_to));
    }
    place.group();
    if (moment.bot && !this.#context.threads) {
      this.#presence.clear(); // Slack tells by itself when a status goes
    }
  }

  #deleted(id) {
    const thread = this.#threadOf.get(id);
    const message = this.#find(id);
    if (message?.thread?.messages.size) {
      message.withdraw();
      return;
    }
    (thread?.messages ?? this.#messages).remove(id);
    thread?.count();
  }

  #status(moment) {
    const presence = this.#threadFor(moment)?.presence ?? this.#presence;
    if (moment.text) {
      const stop = moment.stoppable ? () => this.#context.stop(moment.reply_to) : null;
      presence.show(`${moment.author} ${SESSIONS[moment.text] ?? moment.text}`, moment, stop);
    } else {
      presence.clear();
    }
  }

  #threadFor(moment) {
    const parent = this.#context.threads && moment.reply_to && this.#messages.get(moment.reply_to);
    return parent ? parent.openThread(this.#context) : null;
  }

  #find(id) {
    return this.#threadOf.get(id)?.messages.get(id) ?? this.#messages.get(id);
  }

  #reply() {
    if (this.#context.threads) {
      return { label: "Reply in thread", act: (message) => message.openThread(this.#context).focus() };
    }
    return { label: "Reply", act: (message) => this.#context.reply(message) };
  }
}
