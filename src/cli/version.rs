//! What `attrsync --version` tells: its own version, the commit that it is built from, and the Kafka client inside.

use std::sync::LazyLock;

/// The version, the commit (`build.rs` finds it) and librdkafka's version, a line each.
static LONG: LazyLock<String> = LazyLock::new(|| {
    let (_, librdkafka) = rdkafka::util::get_rdkafka_version();
    format!("{}\ncommit      {}\nlibrdkafka  {librdkafka}", env!("CARGO_PKG_VERSION"), env!("ATTRSYNC_COMMIT"))
});

/// The same for whom it doesn't change while the process runs: clap.
pub(super) fn long() -> &'static str {
    LONG.as_str()
}
