// On status pages: what stands there is fetched anew each half minute, while somebody looks. Without it the page loads itself.
const EVERY = 30_000;
async function renew() {
  const main = document.querySelector("main");
  if (document.hidden || main.contains(document.activeElement)) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" }).catch(() => null);
  if (!answer?.ok) return;
  const now = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = now.querySelector("main");
  if (!fresh || fresh.innerHTML === main.innerHTML) return;
  main.replaceChildren(...fresh.childNodes);
  document.title = now.title;
  document.querySelector("link[rel=icon]").href = now.querySelector("link[rel=icon]").getAttribute("href");
}
setInterval(renew, EVERY);
