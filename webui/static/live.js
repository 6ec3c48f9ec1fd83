// On every page: the live connection and its banner, small upkeep (times, dialogs, menus, theme), keyboard.
// Plain module, no dependency, no inline style or script needed. Offers `claudeops` to transcript.js.
//
// Event stream, as the server writes it (named events, LF line ends, optional `id:`):
//   beat   {"now": "<UTC ISO>"} at once after the first state, then at least every 10 s
//   state  HTML of elements with ids; each is merged into the element of the same id. Unknown <tr>s are counted in the "new" pill;
//          an unknown element with data-append goes to the end of the element that it names. With data-keep, only what has
//          data-part within it is merged. One whose data-mark differs has the elements that data-renews names fetched anew.
//   caught (transcripts) what was missed while the connection was lost is sent
//   done   as state, then the stream is over          reset  load the page anew
const $ = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const BEAT_LIMIT = 20_000;
const HIDDEN_LIMIT = 60_000;

// As in the rows: one clock for the whole page, and for whoever reads along elsewhere.
const clock = (at) => `${at.toISOString().slice(11, 19)} UTC`;
// Serves where a browser keeps nothing for us: the choice then lasts as long as the page.
const kept = {
  get(key) { try { return localStorage.getItem(key); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, value); } catch { console.warn("claudeops: not kept", key); } },
};

// ---- merging what the server sends into the page -------------------------------------------------

function fragment(html) {
  const box = document.createElement("template");
  box.innerHTML = html;
  return box.content;
}

const shape = (node) => (node.nodeType === 1 ? `${node.nodeName}#${node.id}` : String(node.nodeType));

// Changes only what differs, so that focus, selection and open <details> in the rest stay.
function merge(old, now) {
  if (old.isEqualNode(now)) return;
  if (old.nodeType === 1 && old.hasAttribute("data-editing") && !now.hasAttribute?.("data-editing")) return beside(old, now);
  if (shape(old) !== shape(now)) return old.replaceWith(now);
  if (old.nodeType !== 1) {
    old.data = now.data;
    const cell = old.parentElement?.closest("[data-flash]");
    if (cell) { cell.classList.remove("flash"); void cell.offsetWidth; cell.classList.add("flash"); }
    return;
  }
  const own = old.hasAttribute("data-own"); // what stands in it a script has drawn, who reads its attributes
  for (const { name } of [...old.attributes]) if (!now.hasAttribute(name) && name !== "open" && name !== "class") old.removeAttribute(name);
  for (const { name, value } of now.attributes) if (old.getAttribute(name) !== value && name !== "open") old.setAttribute(name, value);
  if (own) return;
  const before = [...old.childNodes], after = [...now.childNodes];
  if (before.length === after.length && before.every((node, i) => shape(node) === shape(after[i]))) {
    before.forEach((node, i) => merge(node, after[i]));
    return;
  }
  const known = new Map(before.filter((node) => node.id).map((node) => [node.id, node]));
  old.replaceChildren(...after.map((node) => {
    const mine = node.id && known.get(node.id);
    if (!mine || shape(mine) !== shape(node)) return node;
    merge(mine, node);
    return mine;
  }));
}

// Somebody writes in a row: only its status follows, and whether it is still there at all.
function beside(old, now) {
  const gone = $("[data-gone]", old), mine = $(".state", old), theirs = $(".state", now);
  if (now.hidden && gone) gone.hidden = false;
  else if (mine && theirs) merge(mine, theirs);
}

const keys = (within) => all("[data-key]", within).map((row) => row.id).join();
const selecting = (within) => { const s = getSelection(); return s && !s.isCollapsed && s.containsNode(within, true); };
const inUse = (within) => within.matches(":hover, :focus-within") || selecting(within);
const held = new Map();

// A list is never re-ordered under the pointer, the focus or a selection: it waits until they are gone.
function place(now) {
  const old = document.getElementById(now.id);
  if (!old) return append(now);
  if (now.hasAttribute("data-keep")) {
    for (const part of all("[data-part]", now)) place(part);
    return true;
  }
  held.delete(now.id);
  if (selecting(old) || (keys(old) !== keys(now) && inUse(old))) held.set(now.id, now);
  else {
    const focus = old.contains(document.activeElement) ? document.activeElement : null;
    merge(old, now);
    if (focus && !focus.isConnected) (document.getElementById(focus.id) ?? document.getElementById(now.id)?.querySelector("a, button"))?.focus({ preventScroll: true });
  }
  return true;
}
// At the end, so that nothing moves that somebody reads or is about to press.
function append(now) {
  const list = now.dataset.append && document.getElementById(now.dataset.append);
  if (list?.hasAttribute("data-toasts")) toast(list, now); else list?.append(now);
  return Boolean(list);
}
// Each is said once, and goes by itself, but not while somebody reads it.
const TOAST_MS = 8000, TOASTS_MAX = 4, toasted = new Set();
function toast(list, line) {
  if (toasted.has(line.id)) return;
  toasted.add(line.id);
  list.append(line);
  while (list.children.length > TOASTS_MAX) list.firstElementChild.remove();
  const go = () => { if (line.matches(":hover") || selecting(line)) setTimeout(go, 1000); else line.remove(); };
  setTimeout(go, TOAST_MS);
}
setInterval(() => { for (const [id, now] of held) if (!inUse(document.getElementById(id) ?? document.body)) place(now); }, 1000);

const fresh = new Set();
function state(html) {
  for (const element of [...fragment(html).children]) {
    const renews = element.dataset.renews, known = renews && document.getElementById(element.id)?.dataset.mark;
    if (!place(element) && element.nodeName === "TR") fresh.add(element.id);
    if (renews && known !== element.dataset.mark) for (const id of renews.split(" ")) soon(id);
  }
  const pill = $("#fresh");
  if (pill && fresh.size) { pill.hidden = false; pill.textContent = `${fresh.size} new ${pill.dataset.noun}${fresh.size > 1 ? "s" : ""}, show`; }
  const follow = $("[data-follow]"), begun = follow && $(`#${follow.dataset.follow} [data-session]`);
  if (begun) location.assign(begun.href);
  const status = $("#page-status");
  if (status) {
    const word = status.dataset.word;
    document.title = (word ? `(${word}) ` : "") + document.title.replace(/^\([^)]*\) /, "");
    const icon = $("link[rel=icon]");
    if (icon.getAttribute("href") !== status.dataset.icon) icon.setAttribute("href", status.dataset.icon);
  }
  tick();
}

// ---- the connection ------------------------------------------------------------------------------

const dot = $("#live"), banner = $("#connection");
const words = { live: "live", lost: "reconnecting", connecting: "connecting", ended: "ended" };
function show(name) { if (dot && dot.dataset.state !== name) { dot.dataset.state = name; dot.textContent = words[name]; } }
function say(text, tone = "warn") {
  if (!banner) return;
  const now = `banner tone-${tone}`;
  if (banner.className !== now) banner.className = now;
  $("[data-text]", banner).textContent = text;
  $("[data-retry]", banner).hidden = tone !== "warn";
  banner.hidden = !text;
}

let skew = 0; // server clock minus ours, in ms

// address: () => string, so that a reconnect can name where it goes on. on: {event name: (data, id) => void}.
function connect(address, on) {
  let source = null, heard = 0, lostAt = null, tries = 0, timer = 0, over = false, sleeping = false, gained = 0, beats = 0, hiddenSince = 0;

  function open() {
    clearTimeout(timer);
    source?.close();
    source = new EventSource(address());
    heard = Date.now();
    beats = 0;
    source.onerror = () => lose(false);
    for (const name of new Set(["beat", "caught", "state", "reset", "done", ...Object.keys(on)])) {
      source.addEventListener(name, (event) => { hear(name); take(name, event.data, event.lastEventId); });
    }
  }
  // The first event, not the open socket, proves that the stream works.
  function hear(name) {
    heard = Date.now();
    tries = 0;
    show("live");
    if (name === "beat") beats += 1;
    // A transcript has caught up when it says so; one that grows faster than we read never does, and has told twice that it lives.
    if (lostAt && (name === "caught" || (name === "beat" && beats > (on.rows ? 1 : 0)))) {
      say(`Connected again.${on.rows ? ` Caught up: ${gained} row${gained === 1 ? "" : "s"}.` : ""}`, "ok");
      const mine = (lostAt = null);
      setTimeout(() => { if (lostAt === mine) say("", "ok"); }, 6000);
    }
  }
  function take(name, data, id) {
    if (name === "beat") skew = (Date.parse(JSON.parse(data || "{}").now) || Date.now()) - Date.now();
    else if (name === "reset") location.reload();
    else {
      if (name === "state" || name === "done") state(data);
      gained += on[name]?.(data, id) ?? 0;
      if (name === "done") { over = true; source.close(); show("ended"); say("", "ok"); }
    }
  }
  function lose(atOnce) {
    if (over || sleeping) return;
    source?.close();
    clearTimeout(timer);
    if (!lostAt) { lostAt = new Date(heard || Date.now()); gained = 0; }
    tries += 1;
    show("lost");
    say(`Live updates lost ${clock(lostAt)}. Showing that moment.`);
    if (tries === 3) signedOut();
    const wait = atOnce ? 0 : Math.min(5000, 250 * 2 ** tries) * (0.7 + 0.6 * Math.random());
    timer = setTimeout(open, wait);
  }
  // EventSource hides the status of a refusal, so the page itself is asked whether the sign-in still holds.
  async function signedOut() {
    const answer = await fetch(location.href, { method: "HEAD", redirect: "manual", cache: "no-store" }).catch(() => null);
    if (answer && (answer.type === "opaqueredirect" || answer.status === 401)) {
      over = true;
      clearTimeout(timer);
      say(`You were signed out. What you see is the state of ${clock(lostAt ?? new Date())}; load the page to sign in.`);
    }
  }
  setInterval(() => {
    if (over) return;
    if (!sleeping && hiddenSince && Date.now() - hiddenSince > HIDDEN_LIMIT) {
      sleeping = true; // browsers allow six connections a host: a tab that nobody sees gives its own back
      source?.close();
    } else if (!sleeping && Date.now() - heard > BEAT_LIMIT && source?.readyState !== EventSource.CLOSED) lose(true);
  }, 1000);
  document.addEventListener("visibilitychange", () => {
    hiddenSince = document.hidden ? Date.now() : 0;
    if (document.hidden || over) return;
    if (sleeping || Date.now() - heard > BEAT_LIMIT / 2) { sleeping = false; tries = 0; open(); }
  });
  addEventListener("offline", () => lose(false));
  addEventListener("online", () => { if (!over) { tries = 0; open(); } });
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => { if (event.persisted && !over) open(); });
  banner && $("[data-retry]", banner).addEventListener("click", () => { if (over) location.reload(); else { tries = 0; open(); } });
  show("connecting");
  open();
  return () => { if (!over && !sleeping) open(); };
}

// ---- parts that renew themselves ------------------------------------------------------------------

// data-refresh names the address at which an element of the same id stands, as it is then; data-every how often, in seconds.
// It needs no stream: it goes on where that is lost, and is as old as its page while nobody looks.
async function renew(id) {
  const old = document.getElementById(id);
  if (!old || document.hidden) return;
  const address = old.dataset.refresh;
  const answer = await fetch(address, { headers: { Accept: "text/html" }, cache: "no-store", redirect: "error" }).catch(() => null);
  const now = answer?.ok && fragment(await answer.text()).getElementById(id);
  if (!now) return;
  // The first rows of a list that was empty: there are no parts yet into which they could be merged.
  if (now.hasAttribute("data-keep") && !old.hasAttribute("data-keep")) old.replaceWith(now); else place(now);
  tick();
}
for (const node of all("[data-refresh]")) setInterval(renew, node.dataset.every * 1000, node.id);
// At once, but not more than once a second, however much changes.
const renewed = new Map();
function soon(id) {
  if (!document.getElementById(id)?.dataset.refresh) return;
  const wait = (renewed.get(id) ?? 0) + 1000 - Date.now();
  if (wait > 1000) return; // it is planned already
  renewed.set(id, Date.now() + Math.max(0, wait));
  if (wait <= 0) renew(id); else setTimeout(renew, wait, id);
}

// ---- rows that are edited where they stand ---------------------------------------------------------

// A link with data-inline leads to the same list with the row as fields, which also serves without script. Here the row
// alone is taken from there; and what its button is answered, a page as well, has the row as it is then.
async function take(row, address, options = {}) {
  const answer = await fetch(address, { headers: { Accept: "text/html" }, cache: "no-store", ...options }).catch(() => null);
  const html = answer && /^text\/html/.test(answer.headers.get("Content-Type") ?? "") && (answer.ok || [409, 422].includes(answer.status)) && fragment(await answer.text());
  const now = html && html.getElementById(row.id);
  if (!answer || (!answer.ok && !now)) {
    const said = $("[data-refused]", row);
    if (said) { said.hidden = false; said.textContent = answer?.status === 404 ? "Not saved: somebody has removed this service." : "Not saved: the dashboard does not answer so. Try again."; }
    return;
  }
  if (!now) return row.remove(); // what it is now the filter lets out
  row.replaceWith(now);
  ($("[aria-invalid]", now) ?? $("[data-first]", now) ?? $("a", now))?.focus({ preventScroll: true });
  tick();
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-inline]");
  const row = link?.closest("li[id]");
  if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  // One at a time: Enter presses the first button of the form, which is that of the row.
  for (const other of all("li[data-editing]")) if (other !== row) $("a[data-inline]", other)?.click();
  take(row, link.href);
});
document.addEventListener("submit", (event) => {
  const button = event.submitter, row = button?.closest("li[data-editing]");
  if (!row) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(event.target, button));
  take(row, button.formAction, { method: "POST", body, headers: { Accept: "text/html" } });
});
document.addEventListener("keydown", (event) => {
  const row = event.key === "Escape" && event.target.closest("li[data-editing]");
  if (row) $("a[data-inline]", row)?.click();
});

// ---- forms whose answer is put where they stand ----------------------------------------------------

// data-swap names the elements that the answer brings anew; the form itself is within one of them. What is no page of ours,
// such as what a proxy says while nothing serves, is put nowhere.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.matches("[data-swap]")) return;
  event.preventDefault();
  if (form.dataset.sent) return;
  form.dataset.sent = "1";
  const body = new URLSearchParams(new FormData(form, event.submitter));
  const headers = { Accept: "text/html", "HX-Request": "true" };
  const answer = await fetch(form.getAttribute("action"), { method: "POST", body, headers, cache: "no-store" }).catch(() => null);
  delete form.dataset.sent;
  const html = answer && answer.status < 500 && /^text\/html/.test(answer.headers.get("Content-Type") ?? "") && fragment(await answer.text());
  const said = $("[data-unsent]", form);
  if (said) said.hidden = Boolean(html);
  if (!html) return;
  const parts = form.dataset.swap.split(" ").map((id) => [document.getElementById(id), html.getElementById(id)]);
  // What is shown this once, or an error that belongs to no field, takes the place of it all.
  if (parts.some(([, now]) => !now)) $("#main").replaceChildren(html);
  else for (const [old, now] of parts) old?.replaceWith(now);
  ($("[aria-invalid]") ?? $("#tried") ?? $("#said"))?.scrollIntoView({ block: "nearest" });
  $("[aria-invalid]")?.focus({ preventScroll: true });
  tick();
});

// ---- times ---------------------------------------------------------------------------------------

const two = (n) => String(n).padStart(2, "0");
function length(s) {
  s = Math.max(0, Math.floor(s));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} m ${two(s % 60)} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)} m`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}
function near(s) {
  if (s < 60) return `${Math.max(0, Math.floor(s))} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} d`;
}
const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };
function left(s) {
  if (s <= 0) return "expires now";
  return `expires in ${s < 3600 ? `${Math.floor(s / 60)}:${two(Math.floor(s % 60))}` : length(s)}`;
}
function tick() {
  const now = Date.now() + skew;
  const stale = dot?.dataset.state === "lost";
  // A lost connection stops the clocks: a number that goes on would look alive.
  if (!stale) for (const node of all("[data-since]")) put(node, length((now - Date.parse(node.dataset.since)) / 1000));
  for (const node of all("time[data-ago]")) put(node, `${near((now - Date.parse(node.dateTime)) / 1000)} ago`);
  for (const node of all("time[data-in]")) {
    const left = (Date.parse(node.dateTime) - now) / 1000;
    put(node, left > 0 ? `in ${near(left)}` : "now");
  }
  for (const node of all("time[data-left]")) put(node, left((Date.parse(node.dateTime) - now) / 1000));
  for (const node of all("[data-countdown]")) {
    const left = (node.dataset.countdown = Math.max(0, node.dataset.countdown - 1));
    put(node, left ? `${left} s` : "a moment");
  }
}
setInterval(tick, 1000);

// ---- theme, menus, dialogs, forms ----------------------------------------------------------------

function theme(name) {
  document.documentElement.dataset.theme = name;
  document.cookie = `theme=${name}; path=/; max-age=31536000; samesite=lax`;
}
const isDark = () => (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "ops-dark" : "")) === "ops-dark";

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-dialog], [data-ask], [data-close], [data-theme-toggle]");
  for (const menu of all("[data-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
  if (!target) return;
  if (target.hasAttribute("data-theme-toggle")) return theme(isDark() ? "ops-light" : "ops-dark");
  if (target.hasAttribute("data-close")) {
    const open = target.closest("dialog");
    if (open) { event.preventDefault(); open.close(); }
    return;
  }
  const dialog = document.getElementById(target.dataset.dialog ?? "ask");
  // A link with a dialog also leads to a page that asks the same: for a new tab, and without script.
  if (!dialog || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (target.hasAttribute("data-ask")) ask(dialog, target); else dialog.showModal();
});
// The question is the one of the page that the link leads to, as it is now; without an answer, the page itself is opened.
let asking = false;
async function ask(dialog, link) {
  if (asking) return;
  asking = true;
  try {
    const answer = await fetch(link.href, { headers: { Accept: "text/html" }, cache: "no-store", redirect: "error" });
    const form = answer.ok && $("form.confirm", fragment(await answer.text()));
    if (!form) throw new Error(`no question at ${link.href}`);
    dialog.replaceChildren(form);
    dialog.dataset.from = link.id;
    dialog.showModal();
  } catch {
    location.assign(link.href);
  } finally {
    asking = false;
  }
}
// The form is put away with its dialog; the focus goes back to where it came from, or to what has taken its place.
$("#ask")?.addEventListener("close", (event) => {
  const dialog = event.target;
  const from = document.getElementById(dialog.dataset.from);
  dialog.replaceChildren();
  if (from && document.activeElement === document.body) from.focus();
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-asks]")) { // a question about what is chosen in it
    event.preventDefault();
    return ask($("#ask"), { href: `${form.action}?${new URLSearchParams(new FormData(form))}`, id: event.submitter?.id ?? "" });
  }
  if (!form.matches("[data-once]")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
});
addEventListener("pageshow", () => { for (const form of all("[data-once]")) delete form.dataset.sent; });
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-filters] select")) event.target.form.requestSubmit();
  const { all: name } = event.target.dataset;
  if (name) for (const box of all(`input[name="${name}"]`, event.target.form)) box.checked = event.target.checked;
});
// Empty fields stay out of the address.
document.addEventListener("formdata", (event) => {
  if (!event.target.matches("[data-filters]")) return;
  for (const [key, value] of [...event.formData]) if (!value) event.formData.delete(key);
});

// ---- keyboard ------------------------------------------------------------------------------------

const places = { o: "/", s: "/sessions", a: "/approvals", q: "/triggers", h: "/services", i: "/incidents", d: "/cost", e: "/events", c: "/cooldowns", m: "/memories", y: "/system" };
const actions = {
  "?": () => $("#help")?.showModal(),
  // Where nothing can be searched, what is looked for is a service. Who reads a transcript stays where they are.
  "/": () => { const field = $("[data-search]"); if (field) field.focus(); else if (!$("#log")) location.assign("/services#search"); },
  j: () => step(1),
  k: () => step(-1),
};
let going = 0;
function step(by) {
  const rows = all("[data-row], #log > .entry > .at").filter((row) => row.offsetParent);
  const at = rows.indexOf(document.activeElement);
  rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))]?.focus();
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const menu of all("[data-menu][open]")) { menu.open = false; $("summary", menu).focus(); }
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest("input, textarea, select, [contenteditable], dialog") || $("dialog[open]")) return;
  if (kept.get("keys") === "off") return;
  if (going > Date.now() && places[event.key]) { event.preventDefault(); location.assign(places[event.key]); return; }
  going = event.key === "g" ? Date.now() + 1500 : 0;
  // Only asks: nothing is decided by a single key.
  const call = { A: "[data-approve]", D: "[data-deny]" }[event.key];
  const card = call && document.activeElement.closest("[data-approval]");
  if (card && $(call, card)) { event.preventDefault(); $(call, card).click(); return; }
  const act = actions[event.key];
  if (act) { event.preventDefault(); act(); }
});
if (location.hash === "#search") $("[data-search]")?.focus();
const toggle = $("[data-keys-toggle]");
if (toggle) {
  toggle.checked = kept.get("keys") !== "off";
  toggle.addEventListener("change", () => kept.set("keys", toggle.checked ? "on" : "off"));
}

// ---- installed -----------------------------------------------------------------------------------

// For who is signed in: signing out takes it away again. Browsers offer it by https and on this host alone.
if ($(".topbar") && "serviceWorker" in navigator) {
  navigator.serviceWorker.register("/sw.js", { scope: "/" }).catch((error) => console.info("claudeops: not installed:", error.message));
}
// The page that is shown while nothing answers asks by itself, and gives way to the one that was wanted.
if ($("[data-unreachable]") && location.pathname !== "/offline") {
  const ask = async () => {
    // Given up before the next one: what hangs would use up the connections that a browser allows to one host.
    const answer = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(4000) }).catch(() => null);
    if (answer?.ok) location.reload();
  };
  setInterval(ask, 5000);
  addEventListener("online", ask);
}

globalThis.claudeops = { $, all, actions, connect, fragment };
// A list whose rows have become others names another address: those that were added are followed from then on.
const stream = () => $("[data-follows]")?.dataset.follows ?? document.body.dataset.stream;
let seen = "", followed = ""; // what the stream has told up to, for when it is lost; and where it is read
function address() {
  followed = stream();
  return seen ? `${followed}&last=${encodeURIComponent(seen)}` : followed;
}
if (stream()) {
  const again = connect(address, { state: (_, id) => { seen = id || seen; return 0; } });
  setInterval(() => { if (stream() !== followed) again(); }, 250);
}
tick();
