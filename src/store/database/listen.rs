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
    /// Whether it is known that nothing is heard, which is told once.
    deaf: bool,
}

impl Ears {
    /// Listens, if it is time to. A look has to follow: it finds what nobody was told of in between.
    pub(super) async fn listen(&mut self, source: &DatabaseSource) {
        if self.tried.is_some_and(|tried| tried.elapsed() < ANEW) {
            return;
        }
        self.tried = Some(Instant::now());
        match listener(source).await {
            Ok(listener) => {
                if std::mem::take(&mut self.deaf) {
                    tracing::info!("PostgreSQL tells of changes again");
                }
                self.listener = Some(listener);
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
        (self.listener, self.tried) = (None, None);
    }

    /// Waits until a change is told, or the connection is lost: either way it is time to look. For ever, where nothing is heard.
    pub(super) async fn told(&mut self) {
        let Some(listener) = &mut self.listener else { return std::future::pending().await };
        let told = listener.try_recv().await;
        if matches!(told, Ok(Some(_))) {
            // One look answers all of them.
            while listener.next_buffered().is_some() {}
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
