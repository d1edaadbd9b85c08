//! What was revoked stays revoked. Whoever is on call revokes a key in the database; a settings file that was written before
//! doesn't know of it, and the next time it is applied it would honour the key again, or take away the row by which the secret
//! is known under whatever id it comes back.

use crate::store::{
    document::Organization,
    moment::Moment,
    problem::{Place, Problem},
};

/// A key or an identity secret: in which list, its id, and when it was revoked.
type Key<'o> = (&'static str, &'o str, Option<Moment>);

fn keys(organization: &Organization) -> impl Iterator<Item = Key<'_>> {
    let jwt = organization.jwt_keys.iter().map(|key| ("jwt_keys", key.id.as_str(), key.revoked_at));
    let secrets = &organization.identity_secrets;
    jwt.chain(secrets.iter().map(|secret| ("identity_secrets", secret.id.as_str(), secret.revoked_at)))
}

/// What is revoked in an organization as it is and would not be any more, or only from a later time on: each by its id, and what
/// to do about it.
pub(super) fn no_longer<'o>(old: &'o Organization, new: &Organization) -> Vec<(&'o str, Problem)> {
    let place = Place::organization(&old.slug);
    let taken_back = keys(old).filter_map(|(list, id, revoked)| {
        let Moment(at) = revoked?;
        let there = keys(new).find(|(other, key, _)| (*other, *key) == (list, id));
        let said = match there.map(|(.., revoked)| revoked) {
            Some(Some(Moment(now))) if now <= at => return None,
            Some(Some(_)) => "says a later time",
            Some(None) => "doesn't say so",
            None => "leaves it out",
        };
        let key = format!("{}:{}", old.slug.escape_debug(), id.escape_debug());
        let message = format!(
            "it was revoked at {at}, and the file {said}: what is revoked is never honoured again. Give it `revoked_at = {at}` there, \
             as `attrsync settings export` does; if it shall be honoured again all the same, say --unrevoke {key} to apply"
        );
        let place = place.field(list).entry(id).field("revoked_at").to_string();
        Some((id, Problem { line: None, place, message }))
    });
    taken_back.collect()
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
