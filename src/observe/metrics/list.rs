//! Every metric there is, by whom it is told: a worker, the dashboard, any process.

use prometheus_client::metrics::MetricType;

use super::Metric;

macro_rules! metrics {
    ($(#[$doc:meta])* $group:ident { $($constant:ident $name:literal $kind:ident [$($label:literal),*] $help:literal $when:literal)* }) => {
        $(
            #[doc = concat!("`", $name, "`: ", $help, ".")]
            pub const $constant: Metric =
                Metric { name: $name, kind: MetricType::$kind, labels: &[$($label),*], help: $help, when: $when };
        )*

        $(#[$doc])*
        pub const $group: &[&Metric] = &[$(&$constant),*];
    };
}

metrics! {
    /// What a worker tells.
    WORKER {
    RECORDS "attrsync_records" Counter []
        "Records judged and committed"
        "First: the throughput. Nothing while there is a lag means that the worker stands still"
    RECORD_BYTES "attrsync_record_bytes" Counter []
        "Bytes of the values of these records"
        "When sizing, and when records grow"
    EMITTED "attrsync_emitted_records" Counter ["channel"]
        "Records written and committed, by the topic that they are for (accepted, rejected); a partial verdict is one in each"
        "When subscribers get fewer than you expect"
    EMITTED_BYTES "attrsync_emitted_bytes" Counter ["channel"]
        "Bytes of the values of these records"
        "When sizing topics and their retention"
    VERDICTS "attrsync_verdicts" Counter ["verdict", "reason"]
        "Verdicts by outcome (accepted, partial, rejected) and, for rejected events, by reason (docs/REASONS.md); the reason is empty otherwise"
        "When somebody asks why data is missing, and after each change of settings or of a client"
    POISON "attrsync_poison_records" Counter []
        "Records rejected while they were read: no event, or none that two parsers would read alike (the reasons of decode)"
        "When another producer writes to the topic, or an SDK was changed"
    BATCH_SECONDS "attrsync_batch_duration_seconds" Histogram []
        "Seconds from a batch's first record to the end of its commit; its count is that of the batches"
        "When verdicts come late though there is no lag"
    JUDGE_SECONDS "attrsync_judge_duration_seconds" Histogram []
        "Seconds of a batch that went into its records: judging, encoding, handing over to the producer; neither waiting nor the commit. Divided by attrsync_records it is the time of one event"
        "When CPU is the limit: whether it is the judgement"
    COMMIT_SECONDS "attrsync_commit_duration_seconds" Histogram []
        "Seconds that commits took"
        "When batches are slow: whether it is the broker"
    ABORTED "attrsync_transactions_aborted" Counter []
        "Batches given up and judged again with the same producer and consumer, for a fault or a rebalance; where one of these was given up, too, it is counted there"
        "At a rate: brokers are ill, or the group has no rest"
    REBUILT "attrsync_producers_rebuilt" Counter []
        "Times that a producer was given up: a fatal error, an unknown outcome, records that time out, and each try to replace it that failed"
        "At a rate: two processes share a kafka.instance, or brokers are ill"
    REJOINED "attrsync_consumers_rejoined" Counter []
        "Times that a consumer was given up: fenced by another of its name, unknown to the group after a pause, or stuck"
        "At a rate: two processes share a kafka.instance, or a process is stopped for longer than the session"
    GONE "attrsync_gone_records" Counter []
        "Offsets of the input topics that were deleted before they were read: nobody will judge what stood there"
        "At once: retention is shorter than the outage was"
    FAULTS "attrsync_faults" Counter ["fault"]
        "Faults by what they are (ARCHITECTURE.md, When something fails); each leaves its batch uncommitted"
        "First, when anything else is out of the ordinary; the log says more"
    LAG "attrsync_lag_records" Gauge ["topic", "partition"]
        "Records between the position and the last stable offset, of each partition assigned to this process, at most five seconds old, and ten where it is held"
        "First: whether the worker keeps up"
    BEHIND "attrsync_behind_seconds" Gauge ["topic", "partition"]
        "Seconds that the events judged now have waited, by their records' timestamps; 0 where none waits"
        "First: whether verdicts are as fresh as their readers think"
    IN_FLIGHT "attrsync_in_flight_records" Gauge ["shard"]
        "Records of the batch in hand, to the next sixteen: read and not yet committed"
        "When a shard stands still: whether it does so within a batch"
    FETCHED "attrsync_fetched_records" Gauge ["shard"]
        "Records fetched that wait for judgement, at most five seconds old"
        "When there is a lag: none fetched means that the broker is slow, many that the worker is"
    FETCHED_BYTES "attrsync_fetched_bytes" Gauge ["shard"]
        "Bytes of these records"
        "When memory is short: worker.fetch_queue_bytes bounds it"
    PARTITIONS "attrsync_partitions_assigned" Gauge ["shard"]
        "Partitions that a shard reads"
        "When a partition isn't read: the sum over all workers must be that of the topics' partitions"
    HELD "attrsync_partitions_held" Gauge ["shard"]
        "Partitions that are held: all for stale settings, some for an organization whose settings can't be used"
        "When there is a lag and no fault"
    HEARTBEAT "attrsync_heartbeat_age_seconds" Gauge ["shard"]
        "Seconds since a shard's loop was last alive"
        "When a worker stands still; /livez judges by it"
    READY "attrsync_ready" Gauge []
        "1 where nothing is missing before events are judged, with partitions or without, else 0; what /readyz answers"
        "When it stays 0: /readyz names what is missing"
    SETTINGS_VERSION "attrsync_settings_version" Gauge []
        "Version of the settings that judge; workers with the same settings have the same"
        "After a change: whether every worker has it"
    SETTINGS_AGE "attrsync_settings_age_seconds" Gauge []
        "Seconds that these settings have judged"
        "After a change: whether it has arrived"
    SETTINGS_RELOADS "attrsync_settings_reloads" Counter ["result"]
        "Changes of the settings that were found: applied, or refused because they are broken, so that the old ones judge on"
        "When refused: the log says what is wrong with the file"
    SETTINGS_REFUSED "attrsync_settings_refused" Gauge []
        "1 while what the settings file says is refused, so that older settings judge on, else 0"
        "Before a restart, which would fail"
    SETTINGS_OUT_OF_REACH "attrsync_settings_out_of_reach_seconds" Gauge []
        "Seconds for which the database of settings could not be looked at; 0 while it can be"
        "Before settings.max_staleness_s is over"
    SETTINGS_STALE "attrsync_settings_stale" Gauge []
        "1 while the settings are too old to judge and every partition is held, else 0"
        "At once: nothing is judged"
    SETTINGS_ORGANIZATIONS "attrsync_settings_organizations" Gauge []
        "Organizations in the settings that judge"
        "When it falls and nobody removed any"
    SETTINGS_UNUSABLE "attrsync_settings_unusable_organizations" Gauge []
        "Organizations whose settings can't be used: a secret that doesn't open, say; the log says why"
        "At once: their events are rejected, or wait"
    SPANS "attrsync_telemetry_spans" Counter ["result"]
        "Spans of events, exported to the collector of OpenTelemetry or dropped; absent where export is off"
        "When traces have gaps"
    EXPORT_FAILURES "attrsync_telemetry_failures" Counter []
        "Requests with spans or metrics that the collector didn't take, or not all of; spans are told again where it may take them later, as long as there is room for them"
        "When traces have gaps, or metrics that come by OpenTelemetry stand still"
    }
}

metrics! {
    /// What the dashboard tells.
    DASHBOARD {
    GROUP_LAG "attrsync_group_lag_records" Gauge ["topic", "partition"]
        "Events between what the workers' group has committed and the end of the topic, looked up from outside every three seconds; where nothing moves, what transactions leave at the end counts no more; absent while no broker answers"
        "When no worker is there to tell: it grows all the same"
    CAUGHT_UP "attrsync_dashboard_caught_up" Gauge []
        "1 once the history has been read back, 0 before and while the dashboard itself reads far behind"
        "When figures on the page seem too small"
    READ "attrsync_dashboard_read_records" Counter ["channel"]
        "Verdict records read"
        "When the page stands still"
    UNREADABLE "attrsync_dashboard_unreadable_records" Counter []
        "Records written into the verdict topics since the dashboard began that are no verdicts"
        "At once: somebody else writes there"
    DASHBOARD_REBUILT "attrsync_dashboard_consumers_rebuilt" Counter []
        "Consumers of the verdict topics replaced: after a fatal error, or told that nobody led a partition"
        "At a rate: the brokers are ill"
    SUBSCRIBERS "attrsync_dashboard_subscribers" Gauge []
        "Subscribers of the stream of verdicts"
        "When places run out (dashboard.subscribers)"
    SUBSCRIBERS_DROPPED "attrsync_dashboard_subscribers_dropped" Counter []
        "Subscribers dropped because they read more slowly than verdicts come"
        "When a subscriber complains of gaps"
    SUBSCRIBERS_REFUSED "attrsync_dashboard_subscribers_refused" Counter []
        "Subscriptions refused because all places were taken"
        "When a subscriber gets 503"
    }
}

metrics! {
    /// What every process tells; what the kernel counts of it only on Linux.
    PROCESS {
    BUILD "attrsync_build" Info ["version", "commit"]
        "The program, always 1"
        "During an upgrade: which process runs what"
    CPU "process_cpu_seconds" Counter []
        "CPU time, user and system"
        "When sizing"
    RESIDENT "process_resident_memory_bytes" Gauge []
        "Resident memory"
        "When sizing, and before the kernel ends the process"
    VIRTUAL "process_virtual_memory_bytes" Gauge []
        "Virtual memory"
        "Rarely"
    FDS "process_open_fds" Gauge []
        "Open file descriptors"
        "When it nears process_max_fds"
    MAX_FDS "process_max_fds" Gauge []
        "The most file descriptors that may be open"
        "When connections fail"
    THREADS "process_threads" Gauge []
        "Threads"
        "Rarely"
    STARTED "process_start_time_seconds" Gauge []
        "When the process began, in seconds since 1970"
        "When it restarts by itself"
    }
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    [WORKER, DASHBOARD, PROCESS].concat().into_iter()
}
