//! Who may read: on loopback everybody who names a loopback host, with a token whoever shows it, by `Authorization: Bearer` or by
//! the cookie that it was exchanged for.
//!
//! A page elsewhere could lead a browser here under its own name (DNS rebinding). Without a token only loopback names are
//! answered; with one, such a page has neither the token nor the cookie, which belongs to the name that it was given under.

use std::{fmt, fs, io, path::Path};

use axum::http::{
    HeaderMap, HeaderName,
    header::{AUTHORIZATION, COOKIE, HOST},
};

use crate::domain::{
    hex,
    key::{HmacDigest, HmacState},
    line_end,
};

/// The least length of a token: what `openssl rand -hex 16` prints.
const LEAST: usize = 32;
/// What a token signs to be compared.
const PROOF: &[u8] = b"attrsync dashboard token";
/// The cookie's name.
pub(super) const COOKIE_NAME: &str = "attrsync_session";
/// How long a cookie is good for.
const SESSION_S: i64 = 12 * 60 * 60;

/// The token that readers must show.
pub struct Token(HmacState);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file can't be read.
    #[error("dashboard.token_file {path} can't be read")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// It is too short, or more than one line.
    #[error(
        "dashboard.token_file {path} must hold one line of at least {LEAST} printable characters: openssl rand -hex 32 > {path}"
    )]
    Weak {
        /// The file.
        path: String,
    },
}

impl Token {
    /// Reads the token from a file; one line end at its end is left off.
    ///
    /// # Errors
    /// When the file can't be read, or holds no token worth its name.
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let shown = || path.display().to_string();
        let mut text = fs::read_to_string(path).map_err(|source| TokenError::Unreadable { path: shown(), source })?;
        text.truncate(line_end::len_without(text.as_bytes()));
        Self::of(&text).ok_or_else(|| TokenError::Weak { path: shown() })
    }

    fn of(text: &str) -> Option<Self> {
        let strong = text.len() >= LEAST && text.bytes().all(|byte| byte.is_ascii_graphic());
        strong.then(|| Self(HmacState::new(HmacDigest::Sha256, text.as_bytes())))
    }

    /// Whether this is the token. Two MACs are compared, in constant time: neither length nor content shows.
    fn is(&self, shown: &str) -> bool {
        self.0.verifies(PROOF, &HmacState::new(HmacDigest::Sha256, shown.as_bytes()).sign(PROOF))
    }

    /// Whether these headers carry the token itself, and no cookie that it was exchanged for; `None` where they carry none.
    pub(super) fn is_shown(&self, headers: &HeaderMap) -> Option<bool> {
        let shown = text(headers, AUTHORIZATION)?.strip_prefix("Bearer ")?;
        Some(self.is(shown))
    }

    /// The cookie for whoever has shown the token; `now` in seconds. `secure` where TLS stands before us.
    pub(crate) fn cookie(&self, now: i64, secure: bool) -> String {
        let end = now + SESSION_S;
        let mac = hex::encode(&self.0.sign(&session(end)));
        let secure = if secure { "; Secure" } else { "" };
        format!("{COOKIE_NAME}={end}.{mac}; Path=/; Max-Age={SESSION_S}; HttpOnly; SameSite=Strict{secure}")
    }

    fn is_session(&self, value: &str, now: i64) -> bool {
        let Some((end, mac)) = value.split_once('.') else { return false };
        let Ok(end) = end.parse::<i64>() else { return false };
        end > now && hex::decode(mac.as_bytes()).is_some_and(|mac: [u8; 32]| self.0.verifies(&session(end), &mac))
    }
}

/// What a cookie's MAC is over.
fn session(end: i64) -> Vec<u8> {
    format!("attrsync dashboard session until {end}").into_bytes()
}

/// Prints that there is one.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token([redacted])")
    }
}

/// Whether a request may be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Yes.
    Granted,
    /// It shows no token, or a wrong one.
    Unknown,
    /// It names a host that isn't this one.
    OtherHost,
}

/// Judges a request by its headers; `now` in seconds.
pub(crate) fn access(token: Option<&Token>, headers: &HeaderMap, now: i64) -> Access {
    let Some(token) = token else {
        return if text(headers, HOST).is_some_and(is_loopback) { Access::Granted } else { Access::OtherHost };
    };
    if let Some(is_token) = token.is_shown(headers) {
        return if is_token { Access::Granted } else { Access::Unknown };
    }
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut sessions = cookies.flat_map(|value| value.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    let granted = sessions.any(|(name, value)| name == COOKIE_NAME && token.is_session(value, now));
    if granted { Access::Granted } else { Access::Unknown }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Whether a `Host` names this machine to itself, with any port: tunnels have their own.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    let name = name.unwrap_or_default();
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn headers(all: &[(HeaderName, &str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn without_a_token_only_loopback_hosts_are_answered() {
        for host in ["localhost", "localhost:9465", "LOCALHOST:1", "127.0.0.1:9465", "127.9.9.9", "[::1]:9465"] {
            assert_eq!(access(None, &headers(&[(HOST, host)]), 0), Access::Granted, "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:9465", "127.0.0.1.evil.example", "10.0.0.1", "[::2]", ""] {
            assert_eq!(access(None, &headers(&[(HOST, host)]), 0), Access::OtherHost, "{host}");
        }
        assert_eq!(access(None, &HeaderMap::new(), 0), Access::OtherHost);
    }

    #[test]
    fn a_token_is_asked_for_and_nothing_like_it_will_do() {
        let token = Token::of(TOKEN);
        let shown = |value: &str| access(token.as_ref(), &headers(&[(HOST, "any.example"), (AUTHORIZATION, value)]), 0);
        assert_eq!(shown(&format!("Bearer {TOKEN}")), Access::Granted);
        for wrong in
            [format!("Bearer {TOKEN}0"), format!("Bearer {}", &TOKEN[1..]), TOKEN.to_owned(), "Bearer ".to_owned()]
        {
            assert_eq!(shown(&wrong), Access::Unknown, "{wrong}");
        }
        assert_eq!(access(token.as_ref(), &headers(&[(HOST, "localhost")]), 0), Access::Unknown);
    }

    #[test]
    fn a_cookie_is_good_until_it_ends_and_only_as_it_was_given() {
        let token = Token::of(TOKEN).unwrap();
        let cookie = token.cookie(1_000, false);
        assert!(cookie.ends_with("; HttpOnly; SameSite=Strict") && !cookie.contains(TOKEN), "{cookie}");
        let value = cookie.split(';').next().unwrap().to_owned();
        let at = |value: &str, now| access(Some(&token), &headers(&[(COOKIE, &format!("a=b; {value}"))]), now);
        assert_eq!(at(&value, 1_000), Access::Granted);
        assert_eq!(at(&value, 1_000 + SESSION_S), Access::Unknown);
        let longer = value.replace(&(1_000 + SESSION_S).to_string(), &(2_000 + SESSION_S).to_string());
        for wrong in [longer.as_str(), &value[..value.len() - 2], "attrsync_session=", "attrsync_session=1.zz", "x=y"] {
            assert_eq!(at(wrong, 1_000), Access::Unknown, "{wrong}");
        }
        let other = Token::of(&TOKEN.replace('0', "1")).unwrap();
        assert_eq!(access(Some(&other), &headers(&[(COOKIE, &value)]), 1_000), Access::Unknown);
    }

    #[test]
    fn a_weak_token_is_refused_and_none_prints() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        for weak in ["", "short", "with blanks in it, however long that it may be", &format!("{TOKEN}\n{TOKEN}")] {
            fs::write(&file, weak).unwrap();
            assert!(Token::read(&file).unwrap_err().to_string().contains("openssl rand -hex 32"), "{weak:?}");
        }
        fs::write(&file, format!("{TOKEN}\n")).unwrap();
        assert_eq!(format!("{:?}", Token::read(&file).unwrap()), "Token([redacted])");
    }
}
