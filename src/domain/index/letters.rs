//! Which characters stand in a token's texts. A search begins with one character, and nearly
//! every token has it: found in the texts, it would be found a million times. Called by `chunk`.

/// A bit for each character that occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Letters(u64);

/// The bit of a byte: 64 of the characters that a folded text may hold have one, the others are
/// too seldom.
fn bit(byte: u8) -> u64 {
    match byte {
        b' '..=b'@' => 1 << (byte - b' '),
        b'\\'..=b'z' => 1 << (byte - b'\\' + 33),
        _ => 0,
    }
}

impl Letters {
    /// Those of a folded text.
    pub(super) fn of(text: &str) -> Self {
        Self(text.bytes().fold(0, |bits, byte| bits | bit(byte)))
    }

    /// All of `words`, if each is one character that has a bit: then they are in a text just
    /// when its letters [hold](Letters::hold) them.
    pub(super) fn all<'w>(words: impl IntoIterator<Item = &'w [u8]>) -> Option<Self> {
        let mut all = 0;
        for word in words {
            let &[byte] = word else { return None };
            all |= Some(bit(byte)).filter(|bit| *bit != 0)?;
        }
        Some(Self(all))
    }

    /// Whether all of `others` are among them.
    pub(super) fn hold(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::name::fold;

    #[test]
    fn each_letter_and_each_figure_has_a_bit_of_its_own() {
        let told: Vec<u64> = (b' '..=b'~').map(bit).filter(|bit| *bit != 0).collect();
        let all = told.iter().fold(0, |all, bit| all | bit);
        assert_eq!((told.len(), all), (64, u64::MAX));
        assert!((b'a'..=b'z').chain(b'0'..=b'9').chain(*b" -_.:/").all(|byte| bit(byte) != 0));
    }

    #[test]
    fn what_is_not_one_such_character_is_not_told() {
        for words in [["a", "bc"], ["a", "ä"], ["a", "\0"], ["[", "a"], ["A", "a"]] {
            assert_eq!(Letters::all(words.map(str::as_bytes)), None, "{words:?}");
        }
    }

    proptest! {
        #[test]
        fn they_hold_what_the_text_holds(text in ".{0,20}", one in "[ -@\\\\-z]", other in "[a-z]") {
            let (text, words) = (fold(&text), [fold(&one), fold(&other)]);
            let asked = Letters::all(words.each_ref().map(String::as_bytes)).unwrap();
            let there = words.iter().all(|word| text.contains(word));
            prop_assert_eq!(Letters::of(&text).hold(asked), there);
        }
    }
}
