// The API as promises. What is refused is thrown with its status and the server's own words.

/** An answer that was refused. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** Asks for JSON. */
export async function get(path, signal) {
  const response = await fetch(path, { signal, cache: "no-store", headers: { Accept: "application/json" } });
  if (!response.ok) throw await refused(response);
  return response.json();
}

/** Exchanges a token for a cookie. */
export async function logIn(token) {
  const response = await fetch("/api/v1/session", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
  if (!response.ok) throw await refused(response);
}

async function refused(response) {
  const problem = await response.json().catch(() => ({}));
  return new Refused(response.status, problem.detail ?? `the server answers ${response.status}`);
}
