// What tests ask of a document. It runs in the browser, where Deno's types do
// not hold.

/** The classes of elements. */
export function classes(elements) {
  return elements.map((element) => element.getAttribute("class"));
}

/** What has the focus: its id, or its words. */
export function focused() {
  const { activeElement } = document;
  return activeElement.id || activeElement.textContent.trim();
}

/** All that the tab key should reach, in the order of the document. */
export function reachable() {
  return [...document.querySelectorAll("a[href], button, summary")]
    .filter((element) => element.checkVisibility())
    .filter((element) => element.getAttribute("tabindex") !== "-1")
    .map((element) => element.id || element.textContent.trim());
}

/** The words of a drawing that do not fit into it. */
export function outside(texts) {
  return texts.filter((text) => {
    const { x, width } = text.getBBox();
    return x < 0 || x + width > text.ownerSVGElement.width.baseVal.value;
  }).map((text) => text.textContent);
}

/** Leaves a mark that a reload would take away. */
export function mark() {
  document.body.dataset.mark = "the same document";
}
