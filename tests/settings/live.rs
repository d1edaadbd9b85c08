//! Settings that a worker follows: changes come by themselves, whatever happens to the connection, and what can't be used is
//! set apart.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use attrsync::{
    domain::{EventTime, Policy},
    store::{EXAMPLE, Reload, Settings, Source, Watch},
};

use crate::{
    kit::{Base, MASTER, OTHER_MASTER, eventually, master_keys},
    proxy::Proxy,
};

/// Settings that follow a database, through a proxy that can be cut.
struct Followed {
    settings: Arc<Settings>,
    told: Arc<Mutex<Vec<String>>>,
    _watch: Watch,
}

/// Looks so seldom that whatever is seen sooner was told by the database.
const SELDOM: Duration = Duration::from_secs(3600);
const OFTEN: Duration = Duration::from_millis(50);

fn follow(base: &Base, every: Duration, change: impl FnOnce(&mut attrsync::store::DatabaseSource)) -> Followed {
    let mut source = base.source(master_keys(&[("m", MASTER)]));
    change(&mut source);
    let settings = Arc::new(Settings::load(Source::Database(source), Policy::default()).unwrap());
    let told = Arc::<Mutex<Vec<String>>>::default();
    let tell = Arc::clone(&told);
    let watch = settings.watch(every, move |reload| {
        if let Reload::Applied { changes, .. } = reload {
            tell.lock().unwrap().extend(changes.clone());
        }
    });
    Followed { _watch: watch.unwrap(), settings, told }
}

fn through(proxy: &Proxy, base: &Base) -> attrsync::store::Address {
    attrsync::store::Address::new(&proxy.url(&base.url)).unwrap()
}

impl Followed {
    fn knows(&self, slug: &str) -> bool {
        self.settings.current().by_slug(slug).is_some()
    }

    /// Waits until the connection that hears of changes is there: a first change may come before it.
    fn hears(&self, base: &Base) {
        eventually("a worker listens", || {
            base.value::<i64>(
                "select count(*) from pg_stat_activity where datname = current_database() and query like 'LISTEN%'",
            ) > 0
        });
    }
}

fn add(base: &Base, slug: &str) {
    base.sql(&format!("insert into attrsync.organizations (slug) values ('{slug}')")).unwrap();
}

#[test]
fn the_database_tells_of_a_change_and_one_organization_is_read() {
    let base = Base::new("live_tells");
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    let followed = follow(&base, SELDOM, |_| ());
    followed.hears(&base);
    let before = followed.settings.current();
    // Told, and not found by a look: the next one would come after an hour.
    base.sql("update attrsync.keys set revoked_at = now() where id = '2025-06'").unwrap();
    eventually("the key is revoked", || {
        followed
            .settings
            .current()
            .by_slug("acme")
            .unwrap()
            .jwt_keys
            .iter()
            .any(|key| key.id.as_str() == "2025-06" && key.validity.revoked)
    });
    eventually("it is told", || *followed.told.lock().unwrap() == ["organization acme changed"]);
    let after = followed.settings.current();
    assert_ne!(before.version(), after.version());
    let globex = |snapshot: &attrsync::domain::Snapshot| std::ptr::from_ref(snapshot.by_slug("globex").unwrap());
    assert_eq!(globex(&before), globex(&after), "what did not change is the same");
    // Every process gives the same settings the same number.
    assert_eq!(base.load(master_keys(&[("m", MASTER)])).unwrap().current().version(), after.version());
}

#[test]
fn organizations_come_go_change_their_names_and_swap_them() {
    let base = Base::new("live_names");
    let followed = follow(&base, OFTEN, |_| ());
    base.sql("insert into attrsync.organizations (slug, app_id) values ('a', '1'), ('b', '2')").unwrap();
    eventually("both are there", || followed.knows("a") && followed.knows("b"));
    base.sql(
        "begin; update attrsync.organizations set slug = 'x', app_id = 'x' where id = 1;
         update attrsync.organizations set slug = 'a', app_id = '1' where id = 2;
         update attrsync.organizations set slug = 'b', app_id = '2', membership_locked = false where id = 1; commit;",
    )
    .unwrap();
    eventually("the names are swapped", || {
        let current = followed.settings.current();
        let locked = |slug| current.by_slug(slug).is_some_and(|organization| organization.membership_locked);
        let by_app_id =
            |id, slug: &str| current.by_app_id(id).is_some_and(|organization| organization.slug.as_str() == slug);
        locked("a") && !locked("b") && by_app_id("1", "a") && by_app_id("2", "b") && current.len() == 2
    });
    base.sql("update attrsync.organizations set archived_at = now() where slug = 'a'").unwrap();
    eventually("one is archived", || !followed.knows("a") && followed.settings.current().by_app_id("1").is_none());
}

#[test]
fn an_organization_that_was_read_again_as_it_was_can_still_go() {
    let base = Base::new("live_again");
    add(&base, "acme");
    let followed = follow(&base, OFTEN, |_| ());
    let held = || followed.settings.current().by_slug("acme").map(std::ptr::from_ref).map(<*const _>::addr);
    let before = held();
    assert!(before.is_some());
    base.sql(
        "begin; update attrsync.organizations set membership_locked = false;
         update attrsync.organizations set membership_locked = true; commit;",
    )
    .unwrap();
    eventually("what was read last judges", || held() != before);
    assert_eq!(*followed.told.lock().unwrap(), [""; 0], "which is nothing to tell");
    base.sql("update attrsync.organizations set archived_at = now()").unwrap();
    eventually("it is archived", || !followed.knows("acme"));
}

#[test]
fn a_cut_connection_loses_no_change() {
    let base = Base::new("live_cut");
    let followed = follow(&base, OFTEN, |_| ());
    for round in 0..5 {
        base.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'attrsync' and datname = current_database()")
            .unwrap();
        add(&base, &format!("o{round}"));
        eventually("the change is seen", || followed.knows(&format!("o{round}")));
    }
    // What a look has found is there a moment before the look has ended.
    eventually("the database is in reach", || followed.settings.out_of_reach_for().is_none());
}

#[test]
fn a_database_out_of_reach_is_told_and_its_settings_hold_for_a_while_only() {
    let base = Base::new("live_away");
    add(&base, "acme");
    let proxy = Proxy::to(&base.url);
    let followed = follow(&base, OFTEN, |source| {
        source.address = through(&proxy, &base);
        source.max_staleness = Duration::from_secs(2);
    });
    eventually("they are fresh", || followed.settings.fresh_for() > Duration::ZERO);
    proxy.cut();
    eventually("it is told", || followed.settings.out_of_reach_for().is_some());
    assert!(followed.knows("acme"), "those that were read judge on");
    eventually("they are stale", || followed.settings.fresh_for().is_zero());
    add(&base, "meanwhile");
    proxy.mend();
    eventually("they are fresh and up to date", || {
        let settings = &followed.settings;
        !settings.fresh_for().is_zero() && followed.knows("meanwhile") && settings.out_of_reach_for().is_none()
    });
    // A failover: connections are cut, and whoever comes again is led elsewhere.
    let port = base.url.rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap();
    proxy.move_to(port);
    add(&base, "afterwards");
    eventually("a change after it is seen", || followed.knows("afterwards"));
}

#[test]
fn another_history_is_noticed_and_everything_is_read_anew() {
    let (one, other) = (Base::new("history_one"), Base::new("history_other"));
    let proxy = Proxy::to(&one.url);
    for (base, slugs) in [(&one, ["a", "b", "c"]), (&other, ["a", "x", "y"])] {
        slugs.iter().for_each(|slug| add(base, slug));
    }
    // A copy under the same name that had not heard of everything: equal numbers, other content.
    let followed = follow(&one, OFTEN, |source| source.address = through(&proxy, &one));
    assert!(followed.knows("c"));
    proxy.rename(one.url.rsplit_once('/').unwrap().1, other.url.rsplit_once('/').unwrap().1);
    eventually("the other content is there", || followed.knows("x") && followed.knows("y") && !followed.knows("c"));
    assert_eq!(followed.settings.current().len(), 3);
}

#[test]
fn an_organization_that_can_not_be_used_is_set_apart_and_comes_back_once_it_is_mended() {
    let base = Base::new("live_unusable");
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    let followed = follow(&base, OFTEN, |_| ());
    base.sql(
        "update attrsync.secrets set sealed = set_bit(sealed, 100, 1 - get_bit(sealed, 100)) where organization_id = 1",
    )
    .unwrap();
    // Resealing or breaking a seal is no change; the next change of the organization finds it.
    base.sql("update attrsync.organizations set membership_locked = false where id = 1").unwrap();
    eventually("acme is set apart", || {
        let current = followed.settings.current();
        current.by_slug("acme").is_none() && current.unusable().slugs.contains("acme")
    });
    assert!(followed.settings.current().unusable().app_ids.contains("65f1c0de65f1c0de65f1c0de"));
    assert!(followed.knows("globex"), "all others go on");
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    eventually("acme is back", || followed.knows("acme") && followed.settings.current().unusable().slugs.is_empty());
}

#[test]
fn a_secret_that_is_mended_or_sealed_anew_counts_without_a_change_of_settings() {
    let base = Base::new("live_mended");
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    let followed = follow(&base, OFTEN, |_| ());
    let flip =
        "update attrsync.secrets set sealed = set_bit(sealed, 100, 1 - get_bit(sealed, 100)) where organization_id = 1";
    let change = "update attrsync.organizations set membership_locked = not membership_locked";
    base.sql(&format!("begin; {flip}; {change}; commit")).unwrap();
    eventually("acme is set apart", || !followed.knows("acme") && followed.knows("globex"));
    base.sql(flip).unwrap();
    eventually("acme is back", || followed.knows("acme"));
    // Under a master key that this worker doesn't have, and back.
    let (there, back) = ([("m", MASTER), ("n", OTHER_MASTER)], [("n", OTHER_MASTER), ("m", MASTER)]);
    let reseal = |keys: &[(&str, &str)]| {
        crate::kit::block_on(async { base.connect().await.reseal(&master_keys(keys), 9, |_| ()).await })
    };
    reseal(&there).unwrap();
    base.sql(change).unwrap();
    eventually("both are set apart", || !followed.knows("acme") && !followed.knows("globex"));
    let before = base.value::<i64>("select max(number) from attrsync.revisions");
    reseal(&back).unwrap();
    eventually("both are back", || followed.knows("acme") && followed.knows("globex"));
    assert_eq!(base.value::<i64>("select max(number) from attrsync.revisions"), before);
}

#[test]
fn a_worker_that_can_not_be_told_of_changes_finds_them_by_looking() {
    let base = Base::new("live_deaf");
    add(&base, "acme");
    let user = format!("live_deaf_{}", std::process::id());
    base.sql(&format!(
        "create role {user} login password 'p' connection limit 1;
         grant usage on schema attrsync to {user}; grant select on all tables in schema attrsync to {user}"
    ))
    .unwrap();
    // The one connection asks; there is none to listen by.
    let address = attrsync::store::Address::new(&base.as_user(&user, "p")).unwrap();
    let followed = follow(&base, OFTEN, |source| source.address = address);
    for slug in ["one", "two"] {
        add(&base, slug);
        eventually("the change is seen", || followed.knows(slug));
    }
    eventually("the database is in reach", || followed.settings.out_of_reach_for().is_none());
    drop(followed);
    base.sql(&format!("drop owned by {user}; drop role {user}")).unwrap();
}

#[test]
fn a_connection_that_listens_and_is_lost_is_made_anew_and_what_it_missed_is_found() {
    let base = Base::new("live_lost");
    let followed = follow(&base, SELDOM, |_| ());
    followed.hears(&base);
    base.sql(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and query like 'LISTEN%'",
    )
    .unwrap();
    add(&base, "missed");
    eventually("what was missed is found", || followed.knows("missed"));
    followed.hears(&base);
    add(&base, "told");
    eventually("it is told again", || followed.knows("told"));
}

#[test]
fn a_row_that_breaks_a_rule_sets_its_organization_apart() {
    let base = Base::new("live_rule");
    base.sql("insert into attrsync.organizations (slug) values ('acme'), ('beta')").unwrap();
    base.sql("insert into attrsync.attributes (organization_id, owner, name, type, locked) values (1, 'user', 'userHash', 'text', true)").unwrap();
    let settings = base.load(master_keys(&[])).unwrap();
    assert!(settings.current().unusable().slugs.contains("acme"));
    assert!(settings.current().by_slug("beta").is_some());
}

#[test]
fn a_time_that_is_none_is_the_last_or_the_first_there_is_and_keeps_nobody_from_reading() {
    let base = Base::new("live_times");
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    // As it may have come in before the tables refused it.
    base.sql("alter table attrsync.keys drop constraint times_are_of_the_years_1_to_9999").unwrap();
    for (at, since, until) in [
        ("current_date", "'-infinity'", "'infinity'"),
        ("'-infinity'", "'4713-01-01 00:00:00+00 BC'", "'294276-12-31 00:00:00+00'"),
        ("'infinity'", "null", "'infinity'"),
    ] {
        let set = format!("set valid_from = {since}, retired_at = {until}, revoked_at = {at}");
        base.sql(&format!("update attrsync.keys {set} where organization_id = 1 and id = '2025-06'")).unwrap();
        let settings = base.load(master_keys(&[("m", MASTER)])).unwrap();
        let snapshot = settings.current();
        let acme = snapshot.by_slug("acme").expect("it can be used");
        assert!(snapshot.by_slug("globex").is_some());
        let key = acme.jwt_keys.iter().find(|key| &*key.id == "2025-06").unwrap();
        assert!(key.validity.revoked, "whenever that was: {set}");
        let [first, last] = [i64::MIN, i64::MAX].map(EventTime::from_millis);
        assert_eq!(key.validity.retired, Some(last), "{set}");
        assert!(key.validity.from.is_none_or(|from| from == first), "{set}");
        let exported = base.attrsync(&["settings", "export"]).well();
        assert!(exported.contains("9999-12-31T23:59:59.999Z"), "{exported}");
        assert_eq!(base.attrsync(&["settings", "key", "list", "globex"]).code, Some(0));
    }
}

#[test]
fn an_organization_that_is_not_there_is_looked_for_once_more_and_a_flood_of_them_costs_little() {
    let base = Base::new("live_look");
    add(&base, "acme");
    let followed = follow(&base, SELDOM, |_| ());
    followed.hears(&base);
    // Without its word the database can't tell; only a look finds it.
    base.sql("begin; insert into attrsync.organizations (slug) values ('new'); commit;").unwrap();
    let judging = attrsync::domain::Snapshot::default();
    // Each waits for a moment only, which on a busy machine may be over before the database has answered.
    eventually("a look finds it", || {
        followed.settings.look_again(&judging).is_some_and(|newer| newer.by_slug("new").is_some())
    });
    // It is their number that costs: each may wait for the database, and no more of the time than a share goes into that.
    let looks = (0..10_000).filter(|_| followed.settings.look_again(&judging).is_some()).count();
    assert!(looks < 500, "{looks} looks");
}

#[test]
fn resealing_under_a_worker_changes_nothing_for_it() {
    let base = Base::new("live_reseal");
    base.apply(EXAMPLE, &master_keys(&[("m", MASTER)]));
    let both = || master_keys(&[("m", MASTER), ("n", OTHER_MASTER)]);
    let followed = follow(&base, OFTEN, |source| source.master_keys = Arc::new(both()));
    let before = followed.settings.current().version();
    crate::kit::block_on(async { base.connect().await.reseal(&both(), 1, |_| ()).await.unwrap() });
    base.sql("insert into attrsync.organizations (slug) values ('mark')").unwrap();
    eventually("a later change is seen", || followed.knows("mark"));
    base.sql("update attrsync.organizations set archived_at = now() where slug = 'mark'").unwrap();
    eventually("and another", || followed.settings.current().version() == before);
}
