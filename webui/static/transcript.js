// The live transcript: appends rows, follows the end until the reader scrolls up, resumes at its last byte.
// Needs live.js before it. On a session's page there is one log; on a chain's, one for each session (#log-<id>), and the
// ids of events and rows begin with s<id>-. Besides beat, state, done and reset (see live.js) the stream has
//   rows   HTML of one or more rows; `id:` is the first byte not yet sent, and `?at=<id>` goes on from there.
//          <li class="entry"> is appended (under its parent's call, if it names one; a note under one before it of the same data-run); <template data-into="tool-…"> holds a tool's
//          result: an outcome for the call's line, the rest for beneath it. Reads of one kind in a row become one row, and
//          every state of a checklist the first one's: as webui/pages/nesting.py does for the page.
//   marks  <template data-verdict="tool-…">: what was decided about a call; it may come before the call's row.
const { $, all, actions, connect, fragment } = globalThis.claudeops;
const MAX_ROWS = 3000;
const SLACK = 40; // px from the end that still count as being at the end

const chain = $("#chain"), page = chain ?? $("#log"), pill = $("#follow"), tail = $("#log-end"), earlier = $("#earlier");
const root = document.scrollingElement;
let at = page.dataset.offset, following = false, unseen = 0, waiting = [], flushTimer = 0, flushed = 0, heard = { rows: 0, bad: 0 };
const live = Boolean(page.dataset.stream);
const GROUP_MIN = 3, NAMED = 2;
const verdicts = new Map(); // of calls whose row is still to come
const lists = new Map(); // a checklist's later states, by the id of their call: the row that shows them
const logOf = (id) => (chain ? document.getElementById(`log-${/^s(\d+)-/.exec(id)?.[1]}`) : page);

// ---- following -----------------------------------------------------------------------------------

// The transcript's end, not the page's: on a narrow screen the facts stand below it, and the dock covers what is lowest.
const covered = () => parseFloat(getComputedStyle(root).scrollPaddingBottom) || 0;
const fromEnd = () => Math.min(root.scrollHeight - innerHeight - scrollY, tail.getBoundingClientRect().bottom + SLACK + covered() - innerHeight);
const goToEnd = () => { root.scrollTop += fromEnd(); };
const selecting = () => { const s = getSelection(); return s && !s.isCollapsed && s.containsNode(page, true); };
function follow(on) {
  following = on;
  if (on) unseen = 0;
  if (on) goToEnd();
  pill.hidden = on || !unseen;
}
function settle() {
  if (!live) return;
  following = fromEnd() <= SLACK;
  if (following) { unseen = 0; pill.hidden = true; }
}
addEventListener("scroll", settle, { passive: true });
// Opening a row at the end makes the page longer without a scroll: whoever opened it wants to read it.
page.addEventListener("click", (event) => { if (event.target.closest("summary")) setTimeout(settle); });
pill.addEventListener("click", () => follow(true));
function toEnd() {
  if (live) follow(true); else goToEnd();
  tail.focus({ preventScroll: true });
}
$("[data-jump-end]")?.addEventListener("click", (event) => { event.preventDefault(); toEnd(); });
actions.f = () => { if (live && following) following = false; else toEnd(); };

// ---- rows ----------------------------------------------------------------------------------------

const within = (id) => id && document.getElementById(id);

function result(box, log) {
  const call = within(lists.get(box.dataset.into) ?? box.dataset.into);
  if (!call) return orphan(box, log);
  // That a checklist was stored says nothing that it does not show itself.
  if (call.closest(".entry").dataset.kind === "todo" && !box.dataset.tone) return 0;
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
  group(entry);
  return 0;
}
// The call is no longer in the page: its result stands alone rather than being lost.
function orphan(box, log) {
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
// What was decided about a call: a word in its line, and why below it.
function judge(box) {
  const call = within(box.dataset.verdict);
  if (!call) { verdicts.set(box.dataset.verdict, box); return; }
  verdicts.delete(box.dataset.verdict);
  const entry = call.closest(".entry"), mark = $(":scope > summary > .mark", call), why = $(":scope > .inner > .verdict", call);
  const content = document.importNode(box.content, true);
  entry.dataset.mark = box.dataset.mark;
  if (box.dataset.tone) { entry.dataset.tone ||= box.dataset.tone; entry.classList.add(`tone-${box.dataset.tone}`); }
  const word = $(".mark", content);
  if (mark) mark.replaceWith(word); else $(":scope > summary > [data-outcome]", call).before(word);
  why?.remove();
  $(":scope > .inner", call).prepend($(".verdict", content));
}
// A later state of a checklist takes the place of the one before.
function update(first, now) {
  lists.set($(".fold", now).id, $(".fold", first).id);
  $(".todos", first).replaceWith($(".todos", now));
  $(".target", first).replaceWith($(".target", now));
  return 0;
}
const joins = (row) => row?.dataset.group && !row.dataset.tone && !row.dataset.mark && $(":scope > .fold[data-result]", row) && $(".kids", row).childElementCount === 0;
const verb = (row) => $(".verb", row).textContent;
// The reads of one kind around a row, as one row that holds them.
function group(entry) {
  if (!joins(entry)) return;
  const same = (row) => row && (row.dataset.group === entry.dataset.group || row.dataset.holds === entry.dataset.group) && verb(row) === verb(entry) && (row.dataset.holds || joins(row));
  const run = [entry];
  while (same(run[0].previousElementSibling)) run.unshift(run[0].previousElementSibling);
  while (same(run.at(-1).nextElementSibling)) run.push(run.at(-1).nextElementSibling);
  const rows = run.flatMap((row) => (row.dataset.holds ? [...$(".kids", row).children] : [row]));
  if (rows.length < GROUP_MIN) return;
  let holder = run.find((row) => row.dataset.holds);
  if (!holder) {
    holder = rows[0].cloneNode(true);
    for (const name of ["group", "name"]) delete holder.dataset[name];
    holder.dataset.holds = entry.dataset.group;
    const fold = $(".fold", holder);
    for (const name of ["id", "open", "data-result"]) fold.removeAttribute(name);
    $("[data-outcome]", fold).textContent = "";
    const target = document.createElement("code");
    target.className = "target";
    $(".target", fold).replaceWith(target);
    $(".inner", fold).replaceChildren(Object.assign(document.createElement("ol"), { className: "kids" }), Object.assign(document.createElement("div"), { className: "results" }));
  }
  if (run[0] !== holder) run[0].before(holder);
  holder.id = `g-${rows[0].id}`;
  const at = $(".at", rows[0]).cloneNode(true);
  if (at.href) at.setAttribute("href", `#${holder.id}`);
  $(":scope > .at", holder).replaceWith(at);
  const names = rows.slice(0, NAMED).map((row) => row.dataset.name).join(", ");
  $(".target", holder).textContent = `${rows.length} ${entry.dataset.group}: ${names}, +${rows.length - NAMED}`;
  for (const row of run) if (row.dataset.holds && row !== holder) row.remove();
  $(".kids", holder).append(...rows);
}
function add(element, log) {
  if (element.nodeName === "TEMPLATE") return result(element, log);
  if (within(element.id)) return 0;
  const parent = within(element.dataset.parent);
  const list = parent ? $(":scope > .inner > .kids", parent) : log, last = list.lastElementChild;
  const checklist = element.dataset.kind === "todo" && $(':scope > [data-kind="todo"]', list);
  if (checklist) return update(checklist, element);
  if (element.dataset.run && last?.dataset.run === element.dataset.run) return join(last, element);
  list.append(element);
  const call = $(":scope > .fold[id]", element), decided = call && verdicts.get(call.id);
  if (decided) judge(decided);
  if (element.dataset.tone === "bad") heard.bad += 1;
  return parent ? 0 : 1;
}
function trim() {
  if (chain) return;
  const log = page;
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
  for (const [html, log] of waiting.splice(0)) for (const element of [...fragment(html).children]) count += add(element, log);
  trim();
  heard.rows += count;
  // Never up: who has scrolled past the end reads what is below.
  if (!stay) { if (fromEnd() > 0) goToEnd(); }
  else if (count) {
    unseen += count;
    pill.textContent = `${unseen} new ↓`;
    pill.hidden = false;
  }
}
// At most ten changes of the page a second, however fast lines come.
function rows(html, id) {
  if (id) at = id;
  const log = logOf(id ?? at);
  if (!log) return 0;
  waiting.push([html, log]);
  flushTimer ||= setTimeout(flush, Math.max(0, 100 - (Date.now() - flushed)));
  return (html.match(/<li class="entry/g) ?? []).length;
}
function marks(html) {
  if (waiting.length) flush();
  for (const box of [...fragment(html).children]) judge(box);
  return 0;
}
function done() {
  if (waiting.length) flush();
  for (const spin of all(".log .outcome .spin")) spin.remove();
  const note = $("[data-tail]", tail);
  if (note) note.textContent = chain ? "End of the chain." : "End of the transcript.";
  $("#announce").textContent = `The ${chain ? "chain" : "session"} has ended: ${$(".head .state")?.textContent.trim() ?? ""}.`;
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
    page.dataset.show = button.dataset.show;
    for (const other of all("#logbar [data-show]")) other.setAttribute("aria-pressed", String(other.dataset.show === page.dataset.show));
  });
}
actions.e = () => {
  const errors = all('.log > .entry[data-tone="bad"]');
  const here = errors.indexOf(document.activeElement.closest(".entry"));
  const next = here >= 0 ? errors[(here + 1) % errors.length] : errors.find((row) => row.getBoundingClientRect().top > 120) ?? errors[0];
  if (!next) return;
  following = false;
  next.scrollIntoView({ block: "center" });
  $(".at", next)?.focus({ preventScroll: true });
};

if (live) {
  const asked = location.hash || new URLSearchParams(location.search).has("at");
  if (!asked && !chain) follow(true);
  connect(() => `${page.dataset.stream}?at=${at}`, { rows, marks, done });
}
