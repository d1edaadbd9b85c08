//! What one judgement costs: the standard event of docs/BENCHMARKS.md (700 bytes, HS256), the other proofs, the failures,
//! and hostile inputs of growing size, whose cost must grow with the input and not with its square.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use attrsync::{
    domain::{
        Arena, EventTime, Header, Offset, Organization, Partition, Policy, Position, Reason, Record, Snapshot, hex,
        key::{Algorithm, HmacDigest, HmacState, SecretBytes, Validity, Verifier},
        snapshot::{
            Attribute, AttributeTable, AttributeType, Enforcement, IdentitySecret, JwtKey, OnRejectedAttribute, Pool,
            TokenRules,
        },
        verdict::Outcome,
    },
    store::{EXAMPLE, Settings, Source},
    traffic::Traffic,
    worker::judge,
};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const NOW: i64 = 1_795_341_600_000;

fn snapshot(keys: usize) -> Snapshot {
    let jwt_keys: Vec<_> = (0..keys)
        .map(|at| JwtKey {
            id: format!("key-{at}").into(),
            validity: Validity::default(),
            algorithm: Algorithm::HS256,
            verifier: Verifier::hmac(
                HmacDigest::Sha256,
                format!("a secret of more than 32 bytes, {}", keys - at).as_bytes(),
            ),
        })
        .collect();
    of(jwt_keys, (0..keys).map(|at| identity_secret(keys - at)).collect())
}

fn of(jwt_keys: Vec<JwtKey>, identity_secrets: Vec<IdentitySecret>) -> Snapshot {
    let text =
        |locked| Attribute { kind: AttributeType::Text { max_chars: 255, options: vec![] }, locked, archived: false };
    let names =
        ["name", "plan", "locale", "phone", "team", "region", "source", "segment", "stage", "owner", "tier", "seat"];
    let attributes = Pool::default().table(names.iter().map(|name| ((*name).into(), text(*name == "plan"))));
    let organization = Organization {
        slug: "acme".into(),
        app_id: Some("65f1c0ffee65f1c0ffee65f1".into()),
        enforcement: Enforcement::Enforced,
        on_rejected_attribute: OnRejectedAttribute::Attribute,
        token: TokenRules::default(),
        jwt_keys: jwt_keys.into(),
        identity_secrets,
        membership_locked: true,
        user_attributes: attributes,
        company_attributes: AttributeTable::default(),
    };
    Snapshot::new(7, Policy::default(), vec![organization])
}

/// The secret of this number; 1 is the oldest, which is tried last.
fn identity_secret(number: usize) -> IdentitySecret {
    let secret = format!("iv_secret-{number}");
    IdentitySecret {
        id: secret.as_str().into(),
        validity: Validity::default(),
        state: HmacState::new(HmacDigest::Sha256, secret.as_bytes()),
        secret: SecretBytes::new(secret.as_bytes()),
    }
}

/// A visitor's boot with fifty companies, each with a hash under the secret of this number.
fn hashed_companies(number: usize) -> String {
    let state = identity_secret(number).state;
    let companies: Vec<String> = (0..50)
        .map(|at| {
            let id = format!("company-{at}");
            let hash = hex::encode(&state.sign(id.as_bytes()));
            format!(r#"{{"id":"{id}","companyHash":"{hash}"}}"#)
        })
        .collect();
    format!(
        r#"{{"type":"boot","payload":{{"organization":"acme","anonymousId":"a","companies":[{}]}}}}"#,
        companies.join(",")
    )
}

/// A token by the key that is tried last.
fn token(claims: &str) -> String {
    token_by(1, claims)
}

/// A token by the key of this number; 99 is nobody's.
fn token_by(number: usize, claims: &str) -> String {
    let signing_input =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#), URL_SAFE_NO_PAD.encode(claims));
    let key = HmacState::new(HmacDigest::Sha256, format!("a secret of more than 32 bytes, {number}").as_bytes());
    format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(key.sign(signing_input.as_bytes())))
}

/// 700 bytes: identity and plan signed, three attributes that nobody configured, one locked.
fn standard(token: &str) -> String {
    format!(
        r#"{{"id":"evt-000000000001","type":"identify","receivedAt":"2026-11-22T10:00:00.000Z","context":{{"anonymousId":"anon-5f0c9a"}},"payload":{{"organization":"acme","featurebaseJwt":"{token}","userId":"12345","email":"user@example.com","name":"Ada Lovelace","locale":"en","team":"engines","region":"eu-central","source":"web","plan":"Free","utm_source":"newsletter","utm_campaign":"autumn","experiment":"pricing-page-variant-b","phone":"+49 30 901820","stage":"evaluation","owner":"grace","seat":"c-1","tier":"a","theme":"dark"}}}}"#
    )
}

fn claims() -> &'static str {
    r#"{"userId":"12345","email":"user@example.com","plan":"Premium","exp":1795345200}"#
}

/// What an event has to come to: a good one, or the reason of one that is rejected.
type Expected = Result<Outcome, Reason>;
const ACCEPTED: Expected = Ok(Outcome::Accepted);
/// An attribute of it is refused: the locked one beside the token.
const PARTIAL: Expected = Ok(Outcome::Partial);

fn judged(criterion: &mut Criterion, name: &str, (value, expected): (&str, Expected), snapshot: &Snapshot) {
    let mut group = criterion.benchmark_group("judge");
    group.throughput(Throughput::Bytes(value.len() as u64));
    let mut arena = Arena::new();
    group.bench_function(name, |bencher| {
        assert_eq!(outcome(&mut arena, value, snapshot), expected, "{name}");
        bencher.iter(|| black_box(outcome(&mut arena, black_box(value), snapshot)));
    });
    group.finish();
}

/// One judgement.
fn outcome(arena: &mut Arena, value: &str, snapshot: &Snapshot) -> Expected {
    outcome_of(arena, (value.as_bytes(), &[]), snapshot)
}

/// The same of a value and its headers.
fn outcome_of(arena: &mut Arena, (value, headers): (&[u8], &[Header<'_>]), snapshot: &Snapshot) -> Expected {
    arena.reset();
    let record = Record {
        position: Position { topic: "events", partition: Partition(0), offset: Offset(12) },
        timestamp: Some(EventTime::from_millis(NOW)),
        key: None,
        headers,
        value: Some(value),
        line: None,
    };
    let verdict = judge(arena, &record, snapshot, EventTime::from_millis(NOW));
    verdict.reason.map_or(Ok(verdict.outcome), Err)
}

fn proofs(criterion: &mut Criterion) {
    let good = standard(&token(claims()));
    assert_eq!(good.len(), 700, "the standard event has 700 bytes");
    judged(criterion, "standard", (&good, PARTIAL), &snapshot(1));
    let forged = standard(&token_by(99, claims()));
    judged(criterion, "forged", (&forged, Err(Reason::SignatureInvalid)), &snapshot(1));
    judged(criterion, "ten_keys", (&good, PARTIAL), &snapshot(10));
    judged(criterion, "ten_keys_forged", (&forged, Err(Reason::SignatureInvalid)), &snapshot(10));
    judged(
        criterion,
        "unsigned",
        (&good.replace("featurebaseJwt", "nothing"), Err(Reason::ProofMissing)),
        &snapshot(1),
    );
}

/// Four thousand events of the made-up traffic, all different: no processor learns them by heart, as it does one that comes again and
/// again, and they don't stay in its nearest cache.
fn mixture(criterion: &mut Criterion) {
    let snapshot = Settings::load(Source::Embedded(EXAMPLE), Policy::default()).unwrap().current();
    let mut traffic = Traffic::new(29);
    let events: Vec<_> = (0..4_000).map(|_| traffic.next(EventTime::from_millis(NOW))).collect();
    let mut group = criterion.benchmark_group("judge");
    group.throughput(Throughput::Elements(events.len() as u64));
    let mut arena = Arena::new();
    group.bench_function("mixture", |bencher| {
        bencher.iter(|| {
            for event in &events {
                let header = event.event_type.map(|name| Header { name: "ce_type", value: Some(name.as_bytes()) });
                _ = black_box(outcome_of(&mut arena, (&event.value, header.as_slice()), &snapshot));
            }
        });
    });
    group.finish();
}

/// Tokens by public keys, each beside what its library takes to verify the signature and nothing else.
fn public_keys(criterion: &mut Criterion) {
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let by_rsa = |input: &str| {
        let mut bytes = vec![0; rsa.public_modulus_len()];
        rsa.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut bytes).unwrap();
        bytes
    };
    let rsa_key = ParsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, rsa.public_key()).unwrap();
    beside_bare(criterion, Algorithm::RS256, &rsa_key, &by_rsa);
    let ed = Ed25519KeyPair::generate().unwrap();
    let ed_key = ParsedPublicKey::new(&signature::ED25519, ed.public_key()).unwrap();
    beside_bare(criterion, Algorithm::EdDSA, &ed_key, &|input| ed.sign(input.as_bytes()).as_ref().to_vec());
    let ec = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let ec_key = ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, ec.public_key()).unwrap();
    let by_ec = |input: &str| ec.sign(&SystemRandom::new(), input.as_bytes()).unwrap().as_ref().to_vec();
    beside_bare(criterion, Algorithm::ES256, &ec_key, &by_ec);
}

/// The bare verification, the judgement, and what the judgement takes beyond it: of the two in turn, so that what a shared core does
/// meanwhile meets both.
fn beside_bare(criterion: &mut Criterion, algorithm: Algorithm, key: &ParsedPublicKey, sign: &dyn Fn(&str) -> Vec<u8>) {
    let header = format!(r#"{{"alg":"{}","typ":"JWT"}}"#, algorithm.alg());
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims()));
    let signature = sign(&input);
    let mut bare = || key.verify_sig(black_box(input.as_bytes()), &signature).unwrap();
    criterion.bench_function(&format!("bare/{}", algorithm.alg()), |bencher| bencher.iter(&mut bare));
    let verifier = Verifier::Public(Box::new(key.clone()));
    let jwt_key = JwtKey { id: "key".into(), validity: Validity::default(), algorithm, verifier };
    let snapshot = of(vec![jwt_key], Vec::new());
    let event = standard(&format!("{input}.{}", URL_SAFE_NO_PAD.encode(&signature)));
    judged(criterion, algorithm.alg(), (&event, PARTIAL), &snapshot);
    let mut arena = Arena::new();
    let mut whole = || _ = black_box(outcome(&mut arena, black_box(&event), &snapshot));
    criterion.bench_function(&format!("beyond_bare/{}", algorithm.alg()), |bencher| {
        bencher.iter_custom(|times| {
            let (bare, whole) = (0..times)
                .map(|_| (timed(&mut bare), timed(&mut whole)))
                .fold((Duration::ZERO, Duration::ZERO), |(bare, whole), (one, other)| (bare + one, whole + other));
            whole.saturating_sub(bare)
        });
    });
}

fn timed(call: &mut dyn FnMut()) -> Duration {
    let begun = Instant::now();
    call();
    begun.elapsed()
}

/// Long tokens, whose signature is most of the cost, and fifty companies with hashes: good ones, those of the secret that is
/// tried last, and forged ones, each of which must cost at most three times a good one.
fn forgeries(criterion: &mut Criterion) {
    let claims = format!(r#"{{"userId":"12345","plan":"{}"}}"#, "x".repeat(11_000));
    let event =
        |token: &str| format!(r#"{{"type":"boot","payload":{{"organization":"acme","featurebaseJwt":"{token}"}}}}"#);
    let good = token(&claims);
    let forged = token_by(99, &claims);
    let mut judged = |name: &str, value: &str, keys, expected| {
        judged(criterion, name, (value, expected), &snapshot(keys));
    };
    for keys in [1, 10] {
        judged(&format!("long_token/{keys}_keys"), &event(&good), keys, PARTIAL);
        judged(&format!("long_token_forged/{keys}_keys"), &event(&forged), keys, Err(Reason::SignatureInvalid));
        judged(&format!("company_hashes_newest/{keys}_secrets"), &hashed_companies(keys), keys, ACCEPTED);
        judged(&format!("company_hashes_oldest/{keys}_secrets"), &hashed_companies(1), keys, ACCEPTED);
        judged(&format!("company_hashes_forged/{keys}_secrets"), &hashed_companies(99), keys, PARTIAL);
    }
}

/// All but the brackets, which end at the limit of depth, are read whole before they are refused.
fn hostile(criterion: &mut Criterion) {
    let snapshot = snapshot(1);
    let mut judged = |name: &str, size: usize, value: &str, reason| {
        judged(criterion, &format!("{name}/{size}"), (value, Err(reason)), &snapshot);
    };
    for size in [1_000, 10_000, 100_000, 1_000_000] {
        // Of a thousand bytes there are fewer attributes than an event may have.
        let or_too_many = |reason| if size > 1_000 { Reason::TooManyAttributes } else { reason };
        let text = format!(r#"{{"organization":"acme","a":"{}"}}"#, "x".repeat(size));
        judged("one_text", size, &text, Reason::MissingType);
        let names: Vec<String> = (0..size / 10).map(|at| format!(r#""{at:05}":0"#)).collect();
        judged("names", size, &format!("{{{}}}", names.join(",")), or_too_many(Reason::MissingType));
        let nested = format!(r#"{{"customFields":{{{}}}}}"#, names.join(","));
        judged("nested_names", size, &nested, or_too_many(Reason::MissingType));
        let companies = vec![r#"{"id":"c1","a":0}"#; size / 18].join(",");
        let companies = format!(r#"{{"companies":[{companies}]}}"#);
        judged("companies", size, &companies, or_too_many(Reason::TooManyCompanies));
        let thousand = vec![format!(r#"{{"id":"c1","a":"{}"}}"#, "x".repeat(size / 1000)); 1000].join(",");
        judged("a_thousand_companies", size, &format!(r#"{{"companies":[{thousand}]}}"#), Reason::TooManyAttributes);
        judged("brackets", size, &"[".repeat(size), Reason::TooDeep);
        judged("escapes", size, &format!(r#"{{"a":"{}"}}"#, r"\u0041".repeat(size / 6)), Reason::MissingType);
    }
}

criterion_group!(benches, proofs, mixture, public_keys, forgeries, hostile);
criterion_main!(benches);
