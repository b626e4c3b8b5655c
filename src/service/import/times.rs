//! Checks the times of an imported token: none is in the future, and they are in the order in which
//! a store writes them. Otherwise, an edited export could make a secret work for longer than the
//! lifetime limits allow, or hide a use. Called by `import`.

use crate::domain::{LastUse, SecretOverlap, Timestamp, Token, time_range::CLOCK_TOLERANCE};

/// Returns the field and the reason for each invalid time. `now` is the time of the clock.
pub(super) fn time_faults(token: &Token, now: Timestamp) -> Vec<(&'static str, &'static str)> {
    let previous = token.previous.as_ref();
    let used = |used: Option<&LastUse>| used.map(|used| used.at);
    let past = [
        ("created", Some(token.created)),
        ("issued", Some(token.issued)),
        ("revoked", token.revoked),
        ("last_denied.at", used(token.last_denied.as_ref())),
        ("last_used.at", used(token.last_used.as_ref())),
        ("retiring.last_denied.at", used(previous.and_then(|old| old.last_denied.as_ref()))),
        ("retiring.last_used.at", used(previous.and_then(|old| old.last_used.as_ref()))),
    ];
    let is_future = |time: Option<Timestamp>| time.is_some_and(|time| time - now > CLOCK_TOLERANCE);
    let future = past
        .into_iter()
        .filter(|(_, time)| is_future(*time))
        .map(|(field, _)| (field, "is in the future: check the clock of this host"));
    let ordered = [
        ("issued", Some(token.created), Some(token.issued), "is earlier than `created`"),
        ("expires", Some(token.issued), token.expires, "is earlier than `issued`"),
        ("revoked", Some(token.issued), token.revoked, "is earlier than `issued`"),
        (
            "retiring.until",
            Some(token.issued),
            previous.map(|old| old.until),
            "is earlier than `issued`",
        ),
    ];
    let wrong = ordered.into_iter().filter_map(|(field, first, then, reason)| {
        (first? - then? > CLOCK_TOLERANCE).then_some((field, reason))
    });
    // A longer overlap would keep a secret working that no regeneration could.
    let overlap = previous.map(|old| old.until - token.issued);
    let endless = overlap
        .filter(|overlap| *overlap - SecretOverlap::longest() > CLOCK_TOLERANCE)
        .map(|_| ("retiring.until", "is later than the longest overlap after `issued`"));
    future.chain(wrong).chain(endless).collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::PreviousSecret;
    use crate::domain::token::tests::{at, sample_token};

    fn fields(token: &Token) -> Vec<&'static str> {
        time_faults(token, at(30)).into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn times_in_the_future_or_in_the_wrong_order_are_faults() {
        let good = sample_token();
        assert_eq!(fields(&good), [""; 0]);
        let later = Token { created: at(31), issued: at(31), ..good.clone() };
        assert_eq!(fields(&later), ["created", "issued"]);
        let tolerated = at(30) + CLOCK_TOLERANCE;
        let tolerated = Token { created: tolerated, issued: tolerated, ..good.clone() };
        assert_eq!(fields(&tolerated), [""; 0]);
        assert_eq!(fields(&Token { created: at(2), issued: at(1), ..good.clone() }), ["issued"]);
        assert_eq!(fields(&Token { expires: Some(at(-1)), ..good.clone() }), ["expires"]);
        assert_eq!(fields(&Token { revoked: Some(at(-1)), ..good }), ["revoked"]);
    }

    #[test]
    fn an_overlap_that_lasts_too_long_is_a_fault() {
        let with_overlap = |overlap| {
            let mut token = sample_token();
            let until = token.issued + overlap;
            token.previous = Some(PreviousSecret {
                digest: token.digest,
                until,
                last_used: None,
                uses_taken: 0,
                last_denied: None,
            });
            fields(&token)
        };
        assert_eq!(with_overlap(SecretOverlap::longest()), [""; 0]);
        let longer = SecretOverlap::longest() + TimeDelta::minutes(1);
        assert_eq!(with_overlap(longer), ["retiring.until"]);
    }
}
