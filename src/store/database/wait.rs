//! Waiting for a database: as long as an answer may take, and on a thread that has nothing else to do.

use std::{io, time::Duration};

use super::DatabaseError;

/// How long a small question may take.
pub(super) const ANSWER: Duration = Duration::from_secs(5);
/// How long a slice of organizations may take.
pub(super) const SLICE_ANSWER: Duration = Duration::from_secs(30);

/// A connection whose other end is gone without a word would else be waited for.
pub(super) async fn within<T>(limit: Duration, asked: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(limit, asked).await.unwrap_or_else(|_| {
        let silence = format!("no answer within {} s", limit.as_secs());
        Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, silence)))
    })
}

/// Runs to the end on this thread.
pub(super) fn block_on<T>(future: impl Future<Output = Result<T, DatabaseError>>) -> Result<T, DatabaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let failed = |error: io::Error| DatabaseError::Failed {
        doing: "the system refuses what it takes to connect",
        reason: error.to_string(),
    };
    let runtime = runtime.map_err(failed)?;
    let done = runtime.block_on(future);
    // The name of a server that is still looked up is waited for by nobody.
    runtime.shutdown_background();
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_without_an_answer_says_how_long_it_waited() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let asked = within(Duration::from_secs(1), std::future::pending::<sqlx::Result<()>>());
        let error = runtime.block_on(asked).unwrap_err();
        assert_eq!(super::super::told(&error), "no answer within 1 s");
    }
}
