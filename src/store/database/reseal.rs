//! Secrets from one master key to another. Each batch is a transaction of its own, and what is sealed anew is no longer looked
//! for: one that was interrupted is taken up by running it again. Workers go on; what they opened stays open. Whether any is
//! left under another master key is asked at the end: one that somebody held, or added meanwhile, was passed over.

use serde::Serialize;
use sqlx::{query, query_as};

use super::{Database, DatabaseError, SILENCE};
use crate::store::seal::{MasterKeys, Whose};

/// What was sealed anew.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Resealed {
    /// Secrets sealed under the new master key.
    pub resealed: u64,
    /// Secrets that didn't open, by organization and key, and why.
    pub problems: Vec<String>,
    /// Secrets of keys there are that are sealed under another master key still, those that didn't open among them.
    pub left: u64,
    /// The same of secrets that only history needs: of keys that are gone, and of organizations that are archived.
    pub left_in_history: u64,
}

type Row = (i64, i64, String, String, String, String, Vec<u8>);

impl Resealed {
    /// Whether nothing of what judges needs another master key, and history nothing that could be sealed anew by running it again.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.left == 0 && self.left_in_history <= self.problems.len() as u64
    }
}

impl Database {
    /// Seals every secret anew that is sealed under another master key than the one that seals, so many at a time. `done` hears
    /// of each batch.
    ///
    /// # Errors
    /// When the database can't be asked.
    pub async fn reseal(
        &mut self,
        master_keys: &MasterKeys,
        batch: i64,
        mut done: impl FnMut(u64),
    ) -> Result<Resealed, DatabaseError> {
        let (mut all, mut last) = (Resealed::default(), 0);
        if master_keys.sealing().is_empty() {
            return Err(DatabaseError::Refused(
                "there is no master key to seal with; name one in settings.master_keys".to_owned(),
            ));
        }
        loop {
            let failed = self.failed("secrets can't be sealed anew");
            query("begin isolation level read committed").execute(&mut self.connection).await.map_err(&failed)?;
            let silence = query("select set_config('idle_in_transaction_session_timeout', $1, true)").bind(SILENCE);
            silence.execute(&mut self.connection).await.map_err(&failed)?;
            let resealed = self.reseal_batch(master_keys, (last, batch), &mut all).await;
            let ended = if resealed.is_ok() { "commit" } else { "rollback" };
            query(ended).execute(&mut self.connection).await.map_err(&failed)?;
            match resealed? {
                Some(reached) => last = reached,
                None => break,
            }
            done(all.resealed);
        }
        (all.left, all.left_in_history) = self.sealed_otherwise(master_keys).await?;
        Ok(all)
    }

    /// How many secrets are sealed under another master key than the one that seals: of keys there are, and of history alone.
    async fn sealed_otherwise(&mut self, master_keys: &MasterKeys) -> Result<(u64, u64), DatabaseError> {
        let failed = self.failed("what is left to be sealed anew can't be counted");
        let sql = "
            select count(*), count(*) filter (where not exists (
                select from attrsync.keys k join attrsync.organizations o on o.id = k.organization_id
                where k.organization_id = s.organization_id and k.secret_id = s.id and o.archived_at is null))
            from attrsync.secrets s where s.master_key <> $1";
        let counted = query_as(sql).bind(master_keys.sealing()).fetch_one(&mut self.connection).await;
        let (all, history): (i64, i64) = counted.map_err(failed)?;
        Ok((all.abs_diff(history), history.unsigned_abs()))
    }

    /// One batch, after this secret; the last one of it, while there are any.
    async fn reseal_batch(
        &mut self,
        master_keys: &MasterKeys,
        (after, batch): (i64, i64),
        all: &mut Resealed,
    ) -> Result<Option<i64>, DatabaseError> {
        let failed = self.failed("secrets can't be sealed anew");
        let sql = "
            select s.id, s.organization_id, o.slug, s.kind, s.key, s.master_key, s.sealed
            from attrsync.secrets s join attrsync.organizations o on o.id = s.organization_id
            where s.id > $1 and s.master_key <> $2 order by s.id limit $3 for update of s skip locked";
        let rows: Vec<Row> = query_as(sql)
            .bind(after)
            .bind(master_keys.sealing())
            .bind(batch)
            .fetch_all(&mut self.connection)
            .await
            .map_err(&failed)?;
        let Some(reached) = rows.last().map(|row| row.0) else { return Ok(None) };
        for (secret, organization, slug, kind, key, master_key, sealed) in &rows {
            let whose = Whose { organization: *organization, kind, key, secret: *secret };
            match master_keys.open(&whose, sealed, master_key).and_then(|bytes| master_keys.seal(&whose, &bytes)) {
                Ok(anew) => {
                    query("update attrsync.secrets set sealed = $2, master_key = $3 where id = $1")
                        .bind(secret)
                        .bind(anew.bytes)
                        .bind(anew.master_key)
                        .execute(&mut self.connection)
                        .await
                        .map_err(&failed)?;
                    all.resealed += 1;
                }
                Err(message) => all.problems.push(format!(
                    "organization {}: {kind} key {}: {message}",
                    slug.escape_debug(),
                    key.escape_debug()
                )),
            }
        }
        Ok(Some(reached))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_history_needs_and_does_not_open_does_not_keep_a_rotation_from_its_end() {
        let resealed = |problems: usize, left, left_in_history| {
            let problems = vec![String::from("does not open"); problems];
            Resealed { resealed: 0, problems, left, left_in_history }.is_done()
        };
        assert!(resealed(0, 0, 0) && resealed(1, 0, 1));
        assert!(!resealed(1, 1, 0) && !resealed(1, 0, 2) && !resealed(0, 0, 1), "one that somebody held");
    }
}
