// Elements from the page's templates.

/** A fresh copy of the template with this id. */
export function fromTemplate(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

/** The first element in `root` that matches; the page is ours, so it is there. */
export function find(root, selector) {
  return root.querySelector(selector);
}

/** Shows a text in an element, or hides the element where there is none. */
export function show(element, text) {
  element.textContent = text;
  element.hidden = !text;
}
