//! `attrsync sign`: a token or a hash as an organization's own server makes them, to try things with.
//!
//! ```text
//! attrsync sign --organization acme --claim userId=12345 --claim plan=Premium --expires-in 1h
//! attrsync sign --organization acme claims.json --key 2025-06
//! attrsync sign --organization acme --hash ada@example.com | attrsync explain --hash - --organization acme --email ada@example.com
//! ```
//!
//! It signs with the secrets of a settings file at hand, and with no other: what a shared store holds is there to verify
//! with. A public key can't sign at all.

use std::{
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Map, Value, json};

use super::{
    input::Input,
    judging,
    moment::{now, seconds, time},
    options::ConfigOptions,
    output::{OK, Usage, print, warn},
};
use crate::{
    domain::{
        EventTime, Organization, hex,
        key::{HmacState, Standing, Validity, Verifier},
    },
    store::Source,
    traffic::sign,
};

/// What stands below the help.
const AFTER_HELP: &str = "\
Claims come from a file with a JSON object, from --claim, or both; a --claim wins. `iat` is added
where it is missing. Without --key the newest key with a secret that is honoured now signs. Only
keys of a local settings file sign.

Examples:
  attrsync sign --organization acme --claim userId=12345 --claim plan=Premium --expires-in 1h
  attrsync sign --organization acme --claim userId=12345 --claim 'roles:=[\"admin\"]'
  echo '{\"userId\": \"12345\"}' | attrsync sign --organization acme - --key 2025-06
  attrsync sign --organization acme --hash 12345
  attrsync sign --organization acme claims.json | attrsync explain --token - --organization acme

Exit codes: 0 signed; 1 a fault, or a key that cannot sign; 2 usage or configuration.";

/// The most bytes of a file of claims.
const MAX_BYTES: u64 = 1024 * 1024;

/// Make a token or a hash with an organization's key, to try things with
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct SignArgs {
    /// The claims, a JSON object; - for standard input
    #[arg(conflicts_with = "hash")]
    claims: Option<PathBuf>,

    /// The organization: its slug or its app id
    #[arg(long, value_name = "NAME")]
    organization: String,

    /// A claim: NAME=TEXT, or NAME:=JSON for what is no text; may be repeated
    #[arg(long, value_name = "NAME=TEXT", value_parser = claim, conflicts_with = "hash")]
    claim: Vec<(String, Value)>,

    /// Let the token expire after this time, as in 90s, 15m, 1h or 7d: sets `exp`
    #[arg(long, value_name = "TIME", value_parser = seconds, conflicts_with = "hash")]
    expires_in: Option<i64>,

    /// Make the hash of this user id, e-mail or company id instead of a token
    #[arg(long, value_name = "IDENTIFIER")]
    hash: Option<String>,

    /// Sign with this key, or for a hash with this identity secret
    #[arg(long, value_name = "ID")]
    key: Option<String>,

    /// Print JSON: what was made, and with which key
    #[arg(long)]
    json: bool,

    /// Sign as at this time [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<EventTime>,

    #[command(flatten)]
    config: ConfigOptions,
}

/// A key that can sign.
struct Signer<'s> {
    id: &'s str,
    alg: &'static str,
    validity: Validity,
    state: &'s HmacState,
}

impl SignArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        let settings = judging::settings(&self.config, None)?;
        if !matches!(settings.source(), Source::File(_)) {
            return Err(Usage::new("only keys of a settings file sign; name one with --settings").into());
        }
        let snapshot = settings.current();
        let now = self.at.unwrap_or_else(now);
        let organization = judging::organization(&snapshot, &self.organization)?;
        let (made, name, signer) = match &self.hash {
            Some(identifier) => {
                let signer = pick(self.key.as_deref(), now, identity_secrets(organization), "identity secret")?;
                (hex::encode(&signer.state.sign(identifier.as_bytes())), "hash", signer)
            }
            None => {
                let claims = self.claims(now)?;
                let signer = pick(self.key.as_deref(), now, jwt_keys(organization), "key")?;
                (sign::token(signer.id, signer.alg, signer.state, &claims), "token", signer)
            }
        };
        if let Some(doubt) = doubt(&signer, now) {
            warn(doubt)?;
        }
        print(&if self.json {
            let told = json!({ name: made, "organization": organization.slug.as_str(), "keyId": signer.id, "algorithm": signer.alg });
            format!("{told}\n")
        } else {
            format!("{made}\n")
        })?;
        Ok(ExitCode::from(OK))
    }

    /// The claims: those of the file, those of the command line, and the times.
    fn claims(&self, now: EventTime) -> anyhow::Result<Value> {
        let mut claims = self.claims.as_deref().map_or(Ok(Map::new()), read)?;
        claims.extend(self.claim.iter().cloned());
        if claims.is_empty() {
            let wrong = "no claims; name them with --claim userId=12345, or a file with a JSON object";
            return Err(Usage::new(wrong).into());
        }
        let issued_at = now.millis().div_euclid(1000);
        claims.entry("iat").or_insert(issued_at.into());
        if let Some(seconds) = self.expires_in {
            claims.insert("exp".to_owned(), issued_at.saturating_add(seconds).into());
        }
        Ok(Value::Object(claims))
    }
}

/// The organization's keys, each with a signer or why it is none.
fn jwt_keys(organization: &Organization) -> Vec<(&str, Option<Signer<'_>>)> {
    let keys = organization.jwt_keys.iter().map(|key| {
        let signer = match &key.verifier {
            Verifier::Hmac(state, _) => {
                Some(Signer { id: &key.id, alg: key.algorithm.alg(), validity: key.validity, state })
            }
            Verifier::Public(..) => None,
        };
        (key.id.as_ref(), signer)
    });
    keys.collect()
}

fn identity_secrets(organization: &Organization) -> Vec<(&str, Option<Signer<'_>>)> {
    let secrets = organization.identity_secrets.iter().map(|secret| {
        let signer = Signer { id: &secret.id, alg: "HMAC-SHA256", validity: secret.validity, state: &secret.state };
        (secret.id.as_ref(), Some(signer))
    });
    secrets.collect()
}

/// The key of this id, else the newest that is honoured now; they come newest first.
fn pick<'s>(
    id: Option<&str>,
    now: EventTime,
    keys: Vec<(&'s str, Option<Signer<'s>>)>,
    what: &str,
) -> anyhow::Result<Signer<'s>> {
    let ids = keys.iter().map(|(id, _)| *id).collect::<Vec<_>>().join(", ");
    let Some(id) = id else {
        let mut signers = keys.into_iter().filter_map(|(_, signer)| signer);
        let newest = signers.find(|signer| signer.validity.at(now) == Standing::Valid);
        return newest.with_context(|| match ids.as_str() {
            "" => format!("the organization has no {what} to sign with; add one with a secret to the settings file"),
            ids => format!("no {what} with a secret is honoured now; name one with --key, of {ids}"),
        });
    };
    match keys.into_iter().find(|(known, _)| *known == id) {
        Some((_, Some(signer))) => Ok(signer),
        Some((_, None)) => bail!(
            "key {id:?} is a public key: it verifies and cannot sign; sign where its private key is, or add a key with a secret"
        ),
        None if ids.is_empty() => bail!("the organization has no {what}; add one to the settings file"),
        None => bail!("no {what} {id:?} in the settings file; it has {ids}"),
    }
}

/// What would be said of a proof by this key.
fn doubt(signer: &Signer<'_>, now: EventTime) -> Option<String> {
    let why = match signer.validity.at(now) {
        Standing::Valid => return None,
        Standing::NotYet => "is not valid yet",
        Standing::Retired => "is retired",
        Standing::Revoked => "is revoked",
    };
    Some(format!("key {:?} {why}; events of this time are rejected for it", signer.id))
}

fn read(file: &Path) -> anyhow::Result<Map<String, Value>> {
    let mut text = String::new();
    let read = Input::open(file)?.reader.take(MAX_BYTES).read_to_string(&mut text);
    read.with_context(|| format!("{} cannot be read", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON object of claims", file.display()))
}

fn claim(text: &str) -> Result<(String, Value), String> {
    let expected = || "expected NAME=TEXT or NAME:=JSON, as in userId=12345 or 'seats:=3'".to_owned();
    let (name, value) = text.split_once('=').ok_or_else(expected)?;
    match name.strip_suffix(':') {
        _ if name.trim_end_matches(':').is_empty() => Err(expected()),
        Some(name) => {
            let value = serde_json::from_str(value).map_err(|error| format!("{name} is no JSON: {error}"))?;
            Ok((name.to_owned(), value))
        }
        None => Ok((name.to_owned(), value.into())),
    }
}
