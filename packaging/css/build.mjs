// Writes webui/static/app.css, the icon sprite, fonts and licences from the pinned packages. Called by `npm run build`.
import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const out = join(here, "../../webui/static");
const version = (name) => JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8")).version;

// Only what templates name or the server may send as a status or row icon; add a name here and build again.
const icons = readFileSync(join(here, "icons.txt"), "utf8").split(/\s+/).filter(Boolean).sort();
const symbols = icons.map((name) => {
  const svg = readFileSync(join(modules, "lucide-static/icons", `${name}.svg`), "utf8");
  const body = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
  return `<symbol id="i-${name}" viewBox="0 0 24 24">${body.replace(/\s+/g, " ").replace(/> </g, "><").replace(/ \/>/g, "/>").trim()}</symbol>`;
});
writeFileSync(
  join(here, "../../webui/templates/_sprite.html"),
  `{# Built by packaging/css/build.mjs from lucide-static ${version("lucide-static")} (ISC). Context: none. Used by base.html; ids are i-<name>. #}\n` +
    `<svg class="sprite" aria-hidden="true"><defs>\n${symbols.join("\n")}\n</defs></svg>\n`,
);

for (const [pack, file, to] of [
  ["@fontsource-variable/inter", "files/inter-latin-wght-normal.woff2", "inter"],
  ["@fontsource-variable/jetbrains-mono", "files/jetbrains-mono-latin-wght-normal.woff2", "jetbrains-mono"],
]) {
  copyFileSync(join(modules, pack, file), join(out, `${to}-${version(pack)}.woff2`));
  copyFileSync(join(modules, pack, "LICENSE"), join(out, `licences/${to}.txt`));
}
for (const pack of ["lucide-static", "daisyui", "tailwindcss"]) {
  copyFileSync(join(modules, pack, "LICENSE"), join(out, `licences/${pack}.txt`));
}

// The viewer of /api/docs/. Source maps are not served, so nothing names them.
const viewer = join(modules, "swagger-ui-dist");
for (const [file, to] of [["swagger-ui-bundle.js", "swagger-ui.js"], ["swagger-ui.css", "swagger-ui.css"]]) {
  const text = readFileSync(join(viewer, file), "utf8");
  writeFileSync(join(out, to), text.replace(/\/[/*][#] sourceMappingURL=[^\n]*/g, "").trimEnd() + "\n");
}
const notices = ["NOTICE", "LICENSE", "swagger-ui-bundle.js.LICENSE.txt"].map((file) => readFileSync(join(viewer, file), "utf8"));
writeFileSync(join(out, "licences/swagger-ui.txt"), notices.map((text) => text.trimEnd()).join("\n\n") + "\n");

// The latency chart of a service's page.
for (const [file, to] of [["uPlot.iife.min.js", "uplot.js"], ["uPlot.min.css", "uplot.css"]]) {
  writeFileSync(join(out, to), readFileSync(join(modules, "uplot/dist", file), "utf8").trimEnd() + "\n");
}
copyFileSync(join(modules, "uplot/LICENSE"), join(out, "licences/uplot.txt"));

execFileSync(join(modules, ".bin/tailwindcss"), ["-i", "app.css", "-o", join(out, "app.css"), "--minify"], {
  cwd: here,
  stdio: ["ignore", "ignore", "inherit"],
});
