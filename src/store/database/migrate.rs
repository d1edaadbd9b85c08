//! The tables' own history. Migrations only go forward and stand in the binary; one that was applied never changes.

use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
    query, query_scalar,
};

use super::{Database, DatabaseError};

/// Every migration: its number, what it is about, and its SQL.
const MIGRATIONS: [(i64, &str, &str); 3] = [
    (1, "settings", include_str!("../../../migrations/0001_settings.sql")),
    (2, "history", include_str!("../../../migrations/0002_history.sql")),
    (3, "guards", include_str!("../../../migrations/0003_guards.sql")),
];

/// The roles, for a database administrator to make.
pub const ROLES: &str = include_str!("../../../migrations/roles.sql");

/// What each role may do, granted anew after the migrations.
const GRANTS: &str = include_str!("../../../migrations/grants.sql");

/// Beside the tables that it tells of.
const TABLE: &str = "attrsync.migrations";

/// A migration, and when it was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Its number.
    pub number: i64,
    /// What it is about.
    pub name: String,
    /// When it was applied, if it was.
    pub applied_at: Option<String>,
}

impl Database {
    /// Every migration that this program knows.
    ///
    /// # Errors
    /// When the database can't be asked.
    pub async fn migrations(&mut self) -> Result<Vec<MigrationStatus>, DatabaseError> {
        let failed = self.failed("the migrations can't be read");
        let there: bool = query_scalar("select to_regclass('attrsync.migrations') is not null")
            .fetch_one(&mut self.connection)
            .await
            .map_err(&failed)?;
        let mut applied: Vec<(i64, String)> = Vec::new();
        if there {
            applied = sqlx::query_as(
                "select version, to_char(installed_on at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')
                 from attrsync.migrations where success order by version",
            )
            .fetch_all(&mut self.connection)
            .await
            .map_err(&failed)?;
        }
        let status = |(number, name, _): (i64, &str, &str)| MigrationStatus {
            number,
            name: name.to_owned(),
            applied_at: applied.iter().find(|(version, _)| *version == number).map(|(_, at)| at.clone()),
        };
        Ok(MIGRATIONS.into_iter().map(status).collect())
    }

    /// Applies what isn't applied yet, and says which that was. Of several processes at once one does it and the others wait.
    ///
    /// # Errors
    /// When the database can't be asked, one fails, or the tables are newer than this program.
    pub async fn migrate(&mut self) -> Result<Vec<MigrationStatus>, DatabaseError> {
        let failed = self.failed("the tables can't be migrated");
        query("select pg_advisory_lock(hashtextextended('attrsync.migrate', 0))")
            .execute(&mut self.connection)
            .await
            .map_err(&failed)?;
        let migrated = self.migrate_alone().await;
        query("select pg_advisory_unlock(hashtextextended('attrsync.migrate', 0))")
            .execute(&mut self.connection)
            .await
            .map_err(&failed)?;
        migrated
    }

    async fn migrate_alone(&mut self) -> Result<Vec<MigrationStatus>, DatabaseError> {
        let failed = self.failed("the tables can't be migrated");
        let before = self.migrations().await?;
        // Asked first: whoever may not make a schema may not say `if not exists` either.
        let missing: bool = query_scalar("select to_regnamespace('attrsync') is null")
            .fetch_one(&mut self.connection)
            .await
            .map_err(&failed)?;
        if missing {
            query("create schema attrsync").execute(&mut self.connection).await.map_err(&failed)?;
        }
        migrator().run(&mut self.connection).await?;
        sqlx::raw_sql(GRANTS).execute(&mut self.connection).await.map_err(&failed)?;
        let after = self.migrations().await?;
        let new =
            |status: &MigrationStatus| before.iter().any(|old| old.number == status.number && old.applied_at.is_none());
        Ok(after.into_iter().filter(new).collect())
    }
}

fn migrator() -> Migrator {
    let migration = |(number, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(number, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations(MIGRATIONS.into_iter().map(migration).collect());
    migrator.dangerous_set_table_name(TABLE);
    migrator
}
