//! One judgement among many organizations and among one, side by side: the same number of events, each in memory of its own, of
//! as many organizations as there are, in an order that no cache foresees.

use std::{hint::black_box, time::Instant};

use attrsync::{
    domain::{
        Arena, EventTime, Header, Offset, Partition, Position, Record, Snapshot,
        key::{HmacDigest, HmacState},
    },
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
    let alone = events(|_| 1);
    let mut best = [f64::INFINITY; 3];
    for _ in 0..ROUNDS {
        for (best, (events, snapshot)) in best.iter_mut().zip([(&alone, one), (&spread, many), (&skewed, many)]) {
            *best = best.min(micros(events, snapshot));
        }
    }
    let [alone, spread, skewed] = best;
    print(&format!("judge, one        {alone:.2} µs"));
    print(&format!("judge, {all} evenly {spread:.2} µs, {:+.1} %", 100.0 * (spread / alone - 1.0)));
    print(&format!("judge, {all} uneven {skewed:.2} µs, {:+.1} %", 100.0 * (skewed / alone - 1.0)));
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

fn micros(events: &[Vec<u8>], snapshot: &Snapshot) -> f64 {
    let (mut arena, now) = (Arena::new(), EventTime::from_millis(1_795_341_600_000));
    let headers = [Header { name: "ce_type", value: Some(b"identify") }];
    let began = Instant::now();
    for (offset, value) in events.iter().enumerate() {
        arena.reset();
        let offset = Offset(i64::try_from(offset).unwrap());
        let position = Position { topic: "events", partition: Partition(0), offset };
        let record = Record { position, timestamp: Some(now), key: None, headers: &headers, value: Some(value) };
        black_box(judge(&arena, &record, snapshot, now));
    }
    began.elapsed().as_secs_f64() * 1e6 / events.len() as f64
}
