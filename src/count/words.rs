//! Numbers in words, as people read them.

use super::distinct::Count;

/// A number with a comma between thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 event`, `1,234 events`.
pub(crate) fn times(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// `, of 12 users`, where they were counted and there were any.
pub(crate) fn of_users(users: Option<Count>) -> String {
    users_told(", of ", users)
}

/// The same where some may not have been counted: `, of at least 12 users`.
pub(crate) fn of_at_least(users: Option<Count>) -> String {
    users_told(", of at least ", users)
}

fn users_told(of: &str, users: Option<Count>) -> String {
    match users {
        None | Some(Count { number: 0, .. }) => String::new(),
        Some(users) => format!("{of}{users} {}", if users.number == 1 { "user" } else { "users" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_its_thousands_apart_and_one_thing_is_no_several() {
        assert_eq!([0, 12, 999, 1_000].map(grouped), ["0", "12", "999", "1,000"]);
        assert_eq!(
            [0, 1, 2_000].map(|number| times(number, "event", "events")),
            ["0 events", "1 event", "2,000 events"]
        );
        let users = |number, estimated| of_users(Some(Count { number, estimated }));
        assert_eq!(
            [users(0, false), users(1, false), users(2_000, true)],
            ["", ", of 1 user", ", of about 2,000 users"]
        );
        assert_eq!(of_users(None), "");
        assert_eq!(of_at_least(Some(Count { number: 1, estimated: false })), ", of at least 1 user");
        assert_eq!(of_at_least(None), "");
    }
}
