// Changes only the parts of a message that differ, so that nothing flickers and a scrolled code block stays scrolled.

/** Makes the children of `element` those of `html`, which the server has made safe. */
export function patch(element, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  patchChildren(element, template.content);
}

function patchChildren(old, fresh) {
  const wanted = [...fresh.childNodes];
  wanted.forEach((node, index) => {
    const present = old.childNodes[index];
    if (!present) {
      old.append(node);
    } else if (!present.isEqualNode(node)) {
      patchNode(present, node);
    }
  });
  while (old.childNodes.length > wanted.length) {
    old.lastChild.remove();
  }
}

function patchNode(present, node) {
  if (present.nodeType === Node.TEXT_NODE && node.nodeType === Node.TEXT_NODE) {
    present.data = node.data;
  } else if (present.nodeType === Node.ELEMENT_NODE && present.cloneNode().isEqualNode(node.cloneNode())) {
    patchChildren(present, node);
  } else {
    present.replaceWith(node);
  }
}
