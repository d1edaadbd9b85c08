//! What was revoked stays revoked. Whoever is on call revokes a key in the database; a settings file that was written before
//! doesn't know of it, and the next time it is applied it would honour the key again, or take away the row by which the secret
//! is known under whatever id it comes back. So would one that gives the id another secret: what was revoked would be forgotten.

use crate::store::{
    document::Organization,
    key_kind::KeyKind,
    moment::Moment,
    problem::{Place, Problem},
    secret::Secret,
};

/// A key: of which kind, its id, and when it was revoked.
type Key<'o> = (KeyKind, &'o str, Option<Moment>);

fn keys(organization: &Organization) -> impl Iterator<Item = Key<'_>> {
    let jwt = organization.jwt_keys.iter().map(|key| (KeyKind::Jwt, key.id.as_str(), key.revoked_at));
    let secrets = &organization.identity_secrets;
    jwt.chain(secrets.iter().map(|secret| (KeyKind::Identity, secret.id.as_str(), secret.revoked_at)))
}

/// The secret or public key of an id, and the field that holds it.
fn material<'o>(organization: &'o Organization, kind: KeyKind, id: &str) -> Option<(&'static str, &'o Secret)> {
    if kind == KeyKind::Identity {
        let secret = organization.identity_secrets.iter().find(|secret| secret.id == id)?;
        return Some(("secret", &secret.secret));
    }
    let key = organization.jwt_keys.iter().find(|key| key.id == id)?;
    let secret = key.secret.as_ref().map(|secret| ("secret", secret));
    secret.or_else(|| key.public_key.as_ref().map(|public| ("public_key", public)))
}

/// What is revoked in an organization as it is and would not be any more, or only from a later time on, or would be forgotten: each
/// by its id, and what to do about it.
pub(super) fn no_longer<'o>(old: &'o Organization, new: &Organization) -> Vec<(&'o str, Problem)> {
    let taken_back = keys(old).filter_map(|(kind, id, revoked)| {
        let key = (kind, id, revoked?);
        let problem = match said(new, kind, id, key.2) {
            Some(Said::LeftOut) => problem(&old.slug, key, "leaves it out"),
            Some(Said::Otherwise(said)) => problem(&old.slug, key, said),
            None => forgotten(old, new, key)?,
        };
        Some((id, problem))
    });
    taken_back.collect()
}

/// That a key which stays revoked has another secret or public key than the one that was revoked. One that doesn't open can't be
/// compared, and has to be replaced.
fn forgotten(old: &Organization, new: &Organization, (kind, id, at): (KeyKind, &str, Moment)) -> Option<Problem> {
    let (field, was) = material(old, kind, id).filter(|(_, was)| !matches!(was, Secret::Stored(_)))?;
    if material(new, kind, id).is_some_and(|(_, is)| is == was) {
        return None;
    }
    let message = format!(
        "the key was revoked at {}, and the file has another in its place: what was revoked would be forgotten, and could come back \
         under another id. Leave there what was revoked, as `attrsync settings export` does, and give a new one an id of its own; if it \
         shall be forgotten all the same, say --unrevoke {} to apply",
        at.0,
        named(&old.slug, id)
    );
    Some(Problem::at(&Place::organization(&old.slug).field(kind.list()).entry(id).field(field), message))
}

/// A key that was revoked in an archived organization, and would not be in the one that a file makes anew of it. One that the file
/// leaves out is no key of the new one.
pub(super) fn come_back<'o>(new: &Organization, key: (KeyKind, &'o str, Moment)) -> Option<(&'o str, Problem)> {
    let (kind, id, revoked) = key;
    match said(new, kind, id, revoked)? {
        Said::LeftOut => None,
        Said::Otherwise(said) => Some((id, problem(&new.slug, key, said))),
    }
}

/// What a file says of a key that is revoked, where it doesn't say that.
enum Said {
    LeftOut,
    Otherwise(&'static str),
}

fn said(new: &Organization, kind: KeyKind, id: &str, Moment(at): Moment) -> Option<Said> {
    let there = keys(new).find(|(other, key, _)| (*other, *key) == (kind, id));
    match there.map(|(.., revoked)| revoked) {
        Some(Some(Moment(now))) if now <= at => None,
        Some(Some(_)) => Some(Said::Otherwise("says a later time")),
        Some(None) => Some(Said::Otherwise("doesn't say so")),
        None => Some(Said::LeftOut),
    }
}

fn problem(slug: &str, (kind, id, Moment(at)): (KeyKind, &str, Moment), said: &str) -> Problem {
    let key = named(slug, id);
    let message = format!(
        "it was revoked at {at}, and the file {said}: what is revoked is never honoured again. Give it `revoked_at = {at}` there, \
         as `attrsync settings export` does; if it shall be honoured again all the same, say --unrevoke {key} to apply"
    );
    Problem::at(&Place::organization(slug).field(kind.list()).entry(id).field("revoked_at"), message)
}

/// A key as `--unrevoke` names it.
fn named(slug: &str, id: &str) -> String {
    format!("{}:{}", slug.escape_debug(), id.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file::parse;

    /// An organization with a key and an identity secret of one id, and what else is said of each.
    fn organization(key: &str, secret: &str) -> Organization {
        let text = format!(
            "[[organizations]]\nslug = \"acme\"\n[[organizations.jwt_keys]]\nid = \"k\"\nalgorithm = \"HS256\"\nsecret = \"s\"\n{key}\n\
             [[organizations.identity_secrets]]\nid = \"k\"\nsecret = \"t\"\n{secret}\n"
        );
        parse(&text).unwrap().document.organizations.remove(0)
    }

    fn told(old: &Organization, new: &Organization) -> Vec<String> {
        no_longer(old, new).iter().map(|(_, problem)| problem.to_string()).collect()
    }

    const REVOKED: &str = "revoked_at = 2026-11-22T10:00:00Z";

    #[test]
    fn a_revocation_that_is_missing_or_later_is_told_with_the_way_out() {
        let old = organization(REVOKED, "");
        let without = Organization { jwt_keys: Vec::new(), ..organization("", "") };
        for (new, said) in [
            (organization("", REVOKED), "doesn't say so"),
            (organization("revoked_at = 2026-11-22T10:00:01Z", ""), "says a later time"),
            (without, "leaves it out"),
        ] {
            let told = told(&old, &new);
            assert_eq!(told.len(), 1, "{told:?}");
            for part in [
                "organization acme: jwt_keys[k].revoked_at: it was revoked at 2026-11-22T10:00:00.000Z",
                said,
                "`revoked_at = 2026-11-22T10:00:00.000Z`",
                "--unrevoke acme:k",
            ] {
                assert!(told[0].contains(part), "{part}: {told:?}");
            }
        }
        let told = told(&organization("", REVOKED), &organization(REVOKED, ""));
        assert!(told.len() == 1 && told[0].contains("identity_secrets[k]"), "{told:?}");
    }

    #[test]
    fn what_was_revoked_is_not_forgotten_by_another_secret_in_its_place() {
        let old = organization(REVOKED, REVOKED);
        let public = "PEM".to_owned();
        let mut replaced: [Organization; 3] = [(); 3].map(|()| old.clone());
        replaced[0].jwt_keys[0].secret = Some(Secret::Text("placeholder".to_owned()));
        (replaced[1].jwt_keys[0].secret, replaced[1].jwt_keys[0].public_key) = (None, Some(Secret::Text(public)));
        replaced[2].identity_secrets[0].secret = Secret::Base64(vec![1]);
        for (new, place) in
            replaced.iter().zip(["jwt_keys[k].secret", "jwt_keys[k].secret", "identity_secrets[k].secret"])
        {
            let told = told(&old, new);
            assert!(told.len() == 1 && told[0].starts_with(&format!("organization acme: {place}: ")), "{told:?}");
            assert!(told[0].contains("--unrevoke acme:k") && !told[0].contains("placeholder"), "{told:?}");
        }
        let [_, with_public, _] = &replaced;
        assert!(told(with_public, &old)[0].contains("jwt_keys[k].public_key: "), "a public key, too");
        // What doesn't open any more has to be replaced by whatever it was.
        let mut lost = old.clone();
        lost.jwt_keys[0].secret = Some(Secret::Stored(true));
        assert_eq!(told(&lost, &old), [] as [String; 0]);
        // Of a key that is honoured it is a rotation.
        let honoured = organization("", "");
        let rotated = Organization { jwt_keys: replaced[0].jwt_keys.clone(), ..honoured.clone() };
        assert_eq!(told(&honoured, &rotated), [] as [String; 0]);
    }

    #[test]
    fn a_key_that_was_revoked_in_an_archived_organization_does_not_come_back_with_it() {
        let revoked = (KeyKind::Jwt, "k", Moment(crate::domain::EventTime::parse("2026-11-22T10:00:00Z").unwrap()));
        let (id, problem) = come_back(&organization("", ""), revoked).unwrap();
        assert!(id == "k" && problem.to_string().contains("--unrevoke acme:k"), "{problem}");
        assert_eq!(come_back(&organization(REVOKED, ""), revoked), None);
        let without = Organization { jwt_keys: Vec::new(), ..organization("", "") };
        assert_eq!(come_back(&without, revoked), None, "it is another one");
    }

    #[test]
    fn a_revocation_that_stays_or_is_new_or_earlier_is_nobodys_business() {
        for (old, new) in [
            (organization(REVOKED, REVOKED), organization(REVOKED, REVOKED)),
            (organization(REVOKED, ""), organization("revoked_at = 2026-11-22T09:00:00Z", "")),
            (organization("", ""), organization(REVOKED, REVOKED)),
            (organization("retired_at = 2026-11-22T10:00:00Z", ""), organization("", "")),
        ] {
            assert_eq!(told(&old, &new), [] as [String; 0]);
        }
    }
}
