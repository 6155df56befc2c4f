// One platform: its rooms, a switch between them, a box to write in, and its figures.

import { Composer } from "./composer.js";
import { find, fromTemplate } from "./elements.js";
import { say, stop } from "./post.js";
import { Room } from "./room.js";

const SUGGESTIONS = ["Say hello", "Show me some code", "A table", "A rich answer", "A long answer", "fault: cut"];

export class Pane {
  element = fromTemplate("pane");
  #rooms = new Map(); // id -> {room, tab, composer, direct}
  #current = "";
  #platform;
  #people = find(this.element, ".people");

  /** `platform` = {name, title, bot, rooms, people}, as the server's greeting describes it. */
  constructor(platform) {
    this.#platform = platform;
    this.element.classList.add(platform.name);
    this.element.setAttribute("aria-label", platform.title);
    find(this.element, "h2").textContent = platform.title;
    this.#people.setAttribute("aria-label", `Who writes on ${platform.title}`);
    this.#people.replaceChildren(...platform.people.map(({ id, name }) => new Option(`as ${name}`, id)));
    this.#people.addEventListener("change", () => this.#rooms.forEach(({ room }) => room.view()));
    platform.rooms.forEach((room) => this.#add(room));
    this.#open(platform.rooms[0].id);
  }

  happened(moment) {
    const place = this.#rooms.get(moment.room);
    if (!place) {
      return;
    }
    place.room.happened(moment);
    place.composer.suggest(place.room.empty ? SUGGESTIONS : []);
    if (moment.kind === "posted" && moment.room !== this.#current) {
      place.tab.classList.add("unread");
    }
  }

  count({ calls, refusals, first_text: firstText }) {
    find(this.element, ".calls").textContent = calls;
    find(this.element, ".refusals").textContent = refusals;
    find(this.element, ".first-text").textContent = firstText === null ? "–" : `${firstText.toFixed(2)} s`;
    this.element.classList.toggle("refused", refusals > 0);
  }

  #add({ id, name, welcome, direct }) {
    const { bot, name: platform, people } = this.#platform;
    const title = direct ? name : `#${name}`;
    // direct messages are between the bot and the first person
    const person = () => (direct ? people[0].id : this.#people.value);
    const send = (words) => say({ platform, room: id, person: person(), ...words });
    const composer = new Composer({
      label: `Message ${title} on ${this.#platform.title}`,
      placeholder: `Message ${direct ? "@" : ""}${title}`,
      bot: direct ? "" : bot,
      send,
    });
    const room = new Room(
      { title, welcome },
      {
        threads: platform === "slack",
        viewer: person,
        say: send,
        stop: (thread) => stop({ platform, room: id, person: person(), thread }),
        reply: (message) => composer.replyTo(message),
      },
    );
    composer.suggest(SUGGESTIONS);
    const tab = document.createElement("button");
    tab.type = "button";
    tab.textContent = title;
    tab.addEventListener("click", () => {
      this.#open(id);
      composer.focus();
    });
    this.#rooms.set(id, { room, tab, composer, direct });
    find(this.element, ".rooms").append(tab);
    find(this.element, ".logs").append(room.element);
    find(this.element, ".write").append(composer.element);
  }

  #open(opened) {
    this.#current = opened;
    for (const [id, { room, tab, composer, direct }] of this.#rooms) {
      const current = id === opened;
      tab.ariaPressed = String(current);
      room.element.hidden = !current;
      composer.element.hidden = !current;
      if (current) {
        this.#people.hidden = direct;
        tab.classList.remove("unread");
        room.shown();
      }
    }
  }
}
