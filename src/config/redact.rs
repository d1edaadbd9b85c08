//! What of the configuration is a secret. Told by the key alone, and rather too much than too little: librdkafka's set of
//! properties grows, and a value once printed cannot be taken back.

use toml::Value;

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
    match value {
        _ if is_secret(key) => REDACTED.to_owned(),
        Value::String(text) => Value::String(without_userinfo(text)).to_string(),
        value => value.to_string(),
    }
}

/// A text without what stands before the `@` of a URL: a user and a password. Of a URL whose parameters name a password only
/// the scheme is left.
#[must_use]
pub fn without_userinfo(text: &str) -> String {
    match text.split_once("://") {
        Some((scheme, rest)) if rest.to_ascii_lowercase().contains("password=") => format!("{scheme}://{REDACTED}"),
        Some((scheme, rest)) => {
            let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            match rest[..authority].rfind('@') {
                Some(at) => format!("{scheme}://{REDACTED}{}", &rest[at..]),
                None => text.to_owned(),
            }
        }
        None => text.to_owned(),
    }
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
        assert_eq!(without_userinfo("postgres://me:p@ss@db/x?y=1"), "postgres://[redacted]@db/x?y=1");
        assert_eq!(without_userinfo("https://example.test/a@b"), "https://example.test/a@b");
        assert_eq!(without_userinfo("postgres://db/x?user=me&password=p"), "postgres://[redacted]");
        assert_eq!(without_userinfo("file:settings.toml"), "file:settings.toml");
    }
}
