#!/usr/bin/env python3
"""Signs what tests/verdicts/vectors.rs verifies, with an implementation that is not ours: PyJWT, and Python's own `hmac`.

    pip install 'pyjwt[crypto]==2.15.1' && scripts/vectors.py > tests/vectors/pyjwt.json

The tests read the output alone, so that nobody needs Python to run them. Keys are fixed: those that RFCs print, or
derived from a number. ECDSA and PSS draw a nonce, so that a second run gives other signatures, as good as the first.

Beside what PyJWT signs there is what it would never sign: signatures spoiled or passed off as something else, each under
the name that a fixture or tests/verdicts/vectors.rs looks it up by.
"""

import base64
import hashlib
import hmac
import json
import sys

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

CLAIMS = {"userId": "12345", "email": "user@example.com", "plan": "Premium"}

# RFC 7515 appendix A.2.
RSA = {
    "kty": "RSA",
    "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pC"
    "gNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xs"
    "mtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    "e": "AQAB",
    "d": "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pW"
    "J1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4e"
    "hNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
    "p": "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDc"
    "mnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
    "q": "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-"
    "TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
    "dp": "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV"
    "2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
    "dq": "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_"
    "-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
    "qi": "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoO"
    "PLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U",
}
# RFC 7515 appendix A.3.
P256 = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
}
# RFC 8037 appendix A.1.
ED25519 = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
}
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SECRETS = {
    "HS256": "a secret for HS256, 32 bytes or more",
    "HS384": "a secret for HS384, which asks for 48 bytes or more of it",
    "HS512": "a secret for HS512, which asks for 64 bytes or more of it, as many as the hash has",
}
IDENTITY_SECRET = "iv_your-secret-key"

rsa = RSAAlgorithm.from_jwk(RSA)
p256 = ECAlgorithm.from_jwk(P256)
ed25519 = OKPAlgorithm.from_jwk(ED25519)
p384 = ec.derive_private_key(384, ec.SECP384R1())
p521 = ec.derive_private_key(521, ec.SECP521R1())
secp256k1 = ec.derive_private_key(256, ec.SECP256K1())
attacker = ec.derive_private_key(666, ec.SECP256R1())

# Each algorithm that is offered, and its private key.
SIGNERS = {
    **SECRETS,
    "RS256": rsa,
    "RS384": rsa,
    "RS512": rsa,
    "PS256": rsa,
    "ES256": p256,
    "ES384": p384,
    "EdDSA": ed25519,
}


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signing_input(header, claims=None):
    parts = (json.dumps(part, separators=(",", ":")).encode() for part in (header, claims or CLAIMS))
    return ".".join(map(encode, parts))


def with_signature(token, signature):
    return token.rsplit(".", 1)[0] + "." + encode(signature)


def pem(private):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return private.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def jwk(private):
    kind = {rsa: RSAAlgorithm, ed25519: OKPAlgorithm}.get(private, ECAlgorithm)
    key = kind.to_jwk(private.public_key(), as_dict=True)
    return {name: value for name, value in key.items() if name != "key_ops"}


def keys():
    offered = {}
    for algorithm, key in SIGNERS.items():
        name = algorithm.lower()
        if algorithm in SECRETS:
            offered[name] = {"algorithm": algorithm, "secret": key}
        else:
            offered[name] = {"algorithm": algorithm, "public_key": pem(key)}
            offered[name + " jwk"] = {"algorithm": algorithm, "public_key": jwk(key)}
    return offered


def signed():
    """What PyJWT signs: every algorithm, with a `kid`, and with every time and audience set."""
    more = {"iat": 1795341000, "nbf": 1795341000, "exp": 1795345200, "aud": ["web"], "iss": "initech", "jti": "1"}
    for algorithm, key in SIGNERS.items():
        name = algorithm.lower()
        yield algorithm, name, jwt.encode(CLAIMS, key, algorithm), None
        yield f"{algorithm} kid", name, jwt.encode(CLAIMS, key, algorithm, headers={"kid": name}), None
        yield f"{algorithm} claims", name, jwt.encode({**CLAIMS, **more}, key, algorithm), None
    for algorithm, key in {"PS384": rsa, "PS512": rsa, "ES512": p521, "ES256K": secp256k1}.items():
        yield algorithm, "rs256", jwt.encode(CLAIMS, key, algorithm), "algorithm_not_allowed"
    yield "none", "hs256", jwt.encode(CLAIMS, None, "none"), "algorithm_not_allowed"


def spoiled():
    """What PyJWT would never sign."""
    for name, header, key in [
        ("HS256 public PEM", {"alg": "HS256", "typ": "JWT"}, pem(rsa)),
        ("HS256 public PEM kid", {"alg": "HS256", "kid": "rs256"}, pem(rsa)),
        ("HS256 public JWK", {"alg": "HS256"}, json.dumps(jwk(rsa))),
    ]:
        message = signing_input(header)
        mac = hmac.digest(key.encode(), message.encode(), "sha256")
        yield name, "rs256", f"{message}.{encode(mac)}", "algorithm_not_allowed"

    message = signing_input({"alg": "RS256"})
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    signature = encode(rsa.sign(message.encode(), pss, hashes.SHA256()))
    yield "PS256 as RS256", "rs256", f"{message}.{signature}", "signature_invalid"
    message = signing_input({"alg": "PS256"})
    signature = encode(rsa.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256()))
    yield "RS256 as PS256", "ps256", f"{message}.{signature}", "signature_invalid"

    named = jwt.encode(CLAIMS, rsa, "RS256", headers={"kid": "es256"})
    yield "RS256 kid es256", "es256", named, "algorithm_not_allowed"
    token = jwt.encode(CLAIMS, rsa, "RS256")
    header, _, signature = token.split(".")
    other = encode(json.dumps({**CLAIMS, "userId": "1"}).encode())
    yield "RS256 tampered", "rs256", f"{header}.{other}.{signature}", "signature_invalid"

    token = jwt.encode(CLAIMS, p256, "ES256")
    raw = decode(token.rsplit(".", 1)[1])
    r, s = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))
    other_s = (P256_ORDER - s).to_bytes(32, "big")
    yield "ES256 other s", "es256", with_signature(token, raw[:32] + other_s), None
    yield "ES256 zero", "es256", with_signature(token, bytes(64)), "signature_invalid"
    yield "ES256 order", "es256", with_signature(token, P256_ORDER.to_bytes(32, "big") * 2), "signature_invalid"
    yield "ES256 DER", "es256", with_signature(token, utils.encode_dss_signature(r, s)), "signature_invalid"
    yield "ES256 shortened", "es256", with_signature(token, raw[:63]), "signature_invalid"
    forged = jwt.encode(CLAIMS, attacker, "ES256", headers={"jwk": jwk(attacker)})
    yield "ES256 embedded jwk", "es256", forged, "signature_invalid"

    token = jwt.encode(CLAIMS, ed25519, "EdDSA")
    raw = decode(token.rsplit(".", 1)[1])
    yield "EdDSA shortened", "eddsa", with_signature(token, raw[:63]), "signature_invalid"
    yield "EdDSA zero", "eddsa", with_signature(token, bytes(64)), "signature_invalid"
    yield "EdDSA all ones", "eddsa", with_signature(token, raw[:32] + b"\xff" * 32), "signature_invalid"
    message = signing_input({"alg": "Ed25519"})
    signature = encode(ed25519.sign(message.encode()))
    yield "Ed25519 by its newer name", "eddsa", f"{message}.{signature}", "algorithm_not_allowed"


def refused_keys():
    """Public keys that settings must refuse, and a word of why."""
    off_curve = {**jwk(p256), "y": encode(bytes(31) + b"\x01")}
    weak = {**jwk(rsa), "n": encode(decode(RSA["n"])[:127] + b"\x01")}
    private = rsa.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    for name, algorithm, key, says in [
        ("RSA of 1024 bits", "RS256", weak, "1024 bits"),
        ("a private key as PEM", "RS256", private, "private key"),
        ("a private key as JWK", "ES256", P256, "private key"),
        ("a secret as JWK", "RS256", {"kty": "oct", "k": "c2VjcmV0"}, "JWK"),
        ("a secret for an HMAC", "HS256", {"kty": "oct", "k": "c2VjcmV0"}, "secret"),
        ("RSA for ECDSA", "ES256", pem(rsa), "ES256"),
        ("RSA for ECDSA as JWK", "ES256", jwk(rsa), "another type"),
        ("P-384 for ES256", "ES256", pem(p384), "P-256"),
        ("P-256 for ES384 as JWK", "ES384", jwk(p256), "another type"),
        ("P-521", "ES384", jwk(p521), "JWK"),
        ("Ed25519 for ES256", "ES256", pem(ed25519), "ES256"),
        ("a JWK for another algorithm", "RS256", {**jwk(rsa), "alg": "PS256"}, "PS256"),
        ("a JWK for encryption", "RS256", {**jwk(rsa), "use": "enc"}, "use"),
        ("a point that is not on the curve", "ES256", off_curve, "no key"),
        ("a coordinate that is too short", "ES256", {**jwk(p256), "x": encode(decode(P256["x"])[1:])}, "no key"),
        ("an Ed25519 key that is too short", "EdDSA", {**jwk(ed25519), "x": encode(bytes(31))}, "no key"),
        ("an RSA exponent of one", "RS256", {**jwk(rsa), "e": "AQ"}, "exponent"),
        ("an even RSA modulus", "RS256", {**jwk(rsa), "n": encode(decode(RSA["n"])[:-1] + b"\x02")}, "odd"),
        ("no key at all", "RS256", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "PEM"),
    ]:
        yield {"name": name, "algorithm": algorithm, "public_key": key, "says": says}


def hashed():
    for identifier in ["12345", "user@example.com", "9007199254740993", "ünïcode@example.com", "😀", "a" * 255]:
        mac = hmac.new(IDENTITY_SECRET.encode(), identifier.encode(), hashlib.sha256)
        yield {"identifier": identifier, "hash": mac.hexdigest()}


def main():
    tokens = [
        {"name": name, "key": key, "reason": reason, "token": token}
        for name, key, token, reason in [*signed(), *spoiled()]
    ]
    vectors = {
        "about": f"Made by scripts/vectors.py with PyJWT {jwt.__version__}.",
        "keys": keys(),
        "tokens": tokens,
        "identity_secret": IDENTITY_SECRET,
        "hashes": list(hashed()),
        "refused_keys": list(refused_keys()),
    }
    json.dump(vectors, sys.stdout, indent=2, ensure_ascii=False)
    print()


main()
