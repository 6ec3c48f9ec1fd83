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
  wrapComponents: {
    authorizeOperationBtn: () => () => null,
    // Theirs is a link within the button that opens the operation: two things at one place, for who can't point.
    OperationSummaryPath: (_, { React }) => ({ operationProps }) =>
      React.createElement("span", { className: "opblock-summary-path" }, operationProps.get("path")),
  },
});

// Fields that it gives no name, and boxes that scroll and can't be reached by keyboard.
function name() {
  for (const field of place.querySelectorAll(".swagger-ui :is(select, textarea, input):not([aria-label])")) {
    const parameter = field.closest("[data-param-name]")?.dataset.paramName;
    field.setAttribute("aria-label", parameter ?? (field.matches("textarea") ? "Body" : "Choice"));
  }
  for (const box of place.querySelectorAll(".swagger-ui pre:not([tabindex])")) box.tabIndex = 0;
}
new MutationObserver(name).observe(place, { childList: true, subtree: true });

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
  syntaxHighlight: false,
  showMutatedRequest: false, // the form token is nobody's business
  // Requests go out as the person who is signed in, who needs the form token for what changes something.
  requestInterceptor: (request) => {
    if (new URL(request.url, location.href).origin === location.origin) {
      request.headers["X-CSRF-Token"] = csrf;
    }
    return request;
  },
});
