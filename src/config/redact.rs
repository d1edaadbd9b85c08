//! What of the configuration is a secret. Told by the key alone, and rather too much than too little: librdkafka's set of
//! properties grows, and a value once printed cannot be taken back.

use toml::Value;

use super::{layers::SETTINGS_SOURCE, sections::is_database};

/// Stands in for a secret wherever a value is printed.
pub const REDACTED: &str = "[redacted]";

/// Properties about SASL that say nothing secret.
const OPEN_SASL: [&str; 5] = [
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.oauthbearer.method",
    "sasl.kerberos.service.name",
    "sasl.kerberos.keytab",
];

/// What makes a name that of a secret wherever it stands in it.
const SECRET_PARTS: [&str; 10] = [
    "password",
    "passwd",
    "secret",
    "token",
    "credential",
    "assertion.private",
    "key.pem",
    "jaas",
    "passphrase",
    "master.keys",
];

/// Whether the value of this key must not be printed.
pub(super) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('_', ".");
    // A number, and the name of a file.
    if key.starts_with("limits.") || key == "dashboard.token.file" {
        return false;
    }
    let sasl = key.find("sasl.").map(|start| &key[start..]);
    sasl.is_some_and(|property| !OPEN_SASL.contains(&property)) || SECRET_PARTS.iter().any(|part| key.contains(part))
}

/// A value as it may be printed beside its key, in TOML.
pub(super) fn shown(key: &str, value: &Value) -> String {
    if is_secret(key) { REDACTED.to_owned() } else { printable(key, value).to_string() }
}

/// A value as it may be printed. A source of settings that is no file and no URL of a database may be a login in any form.
pub(super) fn printable(key: &str, value: &Value) -> Value {
    let text = match value {
        _ if is_secret(key) => REDACTED.to_owned(),
        Value::String(text) if key == SETTINGS_SOURCE => source(text),
        _ if key == SETTINGS_SOURCE => REDACTED.to_owned(),
        Value::String(text) => without_userinfo(text),
        Value::Array(items) => return Value::Array(items.iter().map(|item| printable(key, item)).collect()),
        Value::Table(table) => {
            return Value::Table(
                table.iter().map(|(name, value)| (name.clone(), printable(&format!("{key}.{name}"), value))).collect(),
            );
        }
        value => return value.clone(),
    };
    Value::String(text)
}

/// Whether a text may be printed as the value of this key, as it is.
#[must_use]
pub fn may_be_shown(key: &str, text: &str) -> bool {
    let value = Value::String(text.to_owned());
    printable(key, &value) == value
}

fn source(text: &str) -> String {
    match text.strip_prefix("file:") {
        Some(path) => format!("file:{}", without_userinfo(path)),
        None if is_database(text) => without_userinfo(text),
        None => REDACTED.to_owned(),
    }
}

/// A text without what stands before its last `@`, where that may be a user and a password: a password may hold what ends a user's
/// name and password in a URL (`/ ? # @`), written as it is. Of a URL whose parameters name a password, or whose port is no number
/// and so may be a password, only the scheme is left.
#[must_use]
pub fn without_userinfo(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return match text.rsplit_once('@') {
            Some((login, place)) if login.contains(':') => format!("{REDACTED}@{place}"),
            _ => text.to_owned(),
        };
    };
    match rest.rfind('@') {
        _ if rest.to_ascii_lowercase().contains("password=") => format!("{scheme}://{REDACTED}"),
        Some(at) => format!("{scheme}://{REDACTED}{}", &rest[at..]),
        None if ports_are_numbers(rest) => text.to_owned(),
        None => format!("{scheme}://{REDACTED}"),
    }
}

/// Whether what follows a host's colon is a number, for each host of a URL.
fn ports_are_numbers(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.split(',').all(|host| {
        let after_address = host.rsplit(']').next().unwrap_or_default();
        after_address.split_once(':').is_none_or(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_by_their_keys() {
        for key in [
            "kafka.properties.sasl.password",
            "kafka.properties.sasl.username",
            "kafka.properties.sasl.oauthbearer.config",
            "kafka.consumer.properties.sasl.oauthbearer.client.secret",
            "kafka.properties.ssl.key.pem",
            "kafka.properties.ssl.key.password",
            "kafka.properties.ssl.keystore.password",
            "kafka.sasl_password",
            "kafka.password",
        ] {
            assert!(is_secret(key), "{key}");
        }
        for key in [
            "kafka.properties.sasl.mechanism",
            "kafka.properties.ssl.key.location",
            "kafka.properties.ssl.ca.location",
            "kafka.bootstrap_servers",
            "limits.token_bytes",
            "dashboard.token_file",
        ] {
            assert!(!is_secret(key), "{key}");
        }
    }

    #[test]
    fn the_user_and_password_of_a_url_are_not_printed() {
        for (text, shown) in [
            ("postgres://me:p@ss@db/x?y=1", "postgres://[redacted]@db/x?y=1"),
            ("postgres://ada:k3J/x+9=@db/attrsync", "postgres://[redacted]@db/attrsync"),
            ("postgres://ada:p@a/ss@db/x", "postgres://[redacted]@db/x"),
            ("postgres://ada:p?a#ss@db/x", "postgres://[redacted]@db/x"),
            ("postgres://db/x?user=me&password=p", "postgres://[redacted]"),
            ("postgres://ada:geheim", "postgres://[redacted]"),
            ("ada:p@a/ss@db/x", "[redacted]@db/x"),
        ] {
            assert_eq!(without_userinfo(text), shown);
        }
        for open in [
            "file:settings.toml",
            "postgres://db:5432/x?sslmode=require",
            "http://[::1]:4318",
            "SASL_SSL://a:9092,SASL_SSL://b:9092",
            "a@b",
        ] {
            assert_eq!(without_userinfo(open), open);
        }
    }

    #[test]
    fn a_source_of_settings_that_is_no_file_and_no_url_is_not_printed() {
        let text = |text: &str| Value::String(text.to_owned());
        for (source, shown) in [
            ("file:settings.toml", "file:settings.toml"),
            ("postgres://ada:geheim@db/x", "postgres://[redacted]@db/x"),
            ("file:postgres://ada:geheim@db/x", "file:postgres://[redacted]@db/x"),
            ("file:ada:geheim@db/x", "file:[redacted]@db/x"),
            ("ada:geheim@db/x", REDACTED),
            ("postgres:ada:geheim@db/x", REDACTED),
            ("host=db password=geheim", REDACTED),
        ] {
            assert_eq!(printable("settings.source", &text(source)), text(shown));
        }
        let list = Value::Array(vec![text("postgres://ada:geheim@db/x")]);
        assert!(!shown("settings.source", &list).contains("geheim"));
        assert!(!shown("kafka.input.topics", &list).contains("geheim"));
    }
}
