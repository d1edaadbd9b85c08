//! Revoking keys of an organization. What leaks are bytes, and not an id: whatever holds the same secret or public key is revoked
//! together with it. A key of a JWK Set is put into `jwt_keys` as revoked, and so remembered when the set is exchanged.

use super::{
    compile::material,
    document::{JwtKey, Organization},
    key_kind::KeyKind,
    moment::Moment,
    secret::Vault,
};

/// Whose revocation can be said.
struct Held<'o> {
    kind: KeyKind,
    id: &'o str,
    revoked: &'o mut Option<Moment>,
    /// What it verifies with, where that can be read.
    bytes: Option<Vec<u8>>,
}

/// Revokes the keys of these ids, or identity secrets, and whatever holds the same as one of them. What is more than was asked
/// for, and what can't be told, is said.
///
/// # Errors
/// When there is none of one of these ids.
pub fn revoke(
    organization: &mut Organization,
    (ids, identity): (&[String], bool),
    at: Moment,
) -> Result<Vec<String>, String> {
    let kind = if identity { KeyKind::Identity } else { KeyKind::Jwt };
    take_from_set(organization, |key| kind == KeyKind::Jwt && ids.contains(&key.id));
    let leaked = leaked(organization, kind, ids)?;
    take_from_set(organization, |key| {
        material::of_key(key, &Vault::empty()).is_some_and(|bytes| leaked.contains(&bytes))
    });
    let mut said = Vec::new();
    for held in held(organization).into_iter().filter(|held| held.revoked.is_none()) {
        let place = format!("{}[{}]", held.kind.list(), held.id.escape_debug());
        let named = held.kind == kind && ids.iter().any(|id| id == held.id);
        let alike = held.bytes.as_ref().map(|bytes| leaked.contains(bytes));
        if named || alike == Some(true) {
            *held.revoked = Some(at);
        }
        match alike {
            Some(true) if !named => said.push(format!("{place} holds the same secret or key and is revoked with it")),
            None if named => {
                said.push(format!("{place} can't be read here: whether another holds the same can't be told"));
            }
            None => {
                said.push(format!("{place} can't be read here and stays: revoke it too where it may hold the same"));
            }
            Some(_) => {}
        }
    }
    Ok(said)
}

/// The public keys of an organization's JWK Set that are honoured: those that `jwt_keys` has revoked aren't among them.
#[must_use]
pub fn keys_of_set(organization: &Organization) -> Vec<JwtKey> {
    material::of_set(organization, &Vault::empty())
}

/// Puts keys of the set into `jwt_keys`, which may say that they are revoked.
fn take_from_set(organization: &mut Organization, wanted: impl Fn(&JwtKey) -> bool) {
    for key in keys_of_set(organization) {
        if wanted(&key) && organization.jwt_keys.iter().all(|own| own.id != key.id) {
            organization.jwt_keys.push(key);
        }
    }
}

/// What the keys of these ids hold.
fn leaked(organization: &mut Organization, kind: KeyKind, ids: &[String]) -> Result<Vec<Vec<u8>>, String> {
    let missing = |id: &str, slug: &str| format!("{} has no key `{}`", slug.escape_debug(), id.escape_debug());
    let slug = organization.slug.clone();
    let held = held(organization);
    let found = ids.iter().map(|id| {
        let found = held.iter().find(|held| held.kind == kind && held.id == id);
        found.map(|held| held.bytes.clone()).ok_or_else(|| missing(id, &slug))
    });
    Ok(found.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

fn held(organization: &mut Organization) -> Vec<Held<'_>> {
    let vault = Vault::empty();
    let keys = organization.jwt_keys.iter_mut().map(|key| {
        let bytes = material::of_key(key, &vault);
        Held { kind: KeyKind::Jwt, id: &key.id, revoked: &mut key.revoked_at, bytes }
    });
    let secrets = organization.identity_secrets.iter_mut().map(|secret| {
        let bytes = vault.open(&secret.secret).ok();
        Held { kind: KeyKind::Identity, id: &secret.id, revoked: &mut secret.revoked_at, bytes }
    });
    keys.chain(secrets).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{EventTime, Policy, snapshot::Pool},
        store::{compile::compile_one, file::parse},
    };

    const SECRET: &str = "a secret under more than one id, of 32 bytes";
    const JWK: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"set","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn acme(rest: &str) -> Organization {
        parse(&format!("[[organizations]]\nslug = \"acme\"\n{rest}")).unwrap().document.organizations.remove(0)
    }

    fn twice() -> Organization {
        let key = |id: &str| {
            format!("[[organizations.jwt_keys]]\nid = \"{id}\"\nalgorithm = \"HS256\"\nsecret = \"{SECRET}\"\n")
        };
        let secret = format!("[[organizations.identity_secrets]]\nid = \"iv\"\nsecret = \"{SECRET}\"\n");
        acme(&[key("a"), key("b"), secret].concat())
    }

    fn at() -> Moment {
        Moment(EventTime::from_millis(1_800_000_000_000))
    }

    fn usable(organization: &Organization) -> bool {
        compile_one(organization.clone(), &Vault::empty(), &Policy::default(), &mut Pool::default()).is_ok()
    }

    #[test]
    fn whatever_holds_the_same_is_revoked_together_and_said() {
        for (id, identity, others) in
            [("a", false, ["jwt_keys[b]", "identity_secrets[iv]"]), ("iv", true, ["jwt_keys[a]", "jwt_keys[b]"])]
        {
            let mut organization = twice();
            let said = revoke(&mut organization, (&[id.to_owned()], identity), at()).unwrap();
            assert_eq!(
                said,
                others.map(|other| format!("{other} holds the same secret or key and is revoked with it"))
            );
            assert!(held(&mut organization).iter().all(|held| *held.revoked == Some(at())));
            assert!(usable(&organization));
        }
        let all = ["a".to_owned(), "b".to_owned()];
        assert_eq!(revoke(&mut twice(), (&all, false), at()).map(|said| said.len()), Ok(1), "the other kind");
        assert_eq!(revoke(&mut twice(), (&["iv".to_owned()], false), at()), Err("acme has no key `iv`".to_owned()));
    }

    #[test]
    fn a_secret_that_can_not_be_read_stays_and_is_said() {
        let mut organization = twice();
        organization.jwt_keys[1].secret = Some(crate::store::secret::Secret::Stored(true));
        let said = revoke(&mut organization, (&["a".to_owned()], false), at()).unwrap();
        assert!(said[0].starts_with("jwt_keys[b] can't be read here and stays") && said.len() == 2, "{said:?}");
        assert_eq!(organization.jwt_keys[1].revoked_at, None);
    }

    #[test]
    fn a_key_of_a_set_is_revoked_beside_it_and_is_honoured_no_more() {
        let other = JWK
            .replace("\"set\"", "\"other\"")
            .replace("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw");
        let mut organization = acme(&format!("jwks = '{{\"keys\":[{JWK},{other}]}}'\n"));
        assert_eq!(keys_of_set(&organization).len(), 2);
        assert_eq!(revoke(&mut organization, (&["set".to_owned()], false), at()), Ok(Vec::new()));
        let revoked: Vec<_> = organization.jwt_keys.iter().map(|key| (key.id.as_str(), key.revoked_at)).collect();
        assert_eq!(revoked, [("set", Some(at()))]);
        assert_eq!(keys_of_set(&organization).iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["other"]);
        let compiled = compile_one(organization.clone(), &Vault::empty(), &Policy::default(), &mut Pool::default());
        let ready = compiled.ok().unwrap().ready;
        let keys: Vec<_> = ready.jwt_keys.iter().map(|key| (key.id.as_str(), key.validity.revoked)).collect();
        assert_eq!(keys, [("set", true), ("other", false)]);
        // Another key of that id is another key: nobody could tell which a verdict means.
        organization.jwks = acme(&format!("jwks = '{{\"keys\":[{}]}}'\n", other.replace("other", "set"))).jwks;
        assert!(!usable(&organization));
    }
}
