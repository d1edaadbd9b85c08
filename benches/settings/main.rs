//! Settings of a whole fleet in PostgreSQL: how long a first load takes and how much memory it holds, how soon a change is seen,
//! what a judgement costs among a hundred thousand organizations beside one alone, and whether a reload holds anybody up.
//!
//! ```text
//! scripts/services up postgres && eval "$(scripts/services env postgres)"
//! cargo bench --bench settings                    # 100,000 organizations × 20 attributes × 2 keys, 200 changes
//! cargo bench --bench settings -- 10000 50
//! ```
//!
//! Every organization has keys of its own and 20 attributes out of 500 names, so that hardly two have the same table.

mod fill;
mod judging;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use attrsync::{
    domain::Policy,
    store::{Address, DatabaseSource, Settings, Source},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use self::fill::Fleet;

/// The allocator that attrsync ships with.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let organizations = numbers.first().copied().unwrap_or(100_000);
    let changes = numbers.get(1).copied().unwrap_or(200);
    let fleet = Fleet::new(organizations);
    let before = resident_kib();
    let began = Instant::now();
    let settings = Arc::new(load(&fleet));
    let took = began.elapsed();
    print(&format!("{organizations} organizations, {} attributes and 2 keys each", fill::ATTRIBUTES));
    print(&format!("first load        {:.1} s", took.as_secs_f64()));
    print(&format!(
        "resident          {} MiB ({} MiB before, peak {} MiB)",
        resident_kib() / 1024,
        before / 1024,
        status_kib("VmHWM:") / 1024
    ));
    assert_eq!(settings.current().len(), organizations);
    let one = Fleet::new(1);
    judging::compare(&settings.current(), &load(&one).current());

    let _watch = settings.watch(Duration::from_secs(1), |_| ()).unwrap();
    let seen = Changes { settings: &settings, fleet: &fleet }.make(changes);
    print(&format!(
        "change seen       p50 {:?}, p99 {:?}, most {:?} of {}",
        at(&seen, 50),
        at(&seen, 99),
        at(&seen, 100),
        seen.len()
    ));
}

/// Tells one figure.
#[expect(clippy::print_stdout, reason = "a bench reports by what it prints")]
pub(crate) fn print(line: &str) {
    println!("{line}");
}

fn load(fleet: &Fleet) -> Settings {
    let source = DatabaseSource {
        address: Address::new(&fleet.url).unwrap(),
        master_keys: Arc::new(fill::master_keys()),
        max_staleness: Duration::from_secs(300),
        at: None,
    };
    Settings::load(Source::Database(source), Policy::default()).unwrap()
}

/// Events of a batch: about what a shard judges within a commit interval of 100 ms at 20,000 events a second.
const BATCH: usize = 2000;

struct Changes<'c> {
    settings: &'c Arc<Settings>,
    fleet: &'c Fleet,
}

impl Changes<'_> {
    /// Makes changes one after the other, while batches are judged all the time; how long each took from its commit until it
    /// was there to judge by.
    fn make(&self, changes: usize) -> Vec<Duration> {
        let quiet = self.batches_while(|| std::thread::park_timeout(Duration::from_secs(2)));
        let mut seen = Vec::new();
        let reloads = self.batches_while(|| seen = fill::block_on(self.change(changes)));
        for (when, batches) in [("no reload", quiet), ("reload after reload", reloads)] {
            let millis = |percent| at(&batches, percent).as_secs_f64() * 1e3;
            print(&format!(
                "batch of {BATCH}     p50 {:.2} ms, p99 {:.2} ms, most {:.2} ms of {}: {when}",
                millis(50),
                millis(99),
                millis(100),
                batches.len()
            ));
        }
        seen.sort_unstable();
        seen
    }

    async fn change(&self, changes: usize) -> Vec<Duration> {
        let mut connection = PgConnection::connect(&self.fleet.url).await.unwrap();
        let mut seen = Vec::new();
        for number in 0..changes {
            let organization = 1 + number * self.fleet.organizations / changes;
            let sql = format!(
                "update attrsync.organizations set membership_locked = not membership_locked where id = {organization}"
            );
            let before = self.settings.current().version();
            sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
            let committed = Instant::now();
            while self.settings.current().version() == before {
                assert!(committed.elapsed() < Duration::from_secs(30), "the change is not seen");
                std::thread::park_timeout(Duration::from_micros(200));
            }
            seen.push(committed.elapsed());
        }
        seen
    }

    /// How long each batch took that another thread judged meanwhile, sorted.
    fn batches_while(&self, work: impl FnOnce()) -> Vec<Duration> {
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let shard = scope.spawn(|| judging::batches(self.settings, BATCH, &ended));
            work();
            ended.store(true, Ordering::Relaxed);
            let mut took = shard.join().unwrap();
            took.sort_unstable();
            took
        })
    }
}

fn at(sorted: &[Duration], percent: usize) -> Duration {
    sorted.get((sorted.len() * percent / 100).saturating_sub(usize::from(percent == 100))).copied().unwrap_or_default()
}

fn resident_kib() -> u64 {
    status_kib("VmRSS:")
}

fn status_kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
