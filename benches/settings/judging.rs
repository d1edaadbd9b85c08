//! One judgement among many organizations and among one, side by side. What one organization sends costs the same whoever else
//! there is. When everybody sends, the settings of each have to come out of memory into the caches first: that is told too, for
//! traffic that is even (hardly an organization twice in a row of thousands) and for traffic that is not.

use std::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use attrsync::{
    domain::{
        Arena, EventTime, Header, Offset, Partition, Position, Record, Snapshot,
        key::{HmacDigest, HmacState},
        verdict::Status,
    },
    store::Settings,
    worker::judge,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{fill, print};

const EVENTS: usize = 100_000;
const ROUNDS: usize = 7;

/// Judges events of all organizations, of those that send most, and of one alone.
pub(crate) fn compare(many: &Snapshot, one: &Snapshot) {
    let all = many.len();
    let spread = events(|number| 1 + number.wrapping_mul(2_654_435_761) % all);
    // Traffic is uneven: here half of the events come from a hundredth of the organizations, and so on.
    let skewed = events(|number| {
        let share = (number.wrapping_mul(2_654_435_761) % 10_000) as f64 / 10_000.0;
        1 + (all as f64 * share.powi(7)) as usize % all
    });
    // Those that send within a moment.
    let some = events(|number| 1 + (number.wrapping_mul(2_654_435_761) % 1000) * (all / 1000).max(1) % all);
    let alone = events(|_| 1);
    let mut best = [f64::INFINITY; 5];
    for (events, snapshot) in [(&alone, one), (&alone, many), (&spread, many)] {
        assert!(events.iter().take(1000).all(|event| is_verified(event, snapshot)));
    }
    for _ in 0..ROUNDS {
        let cases = [(&alone, one), (&alone, many), (&some, many), (&spread, many), (&skewed, many)];
        for (best, (events, snapshot)) in best.iter_mut().zip(cases) {
            *best = best.min(micros(events, snapshot));
        }
    }
    let [alone, among, some, spread, skewed] = best;
    let more = |micros: f64| 100.0 * (micros / alone - 1.0);
    print(&format!("judge, one organization there          {alone:.2} µs"));
    print(&format!("judge, {all} there, one sends      {among:.2} µs, {:+.1} %", more(among)));
    print(&format!("judge, {all} there, 1000 send       {some:.2} µs, {:+.1} %", more(some)));
    print(&format!("judge, {all} there, all send evenly {spread:.2} µs, {:+.1} %", more(spread)));
    print(&format!("judge, {all} there, all send, unevenly {skewed:.2} µs, {:+.1} %", more(skewed)));
}

/// Judges batches as a shard does, each by the settings as they are when it begins; how long each took.
pub(crate) fn batches(settings: &Settings, size: usize, ended: &AtomicBool) -> Vec<Duration> {
    let all = settings.current().len();
    let events: Vec<_> = (0..size).map(|number| event(1 + number.wrapping_mul(2_654_435_761) % all, number)).collect();
    let mut took = Vec::new();
    while !ended.load(Ordering::Relaxed) {
        let began = Instant::now();
        micros(&events, &settings.current());
        took.push(began.elapsed());
    }
    took
}

fn events(of: impl Fn(usize) -> usize) -> Vec<Vec<u8>> {
    (0..EVENTS).map(|number| event(of(number), number)).collect()
}

fn event(organization: usize, number: usize) -> Vec<u8> {
    let (header, claims) = (
        URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#),
        URL_SAFE_NO_PAD.encode(format!(
            r#"{{"userId":"user-{number}","email":"user-{number}@example.com","name":"Somebody","attribute_{}":"Premium"}}"#,
            (organization * 7919 + 2 * 23) % 500
        )),
    );
    let secret = fill::secret(organization, "jwt");
    let mac = HmacState::new(HmacDigest::Sha256, secret.as_bytes()).sign(format!("{header}.{claims}").as_bytes());
    let token = format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(mac));
    format!(
        r#"{{"organization":"{}","userId":"user-{number}","featurebaseJwt":"{token}","locale":"en","attribute_{}":"x","unheard":1}}"#,
        fill::slug(organization),
        (organization * 7919 + 3 * 23) % 500
    )
    .into_bytes()
}

fn is_verified(event: &[u8], snapshot: &Snapshot) -> bool {
    let arena = Arena::new();
    let position = Position { topic: "events", partition: Partition(0), offset: Offset(0) };
    let headers = [Header { name: "ce_type", value: Some(b"identify") }];
    let now = EventTime::from_millis(1_795_341_600_000);
    let (timestamp, value) = (Some(now), Some(event));
    let record = Record { position, timestamp, key: None, headers: &headers, value, line: None };
    judge(&arena, &record, snapshot, now).verification.status == Some(Status::Verified)
}

fn micros(events: &[Vec<u8>], snapshot: &Snapshot) -> f64 {
    let (mut arena, now) = (Arena::new(), EventTime::from_millis(1_795_341_600_000));
    let headers = [Header { name: "ce_type", value: Some(b"identify") }];
    let began = Instant::now();
    for (offset, value) in events.iter().enumerate() {
        arena.reset();
        let offset = Offset(i64::try_from(offset).unwrap());
        let position = Position { topic: "events", partition: Partition(0), offset };
        let (timestamp, value) = (Some(now), Some(&**value));
        let record = Record { position, timestamp, key: None, headers: &headers, value, line: None };
        black_box(judge(&arena, &record, snapshot, now));
    }
    began.elapsed().as_secs_f64() * 1e6 / events.len() as f64
}
