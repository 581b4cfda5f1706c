// A browser with a person before it who signs in and allows: forms are read, filled in and sent.

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", "#x27": "'" };
const PAGES_MAX = 10;

/** Opens an app's authorization address and gives the parameters that come back to its callback. */
export async function allow(url, callback, { username, password, decision = "allow" }) {
  const cookies = new Map();
  let request = { url, options: {} };
  for (let page = 0; page < PAGES_MAX; page++) {
    const headers = { ...request.options.headers, cookie: [...cookies].map((pair) => pair.join("=")).join("; ") };
    const response = await fetch(request.url, { ...request.options, headers, redirect: "manual" });
    for (const cookie of response.headers.getSetCookie()) {
      const [name, value] = cookie.split(";")[0].split("=");
      cookies.set(name, value);
    }
    const location = response.headers.get("location");
    if (location?.startsWith(callback)) return new URL(location).searchParams;
    if (location) {
      request = { url: new URL(location, request.url), options: {} };
      continue;
    }
    request = submission(request.url, await response.text(), { username, password }, decision);
  }
  throw new Error(`${PAGES_MAX} pages and no way back to ${callback}`);
}

/** Reads a page's form and gives the request that sends it, filled in and with the wanted button. */
function submission(url, html, person, decision) {
  const form = html.match(/<form\b[^>]*>[\s\S]*?<\/form>/)?.[0];
  if (!form) throw new Error(`a page without a form: ${html}`);
  const fields = new URLSearchParams();
  for (const [input] of form.matchAll(/<input\b[^>]*>/g)) {
    const { name, value = "", type } = attributes(input);
    if (name && type !== "submit") fields.set(name, person[name] ?? value);
  }
  const buttons = [...form.matchAll(/<(?:button|input)\b[^>]*>/g)].map(([tag]) => attributes(tag));
  const button = buttons.find(({ value }) => value?.toLowerCase() === decision);
  if (button) fields.set(button.name, button.value);
  const action = attributes(form.match(/<form\b[^>]*>/)[0]).action ?? url;
  return { url: new URL(action, url), options: { method: "POST", body: fields } };
}

function attributes(tag) {
  const pairs = [...tag.matchAll(/([\w-]+)="([^"]*)"/g)];
  return Object.fromEntries(pairs.map(([, name, value]) => [name, unescaped(value)]));
}

function unescaped(text) {
  return text.replace(/&([^;]+);/g, (whole, name) => ENTITIES[name] ?? whole);
}
