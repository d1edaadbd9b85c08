//! Being told of changes by PostgreSQL (`notify`). It is nothing but a hint: what isn't told is found by looking. So whatever
//! keeps a worker from being told (a copy that is only read from, a pooler, a connection whose other end is gone without a word)
//! keeps it from nothing else.

use std::time::{Duration, Instant};

use sqlx::postgres::{PgListener, PgPoolOptions};

use super::{
    DatabaseError, DatabaseSource,
    wait::{ANSWER, within},
};

/// The channel that the tables' triggers notify.
const CHANNEL: &str = "attrsync_settings";
/// How often a connection is made anew, or tried once more. One whose other end is gone looks like one that has nothing to tell.
pub(super) const ANEW: Duration = Duration::from_secs(180);
/// A server that ends every such connection isn't asked for one all the time.
const BREATH: Duration = Duration::from_secs(1);

/// The connection that is told of changes, where there is one.
#[derive(Default)]
pub(super) struct Ears {
    listener: Option<PgListener>,
    /// When a connection was made, or tried, last.
    tried: Option<Instant>,
    /// How long after that the next is.
    pause: Duration,
    hearing: Hearing,
    /// Whether it is known that nothing is heard, which is told once.
    deaf: bool,
}

/// Whether what is found was told, too.
#[derive(Default)]
struct Hearing {
    /// The connection was made anew: what changed meanwhile was told to nobody.
    anew: bool,
    /// Something was told since the last look.
    heard: bool,
    /// When a change was found that wasn't told. That may come a moment later.
    missed: Option<Instant>,
    /// Whether it is known that changes aren't told, which is said once.
    in_vain: bool,
}

impl Hearing {
    /// Something was told; whether that is news.
    fn hear(&mut self) -> bool {
        (self.heard, self.missed) = (true, None);
        std::mem::take(&mut self.in_vain)
    }

    /// A look has ended; whether it is news that changes aren't told.
    fn is_in_vain(&mut self, changed: bool, now: Instant) -> bool {
        let told = std::mem::take(&mut self.anew) | std::mem::take(&mut self.heard);
        if told || self.in_vain {
            self.missed = None;
        } else if let Some(missed) = self.missed {
            self.in_vain = now.saturating_duration_since(missed) >= ANSWER;
            return self.in_vain;
        } else if changed {
            self.missed = Some(now);
        }
        false
    }
}

impl Ears {
    /// Listens, if it is time to. A look has to follow: it finds what nobody was told of in between.
    pub(super) async fn listen(&mut self, source: &DatabaseSource) {
        if self.tried.is_some_and(|tried| tried.elapsed() < self.pause) {
            return;
        }
        (self.tried, self.pause) = (Some(Instant::now()), ANEW);
        match listener(source).await {
            Ok(listener) => {
                if std::mem::take(&mut self.deaf) {
                    tracing::info!("PostgreSQL tells of changes again");
                }
                self.listener = Some(listener);
                self.hearing.anew = true;
            }
            // The one that is there goes on.
            Err(_) if self.listener.is_some() => {}
            Err(error) => {
                if !std::mem::replace(&mut self.deaf, true) {
                    tracing::warn!(%error, "PostgreSQL can't tell of changes; they are found by looking for them");
                }
            }
        }
    }

    /// Lets go of the connection: the server it belongs to is out of reach.
    pub(super) fn lose(&mut self) {
        (self.listener, self.pause) = (None, BREATH);
    }

    /// A look has ended, and found a change of the settings or none. Who listens and hears nothing of changes is told so, once: a
    /// transaction pooler accepts that somebody listens, and delivers nothing.
    pub(super) fn looked(&mut self, changed: bool) {
        if self.listener.is_some() && self.hearing.is_in_vain(changed, Instant::now()) {
            tracing::warn!(
                "PostgreSQL didn't tell of a change although it is listened to (is there a transaction pooler?); changes are found by \
                 looking for them"
            );
        }
    }

    /// Waits until a change is told, or the connection is lost: either way it is time to look. For ever, where nothing is heard.
    pub(super) async fn told(&mut self) {
        let Some(listener) = &mut self.listener else { return std::future::pending().await };
        let told = listener.try_recv().await;
        if matches!(told, Ok(Some(_))) {
            // One look answers all of them.
            while listener.next_buffered().is_some() {}
            if self.hearing.hear() {
                tracing::info!("PostgreSQL tells of changes again");
            }
            return;
        }
        self.lose();
        tokio::time::sleep(BREATH).await;
    }
}

async fn listener(source: &DatabaseSource) -> Result<PgListener, DatabaseError> {
    let failed = source.address.failed("changes of the settings can't be listened to");
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(source.address.options()?);
    let listening = async {
        let mut listener = PgListener::connect_with(&pool).await?;
        // A loss is told as one, so that a look follows.
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok::<_, sqlx::Error>(listener)
    };
    within(ANSWER, listening).await.map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_nobody_tells_of_is_said_once_and_one_told_late_is_not() {
        let (mut hearing, begun) = (Hearing { anew: true, ..Hearing::default() }, Instant::now());
        let later = begun + ANSWER;
        assert!(!hearing.is_in_vain(true, begun) && !hearing.is_in_vain(false, later), "it was not listened to yet");
        assert!(!hearing.is_in_vain(true, begun) && !hearing.is_in_vain(false, begun), "it may come yet");
        assert!(!hearing.hear() && !hearing.is_in_vain(false, later) && !hearing.is_in_vain(false, later), "it came");
        assert!(!hearing.is_in_vain(true, begun) && hearing.is_in_vain(false, later), "it didn't");
        assert!(!hearing.is_in_vain(true, later) && !hearing.is_in_vain(false, later + ANSWER), "said once");
        assert!(hearing.hear() && !hearing.is_in_vain(true, later));
        assert!(!hearing.is_in_vain(true, begun) && hearing.is_in_vain(false, later), "and once more");
    }

    #[test]
    fn a_server_that_ends_each_connection_is_not_asked_for_one_at_once() {
        let tried = Some(Instant::now());
        let mut ears = Ears { tried, pause: ANEW, ..Ears::default() };
        ears.lose();
        assert_eq!((ears.tried, ears.pause), (tried, BREATH));
    }
}
