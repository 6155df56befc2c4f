// The page: two panes that show what the feed tells.

import { find } from "./elements.js";
import { follow } from "./feed.js";
import { Pane } from "./pane.js";

const panes = new Map();

follow({
  hello(greeting) {
    panes.clear();
    greeting.platforms.forEach((platform) => panes.set(platform.name, new Pane(platform)));
    find(document, "main").replaceChildren(...[...panes.values()].map((pane) => pane.element));
  },
  moment(moment) {
    panes.get(moment.platform)?.happened(moment);
  },
  figures(figures) {
    for (const [name, figure] of Object.entries(figures)) {
      panes.get(name)?.count(figure);
    }
  },
  state(state) {
    const line = find(document, ".connection");
    line.textContent = state;
    line.classList.toggle("live", state === "live");
  },
});
