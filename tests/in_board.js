// What tests ask of the board's document. It runs in the browser, where Deno's
// types do not hold.

/** How much of the document does not fit into the window: right, and below. */
export function beyond() {
  const { scrollWidth, scrollHeight } = document.documentElement;
  return [scrollWidth - innerWidth, scrollHeight - innerHeight];
}

/** How large the letters are, in pixels. */
export function letters() {
  return parseFloat(getComputedStyle(document.body).fontSize);
}

/** The names that are shown, as text. */
export function names() {
  return [...document.querySelectorAll("#people bdi")].map((it) =>
    it.textContent
  );
}

/** What only markup in a name or a note could have made. */
export function strangers() {
  const found = "#people bdi *, #note p *, img, iframe, script:not([src])";
  return document.querySelectorAll(found).length;
}

/** Leaves a mark that a reload would take away. */
export function mark() {
  document.body.dataset.mark = "the same document";
}

/** The pixels of a picture. It runs in an empty page, which has no policy. */
export async function pixels(png) {
  const picture = new Image();
  picture.src = `data:image/png;base64,${png}`;
  await picture.decode();
  const { width, height } = picture;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  return { width, height, data: [...data] };
}
