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
    collections::HashSet,
    fmt,
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, anyhow, bail};
use clap::{Args, builder::NonEmptyStringValueParser};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Number, Value, json, value::RawValue};

use super::{
    input::Input,
    judging,
    moment::{moment, now, seconds},
    options::ConfigOptions,
    output::{OK, Usage, print, warn},
};
use crate::{
    config::SettingsSource,
    decode::fields::{UserField, user_field},
    domain::{
        EventTime, Organization, Reason, hex,
        key::{HmacState, Standing, Validity, Verifier},
    },
    store::Settings,
    traffic::sign,
};

/// What stands below the help.
const AFTER_HELP: &str = "\
Claims come from a file with a JSON object, from --claim, or both; a --claim wins. `iat` is added
where it is missing. A token without userId and email names nobody, and events with it are rejected.
Without --key the newest key with a secret that is honoured now signs. Only keys of a local settings
file sign.

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
    #[arg(long, value_name = "IDENTIFIER", value_parser = NonEmptyStringValueParser::new())]
    hash: Option<String>,

    /// Sign with this key, or for a hash with this identity secret
    #[arg(long, value_name = "ID")]
    key: Option<String>,

    /// Print JSON: what was made, and with which key
    #[arg(long)]
    json: bool,

    /// Sign as at this time: a date, RFC 3339, or how long ago, as in 7d [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
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
        if self.expires_in.is_some() && self.claim.iter().any(|(name, _)| name == "exp") {
            return Err(Usage::new("--expires-in and --claim exp say the same; leave one of them out").into());
        }
        let snapshot = self.settings()?.current();
        let now = self.at.unwrap_or_else(now);
        let organization = judging::organization(&snapshot, &self.organization)?;
        let (made, name, signer) = match &self.hash {
            Some(identifier) => {
                let signer = self.pick(now, identity_secrets(organization))?;
                (hex::encode(&signer.state.sign(identifier.as_bytes())), "hash", signer)
            }
            None => {
                let (token, signer) = self.token(organization, now)?;
                (token, "token", signer)
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

    /// A token with the claims, and what signed it.
    fn token<'o>(&self, organization: &'o Organization, now: EventTime) -> anyhow::Result<(String, Signer<'o>)> {
        let claims = self.claims(now)?;
        let signer = self.pick(now, jwt_keys(organization))?;
        if !claims.iter().any(names_somebody) {
            let reason = Reason::TokenIdentityMissing.code();
            warn(format_args!("no claim says userId or email; events with this token are rejected as {reason}"))?;
        }
        Ok((sign::token(signer.id, signer.alg, signer.state, &Value::Object(claims)), signer))
    }

    /// The settings of a file. No database is asked for them, since what it holds doesn't sign.
    fn settings(&self) -> anyhow::Result<Settings> {
        let loaded = self.config.load_for_work()?;
        if !matches!(loaded.config.settings.source, SettingsSource::File(_)) {
            return Err(Usage::new("only keys of a settings file sign; name one with --settings").into());
        }
        judging::settings_by(&loaded, None)
    }

    /// The claims: those of the file, the times, and those of the command line, which win.
    fn claims(&self, now: EventTime) -> anyhow::Result<Map<String, Value>> {
        let mut claims = self.claims.as_deref().map_or(Ok(Map::new()), read)?;
        if claims.is_empty() && self.claim.is_empty() {
            let wrong = "no claims; name them with --claim userId=12345, or a file with a JSON object";
            return Err(Usage::new(wrong).into());
        }
        let issued_at = now.millis().div_euclid(1000);
        claims.entry("iat").or_insert(issued_at.into());
        if let Some(seconds) = self.expires_in {
            claims.insert("exp".to_owned(), issued_at.saturating_add(seconds).into());
        }
        claims.extend(self.claim.iter().cloned());
        Ok(claims)
    }

    /// The key of the id that was asked for, else the newest that is honoured; they come newest first.
    fn pick<'s>(&self, now: EventTime, Ring { what, keys, others, other }: Ring<'s>) -> anyhow::Result<Signer<'s>> {
        let ids = keys.iter().map(|(id, _)| *id).collect::<Vec<_>>().join(", ");
        let Some(id) = self.key.as_deref() else {
            let when = self.at.map_or_else(|| "now".to_owned(), |at| format!("at {at}"));
            let mut signers = keys.into_iter().filter_map(|(_, signer)| signer);
            let newest = signers.find(|signer| signer.validity.at(now) == Standing::Valid);
            return newest.with_context(|| match ids.as_str() {
                "" => {
                    format!("the organization has no {what} to sign with; add one with a secret to the settings file")
                }
                ids => format!("no {what} with a secret is honoured {when}; name one with --key, of {ids}"),
            });
        };
        match keys.into_iter().find(|(known, _)| *known == id) {
            Some((_, Some(signer))) => Ok(signer),
            Some((_, None)) => bail!(
                "key {id:?} is a public key: it verifies and cannot sign; sign where its private key is, or add a key with a secret"
            ),
            None if others.contains(&id) => bail!("{id:?} {other}"),
            None if ids.is_empty() => bail!("the organization has no {what}; add one to the settings file"),
            None => bail!("no {what} {id:?} in the settings file; it has {ids}"),
        }
    }
}

/// What an organization has to sign one kind of proof with.
struct Ring<'s> {
    what: &'static str,
    /// Each with a signer; none of a public key.
    keys: Vec<(&'s str, Option<Signer<'s>>)>,
    /// The ids of what signs the other kind.
    others: Vec<&'s str>,
    /// What is said of one of those.
    other: &'static str,
}

fn jwt_keys(organization: &Organization) -> Ring<'_> {
    let keys = organization.jwt_keys.iter().map(|key| {
        let signer = match &key.verifier {
            Verifier::Hmac(state, _) => {
                Some(Signer { id: &key.id, alg: key.algorithm.alg(), validity: key.validity, state })
            }
            Verifier::Public(..) => None,
        };
        (key.id.as_ref(), signer)
    });
    Ring {
        what: "key",
        keys: keys.collect(),
        others: organization.identity_secrets.iter().map(|secret| secret.id.as_ref()).collect(),
        other: "is an identity secret: it makes hashes (--hash), and no tokens",
    }
}

fn identity_secrets(organization: &Organization) -> Ring<'_> {
    let secrets = organization.identity_secrets.iter().map(|secret| {
        let signer = Signer { id: &secret.id, alg: "HMAC-SHA256", validity: secret.validity, state: &secret.state };
        (secret.id.as_ref(), Some(signer))
    });
    Ring {
        what: "identity secret",
        keys: secrets.collect(),
        others: organization.jwt_keys.iter().map(|key| key.id.as_ref()).collect(),
        other: "is a key: it signs tokens, and makes no hashes",
    }
}

/// Whether a claim says whose token it is, as verify reads it: without one that does, no token is accepted.
fn names_somebody((name, value): (&String, &Value)) -> bool {
    let identity = matches!(user_field(name), UserField::UserId | UserField::Email);
    identity && !value.is_null() && value != ""
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
    let claims = serde_json::from_str(&text);
    let claims = claims.with_context(|| format!("{} is no JSON object of claims", file.display()))?;
    exact(&text)
        .map_err(|wrong| anyhow!("the claims of {} would not be signed as they are: {wrong}", file.display()))?;
    Ok(claims)
}

fn claim(text: &str) -> Result<(String, Value), String> {
    let expected = || "expected NAME=TEXT or NAME:=JSON, as in userId=12345 or 'seats:=3'".to_owned();
    let (name, value) = text.split_once('=').ok_or_else(expected)?;
    match name.strip_suffix(':') {
        _ if name.trim_end_matches(':').is_empty() => Err(expected()),
        Some(name) => {
            let read = serde_json::from_str(value).map_err(|error| format!("{name} is no JSON: {error}"))?;
            exact(value).map_err(|wrong| format!("{name} would not be signed as it is: {wrong}"))?;
            Ok((name.to_owned(), read))
        }
        None => Ok((name.to_owned(), value.into())),
    }
}

/// Refuses what would be signed otherwise than it is written: a name that an object has twice, of which one would be left, and a number
/// that is rounded. The text was read as JSON already, and so is no deeper than that goes.
fn exact(text: &str) -> Result<(), String> {
    let read = |error: serde_json::Error| error.to_string();
    match text.trim_start().as_bytes().first() {
        Some(b'{') => {
            let mut names = HashSet::new();
            serde_json::from_str::<Members<'_>>(text).map_err(read)?.0.into_iter().try_for_each(|(name, value)| {
                exact(value.get()).map_err(|wrong| format!("{name}: {wrong}"))?;
                let once = names.insert(name.clone());
                if once { Ok(()) } else { Err(format!("{name:?} is there twice; leave one of them out")) }
            })
        }
        Some(b'[') => {
            let items = serde_json::from_str::<Vec<&RawValue>>(text).map_err(read)?;
            items.into_iter().try_for_each(|item| exact(item.get()))
        }
        Some(b'-' | b'0'..=b'9') => {
            let kept = serde_json::from_str::<Number>(text).map_err(read)?.to_string();
            if digits(&kept) == digits(text.trim()) {
                return Ok(());
            }
            Err("a number of it has more digits than are kept; write it as text, between quotes".to_owned())
        }
        _ => Ok(()),
    }
}

/// A number in the one way of writing it: its sign, its digits without zeros around them, and the power of ten of the last one.
fn digits(number: &str) -> (bool, String, i64) {
    let (negative, number) = number.strip_prefix('-').map_or((false, number), |number| (true, number));
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0').trim_end_matches('0');
    let zeros = all.len() - all.trim_end_matches('0').len();
    let exponent = exponent.parse::<i64>().unwrap_or(i64::MAX / 2);
    let power = exponent.saturating_sub(fraction.len() as i64).saturating_add(zeros as i64);
    (negative, digits.to_owned(), if digits.is_empty() { 0 } else { power })
}

/// The members of an object, in their order, as often as each is there.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_what_is_written() {
        for kept in [
            "12345678901234567890",
            "-9223372036854775808",
            "0.1",
            "-0",
            "0e7",
            "1.50",
            "100",
            "1e3",
            "1E+3",
            "0.0015",
            "15e-4",
            "1e-7",
            "0e9223372036854775807",
            r#"{"a":1,"A":[1,{"a":2}]," b ":"1"}"#,
            "[ ]",
            "null",
            r#" "12345678901234567890123" "#,
        ] {
            assert_eq!(exact(kept), Ok(()), "{kept}");
        }
        for rounded in [
            "12345678901234567890123",
            "0.12345678901234567890",
            "-18446744073709551617",
            "0.1e-9223372036854775808",
            r#"{"a":[{"b":12345678901234567890.5}]}"#,
        ] {
            let wrong = exact(rounded).unwrap_err();
            assert!(wrong.contains("write it as text"), "{rounded}: {wrong}");
        }
        let twice = |text| exact(text).unwrap_err();
        assert_eq!(twice(r#"{"plan":"Pro","plan":"Pro"}"#), "\"plan\" is there twice; leave one of them out");
        assert!(twice(r#"{"companies":[{"id":1,"\u0069d":1}]}"#).starts_with("companies: \"id\" is there twice"));
    }
}
