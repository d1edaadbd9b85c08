//! Names that are known when this is compiled, and what each means. A name is found, or not, by one look at one place: a comparison
//! with one after another, or a jump by its length, is what a processor guesses wrong for every other name of an event.

/// Names and their meanings, none of which share a place.
pub(super) struct Table<const N: usize, T: 'static> {
    names: [(&'static str, T); N],
    /// Under which factor no two names share a place.
    factor: u32,
    /// The number of the name, from 1; none has 0.
    places: [u8; PLACES],
}

const PLACES: usize = 256;

impl<const N: usize, T: Copy> Table<N, T> {
    /// A table, made by the compiler, which does not come to an end where two names are equal, or too much alike.
    pub(super) const fn of(names: [(&'static str, T); N]) -> Self {
        // Odd factors, one after another, spread by one that is far from any power of two.
        let mut factor = 1_u32;
        loop {
            factor = factor.wrapping_mul(0x9E37_79B1);
            if let Some(places) = placed(&names, factor) {
                return Self { names, factor, places };
            }
        }
    }

    /// What this name means.
    #[inline]
    pub(super) fn get(&self, name: &str) -> Option<T> {
        let number = self.places.get(place(name, self.factor))?;
        let (known, meaning) = self.names.get(usize::from(*number).checked_sub(1)?)?;
        (*known == name).then_some(*meaning)
    }
}

/// Each name's number in its place; none where two would share one.
#[expect(clippy::indexing_slicing, reason = "the compiler runs it, and would refuse a place that isn't there")]
const fn placed<T>(names: &[(&'static str, T)], factor: u32) -> Option<[u8; PLACES]> {
    let (mut places, mut at) = ([0; PLACES], 0);
    while at < names.len() {
        let place = place(names[at].0, factor);
        if places[place] != 0 {
            return None;
        }
        at += 1;
        places[place] = at as u8;
    }
    Some(places)
}

/// Where a name stands, by its length and three of its letters.
#[inline]
const fn place(name: &str, factor: u32) -> usize {
    let bytes = name.as_bytes();
    let (Some(first), Some(middle), Some(last)) =
        (bytes.first(), bytes.split_at(bytes.len() / 2).1.first(), bytes.last())
    else {
        return 0;
    };
    let outline = u32::from_le_bytes([*first, *middle, *last, bytes.len() as u8]);
    (outline.wrapping_mul(factor) >> 24) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_its_meaning_and_others_have_none() {
        static TABLE: Table<4, u8> = Table::of([("id", 1), ("user_id", 2), ("userId", 3), ("é", 4)]);
        assert_eq!(["id", "user_id", "userId", "é"].map(|name| TABLE.get(name)), [1, 2, 3, 4].map(Some));
        // The last two have the length and the letters of one that is there, but for the length's higher bits.
        for name in ["", "Id", "userid", "user_ix", "uXerXd", &format!("{}d", "i".repeat(257))] {
            assert_eq!(TABLE.get(name), None, "{name}");
        }
    }
}
