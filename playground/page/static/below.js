// What stands below the text of a message: previews of links, files, that it is still growing, what a notification says.

import { find, fromTemplate, show } from "./elements.js";

const UNITS = ["bytes", "KB", "MB"];

export class Below {
  #element;

  constructor(element) {
    this.#element = element;
  }

  show({ platform, files, previews, live, private_to: recipient, fallback }) {
    this.#list(".files", files, (file) => box(platform, file));
    this.#list(".previews", previews, preview);
    show(find(this.#element, ".live"), live ? (recipient ? "streaming, to you alone" : "streaming") : "");
    show(find(this.#element, ".fallback"), fallback ? `Notifications say: ${fallback}` : "");
  }

  #list(selector, items, draw) {
    const list = find(this.#element, selector);
    list.hidden = items.length === 0;
    list.replaceChildren(...items.map(draw));
  }
}

function box(platform, { id, name, size }) {
  const item = fromTemplate("file");
  const link = find(item, "a");
  link.href = `/page/files/${platform}/${encodeURIComponent(id)}`;
  find(link, "b").textContent = name;
  find(link, "span").textContent = readable(size);
  return item;
}

function preview(address) {
  const item = fromTemplate("preview");
  find(item, "b").textContent = address.split("/")[2];
  find(item, "span").textContent = address;
  return item;
}

function readable(bytes) {
  const power = bytes < 1000 ? 0 : bytes < 1_000_000 ? 1 : 2;
  return `${(bytes / 1000 ** power).toFixed(power && 1)} ${UNITS[power]}`;
}
