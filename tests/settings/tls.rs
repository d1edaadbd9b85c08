//! Settings over TLS: whose certificate the server shows is looked at before it is told anything.

use attrsync::store::{Address, Database};

use crate::kit::{Base, block_on, eventually};

/// Who signed the server's certificate. Of somebody's own server nobody knows, and these tests are left out.
fn authority() -> Option<String> {
    let named = std::env::var("ATTRSYNC_TEST_POSTGRES_AUTHORITY");
    Some(named.expect("eval \"$(scripts/services env postgres)\" sets it")).filter(|authority| !authority.is_empty())
}

#[test]
fn a_server_whose_certificate_its_authority_signed_is_spoken_to_over_tls() {
    let Some(authority) = authority() else { return };
    let base = Base::new("tls");
    let url = format!("{}?sslmode=verify-full&sslrootcert={authority}", base.url);
    let database = block_on(Database::connect(&Address::new(&url).unwrap())).unwrap();
    // The connection that made the tables may take a moment to be gone.
    eventually("the only one is encrypted", || {
        base.value::<bool>(
            "select count(*) = 1 and bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid) \
             where application_name = 'attrsync' and datname = current_database()",
        )
    });
    block_on(database.close());
}

#[test]
fn a_server_that_is_not_known_is_told_nothing_and_the_way_out_is_named() {
    if authority().is_none() {
        return;
    }
    let base = Base::new("tls_stranger");
    for (query, why) in [("", "sslrootcert=FILE"), ("&sslrootcert=/nowhere/ca.pem", "isn't there")] {
        let url = format!("{}?sslmode=verify-full{query}", base.url);
        let mut status = base.command(&["migrate", "status"]);
        let told = status.env("ATTRSYNC__SETTINGS__SOURCE", url).output().unwrap();
        let error = String::from_utf8_lossy(&told.stderr);
        assert!(told.status.code() == Some(1) && error.contains(why), "{error}");
        assert!(!error.contains("attrsync:attrsync"), "{error}");
    }
}
