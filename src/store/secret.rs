//! Secrets: how a settings document names one, and the one place where its bytes are fetched. A secret is never part of an
//! error, a log line or `Debug`.

use std::{
    borrow::Cow,
    ffi::OsString,
    fmt,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::domain::line_end;

/// More than any secret has; a file beyond it was named by mistake.
const MAX_BYTES: u64 = 64 * 1024;

/// Where a secret is found.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Secret {
    /// `{ env = "NAME" }`: in an environment variable.
    Env(String),
    /// `{ file = "PATH" }`: in a file, relative to the folder of the settings file. One line end at its end is not part of
    /// the secret.
    File(PathBuf),
    /// `{ base64 = "…" }`: in the document itself, for bytes that are no text. A text that looks like base64 is a text.
    Base64(#[serde(serialize_with = "as_base64")] Vec<u8>),
    /// `{ stored = true }`: the one that the database has for this key. Only what is applied to that database can say so.
    Stored(bool),
    /// `"text"`: in the document itself.
    #[serde(untagged)]
    Text(String),
}

fn as_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64.encode(bytes))
}

impl Secret {
    /// The secret of these bytes, in a document.
    #[must_use]
    pub fn of_bytes(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Base64(error.into_bytes()), Self::Text)
    }
}

/// By hand, since serde's own messages quote the value that does not fit.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let unknown = || D::Error::custom("a secret is \"text\", { env = \"NAME\" } or { file = \"PATH\" }");
        let bytes =
            |text: &str| BASE64.decode(text).map_err(|_| D::Error::custom("what follows `base64` is not base64"));
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => Ok(Self::Text(text)),
            toml::Value::Table(table) => match table.iter().next() {
                Some((kind, toml::Value::String(name))) if table.len() == 1 => match kind.as_str() {
                    "env" => Ok(Self::Env(name.clone())),
                    "file" => Ok(Self::File(name.into())),
                    "base64" => bytes(name).map(Self::Base64),
                    _ => Err(unknown()),
                },
                Some((kind, toml::Value::Boolean(true))) if table.len() == 1 && kind == "stored" => {
                    Ok(Self::Stored(true))
                }
                _ => Err(unknown()),
            },
            _ => Err(unknown()),
        }
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let elsewhere = |kind: &str, what: &str| {
            json_schema!({
                "type": "object",
                "properties": { (kind): { "description": what, "type": "string", "minLength": 1 } },
                "required": [kind],
                "additionalProperties": false
            })
        };
        json_schema!({
            "description": "A secret: a text, or where it is found.",
            "oneOf": [
                { "type": "string", "minLength": 1 },
                elsewhere("env", "The name of an environment variable."),
                elsewhere("file", "The path of a file, relative to the folder of the settings file. One line end at its end is no part of the secret."),
                elsewhere("base64", "Bytes that are no text, in base64."),
                {
                    "type": "object",
                    "properties": { "stored": { "description": "The one that the database has for this key.", "const": true } },
                    "required": ["stored"],
                    "additionalProperties": false
                }
            ]
        })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Secret::Text(_) | Secret::Base64(_) => f.write_str("[redacted]"),
            Secret::Stored(_) => f.write_str("stored"),
            Secret::Env(name) => write!(f, "env {name}"),
            Secret::File(path) => write!(f, "file {}", path.display()),
        }
    }
}

/// Where secrets outside of a document are looked up.
#[derive(Debug)]
pub(super) struct Vault {
    /// The folder of the settings file.
    pub(super) folder: PathBuf,
    /// The environment: a function, so that tests need not change that of the process.
    pub(super) environment: fn(&str) -> Option<OsString>,
}

impl Vault {
    /// A vault without files and variables, for documents whose secrets stand in them.
    pub(super) fn empty() -> Self {
        Self { folder: PathBuf::new(), environment: |_| None }
    }

    /// The bytes of a secret, or what is wrong with it.
    pub(super) fn open(&self, secret: &Secret) -> Result<Vec<u8>, String> {
        let bytes = match secret {
            Secret::Text(text) => text.clone().into_bytes(),
            Secret::Base64(bytes) => bytes.clone(),
            Secret::Stored(_) => {
                return Err("is said to be the one that the database has for this key; there is none there, or it does not open".to_owned());
            }
            Secret::Env(name) => (self.environment)(name)
                .map(OsString::into_encoded_bytes)
                .ok_or_else(|| format!("the environment variable {name} is not set; set it, or name another"))?,
            Secret::File(path) => self.read(path)?,
        };
        if bytes.is_empty() {
            return Err(format!("{} is empty; anybody could sign with an empty secret", origin(secret)));
        }
        Ok(bytes)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        let path = self.folder.join(path);
        let mut bytes = Vec::new();
        File::open(&path)
            .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|error| format!("the file {} cannot be read: {error}", path.display()))?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(format!("the file {} has more than {MAX_BYTES} bytes; is it the right one?", path.display()));
        }
        bytes.truncate(line_end::len_without(&bytes));
        Ok(bytes)
    }
}

fn origin(secret: &Secret) -> String {
    match secret {
        Secret::Text(_) | Secret::Base64(_) | Secret::Stored(_) => "the text".to_owned(),
        Secret::Env(name) => format!("the environment variable {name}"),
        Secret::File(path) => format!("the file {}", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[derive(Deserialize)]
    struct Key {
        secret: Secret,
    }

    fn read(written: &str) -> Result<Secret, String> {
        toml::from_str::<Key>(&format!("secret = {written}"))
            .map(|key| key.secret)
            .map_err(|error| error.message().to_owned())
    }

    fn vault(folder: &Path) -> Vault {
        let environment = |name: &str| match name {
            "KEY" => Some("from the environment".into()),
            "EMPTY" => Some(OsString::new()),
            _ => None,
        };
        Vault { folder: folder.to_owned(), environment }
    }

    #[test]
    fn the_three_forms_read() {
        assert_eq!(read("\"text\""), Ok(Secret::Text("text".to_owned())));
        assert_eq!(read("{ env = \"KEY\" }"), Ok(Secret::Env("KEY".to_owned())));
        assert_eq!(read("{ file = \"a/key\" }"), Ok(Secret::File("a/key".into())));
    }

    #[test]
    fn what_is_none_of_them_is_refused_without_being_quoted() {
        for written in ["4815162342", "[\"4815162342\"]", "{ env = 4815162342 }", "{ environment = \"4815162342\" }"] {
            let error = read(written).unwrap_err();
            assert!(error.starts_with("a secret is") && !error.contains("4815162342"), "{error}");
        }
    }

    #[test]
    fn a_secret_never_prints() {
        assert_eq!(format!("{:?}", Secret::Text("s3cret".to_owned())), "[redacted]");
    }

    #[test]
    fn secrets_come_from_the_text_the_environment_or_a_file_without_its_last_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(folder.path());
        assert_eq!(vault.open(&Secret::Text("text".to_owned())), Ok(b"text".to_vec()));
        assert_eq!(vault.open(&Secret::Env("KEY".to_owned())), Ok(b"from the environment".to_vec()));
        for (content, secret) in [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a \n", " a ")] {
            fs::write(folder.path().join("key"), content).unwrap();
            assert_eq!(vault.open(&Secret::File("key".into())), Ok(secret.as_bytes().to_vec()), "{content:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_can_be_written_and_a_text_that_looks_like_them_is_a_text() {
        assert_eq!(read("{ base64 = \"/w==\" }"), Ok(Secret::Base64(vec![0xff])));
        assert_eq!(read("\"/w==\""), Ok(Secret::Text("/w==".to_owned())));
        assert!(read("{ base64 = \"s3cret\" }").is_err_and(|error| !error.contains("s3cret")));
        assert_eq!(Secret::of_bytes(vec![0xff]), Secret::Base64(vec![0xff]));
        assert_eq!(vault(Path::new("")).open(&Secret::Base64(vec![0xff])), Ok(vec![0xff]));
        assert_eq!(read("{ stored = true }"), Ok(Secret::Stored(true)));
        assert!(vault(Path::new("")).open(&Secret::Stored(true)).is_err());
    }

    #[test]
    fn a_missing_or_empty_secret_says_where_it_was_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("empty"), "\n").unwrap();
        fs::write(folder.path().join("huge"), vec![b'x'; 70_000]).unwrap();
        for (secret, said) in [
            (Secret::Text(String::new()), "the text is empty"),
            (Secret::Env("EMPTY".to_owned()), "variable EMPTY is empty"),
            (Secret::Env("NONE".to_owned()), "variable NONE is not set"),
            (Secret::File("empty".into()), "the file empty is empty"),
            (Secret::File("none".into()), "none cannot be read"),
            (Secret::File(".".into()), "cannot be read"),
            (Secret::File("huge".into()), "more than 65536 bytes"),
        ] {
            let error = vault(folder.path()).open(&secret).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
