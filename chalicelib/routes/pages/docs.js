// Draws the API from /openapi.json, and sends requests that the reader fills in.
// Texts of the server enter the page as text nodes only. The token stays in one variable.

const METHODS = ["get", "post", "put", "patch", "delete"];
const MAX_DEPTH = 4;
const MAX_SHOWN_CHARACTERS = 200_000;

/** Every operation of the document: [{method, path, id, title, group, operation}]. */
export function operationsOf(api) {
  return Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => method in item).map((method) => ({
      method,
      path,
      id: item[method].operationId,
      title: item[method].summary ?? item[method].operationId,
      group: item[method].tags?.[0] ?? path.split("/")[1],
      operation: item[method],
    })),
  );
}

/** The type of a schema in a few words, such as "string, at most 255 characters". */
export function wordsOf(schema, api) {
  const target = resolved(schema, api);
  if (target.anyOf) return [...new Set(target.anyOf.map((each) => wordsOf(each, api)))].join(" or ");
  if (target.enum) return target.enum.map((each) => JSON.stringify(each)).join(" | ") + meaning(target);
  if (target.type === "array") return `list of ${wordsOf(target.items ?? {}, api)}${bounds(target, "Items", "entries")}`;
  if (target.type === "object") return target.title ?? "object";
  const kind = target.format === "date-time" ? "time" : (target.type ?? "any value");
  return kind + bounds(target, "Length", "characters") + range(target) + meaning(target);
}

/** A schema as the text of an object, with a type in the place of each value. */
export function outlineOf(schema, api, depth = 0, indent = "") {
  const target = onlyPresent(resolved(schema, api));
  const inner = indent + "  ";
  const known = resolved(target, api);
  if (depth >= MAX_DEPTH) return wordsOf(known, api);
  if (known.type === "array") return `[${outlineOf(known.items ?? {}, api, depth + 1, indent)}, …]`;
  if (known.properties) {
    const required = new Set(known.required ?? []);
    const lines = Object.entries(known.properties).map(
      ([name, each]) => `${inner}"${name}"${required.has(name) ? "" : "?"}: ${outlineOf(each, api, depth + 1, inner)}`,
    );
    return lines.length ? `{\n${lines.join(",\n")}\n${indent}}` : "{}";
  }
  if (typeof known.additionalProperties === "object")
    return `{key: ${outlineOf(known.additionalProperties, api, depth + 1, indent)}}`;
  return wordsOf(known, api);
}

/** The smallest body that a schema accepts, to start from. */
export function exampleOf(schema, api) {
  const target = onlyPresent(resolved(schema, api));
  const known = resolved(target, api);
  if (known.enum) return known.enum[0];
  if (known.anyOf) return exampleOf(known.anyOf[0], api);
  if (known.properties)
    return Object.fromEntries((known.required ?? []).map((name) => [name, exampleOf(known.properties[name], api)]));
  return { array: [], object: {}, integer: known.minimum ?? 0, number: 0, boolean: false }[known.type] ?? "";
}

/** The URL of a request below `base`. Throws an Error that names a missing value of the path. */
export function urlOf(base, path, parameters, values) {
  const query = new URLSearchParams();
  let filled = path;
  for (const { name, in: where, schema } of parameters) {
    const value = (values[name] ?? "").trim();
    if (where === "path") {
      if (!value) throw new Error(`Fill in ${name} first`);
      filled = filled.replace(`{${name}}`, encodeURIComponent(value));
    } else if (value) {
      const parts = schema.type === "array" ? value.split(",").map((part) => part.trim()) : [value];
      for (const part of parts) query.append(name, part);
    }
  }
  return base + filled + (String(query) && `?${query}`);
}

function resolved(schema, api) {
  const name = schema?.$ref?.replace("#/components/schemas/", "");
  return name ? { title: name, ...api.components.schemas[name] } : (schema ?? {});
}

function onlyPresent(schema) {
  const present = schema.anyOf?.filter((each) => each.type !== "null");
  return present?.length === 1 ? present[0] : schema;
}

function bounds(schema, what, unit) {
  const [least, most] = [schema[`min${what}`], schema[`max${what}`]];
  if (least !== undefined && most !== undefined) return `, ${least} to ${most} ${unit}`;
  if (most !== undefined) return `, at most ${most} ${unit}`;
  return least === undefined ? "" : `, at least ${least} ${unit}`;
}

function range({ minimum, maximum }) {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  return minimum === undefined ? "" : ` from ${minimum}`;
}

function meaning(schema) {
  return schema.description ? ` (${schema.description})` : "";
}

/* The page. */

const base = globalThis.location?.pathname.replace(/\/docs\/?$/, "") ?? "";
let token = "";

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

const byId = (id) => document.getElementById(id);

function draw(api) {
  const operations = operationsOf(api);
  const groups = Map.groupBy
    ? Map.groupBy(operations, ({ group }) => group)
    : operations.reduce((all, each) => all.set(each.group, [...(all.get(each.group) ?? []), each]), new Map());
  byId("state").remove();
  for (const [name, members] of groups) {
    byId("groups").append(element("li", { "data-group": name }, element("a", { href: `#group-${name}` }, name)));
    byId("operations").append(
      element(
        "section",
        { "data-group": name, "aria-labelledby": `group-${name}` },
        element("h2", { id: `group-${name}` }, name),
        ...members.map((each) => operationElement(each, api)),
      ),
    );
  }
  filter("");
}

function operationElement(each, api) {
  const details = element(
    "details",
    { id: each.id, "data-search": `${each.method} ${each.path} ${each.title} ${each.group}`.toLowerCase() },
    element(
      "summary",
      {},
      element("span", { class: `method ${each.method}` }, each.method.toUpperCase()),
      element("code", { class: "path" }, ...breakable(each.path)),
      element("span", { class: "about" }, each.title),
    ),
  );
  details.addEventListener("toggle", () => {
    if (!details.open) return;
    if (details.children.length === 1) details.append(formOf(each, api));
    history.replaceState(null, "", `#${each.id}`);
  });
  return details;
}

/** A path may wrap before each slash. */
function breakable(path) {
  return path.split(/(?=\/)/).flatMap((part) => [element("wbr"), part]);
}

function formOf(each, api) {
  const { operation, method } = each;
  const schema = operation.requestBody?.content["application/json"].schema;
  const result = element("div", { class: "result", role: "status", "aria-live": "polite" });
  const form = element("form", { autocomplete: "off" });
  if (!operation.security) form.append(element("p", { class: "quiet" }, "Needs no token."));
  if (operation.description) form.append(element("p", {}, operation.description));
  if (operation.parameters.length) form.append(parametersOf(each, api));
  if (schema) form.append(...bodyOf(each, schema, api));
  const button = element("button", { class: method }, `Send ${method.toUpperCase()}`);
  form.append(element("div", { class: "actions" }, button), result, answersOf(operation, api));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    await send(each, form, result);
    button.disabled = false;
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(button);
  });
  return form;
}

function parametersOf({ id, operation }, api) {
  const rows = operation.parameters.map(({ name, in: where, required, schema }) =>
    element(
      "div",
      { class: "field" },
      element("label", { for: `${id}.${name}` }, element("code", {}, name), ` ${required ? "required" : where}`),
      element("input", { id: `${id}.${name}`, name, spellcheck: "false", autocomplete: "off" }),
      element("small", { class: "quiet" }, where === "path" ? "" : wordsOf(schema, api)),
    ),
  );
  return element("fieldset", {}, element("legend", {}, "Parameters"), ...rows);
}

function bodyOf({ id }, schema, api) {
  const example = JSON.stringify(exampleOf(schema, api), null, 2);
  const rows = Math.min(14, Math.max(4, example.split("\n").length + 1));
  return [
    element(
      "fieldset",
      {},
      element("legend", {}, "Body"),
      element("label", { for: `${id}.body` }, "JSON; Ctrl+Enter sends it"),
      element("textarea", { id: `${id}.body`, name: "body of the request", rows, spellcheck: "false" }, example),
      element("details", {}, element("summary", {}, "All fields"), element("pre", { tabindex: 0 }, outlineOf(schema, api))),
    ),
  ];
}

function answersOf(operation, api) {
  const list = Object.entries(operation.responses).map(([status, answer]) => {
    const { description, content } = answer.$ref ? api.components.responses[status] : answer;
    const schema = status < 300 ? content?.["application/json"]?.schema : undefined;
    return element(
      "li",
      {},
      element("b", {}, status),
      ` ${description}`,
      schema ? element("pre", { tabindex: 0 }, outlineOf(schema, api)) : undefined,
    );
  });
  return element("details", {}, element("summary", {}, "Answers"), element("ul", { class: "answers" }, ...list));
}

async function send({ id, method, path, operation }, form, result) {
  const values = Object.fromEntries(new FormData(form));
  try {
    const url = urlOf(base, path, operation.parameters, values);
    const headers = token && operation.security ? { Authorization: `Bearer ${token}` } : {};
    const body = byId(`${id}.body`)?.value || undefined;
    if (body !== undefined) JSON.parse(body);
    result.replaceChildren(element("p", { class: "quiet" }, `${method.toUpperCase()} ${url} …`));
    const begun = performance.now();
    const answer = await fetch(url, { method: method.toUpperCase(), headers, body });
    const text = await answer.text();
    const took = Math.round(performance.now() - begun);
    if (path === "/auth" && answer.ok) useToken(JSON.parse(text).access_token);
    showAnswer(result, `${method.toUpperCase()} ${url}`, answer, text, took);
  } catch (error) {
    const hint = error instanceof SyntaxError ? "The body is not JSON: " : "";
    result.replaceChildren(element("p", { class: "bad" }, hint + error.message));
  }
}

function showAnswer(result, request, answer, text, took) {
  const shown = pretty(text).slice(0, MAX_SHOWN_CHARACTERS);
  result.replaceChildren(
    element("p", {}, element("code", {}, request)),
    element("p", { class: answer.ok ? "good" : "bad" }, `${answer.status} ${answer.statusText} · ${took} ms`),
    shown ? element("pre", { tabindex: 0, "aria-label": "Body of the answer" }, shown) : undefined,
  );
}

/** JSON with indents. A number that JavaScript cannot hold exactly stays as it came. */
function pretty(text) {
  if (/[^"\w]\d{16}/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function useToken(text) {
  token = text.trim();
  byId("token").value = token;
  byId("signed-in").textContent = token
    ? "Sent with each request; kept in memory only."
    : "Kept in memory only, until you leave.";
}

function filter(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const details of document.querySelectorAll("details[data-search]")) {
    details.hidden = !words.every((word) => details.dataset.search.includes(word));
    shown += !details.hidden;
  }
  for (const section of document.querySelectorAll("section")) {
    section.hidden = !section.querySelector("details[data-search]:not([hidden])");
    document.querySelector(`li[data-group="${section.dataset.group}"]`).hidden = section.hidden;
  }
  byId("count").textContent = `${shown} operation${shown === 1 ? "" : "s"}`;
}

function openHash() {
  const target = byId(decodeURIComponent(location.hash.slice(1)));
  if (target?.matches("details[data-search]")) target.open = true;
  target?.scrollIntoView();
}

function listen() {
  byId("sign-in").addEventListener("submit", (event) => event.preventDefault());
  byId("token").addEventListener("input", (event) => useToken(event.target.value));
  byId("filter").addEventListener("input", (event) => filter(event.target.value));
  addEventListener("hashchange", openHash);
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.closest("input, textarea")) {
      event.preventDefault();
      byId("filter").focus();
    }
  });
}

async function start() {
  listen();
  try {
    const [api, health] = await Promise.all(
      ["openapi.json", "health"].map(async (name) => (await fetch(`${base}/${name}`)).json()),
    );
    draw(api);
    byId("server").textContent = `${location.origin}${base} · version ${health.version}`;
    openHash();
  } catch (error) {
    byId("state").textContent = `The API description could not be loaded: ${error.message}`;
  }
}

if (globalThis.document) start();
