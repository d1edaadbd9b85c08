//! Who the made-up events are about. Names of the history of computing, addresses of the domain that RFC 2606 keeps free.

use crate::domain::random::Random;

const FIRST: &[&str] = &[
    "Ada",
    "Alan",
    "Barbara",
    "Charles",
    "Edsger",
    "Frances",
    "Grace",
    "Hedy",
    "Joan",
    "Katherine",
    "Margaret",
    "Niklaus",
];
const LAST: &[&str] = &[
    "Lovelace", "Turing", "Liskov", "Babbage", "Dijkstra", "Allen", "Hopper", "Lamarr", "Clarke", "Johnson",
    "Hamilton", "Wirth",
];
/// How many users a product has here: enough to be many, few enough to come back.
const USERS: u64 = 10_000;

/// A user of the product.
#[derive(Debug)]
pub struct Person {
    /// The customer's id of the user.
    pub id: String,
    /// The user's name.
    pub name: String,
    /// The user's address.
    pub email: String,
    /// The SDK's id of the browser.
    pub anonymous_id: String,
}

impl Person {
    /// One of the users; the same number is always the same person.
    #[must_use]
    pub fn random(random: &mut Random) -> Self {
        let number = random.below(USERS);
        let mut about = Random::new(number);
        let (first, last) = (about.pick(FIRST), about.pick(LAST));
        Self {
            id: format!("{}", 10_000 + number),
            name: format!("{first} {last}"),
            email: format!("{}.{}{number}@example.com", first.to_lowercase(), last.to_lowercase()),
            anonymous_id: format!("anon-{:012x}", about.next_number() >> 16),
        }
    }
}
