//! A database of made-up organizations. The rows are written as an administrator's would be, secrets sealed, but without the
//! history of each: that is no part of what is measured.

use std::collections::BTreeMap;

use attrsync::store::{Address, Database, MasterKeys};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Attributes that each organization has configured.
pub(crate) const ATTRIBUTES: usize = 20;
const SLICE: usize = 2000;

/// A database that is there as long as this.
pub(crate) struct Fleet {
    pub(crate) url: String,
    pub(crate) organizations: usize,
    name: String,
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub(crate) fn master_keys() -> MasterKeys {
    let key = "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE=".to_owned();
    MasterKeys::new(&BTreeMap::from([("m".to_owned(), key)]), "").unwrap()
}

fn server() -> String {
    std::env::var("ATTRSYNC_TEST_POSTGRES")
        .expect("scripts/services up postgres && eval \"$(scripts/services env postgres)\"")
}

/// The secret of an organization's key.
pub(crate) fn secret(organization: usize, key: &str) -> String {
    format!("a secret of organization {organization}, its key {key}")
}

/// An organization's slug; numbers begin at 1.
pub(crate) fn slug(organization: usize) -> String {
    format!("organization-{organization}")
}

impl Fleet {
    pub(crate) fn new(organizations: usize) -> Self {
        let name = format!("bench_settings_{organizations}_{}", std::process::id());
        let url = format!("{}/{name}", server().rsplit_once('/').unwrap().0);
        block_on(async {
            run(&server(), &format!("create database {name}")).await;
            Database::connect(&Address::new(&url).unwrap()).await.unwrap().migrate().await.unwrap();
            fill(&url, organizations).await;
        });
        Self { url, organizations, name }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        block_on(run(&server(), &format!("drop database {} with (force)", self.name)));
    }
}

async fn run(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
}

async fn fill(url: &str, organizations: usize) {
    run(
        url,
        &format!(
            "set session_replication_role = replica;
             insert into attrsync.organizations (slug, app_id)
             select 'organization-' || n, lpad(to_hex(n), 24, '0') from generate_series(1, {organizations}) n;
             insert into attrsync.attributes (organization_id, owner, name, type, max_chars, locked)
             select n, 'user', 'attribute_' || (n * 7919 + a * 23) % 500, case a % 4 when 0 then 'number' when 1 then 'boolean' else 'text' end,
                    case when a % 4 > 1 then 255 end, a % 3 = 0
             from generate_series(1, {organizations}) n, generate_series(1, {ATTRIBUTES}) a;
             insert into attrsync.versions select n, 1 from generate_series(1, {organizations}) n;
             insert into attrsync.revisions values (1, now(), pg_current_xact_id(), 'bench', 'bench', 'filled');"
        ),
    )
    .await;
    fill_keys(url, organizations).await;
    run(url, "analyze").await;
}

/// Two keys for each organization, their secrets sealed.
async fn fill_keys(url: &str, organizations: usize) {
    let (keys, mut connection) = (master_keys(), PgConnection::connect(url).await.unwrap());
    sqlx::query("set session_replication_role = replica").execute(&mut connection).await.unwrap();
    let all: Vec<_> = (1..=organizations).collect();
    for slice in all.chunks(SLICE) {
        let ids: Vec<_> = slice.iter().map(|organization| i64::try_from(*organization).unwrap()).collect();
        for (kind, odd) in [("jwt", 0), ("identity", 1)] {
            let seal = |organization: &usize| {
                let id = i64::try_from(*organization).unwrap();
                keys.seal_for((id, kind, "main", 2 * id + odd), secret(*organization, kind).as_bytes()).unwrap()
            };
            sqlx::query(
                "insert into attrsync.secrets (id, organization_id, kind, key, sealed, master_key)
                 select 2 * id + $3, id, $4, 'main', sealed, 'm' from unnest($1::bigint[], $2::bytea[]) as s(id, sealed)",
            )
            .bind(&ids)
            .bind(slice.iter().map(seal).collect::<Vec<_>>())
            .bind(odd)
            .bind(kind)
            .execute(&mut connection)
            .await
            .unwrap();
        }
        sqlx::query(
            "insert into attrsync.keys (organization_id, kind, id, algorithm, secret_id)
             select organization_id, kind, key, 'HS256', id from attrsync.secrets where organization_id = any($1)",
        )
        .bind(&ids)
        .execute(&mut connection)
        .await
        .unwrap();
    }
}
