//! Secrets in the text of a search. An operator pastes a leaked secret, or its start, to find the
//! token. The start `<prefix>_<id>` is public and finds the token by its id; the rest must never be
//! shown, stored or printed, so that parsing removes it first. Called by the grammar and the search
//! fields.

use std::borrow::Cow;

use crate::domain::{id::TokenId, secret::SecretPrefix};

/// Number of characters after the second underscore of a secret.
const TAIL_CHARS: usize = 38;

/// A text from which the random characters of secrets were removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextWithoutSecrets {
    pub text: String,
    /// Number of characters of the last secret that were missing at the end of the original text.
    /// If the operator is still typing, they follow.
    pub missing: usize,
}

/// Removes the random characters of each secret in `text`, so that `<prefix>_<id>` is left. Also
/// recognises a secret that is cut or has a typo. Returns `None` if `text` has no secret.
pub fn without_secrets(text: &str) -> Option<TextWithoutSecrets> {
    let (mut kept, mut rest) = (String::new(), text);
    let mut missing = None;
    while let Some((start, tail)) = split_at_tail(rest) {
        let after = tail.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
        let ends_here = if after.is_empty() { TAIL_CHARS } else { 0 };
        missing = Some(ends_here.saturating_sub(tail.len() - after.len()));
        kept.push_str(start);
        rest = after;
    }
    let missing = missing?;
    Some(TextWithoutSecrets { text: kept + rest, missing })
}

/// `text` for parsing: without the random characters of secrets.
pub(super) fn parsed_text(text: &str) -> Cow<'_, str> {
    without_secrets(text).map_or(Cow::Borrowed(text), |it| Cow::Owned(it.text))
}

/// Number of characters from which on the start of an id is searched.
pub const MIN_ID_CHARS: usize = 4;

/// The id in `word`, or its start, if the word is the start of a secret: `<prefix>_<id>`, possibly with
/// the underscore that follows.
pub(super) fn secret_start_id(word: &str) -> Option<&str> {
    let (prefix, rest) = word.split_once('_')?;
    let id = rest.strip_suffix('_').unwrap_or(rest);
    let is_id = (MIN_ID_CHARS..=TokenId::LEN).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (SecretPrefix::parse(prefix).is_some() && is_id).then_some(id)
}

/// Like [`secret_start_id`], also for a word that contains more: `API=pat_4fKq9Zt0WbXe`, or quotes.
pub(super) fn contained_secret_id(word: &str) -> Option<&str> {
    word.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').find_map(secret_start_id)
}

/// Splits `text` behind the id of its first secret, and leaves out the underscore there.
fn split_at_tail(text: &str) -> Option<(&str, &str)> {
    text.match_indices('_')
        .find_map(|(at, _)| {
            let prefix_len = text.get(..at)?.bytes().rev().take_while(u8::is_ascii_alphanumeric);
            let id_end = at + 1 + TokenId::LEN;
            let id = text.get(at + 1..id_end).filter(|id| TokenId::parse(id).is_some())?;
            let tail = text.get(id_end..)?.strip_prefix('_')?;
            let tail_len = tail.bytes().take_while(u8::is_ascii_alphanumeric).count();
            // A name such as `ci_integrations_prod` has the same form. Of a million ids, 30 have
            // neither a digit nor a capital letter; their secrets are recognised once complete.
            let is_random = id.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
            let is_secret = tail_len >= TAIL_CHARS || is_random && tail_len > 0;
            (prefix_len.count() >= 2 && is_secret).then(|| (text.get(..id_end), tail))
        })
        .and_then(|(start, tail)| Some((start?, tail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: &str = "0123456789abcdefghijABCDEFGHIJ01234567";

    fn reduced(text: &str) -> Option<(String, usize)> {
        without_secrets(text).map(|it| (it.text, it.missing))
    }

    #[test]
    fn the_random_characters_of_a_secret_are_removed() {
        let whole = format!("pat_4fKq9Zt0WbXe_{TAIL}");
        assert_eq!(reduced(&whole), Some(("pat_4fKq9Zt0WbXe".into(), 0)));
        let header = format!("Authorization: Bearer {whole}\" ok");
        let text = "Authorization: Bearer pat_4fKq9Zt0WbXe\" ok".to_owned();
        assert_eq!(reduced(&header), Some((text, 0)));
        let two = format!("{whole} -id:{whole}x");
        assert_eq!(reduced(&two), Some(("pat_4fKq9Zt0WbXe -id:pat_4fKq9Zt0WbXe".into(), 0)));
        assert_eq!(reduced("pat_4fKq9Zt0WbXe_7"), Some(("pat_4fKq9Zt0WbXe".into(), 37)));
        let letters = format!("pat_abcdefghijkl_{TAIL}");
        assert_eq!(reduced(&letters), Some(("pat_abcdefghijkl".into(), 0)));
    }

    #[test]
    fn other_text_stays() {
        for text in [
            "",
            "ci_deploy",
            "pat_4fKq9Zt0WbXe",
            "pat_4fKq9Zt0WbXe_",
            "ci_integrations_prod",
            "_4fKq9Zt0WbXe_7",
            "pät_äfKq9Zt0WbX_7",
        ] {
            assert_eq!(reduced(text), None, "{text}");
        }
    }

    #[test]
    fn the_start_of_a_secret_has_an_id() {
        assert_eq!(secret_start_id("pat_4fKq9Zt0WbXe"), Some("4fKq9Zt0WbXe"));
        assert_eq!(secret_start_id("pat_4fKq9Zt0WbXe_"), Some("4fKq9Zt0WbXe"));
        assert_eq!(secret_start_id("pat_4fKq"), Some("4fKq"), "while it is typed");
        for word in ["4fKq9Zt0WbXe", "pat_4fK", "ci-x_4fKq9Zt0WbXe", "pat_4fKq9Zt0WbXe_7"] {
            assert_eq!(secret_start_id(word), None, "{word}");
        }
    }
}
