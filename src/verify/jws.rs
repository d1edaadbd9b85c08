//! A token in its compact form (RFC 7515 §3.1), taken apart and no more: three parts of base64url, the header as JSON.
//! What the header says is only ever compared with what a key demands.

use base64_simd::{AsOut as _, URL_SAFE_NO_PAD};

use crate::{
    decode::{json, refused},
    domain::{Arena, Hint, Limits, Object, Reason, Rejection, Value},
};

/// A token taken apart; nothing of it is verified.
#[derive(Clone, Copy)]
pub struct UnverifiedToken<'a> {
    /// The bytes that the signature covers: header, dot, payload, as they were sent.
    pub signing_input: &'a str,
    /// The payload's bytes: not read before the signature.
    payload: &'a [u8],
    /// The signature.
    pub signature: &'a [u8],
}

/// What a token's header asks for. It never prints: whoever made the token chose it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UnverifiedHeader<'a> {
    /// The algorithm that it claims to be signed with.
    pub alg: &'a str,
    /// The key that it claims to be signed with.
    pub kid: Option<&'a str>,
}

/// Takes a token apart.
///
/// # Errors
/// Anything but three parts of canonical base64url ([`Reason::TokenMalformed`]), or a header that isn't one.
pub fn open<'a>(
    arena: &'a Arena,
    token: &'a str,
    limits: &Limits,
) -> Result<(UnverifiedToken<'a>, UnverifiedHeader<'a>), Rejection<'a>> {
    let malformed = || malformed(token);
    let (signing_input, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
    let (header, payload) = signing_input.split_once('.').ok_or_else(malformed)?;
    // Where there are more dots the payload has them, and they are no letters of base64url.
    let header = decode(arena, header).ok_or_else(malformed)?;
    let payload = decode(arena, payload).ok_or_else(malformed)?;
    let signature = decode(arena, signature).ok_or_else(malformed)?;
    let header = read_header(arena, header, limits)?;
    Ok((UnverifiedToken { signing_input, payload, signature }, header))
}

impl<'a> UnverifiedToken<'a> {
    /// The payload as a JSON object. Whose claims they are is known once the signature has verified, and only to whom verified it: a
    /// caller before that says `unverified`.
    ///
    /// # Errors
    /// [`Reason::ClaimsMalformed`] for what isn't an object, [`Reason::DuplicateName`] and [`Reason::TooDeep`] as in an
    /// event.
    pub fn claims(&self, arena: &'a Arena, limits: &Limits) -> Result<Object<'a>, Rejection<'a>> {
        object(arena, self.payload, limits, Reason::ClaimsMalformed)
    }
}

/// Five parts are an encrypted token (RFC 7516 §3.1).
#[cold]
fn malformed(token: &str) -> Rejection<'_> {
    let encrypted = token.bytes().filter(|byte| *byte == b'.').count() == 4;
    Rejection::from(Reason::TokenMalformed).hinting(encrypted.then_some(Hint::TokenEncrypted))
}

/// The header (RFC 7515 §4). `jku`, `jwk`, `x5u`, `x5c` and whatever else it brings along is never followed (RFC 8725
/// §3.10); unknown parameters are ignored as RFC 7515 §4 demands, `typ` and `cty` are the application's (§4.1.9–10).
fn read_header<'a>(arena: &'a Arena, bytes: &'a [u8], limits: &Limits) -> Result<UnverifiedHeader<'a>, Rejection<'a>> {
    let header = object(arena, bytes, limits, Reason::HeaderMalformed)?;
    if header.get("crit").is_some() || header.get("b64").is_some() {
        return Err(Reason::CriticalHeader.into());
    }
    let alg = header.get("alg").and_then(Value::as_text).ok_or(Rejection::at(Reason::HeaderMalformed, "alg"))?;
    let kid = match header.get("kid") {
        None => None,
        Some(Value::Text(kid)) => Some(kid),
        Some(_) => return Err(Rejection::at(Reason::HeaderMalformed, "kid")),
    };
    Ok(UnverifiedHeader { alg, kid })
}

/// One part as a JSON object. A name twice keeps its own reason: two parsers would read two tokens (RFC 7519 §4).
fn object<'a>(
    arena: &'a Arena,
    bytes: &'a [u8],
    limits: &Limits,
    otherwise: Reason,
) -> Result<Object<'a>, Rejection<'a>> {
    let text = std::str::from_utf8(bytes).map_err(|_| otherwise)?;
    let value = json::parse(arena, text, limits.depth).map_err(|error| match refused(error, limits) {
        Rejection { reason: Reason::MalformedJson, detail, hint } => Rejection { reason: otherwise, detail, hint },
        rejection => rejection,
    })?;
    Ok(value.as_object().ok_or(otherwise)?)
}

/// A part's bytes, if it is canonical base64url: without padding, spare bits zero, so that a signature has one spelling (RFC
/// 4648 §3.5).
fn decode<'a>(arena: &'a Arena, part: &str) -> Option<&'a [u8]> {
    let bytes = arena.bytes(URL_SAFE_NO_PAD.estimated_decoded_length(part.len()));
    URL_SAFE_NO_PAD.decode(part.as_bytes(), bytes.as_out()).ok().map(|bytes| &*bytes)
}
