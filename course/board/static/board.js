// Keeps the board up to date. Without it, a reload does.
const byId = (id) => document.getElementById(id);
let ends;

/** The timer counts by itself between two events. */
function restart() {
  const left = document.querySelector("#timer [data-left]");
  ends = left ? performance.now() + Number(left.dataset.left) : undefined;
}

function tick() {
  const shown = document.querySelector("#timer [data-left]");
  if (ends === undefined || !shown) return;
  const seconds = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
  const hours = Math.floor(seconds / 3600);
  if (hours > 0) parts.unshift(hours);
  shown.textContent = parts.map((n) => String(n).padStart(2, "0")).join(":");
}

const events = new EventSource("/events");
events.addEventListener("board", ({ data }) => {
  const { address, ...parts } = JSON.parse(data);
  // The board was started again, and people join at another address now.
  if (address !== undefined && address !== document.body.dataset.address) {
    location.reload();
    return;
  }
  document.body.classList.remove("lost");
  for (const [id, markup] of Object.entries(parts)) {
    byId(id).innerHTML = markup;
    if (id === "timer") restart();
  }
});
// The browser connects again by itself; until then the board says it is old.
events.addEventListener("error", () => document.body.classList.add("lost"));

restart();
setInterval(tick, 250);
