// The live feed: what was, then what comes. After a lost connection the browser asks again and everything is told anew.

/** Calls `on.hello`, `on.moment` and `on.figures` with what arrives, and `on.state` with the state of the connection. */
export function follow(on) {
  const source = new EventSource("/page/feed");
  for (const kind of ["hello", "moment", "figures"]) {
    source.addEventListener(kind, (event) => on[kind](JSON.parse(event.data)));
  }
  source.addEventListener("open", () => on.state("live"));
  source.addEventListener("error", () => on.state("reconnecting…"));
}
