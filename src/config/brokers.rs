//! Addresses of brokers, held against what librdkafka makes of them: it takes any text for one. A port above 65535 becomes another
//! port, what it can't read becomes a name, and nobody hears of it.

use std::{net::Ipv6Addr, num::NonZeroU16};

/// The protocols that an address may begin with.
const PROTOCOLS: [&str; 4] = ["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"];

/// Whether a text is one address or more, as `host:port` with commas between them. The port may be left out (9092), and
/// librdkafka takes a protocol before the host: `SSL://host:port`.
pub(super) fn are_addresses(text: &str) -> bool {
    addresses(text).next().is_some() && addresses(text).all(is_address)
}

/// The protocols that the addresses name.
pub(super) fn protocols(text: &str) -> impl Iterator<Item = &str> {
    addresses(text).filter_map(|address| Some(address.split_once("://")?.0))
}

/// The addresses of a list. librdkafka passes over blanks before one, and over one that is empty.
fn addresses(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(|address| address.trim_start_matches(' ')).filter(|address| !address.is_empty())
}

fn is_address(address: &str) -> bool {
    let known = |protocol: &str| PROTOCOLS.iter().any(|known| known.eq_ignore_ascii_case(protocol));
    let place = match address.split_once("://") {
        Some((protocol, _)) if !known(protocol) => return false,
        Some((_, place)) => place,
        None => address,
    };
    match place.rsplit_once(':') {
        // The last colon of `[::1]` stands before no port.
        Some((host, port)) if !port.ends_with(']') => is_host(host) && port.trim_end().parse::<NonZeroU16>().is_ok(),
        _ => is_host(place),
    }
}

/// A name, an IPv4 address, or an IPv6 address in brackets: without them nobody knows where its port begins.
fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.split('%').next().is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
            !host.is_empty() && host.bytes().all(allowed)
        }
    }
}
