// The live transcript: appends rows, follows the end until the reader scrolls up, resumes at its last byte.
// Needs live.js before it. Besides beat, state, done and reset (see live.js) the stream has
//   rows   HTML of one or more rows; `id:` is the first byte not yet sent, and `?at=<id>` goes on from there.
//          <li class="entry"> is appended (under its parent's call, if it names one; a note under one before it of the same data-run); <template data-into="tool-…"> holds a tool's
//          result: an outcome for the call's line, the rest for beneath it.
const { $, all, actions, connect, fragment } = globalThis.claudeops;
const MAX_ROWS = 3000;
const SLACK = 40; // px from the end that still count as being at the end

const log = $("#log"), pill = $("#follow"), tail = $("#log-end"), earlier = $("#earlier");
const root = document.scrollingElement;
let at = log.dataset.offset, following = false, unseen = 0, waiting = [], flushTimer = 0, flushed = 0, heard = { rows: 0, bad: 0 };
const live = Boolean(log.dataset.stream);

// ---- following -----------------------------------------------------------------------------------

const fromEnd = () => root.scrollHeight - innerHeight - scrollY;
const selecting = () => { const s = getSelection(); return s && !s.isCollapsed && s.containsNode(log, true); };
function follow(on) {
  following = on;
  if (on) unseen = 0;
  if (on) root.scrollTop = root.scrollHeight;
  pill.hidden = on || !unseen;
}
function settle() {
  if (!live) return;
  following = fromEnd() <= SLACK;
  if (following) { unseen = 0; pill.hidden = true; }
}
addEventListener("scroll", settle, { passive: true });
// Opening a row at the end makes the page longer without a scroll: whoever opened it wants to read it.
log.addEventListener("click", (event) => { if (event.target.closest("summary")) setTimeout(settle); });
pill.addEventListener("click", () => follow(true));
function toEnd() {
  if (live) follow(true); else root.scrollTop = root.scrollHeight;
  tail.focus({ preventScroll: true });
}
$("[data-jump-end]").addEventListener("click", (event) => { event.preventDefault(); toEnd(); });
actions.f = () => { if (live && following) following = false; else toEnd(); };

// ---- rows ----------------------------------------------------------------------------------------

const within = (id) => id && document.getElementById(id);

function result(box) {
  const call = within(box.dataset.into);
  if (!call) return orphan(box);
  if (call.dataset.result === box.dataset.anchor) return 0;
  call.dataset.result = box.dataset.anchor;
  const entry = call.closest(".entry"), content = box.content;
  const outcome = $("[data-outcome]", content);
  const shown = $(":scope > summary [data-outcome]", call);
  if (shown) shown.replaceWith(outcome); else outcome.remove();
  $(":scope > .inner > .results", call).replaceChildren(content);
  if (box.dataset.tone) { entry.dataset.tone = box.dataset.tone; entry.classList.add(`tone-${box.dataset.tone}`); }
  if (box.hasAttribute("data-open")) call.open = true;
  if (box.dataset.tone === "bad") heard.bad += 1;
  return 0;
}
// The call is no longer in the page: its result stands alone rather than being lost.
function orphan(box) {
  if (within(box.dataset.anchor)) return 0;
  const entry = document.createElement("li");
  entry.id = box.dataset.anchor;
  entry.className = "entry";
  Object.assign(entry.dataset, { kind: "tool", offset: box.dataset.offset, tone: box.dataset.tone });
  const inner = document.createElement("div");
  inner.className = "inner";
  inner.append(box.content);
  entry.append(document.createElement("span"), inner);
  log.append(entry);
  return 1;
}
// Notes of one kind that follow each other are one row, which counts them and holds them all.
function join(first, note) {
  const kids = $(":scope > .fold > .inner > .kids", first);
  kids.append(note);
  $(":scope > .fold > summary [data-outcome]", first).textContent = `×${kids.childElementCount + 1}`;
  return 0;
}
function add(element) {
  if (element.nodeName === "TEMPLATE") return result(element);
  if (within(element.id)) return 0;
  const parent = within(element.dataset.parent);
  const list = parent ? $(":scope > .inner > .kids", parent) : log, last = list.lastElementChild;
  if (element.dataset.run && last?.dataset.run === element.dataset.run) return join(last, element);
  list.append(element);
  if (element.dataset.tone === "bad") heard.bad += 1;
  return parent ? 0 : 1;
}
function trim() {
  let surplus = log.childElementCount - MAX_ROWS;
  if (surplus <= 0 || selecting()) return;
  const height = root.scrollHeight, top = scrollY;
  while (surplus-- > 0) log.firstElementChild.remove();
  // Browsers with scroll anchoring have moved already.
  if (!following && scrollY === top) scrollBy(0, root.scrollHeight - height);
  earlier.hidden = false;
  $("a", earlier).href = `?before=${log.firstElementChild.dataset.offset}`;
  $("a span", earlier).textContent = "Load earlier rows";
}
function flush() {
  flushTimer = 0;
  flushed = Date.now();
  const stay = !following || selecting();
  let count = 0;
  for (const html of waiting.splice(0)) for (const element of [...fragment(html).children]) count += add(element);
  trim();
  heard.rows += count;
  if (!stay) root.scrollTop = root.scrollHeight;
  else if (count) {
    unseen += count;
    pill.textContent = `${unseen} new ↓`;
    pill.hidden = false;
  }
}
// At most ten changes of the page a second, however fast lines come.
function rows(html, id) {
  if (id) at = id;
  waiting.push(html);
  flushTimer ||= setTimeout(flush, Math.max(0, 100 - (Date.now() - flushed)));
  return (html.match(/<li class="entry/g) ?? []).length;
}
function done() {
  if (waiting.length) flush();
  for (const spin of all("#log .outcome .spin")) spin.remove();
  const note = $("[data-tail]", tail);
  if (note) note.textContent = "End of the transcript.";
  $("#announce").textContent = `The session has ended: ${$("#session-head .state")?.textContent.trim() ?? ""}.`;
  $("#stop-dialog")?.close();
}
// A screen reader hears of errors, at most every ten seconds; never each line.
setInterval(() => {
  if (!heard.bad) return;
  $("#announce").textContent = `${heard.bad} error${heard.bad > 1 ? "s" : ""} or denials in ${heard.rows} new rows.`;
  heard = { rows: 0, bad: 0 };
}, 10_000);

// ---- show, next error ----------------------------------------------------------------------------

for (const button of all("button[data-show]")) {
  button.addEventListener("click", () => {
    log.dataset.show = button.dataset.show;
    for (const other of all("#logbar [data-show]")) other.setAttribute("aria-pressed", String(other.dataset.show === log.dataset.show));
  });
}
actions.e = () => {
  const errors = all('#log > .entry[data-tone="bad"]');
  const here = errors.indexOf(document.activeElement.closest(".entry"));
  const next = here >= 0 ? errors[(here + 1) % errors.length] : errors.find((row) => row.getBoundingClientRect().top > 120) ?? errors[0];
  if (!next) return;
  following = false;
  next.scrollIntoView({ block: "center" });
  $(".at", next)?.focus({ preventScroll: true });
};

if (live) {
  const asked = location.hash || new URLSearchParams(location.search).has("at");
  if (!asked && log.childElementCount) follow(true);
  connect(() => `${log.dataset.stream}?at=${at}`, { rows, done });
}
