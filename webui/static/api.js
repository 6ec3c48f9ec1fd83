// Shows the API's description with Swagger UI, in place of the plain list. Loaded by /api/docs/ alone.
"use strict";

const place = document.getElementById("api-viewer");
const { document: description, csrf } = place.dataset;
const dark = matchMedia("(prefers-color-scheme: dark)");

// The operations and what they are made of: the page itself says what the document is, and who reads it is signed in.
const plain = (system) => ({
  components: {
    PlainLayout: ({ getComponent }) => {
      const make = system.React.createElement;
      const parts = ["errors", "operations", "Models"].map((name) => make(getComponent(name, true), { key: name }));
      return make("div", { className: "swagger-ui" }, make("div", { className: "wrapper" }, parts));
    },
  },
  wrapComponents: { authorizeOperationBtn: () => () => null },
});

function follow() {
  const theme = document.documentElement.dataset.theme;
  document.documentElement.classList.toggle("dark-mode", theme ? theme === "ops-dark" : dark.matches);
}

follow();
dark.addEventListener("change", follow);
new MutationObserver(follow).observe(document.documentElement, { attributeFilter: ["data-theme"] });

window.SwaggerUIBundle({
  url: description,
  domNode: place,
  presets: [window.SwaggerUIBundle.presets.apis],
  plugins: [plain],
  layout: "PlainLayout",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  // Requests go out as the person who is signed in, who needs the form token for what changes something.
  requestInterceptor: (request) => {
    if (new URL(request.url, location.href).origin === location.origin) {
      request.headers["X-CSRF-Token"] = csrf;
    }
    return request;
  },
});
