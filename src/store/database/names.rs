//! The names of all organizations, without anything else of them.

use sqlx::query_as;

use super::{Database, DatabaseError};

impl Database {
    /// Slug and app id of each organization that isn't archived, by slug.
    ///
    /// # Errors
    /// When the database can't be asked.
    pub async fn names(&mut self) -> Result<Vec<(String, Option<String>)>, DatabaseError> {
        let failed = self.failed("the settings can't be read");
        let sql =
            "select slug, app_id from attrsync.organizations where archived_at is null order by slug collate \"C\"";
        query_as(sql).fetch_all(&mut self.connection).await.map_err(failed)
    }
}
