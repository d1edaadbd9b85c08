// The API as promises. What is refused is thrown with its status and the server's own words.

/** An answer that was refused. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** How long an answer may take: a network that falls silent says nothing by itself. */
const PATIENCE_MS = 10_000;

/** Asks for JSON. */
export async function get(path, signal) {
  const either = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  const response = await fetch(path, { signal: either, cache: "no-store", headers: { Accept: "application/json" } });
  if (!response.ok) throw await refused(response);
  return response.json();
}

/** What no token has in it; the browser itself would refuse to send some of it. */
const IN_NO_TOKEN = /[^\x21-\x7e]/;

/** Exchanges a token for a cookie. */
export async function logIn(token) {
  if (IN_NO_TOKEN.test(token)) throw new Refused(401, "no token has such characters");
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const response = await fetch("/api/v1/session", { signal, method: "POST", headers: { Authorization: `Bearer ${token}` } });
  if (!response.ok) throw await refused(response);
}

async function refused(response) {
  const problem = await response.json().catch(() => ({}));
  return new Refused(response.status, problem.detail ?? `the server answers ${response.status}`);
}
