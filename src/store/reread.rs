//! A document that is looked at again and again: whether it changed, and has come to rest. Contents are compared, not times: an
//! editor's rename, a write in place and the symbolic links that Kubernetes swaps all look alike.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::{
    SettingsError, Source,
    compile::Compiled,
    effective::Effective,
    secret::{Secret, Vault},
};
use crate::domain::Policy;

/// What the last look at a document saw.
#[derive(Debug)]
pub(super) struct Reread {
    vault: Vault,
    /// The content that was compiled, or refused, last.
    decided: Fingerprint,
    /// A different content that was seen once: it is taken when it is seen again, so that a file that is being written is
    /// not taken for a shorter one.
    settling: Option<Fingerprint>,
    /// Which files the content refers to.
    secret_files: Vec<PathBuf>,
    /// What judges.
    pub(super) effective: Effective,
}

/// A digest of a document and the secret files that it refers to.
type Fingerprint = [u8; 32];

impl Reread {
    /// The first look.
    pub(super) fn first(source: &Source, policy: &Policy) -> Result<(Self, Compiled), SettingsError> {
        let vault = source.vault();
        let text = source.read()?;
        let parsed = source.parse(&text)?;
        let secret_files = parsed.document.secret_files();
        let decided = vault.fingerprint(Ok(&text), &secret_files);
        let mut compiled = source.compile(parsed, &vault, policy)?;
        let effective = std::mem::take(&mut compiled.effective);
        Ok((Self { vault, decided, settling: None, secret_files, effective }, compiled))
    }

    /// The new document, where there is one that has come to rest.
    pub(super) fn look(&mut self, source: &Source, policy: &Policy) -> Option<Result<Compiled, SettingsError>> {
        let text = source.read();
        let known = self.vault.fingerprint(text.as_ref(), &self.secret_files);
        if known == self.decided {
            self.settling = None;
            return None;
        }
        if self.settling.replace(known) != Some(known) {
            return None;
        }
        let parsed = text.and_then(|text| Ok((source.parse(&text)?, text)));
        // Before the secrets are opened: a secret that changes in between is then found changed by the next look.
        self.decided = match &parsed {
            Ok((parsed, text)) => {
                self.secret_files = parsed.document.secret_files();
                self.vault.fingerprint(Ok(text), &self.secret_files)
            }
            Err(_) => known,
        };
        Some(parsed.and_then(|(parsed, _)| source.compile(parsed, &self.vault, policy)))
    }
}

impl Vault {
    /// A digest of a document's text and of the secret files it refers to; of what kept them from being read otherwise.
    fn fingerprint(&self, text: Result<&String, &SettingsError>, secret_files: &[PathBuf]) -> Fingerprint {
        let mut digest = Sha256::new();
        let mut part = |part: &[u8]| {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        };
        match text {
            Ok(text) => part(text.as_bytes()),
            Err(error) => part(error.to_string().as_bytes()),
        }
        for file in secret_files {
            match self.open(&Secret::File(file.clone())) {
                Ok(secret) => part(&secret),
                Err(message) => part(message.as_bytes()),
            }
        }
        digest.finalize().into()
    }
}
