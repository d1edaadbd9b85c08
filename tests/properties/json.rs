//! Our JSON reader against `serde_json`: the same documents accepted, the same values read. The differences are wanted, and
//! listed: duplicate names, numbers beyond a double, depth.

use attrsync::{
    decode::json::{JsonError, parse},
    domain::Arena,
};
use proptest::{collection::vec, prelude::*};

/// Below `serde_json`'s own limit of 128.
const DEPTH: usize = 100;

fn agree(text: &str) {
    let arena = Arena::new();
    let theirs = serde_json::from_str::<serde_json::Value>(text);
    match (parse(&arena, text, DEPTH), theirs) {
        (Ok(ours), Ok(theirs)) => {
            let again = serde_json::to_string(&ours).unwrap();
            let read_back = parse(&arena, &again, DEPTH).unwrap();
            assert_eq!(serde_json::to_string(&read_back).unwrap(), again, "what is written reads back as itself");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&again).unwrap(), theirs, "{text}");
        }
        (Err(JsonError::Duplicate { .. } | JsonError::TooDeep), _) => {}
        (Err(error), Ok(_)) => panic!("only serde_json accepts {text:?}: {error:?}"),
        (Ok(_), Err(error)) => {
            let wanted = error.to_string().contains("number out of range");
            assert!(wanted, "only we accept {text:?}: {error}");
        }
        (Err(_), Err(_)) => {}
    }
}

fn document() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| number.to_string()),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?",
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        "\"(\\\\u[0-9a-fD]{4}|\\\\[nrtbf/\"]|[ -!#-\\[\\]-~é😀]){0,12}\"",
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let text = any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap());
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(" , "))),
            vec((text, inner), 0..6).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(name, value)| format!("{name}\t: {value}")).collect();
                format!("{{{}}}", members.join(",\n"))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn reads_what_serde_json_reads(text in document()) {
        agree(&text);
    }

    #[test]
    fn refuses_what_serde_json_refuses(text in document(), at in any::<prop::sample::Index>(), byte in 0..128_u8) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(text) = std::str::from_utf8(&bytes) {
            agree(text);
        }
    }

    #[test]
    fn agrees_on_any_text(text in "[\\[\\]{}:,\"\\\\u0-9a-f.eE+ -]{0,40}") {
        agree(&text);
    }
}
