//! Figures of several rounds.

/// Median, least and most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// None of no values.
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut all: Vec<_> = values.collect();
        all.sort_by(f64::total_cmp);
        let (least, most) = (*all.first()?, *all.last()?);
        let median = f64::midpoint(all[(all.len() - 1) / 2], all[all.len() / 2]);
        Some(Self { median, least, most })
    }
}

/// Median, least and most, as a table has them.
pub(crate) fn spread(values: impl Iterator<Item = f64>, digits: usize) -> String {
    Spread::of(values).map_or("failed".to_owned(), |Spread { median, least, most }| {
        let [median, least, most] = [median, least, most].map(|value| grouped(value, digits));
        format!("{median} ({least}–{most})")
    })
}

/// A number with its thousands parted.
pub(crate) fn grouped(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let whole = text.find('.').unwrap_or(text.len());
    let comma = |at: usize| if at > 0 && at < whole && (whole - at).is_multiple_of(3) { "," } else { "" };
    text.char_indices().map(|(at, digit)| format!("{}{digit}", comma(at))).collect()
}
