// The service worker. Pages come from the network, always; while nothing answers, a plain page says so.
//
// Kept are that page and the files that it is made of, and they alone: there is no other put() into a cache here, so
// nothing that belongs to somebody can get into one. JSON, event streams, forms and whatever is not in the list never
// come past here: without respondWith() the browser asks the network as if there were no service worker.
const KEPT = {{ kept | tojson }};
const OFFLINE = {{ offline | tojson }};
const CACHE = "claudeops-" + {{ build | tojson }};
const PATIENCE = 20_000;

addEventListener("install", (event) => {
  // Without cookies, so that what is kept is what a stranger gets.
  const requests = KEPT.map((address) => new Request(address, { credentials: "omit", cache: "no-cache" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(requests)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  const old = async () => {
    for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
    await clients.claim();
  };
  event.waitUntil(old());
});

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate" && request.destination === "document") event.respondWith(page(request));
  else if (request.url.startsWith(`${location.origin}/static/`) && KEPT.includes(request.url.slice(location.origin.length))) {
    event.respondWith(file(request));
  }
});

const unreachable = async () => (await caches.match(OFFLINE, { cacheName: CACHE })) ?? Response.error();
// A proxy in front may say so itself; our own failures are pages with a policy, which say what to do.
const isProxys = (answer) => [502, 503, 504].includes(answer.status) && !answer.headers.has("content-security-policy");

async function page(request) {
  // Given up for good: a request that hangs would keep the next one for the same address waiting. No-store, for the same
  // reason. Only until there is an answer; what it brings may take its time.
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE);
  try {
    const answer = await fetch(request, { signal: patience.signal, cache: "no-store" });
    return isProxys(answer) ? await unreachable() : answer;
  } catch {
    return unreachable();
  } finally {
    clearTimeout(timer);
  }
}

async function file(request) {
  return (await caches.match(request, { cacheName: CACHE })) ?? fetch(request);
}
