//! `attrsync settings key add|retire|revoke|list`.

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{change::ChangeOptions, list::ListOptions, render::shown};
use crate::{
    cli::{
        consent::Consent,
        input::Input,
        moment::{now, time},
        output::{Usage, print, print_json, warn},
        terminal::safe,
    },
    domain::{EventTime, key::Algorithm, line_end},
    store::{
        Change,
        document::{IdentitySecret, JwtKey, Organization},
        keys_of_set,
        moment::Moment,
        secret::Secret,
    },
};

/// Bytes of randomness in a generated secret: as many as HS512 asks for.
const GENERATED: usize = 64;
/// The most bytes of a file with a secret or a public key.
const MAX_BYTES: u64 = 64 * 1024;

/// Add, retire, revoke or list keys and identity secrets
#[derive(Debug, Args)]
pub(super) struct KeyArgs {
    #[command(subcommand)]
    command: KeyCommand,
}

/// Which key.
#[derive(Debug, Args)]
struct Which {
    /// The organization's slug
    organization: String,
    /// The key's id; a token names it as `kid`
    id: String,
    /// A secret for userHash and companyHash, not a key for tokens
    #[arg(long)]
    identity: bool,
}

/// Where a new key's secret, or its public key, comes from.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Material {
    /// Generate a secret and show it, this once
    #[arg(long)]
    generate: bool,
    /// Read the secret from a file, or from standard input (-); one line end at its end is left off
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Read the public key from a file, or from standard input (-), as PEM or JWK
    #[arg(long, value_name = "FILE")]
    public_key_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Add a key
    #[command(
        after_help = "Examples:\n  attrsync settings key add acme 2026-11 --generate --reason rotation\n  attrsync settings key add acme 2026-11 --algorithm ES256 --public-key-file key.pem \\\n    --reason 'their own key'"
    )]
    Add {
        #[command(flatten)]
        which: Which,
        /// The one algorithm that the key is for
        #[arg(long, value_name = "ALG", default_value = "HS256", value_parser = algorithm)]
        algorithm: Algorithm,
        #[command(flatten)]
        material: Material,
        /// Events before it are not honoured [default: from the beginning]
        #[arg(long, value_name = "TIME", value_parser = time)]
        valid_from: Option<EventTime>,
        #[command(flatten)]
        change: ChangeOptions,
    },
    /// Honour a key for events up to a time only
    #[command(after_help = "Example:\n  attrsync settings key retire acme 2025-06 --reason rotation")]
    Retire {
        #[command(flatten)]
        which: Which,
        /// The last time that it is honoured for [default: now]
        #[arg(long, value_name = "TIME", value_parser = time)]
        at: Option<EventTime>,
        #[command(flatten)]
        consent: Consent,
        #[command(flatten)]
        change: ChangeOptions,
    },
    /// Never honour keys again, for older events neither
    ///
    /// Whatever holds the same secret or public key under another id is revoked with it. A key of the organization's jwks is
    /// put into jwt_keys as revoked: the set goes on without it.
    #[command(
        after_help = "Examples:\n  attrsync settings key revoke acme 2025-06 --reason leaked\n  attrsync settings key revoke acme 2025-06 2026-01 --reason 'a laptop was stolen'"
    )]
    Revoke {
        /// The organization's slug
        organization: String,
        /// The keys' ids
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// Secrets for userHash and companyHash, not keys for tokens
        #[arg(long)]
        identity: bool,
        #[command(flatten)]
        consent: Consent,
        #[command(flatten)]
        change: ChangeOptions,
    },
    /// List an organization's keys and identity secrets, and the keys of its jwks, never what is secret in them
    #[command(after_help = "Example:\n  attrsync settings key list acme")]
    List(ListOptions),
}

impl KeyArgs {
    pub(super) fn execute(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            KeyCommand::Add { which, algorithm, material, valid_from, change } => {
                add(which, *algorithm, (material, *valid_from), change)
            }
            KeyCommand::Retire { which, at, consent, change } => {
                let at = at.unwrap_or_else(now);
                change.ask(consent, &format!("retire {} of {} at {at}", which.id, which.organization))?;
                change.edit(&which.organization, |organization| {
                    which.retired(organization).map(|retired| *retired = Some(Moment(at)))
                })
            }
            KeyCommand::Revoke { organization, ids, identity, consent, change } => {
                let what = format!("revoke {} of {organization}, and whatever holds the same", ids.join(", "));
                change.ask(consent, &format!("{what}; it is never honoured again"))?;
                revoke(organization, (ids, *identity), change)
            }
            KeyCommand::List(options) => list(options),
        }
    }
}

fn algorithm(text: &str) -> Result<Algorithm, String> {
    let all = || Algorithm::ALL.iter().map(|algorithm| algorithm.alg()).collect::<Vec<_>>().join(", ");
    Algorithm::from_alg(text).ok_or_else(|| format!("expected one of {}", all()))
}

impl Which {
    /// When a key retires.
    fn retired<'o>(&self, organization: &'o mut Organization) -> Result<&'o mut Option<Moment>, String> {
        let in_set = !self.identity && keys_of_set(organization).iter().any(|key| key.id == self.id);
        let missing = if in_set {
            format!("`{}` stands in {}'s jwks: take it out of the set, or revoke it", self.id, self.organization)
        } else {
            format!("{} has no key `{}`", self.organization, self.id)
        };
        if self.identity {
            let found = organization.identity_secrets.iter_mut().find(|key| key.id == self.id);
            return found.map(|key| &mut key.retired_at).ok_or(missing);
        }
        let found = organization.jwt_keys.iter_mut().find(|key| key.id == self.id);
        found.map(|key| &mut key.retired_at).ok_or(missing)
    }

    fn exists(&self, organization: &Organization) -> bool {
        if self.identity {
            organization.identity_secrets.iter().any(|key| key.id == self.id)
        } else {
            organization.jwt_keys.iter().any(|key| key.id == self.id)
        }
    }
}

fn add(
    which: &Which,
    algorithm: Algorithm,
    (material, valid_from): (&Material, Option<EventTime>),
    change: &ChangeOptions,
) -> anyhow::Result<ExitCode> {
    if which.identity && algorithm != Algorithm::HS256 {
        return Err(Usage::new("identity secrets are for HMAC-SHA256; leave --algorithm out").into());
    }
    let (secret, public_key, generated) = material.read()?;
    let (id, valid_from) = (which.id.clone(), valid_from.map(Moment));
    let changed = change.make(async |database, edit| {
        database
            .edit_organization(edit, &which.organization, |organization| {
                if which.exists(organization) {
                    return Err(format!("{} has a key `{}` already", which.organization, which.id));
                }
                let (retired_at, revoked_at) = (None, None);
                if which.identity {
                    let secret = secret.ok_or("an identity secret takes a secret, not a public key")?;
                    organization.identity_secrets.push(IdentitySecret {
                        id,
                        secret,
                        valid_from,
                        retired_at,
                        revoked_at,
                    });
                } else {
                    let key = JwtKey { id, algorithm, secret, public_key, valid_from, retired_at, revoked_at };
                    organization.jwt_keys.push(key);
                }
                Ok(())
            })
            .await
    })?;
    tell_added(&changed, generated, change)?;
    Ok(ExitCode::SUCCESS)
}

/// Tells what is different; a secret that was generated is shown once it is kept, and never again.
fn tell_added(changed: &Change, generated: Option<String>, change: &ChangeOptions) -> anyhow::Result<()> {
    let Some(secret) = generated else { return change.tell(changed) };
    if change.json {
        return print_json(&json!({"change": changed, "secret": secret}));
    }
    change.tell(changed)?;
    writeln!(anstream::stderr(), "the secret, shown this once:")?;
    Ok(print(&format!("{secret}\n"))?)
}

impl Material {
    /// The secret, or the public key; and the text to be shown, of a secret that was generated.
    fn read(&self) -> anyhow::Result<(Option<Secret>, Option<Secret>, Option<String>)> {
        if let Some(path) = &self.secret_file {
            return Ok((Some(Secret::of_bytes(read(path)?)), None, None));
        }
        if let Some(path) = &self.public_key_file {
            let text = String::from_utf8(read(path)?).ok().context("the public key is neither PEM nor a JWK")?;
            return Ok((None, Some(Secret::Text(text)), None));
        }
        let mut bytes = [0; GENERATED];
        SystemRandom::new().fill(&mut bytes).ok().context("the system gives no randomness")?;
        let text = URL_SAFE_NO_PAD.encode(bytes);
        Ok((Some(Secret::Text(text.clone())), None, Some(text)))
    }
}

/// A file, or standard input, without the line end that editors add.
fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = Input::open(path)?.reader.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.with_context(|| format!("{} cannot be read", path.display()))?;
    if bytes.len() as u64 > MAX_BYTES {
        bail!("{} has more than {MAX_BYTES} bytes; a secret or a public key is expected", path.display());
    }
    bytes.truncate(line_end::len_without(&bytes));
    if bytes.is_empty() {
        bail!("{} is empty", path.display());
    }
    Ok(bytes)
}

/// Revokes, and says what was revoked with it.
fn revoke(slug: &str, (ids, identity): (&[String], bool), change: &ChangeOptions) -> anyhow::Result<ExitCode> {
    let mut more = Vec::new();
    let changed = change.make(async |database, edit| {
        let (changed, said) = database.revoke_keys(edit, slug, (ids, identity, Moment(now()))).await?;
        more = said;
        Ok(changed)
    })?;
    for said in more {
        warn(said)?;
    }
    change.tell(&changed)?;
    Ok(ExitCode::SUCCESS)
}

fn list(options: &ListOptions) -> anyhow::Result<ExitCode> {
    let organization = options.read()?;
    let mut keys = json!({
        "jwt_keys": organization.jwt_keys,
        "identity_secrets": organization.identity_secrets,
        "jwks": keys_of_set(&organization),
    });
    let mut text = String::new();
    for kind in ["jwt_keys", "identity_secrets", "jwks"] {
        for key in keys[kind].as_array_mut().into_iter().flatten() {
            if let Some(entries) = key.as_object_mut() {
                entries.remove("secret");
            }
            text += &format!("{kind}\t{}\t{}\n", safe(key["id"].as_str().unwrap_or_default()), shown(key));
        }
    }
    if options.json {
        print_json(&keys)?;
    } else {
        print(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_read_without_its_line_end_and_only_where_it_may_be_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let of = |content: &[u8]| {
            fs::write(&path, content).unwrap();
            read(&path).map_err(|error| error.to_string())
        };
        for content in ["s3cret", "s3cret\n", "s3cret\r\n"] {
            assert_eq!(of(content.as_bytes()), Ok(b"s3cret".to_vec()));
        }
        assert_eq!(of(b"s3cret\n\n"), Ok(b"s3cret\n".to_vec()));
        assert!(of(b"\n").unwrap_err().ends_with("is empty"));
        assert_eq!(of(&[b'x'; 65_536]).map(|bytes| bytes.len()), Ok(65_536));
        assert!(of(&[b'x'; 65_537]).unwrap_err().contains("more than 65536 bytes"));
    }
}
