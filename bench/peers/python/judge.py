"""Whose an event is, whether its proof holds at its own time, and what becomes of each attribute."""

import hashlib
import hmac
import re
from datetime import datetime, timezone

import jwt
import orjson
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import HMACAlgorithm
from jwt.utils import base64url_decode

LEEWAY_S = 60
# From this number on a time in a token is one of milliseconds.
MILLISECONDS_FROM = 1e12
HASH = re.compile(r"[0-9a-fA-F]{64}")
# What an SDK sends that is no attribute.
NO_ATTRIBUTE = frozenset((
    "organization", "appId", "featurebaseJwt", "userHash", "companyHash", "userId", "email", "anonymousId", "companies",
    "theme", "themeMode", "language", "languageOverride", "hideDefaultLauncher", "alignment", "horizontalPadding",
    "verticalPadding", "actionColor", "backgroundColor", "messenger", "$brandId"))
REGISTERED = frozenset(("iss", "sub", "aud", "exp", "nbf", "iat", "jti"))
# The signature alone: the times are checked here, at event time and not at the wall clock's.
OPTIONS = {"verify_signature": True, "verify_exp": False, "verify_nbf": False, "verify_iat": False,
           "verify_aud": False, "verify_iss": False, "verify_sub": False, "verify_jti": False}


class Secret(bytes):
    """A secret that was looked at when it was loaded."""


class PreparedHmac(HMACAlgorithm):
    """PyJWT looks at each secret for each token anew, whether it is a public key in one of four forms."""

    def prepare_key(self, key):
        return key if type(key) is Secret else super().prepare_key(key)


class Decoder(jwt.PyJWT):
    """PyJWT with that HMAC, and with claims that orjson reads: what it reads it can also write."""

    def __init__(self):
        super().__init__()
        self._jws.unregister_algorithm("HS256")
        self._jws.register_algorithm("HS256", PreparedHmac(HMACAlgorithm.SHA256))

    def _decode_payload(self, decoded):
        claims = orjson.loads(decoded["payload"])
        if type(claims) is not dict:
            raise jwt.DecodeError("the claims are no object")
        return claims


DECODER = Decoder()


class Rejected(Exception):
    """The event is rejected for this reason."""


class Key:
    def __init__(self, document):
        self.id = document["id"]
        self.algorithm = document["algorithm"]
        self.algorithms = [self.algorithm]
        self.key = Secret(document["secret"].encode()) if "secret" in document else \
            load_pem_public_key(document["public_key"].strip().encode())


class Attribute:
    def __init__(self, document):
        self.max_chars = document.get("max_chars", 255)
        self.options = frozenset(document.get("options", ()))
        self.locked = document.get("locked", False)
        self.fit = getattr(self, document["type"])

    def text(self, value):
        if type(value) is not str:
            raise Misfit("wrong_type")
        if len(value) > self.max_chars:
            raise Misfit("too_long")
        if self.options and value not in self.options:
            raise Misfit("not_an_option")
        return value

    def text_list(self, value):
        if type(value) is not list:
            raise Misfit("wrong_type")
        return [self.text(item) for item in value]

    def number(self, value):
        if type(value) not in (int, float):
            raise Misfit("wrong_type")
        return value

    def boolean(self, value):
        if type(value) is not bool:
            raise Misfit("wrong_type")
        return value

    def date(self, value):
        try:
            at = datetime.fromisoformat(value)
            return stamp(at.astimezone(timezone.utc) if at.tzinfo else at.replace(tzinfo=timezone.utc))
        except (TypeError, ValueError, OverflowError):
            raise Misfit("wrong_type") from None


class Misfit(Exception):
    """A value doesn't fit its attribute for this reason."""


class Organization:
    def __init__(self, document):
        self.slug = document["slug"]
        self.keys = {key["id"]: Key(key) for key in document["jwt_keys"]}
        self.secrets = [(secret["id"], secret["secret"].encode()) for secret in document["identity_secrets"]]
        self.attributes = table(document["attributes"])
        self.company_attributes = table(document["company_attributes"])
        self.membership_locked = document["membership"]["locked"]

    def prove(self, payload, at, verdict):
        """Checks the token, else the hash, else that nobody is claimed; gives the claims of a token that holds."""
        user, verification = verdict["user"], verdict["verification"]
        if token := text(payload.get("featurebaseJwt")):
            verification["method"] = "jwt"
            claims = self.claims(token, at, verification)
            agree(claims, user)
            verification["status"] = "verified"
            return claims
        if given := text(payload.get("userHash")):
            verification["method"] = "hmac"
            verification["keyId"] = self.hashed(given, user["userId"] or user["email"])
            verification["status"] = "verified"
            return {}
        verification["method"], verification["status"] = "none", "anonymous"
        if user["userId"] or user["email"]:
            raise Rejected("proof_missing")
        if not user["anonymousId"] and verdict["event"]["type"] == "identify":
            raise Rejected("missing_identity")
        return {}

    def claims(self, token, at, verification):
        """Those of a token whose key, signature and times are right."""
        try:
            header = orjson.loads(base64url_decode(token[:token.find(".")]))
            key = self.key(text(header.get("kid")), header.get("alg"))
            claims = DECODER.decode(token, key.key, algorithms=key.algorithms, options=OPTIONS)
        except jwt.InvalidSignatureError:
            raise Rejected("signature_invalid") from None
        except (jwt.InvalidTokenError, ValueError, AttributeError):
            raise Rejected("token_malformed") from None
        expires, begins, _ = (numeric_date(claims, name) for name in ("exp", "nbf", "iat"))
        if expires is not None and at > expires + LEEWAY_S:
            raise Rejected("token_expired")
        if begins is not None and at < begins - LEEWAY_S:
            raise Rejected("token_not_yet_valid")
        verification["keyId"] = key.id
        return claims

    def key(self, id, algorithm):
        """The key that the token names, or the one of its algorithm."""
        found = self.keys.get(id) or next((key for key in self.keys.values() if key.algorithm == algorithm), None)
        if found is None or found.algorithm != algorithm:
            raise Rejected("algorithm_not_allowed")
        return found

    def hashed(self, given, identifier):
        """The id of the secret that makes this hash of the identifier."""
        if not identifier:
            raise Rejected("hash_without_identity")
        if not HASH.fullmatch(given):
            raise Rejected("hash_malformed")
        given = bytes.fromhex(given)
        for id, secret in self.secrets:
            if hmac.compare_digest(given, hmac.digest(secret, identifier.encode(), hashlib.sha256)):
                return id
        raise Rejected("hash_mismatch")

    def decide(self, claims, payload, verdict):
        """Rules on every attribute: the signed ones, then those that the client sent beside them."""
        page = Page(verdict, self.attributes, verdict["attributes"], verdict["unset"], None)
        for name, value in claims.items():
            if name not in NO_ATTRIBUTE and name not in REGISTERED:
                page.rule(name, value, True, False)
        for name, value in payload.items():
            if name not in NO_ATTRIBUTE:
                page.rule(name, value, False, name in claims)
        user = verdict["user"]
        if verdict["verification"]["method"] == "hmac" and user["userId"] and user["email"]:
            # The hash covers the user's id: the address is an attribute.
            page.rule("email", user["email"], False, False)
            user["email"] = None
        self.companies(claims.get("companies"), True, verdict)
        self.companies(payload.get("companies"), False, verdict)

    def companies(self, listed, signed, verdict):
        if listed is None:
            return
        if type(listed) is not list:
            refuse(verdict["rejected"], "companies", None, "wrong_type" if signed or not self.membership_locked else "locked")
            return
        for company in listed:
            id = text(company.get("id")) if type(company) is dict else None
            if id is None:
                refuse(verdict["rejected"], "companies", None, "company_id_missing")
            elif not signed and self.membership_locked:
                refuse(verdict["rejected"], "companies", id, "locked")
            else:
                told = {"id": id, "verified": signed, "attributes": {}, "unset": []}
                page = Page(verdict, self.company_attributes, told["attributes"], told["unset"], id)
                for name, value in company.items():
                    if name != "id":
                        page.rule(name, value, signed, False)
                if verdict["companies"] is None:
                    verdict["companies"] = []
                verdict["companies"].append(told)


class Page:
    """Where attributes of one owner are ruled on."""

    __slots__ = ("verdict", "table", "set", "unset", "company")

    def __init__(self, verdict, table, set, unset, company):
        self.verdict, self.table, self.set, self.unset, self.company = verdict, table, set, unset, company

    def rule(self, name, value, signed, superseded):
        attribute = self.table.get(name)
        if attribute is None:
            refuse(self.verdict["dropped"], name, self.company, "not_configured")
        elif attribute.locked and not signed:
            refuse(self.verdict["rejected"], name, self.company, "locked")
        elif superseded:
            refuse(self.verdict["dropped"], name, self.company, "superseded")
        elif value is None:
            self.unset.append({"attribute": name, "verified": signed})
        else:
            try:
                self.set[name] = {"value": attribute.fit(value), "verified": signed}
            except Misfit as misfit:
                refuse(self.verdict["rejected"], name, self.company, str(misfit))


class Settings:
    """The organizations by slug, read once: keys are parsed here and kept."""

    def __init__(self, document):
        self.organizations = {one["slug"]: Organization(one) for one in document["organizations"]}

    def judge(self, value, timestamp):
        """Judges one event of this time, in milliseconds."""
        verdict = {
            "verdict": None, "reason": None,
            "event": {"id": None, "type": None, "time": stamp(datetime.fromtimestamp(timestamp / 1000, timezone.utc))},
            "organization": None, "user": {"userId": None, "email": None, "anonymousId": None},
            "verification": {"method": None, "status": None, "keyId": None},
            "attributes": {}, "unset": [], "companies": None, "rejected": [], "dropped": []}
        try:
            self.rule(value, timestamp / 1000, verdict)
        except Rejected as rejected:
            verdict["reason"] = str(rejected)
            if verdict["verification"]["method"]:
                verdict["verification"].update(status="failed", keyId=None)
        return verdict

    def rule(self, value, at, verdict):
        try:
            event = orjson.loads(value)
            payload = event["payload"]
            user = verdict["user"]
            user["userId"], user["email"] = text(payload.get("userId")), text(payload.get("email"))
            if type(context := event.get("context")) is dict:
                user["anonymousId"] = text(context.get("anonymousId"))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Rejected("malformed_json") from None
        verdict["event"]["id"], verdict["event"]["type"] = text(event.get("id")), text(event.get("type"))
        if event.get("type") not in ("identify", "boot"):
            raise Rejected("unknown_type")
        slug = text(payload.get("organization"))
        if slug is None:
            raise Rejected("missing_organization")
        organization = self.organizations.get(slug)
        if organization is None:
            raise Rejected("unknown_organization")
        verdict["organization"] = slug
        organization.decide(organization.prove(payload, at, verdict), payload, verdict)


def table(document):
    return {name: Attribute(attribute) for name, attribute in document.items()}


def numeric_date(claims, name):
    """A time in a token, in seconds; none where it isn't there."""
    if name not in claims:
        return None
    seconds = claims[name]
    if type(seconds) not in (int, float):
        raise Rejected("time_malformed")
    if seconds >= MILLISECONDS_FROM:
        raise Rejected("time_in_milliseconds")
    return seconds


def agree(claims, user):
    """The token must name somebody, and whom the event names; the user is then the signed one."""
    id, email = text(claims.get("userId")), text(claims.get("email"))
    if id is None and email is None:
        raise Rejected("token_identity_missing")
    if (id and user["userId"] and id != user["userId"]
            or email and user["email"] and email.lower() != user["email"].lower()):
        raise Rejected("identity_mismatch")
    user["userId"], user["email"] = id, email


def refuse(listed, attribute, company, reason):
    listed.append({"attribute": attribute, "company": company, "reason": reason})


def text(value):
    """A text of an identity; absent where it is empty or none."""
    if type(value) is str:
        return value or None
    return str(value) if type(value) is int else None


def stamp(at):
    """A time of UTC, to the millisecond."""
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"
