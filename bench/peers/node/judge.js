// Whose an event is, whether its proof holds at its own time, and what becomes of each attribute.

import { createHmac, timingSafeEqual } from "node:crypto";
import { TokenError, createVerifier } from "fast-jwt";

const LEEWAY_S = 60;
/** From this number on a time in a token is one of milliseconds. */
const MILLISECONDS_FROM = 1e12;
const HASH = /^[0-9a-fA-F]{64}$/;
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
/** What an SDK sends that is no attribute. */
const NO_ATTRIBUTE = new Set([
  "organization", "appId", "featurebaseJwt", "userHash", "companyHash", "userId", "email", "anonymousId", "companies",
  "theme", "themeMode", "language", "languageOverride", "hideDefaultLauncher", "alignment", "horizontalPadding",
  "verticalPadding", "actionColor", "backgroundColor", "messenger", "$brandId",
]);
const REGISTERED = new Set(["iss", "sub", "aud", "exp", "nbf", "iat", "jti"]);

/** The organizations by slug, read once: each key has a verifier that is kept. */
export class Settings {
  #organizations = new Map();

  constructor({ organizations }) {
    for (const organization of organizations) {
      this.#organizations.set(organization.slug, {
        keys: new Map(organization.jwt_keys.map((key) => [key.id, prepared(key)])),
        secrets: organization.identity_secrets,
        attributes: table(organization.attributes),
        companyAttributes: table(organization.company_attributes),
        membershipLocked: organization.membership.locked,
      });
    }
  }

  /** Judges one event at `time`, in milliseconds. */
  judge(value, time) {
    const verdict = blank(time);
    verdict.reason = this.#rule(value, time, verdict);
    if (verdict.reason !== null && verdict.verification.method !== null) {
      verdict.verification.status = "failed";
      verdict.verification.keyId = null;
    }
    return verdict;
  }

  #rule(value, time, verdict) {
    let event;
    try {
      event = JSON.parse(value);
    } catch {
      return "malformed_json";
    }
    const payload = event?.payload;
    if (payload === null || typeof payload !== "object") return "malformed_json";
    verdict.event.id = text(event.id);
    verdict.event.type = text(event.type);
    verdict.user = { userId: text(payload.userId), email: text(payload.email), anonymousId: text(event.context?.anonymousId) };
    if (event.type !== "identify" && event.type !== "boot") return "unknown_type";
    const slug = text(payload.organization);
    if (slug === null) return "missing_organization";
    const organization = this.#organizations.get(slug);
    if (organization === undefined) return "unknown_organization";
    verdict.organization = slug;
    const proof = { claims: {} };
    const reason = prove(organization, payload, time, verdict, proof);
    if (reason !== null) return reason;
    decide(organization, proof.claims, payload, verdict);
    return null;
  }
}

function prepared({ id, algorithm, secret, public_key }) {
  // The times are checked here: at event time, not at the wall clock's.
  const options = { key: secret ?? public_key, algorithms: [algorithm], ignoreExpiration: true, ignoreNotBefore: true };
  return { id, algorithm, verify: createVerifier(options) };
}

const table = (attributes) =>
  new Map(
    Object.entries(attributes).map(([name, { type, max_chars = 255, options, locked = false }]) => [
      name,
      { type, maxChars: max_chars, options: options && new Set(options), locked },
    ]),
  );

const blank = (time) => ({
  verdict: null,
  reason: null,
  event: { id: null, type: null, time: new Date(time).toISOString() },
  organization: null,
  user: { userId: null, email: null, anonymousId: null },
  verification: { method: null, status: null, keyId: null },
  attributes: {},
  unset: [],
  companies: null,
  rejected: [],
  dropped: [],
  source: null,
});

/** Checks the token, else the hash, else that nobody is claimed. The proof has the claims of a token that holds. */
function prove(organization, payload, time, verdict, proof) {
  const { verification, user } = verdict;
  const token = text(payload.featurebaseJwt);
  if (token !== null) {
    verification.method = "jwt";
    const reason = verify(organization, token, time, verification, proof);
    return reason ?? agree(proof.claims, user);
  }
  const hash = text(payload.userHash);
  if (hash !== null) {
    verification.method = "hmac";
    return hashed(organization, hash, verdict);
  }
  verification.method = "none";
  verification.status = "anonymous";
  if (user.userId !== null || user.email !== null) return "proof_missing";
  return user.anonymousId === null && verdict.event.type === "identify" ? "missing_identity" : null;
}

function verify(organization, token, time, verification, proof) {
  const key = keyOf(organization, token);
  if (typeof key === "string") return key;
  let verified;
  try {
    verified = key.verify(token);
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    if (error.code === TokenError.codes.invalidSignature) return "signature_invalid";
    return error.code === TokenError.codes.invalidAlgorithm ? "algorithm_not_allowed" : "token_malformed";
  }
  const { exp, nbf, iat } = verified;
  const malformed = misdated(exp) ?? misdated(nbf) ?? misdated(iat);
  if (malformed !== null) return malformed;
  if (exp !== undefined && time / 1000 > exp + LEEWAY_S) return "token_expired";
  if (nbf !== undefined && time / 1000 < nbf - LEEWAY_S) return "token_not_yet_valid";
  verification.keyId = key.id;
  verification.status = "verified";
  proof.claims = verified;
  return null;
}

/** Why a time in a token is none; null where it is one, or isn't there. */
function misdated(time) {
  if (time === undefined) return null;
  if (typeof time !== "number" || time === Infinity) return "time_malformed";
  return time >= MILLISECONDS_FROM ? "time_in_milliseconds" : null;
}

/** The key that the token names, or the one of its algorithm; else the reason that there is none. */
function keyOf(organization, token) {
  let head;
  try {
    head = JSON.parse(Buffer.from(token.slice(0, token.indexOf(".")), "base64url"));
  } catch {
    return "token_malformed";
  }
  if (head === null) return "token_malformed";
  const named = organization.keys.get(head.kid);
  if (named !== undefined) return named;
  for (const key of organization.keys.values()) {
    if (key.algorithm === head.alg) return key;
  }
  return "algorithm_not_allowed";
}

/** Whether the token names somebody, and whom the event names; the user is then the signed one. */
function agree(claims, user) {
  const userId = text(claims.userId);
  const email = text(claims.email);
  if (userId === null && email === null) return "token_identity_missing";
  const differ = (signed, sent) => signed !== null && sent !== null && signed !== sent;
  if (differ(userId, user.userId) || differ(email?.toLowerCase() ?? null, user.email?.toLowerCase() ?? null)) {
    return "identity_mismatch";
  }
  user.userId = userId;
  user.email = email;
  return null;
}

function hashed(organization, hash, { user, verification }) {
  const identifier = user.userId ?? user.email;
  if (identifier === null) return "hash_without_identity";
  if (!HASH.test(hash)) return "hash_malformed";
  const given = Buffer.from(hash, "hex");
  for (const { id, secret } of organization.secrets) {
    if (timingSafeEqual(given, createHmac("sha256", secret).update(identifier).digest())) {
      verification.keyId = id;
      verification.status = "verified";
      return null;
    }
  }
  return "hash_mismatch";
}

/** Rules on every attribute: the signed ones, then those that the client sent beside them. */
function decide(organization, claims, payload, verdict) {
  const page = { verdict, table: organization.attributes, set: verdict.attributes, unset: verdict.unset, company: null };
  for (const name in claims) {
    if (!NO_ATTRIBUTE.has(name) && !REGISTERED.has(name)) rule(page, name, claims[name], true, false);
  }
  for (const name in payload) {
    if (!NO_ATTRIBUTE.has(name)) rule(page, name, payload[name], false, Object.hasOwn(claims, name));
  }
  if (verdict.verification.method === "hmac" && verdict.user.userId !== null && verdict.user.email !== null) {
    // The hash covers the user's id: the address is an attribute.
    rule(page, "email", verdict.user.email, false, false);
    verdict.user.email = null;
  }
  companies(organization, claims.companies, true, verdict);
  companies(organization, payload.companies, false, verdict);
}

function companies(organization, list, signed, verdict) {
  if (list === undefined || list === null) return;
  if (!Array.isArray(list)) {
    const reason = signed || !organization.membershipLocked ? "wrong_type" : "locked";
    verdict.rejected.push({ attribute: "companies", company: null, reason });
    return;
  }
  for (const company of list) {
    const id = text(company?.id);
    if (id === null) {
      verdict.rejected.push({ attribute: "companies", company: null, reason: "company_id_missing" });
    } else if (!signed && organization.membershipLocked) {
      verdict.rejected.push({ attribute: "companies", company: id, reason: "locked" });
    } else {
      const told = { id, verified: signed, attributes: {}, unset: [] };
      (verdict.companies ??= []).push(told);
      const page = { verdict, table: organization.companyAttributes, set: told.attributes, unset: told.unset, company: id };
      for (const name in company) {
        if (name !== "id") rule(page, name, company[name], signed, false);
      }
    }
  }
}

function rule({ verdict, table, set, unset, company }, attribute, value, signed, superseded) {
  const configured = table.get(attribute);
  if (configured === undefined) {
    verdict.dropped.push({ attribute, company, reason: "not_configured" });
  } else if (configured.locked && !signed) {
    verdict.rejected.push({ attribute, company, reason: "locked" });
  } else if (superseded) {
    verdict.dropped.push({ attribute, company, reason: "superseded" });
  } else if (value === null) {
    unset.push({ attribute, verified: signed });
  } else {
    const reason = misfit(configured, value);
    if (reason !== null) {
      verdict.rejected.push({ attribute, company, reason });
    } else {
      set[attribute] = { value: configured.type === "date" ? new Date(value).toISOString() : value, verified: signed };
    }
  }
}

function misfit(attribute, value) {
  switch (attribute.type) {
    case "text":
      return typeof value === "string" ? misfitText(attribute, value) : "wrong_type";
    case "number":
      return Number.isFinite(value) ? null : "wrong_type";
    case "boolean":
      return typeof value === "boolean" ? null : "wrong_type";
    case "date":
      return typeof value === "string" && ISO.test(value) && !Number.isNaN(Date.parse(value)) ? null : "wrong_type";
    default:
      if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) return "wrong_type";
      return value.map((item) => misfitText(attribute, item)).find((reason) => reason !== null) ?? null;
  }
}

function misfitText({ maxChars, options }, value) {
  if (value.length > maxChars && [...value].length > maxChars) return "too_long";
  return options === undefined || options.has(value) ? null : "not_an_option";
}

/** A text of an identity; absent where it is empty or none. */
function text(value) {
  if (typeof value === "string") return value === "" ? null : value;
  return Number.isInteger(value) ? String(value) : null;
}
