//! Records convert back to equal values, and a record that the domain would refuse is damaged.

use chrono::{TimeZone as _, Utc};
use proptest::prelude::*;

use super::{
    tests::{at, event_body, id, last, late, token},
    *,
};
use crate::{
    domain::{label::tests::any_labels, *},
    store::codec::{encode_record, verify_checksum},
};

#[test]
fn records_convert_back_to_equal_domain_values() {
    let (key, token, body) = (*id().as_bytes(), token(), event_body());
    let uses = TokenUses::of(&token);
    let mut kept = TokenV2::from(&token).into_token(&key).unwrap();
    uses.clone().apply_to(&mut kept);
    UseCountV1::of(&token).unwrap().apply_to(&mut kept);
    assert_eq!(kept, token);
    assert_eq!(TokenUsesV2::from(&uses).into_usage(), Some(uses.clone()));
    let trashed = TrashV2::new(&token, &uses, at(6)).into_parts(&key);
    assert_eq!(trashed, Some((token, at(6))));
    assert_eq!(EventV1::new(1, EventHash::NONE, &body).into_event_body(), Some(body));
}

#[test]
fn timestamps_keep_nanoseconds_in_the_years_1970_to_9999() {
    let first = DateTime::UNIX_EPOCH;
    let last = Utc.with_ymd_and_hms(10_000, 1, 1, 0, 0, 0).unwrap();
    let tick = chrono::TimeDelta::nanoseconds(1);
    for moment in [at(0), first, last - tick] {
        assert_eq!(TimestampV1::from(moment).to_timestamp(), Some(moment));
    }
    for moment in [first - tick, last, Timestamp::MIN_UTC, Timestamp::MAX_UTC] {
        assert_eq!(TimestampV1::from(moment).to_timestamp(), None);
    }
    assert_eq!(TimestampV1(i64::MAX, 0).to_timestamp(), None);
    assert_eq!(TimestampV1(0, u32::MAX).to_timestamp(), None);
}

/// Any time that the clock or the arithmetic of a date could yield, often at the ends of the
/// supported range.
fn any_time() -> impl Strategy<Value = Timestamp> {
    let (first, last) = (0_i64, 253_402_300_799_i64);
    let seconds = prop_oneof![
        first - 2..first + 2,
        last - 2..last + 3,
        first..last,
        -8_000_000_000_000_i64..8_000_000_000_000,
    ];
    (seconds, 0..1_000_000_000_u32).prop_map(|(s, n)| DateTime::from_timestamp(s, n).unwrap())
}

fn any_limits() -> impl Strategy<Value = TokenLimits> {
    let network = (any::<[u8; 16]>(), 0_u8..=16, any::<bool>());
    let network = network.prop_map(|(mut bits, bytes, is_v4)| {
        let bytes = if is_v4 { bytes.min(4) } else { bytes };
        bits.iter_mut().skip(usize::from(bytes)).for_each(|byte| *byte = 0);
        let [a, b, c, d, ..] = bits;
        let v4 = std::net::Ipv4Addr::new(a, b, c, d);
        let address = if is_v4 { v4.into() } else { std::net::Ipv6Addr::from(bits).into() };
        SourceNetwork::new(address, bytes * 8)
    });
    let networks = prop::collection::vec(network, 0..4);
    (networks, prop::option::of(any_time()), any::<u32>()).prop_map(|(networks, start, max)| {
        TokenLimits {
            sources: SourceNetworks::new(networks.into_iter().flatten()).ok(),
            not_before: start,
            max_uses: MaxUses::new(max),
        }
    })
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_an_equal_value(
        times in prop::array::uniform8(any_time()),
        optional in any::<[bool; 4]>(),
        counters in any::<(u64, u32)>(),
        counts in any::<[u32; 2]>(),
        limits in any_limits(),
        (labels, owner) in (any_labels(), "[ -~äß]{0,20}"),
    ) {
        let [created, issued, expires, revoked, until, used, late, at] = times;
        let token = Token {
            created,
            issued,
            expires: optional[0].then_some(expires),
            revoked: optional[1].then_some(revoked),
            previous: optional[2].then(|| PreviousSecret {
                digest: Digest::from_bytes([3; 32]),
                until,
                last_used: Some(LastUse { at: late, ..last() }),
                uses_taken: counts[0],
                last_denied: optional[3].then(|| LastUse { at: used, ..last() }),
            }),
            last_used: optional[3].then(|| LastUse { at: used, ..last() }),
            last_denied: optional[1].then(|| LastUse { at: late, ..last() }),
            version: counters.0,
            generation: counters.1,
            limits,
            uses_taken: counts[1],
            labels,
            owner: Owner::parse(&owner).unwrap(),
            ..token()
        };
        let (key, uses) = (*id().as_bytes(), TokenUses::of(&token));
        if let Ok(bytes) = encode_record("t", &key, &TrashV2::new(&token, &uses, at)) {
            let record = verify_checksum("t", &key, &bytes).unwrap().decode::<TrashV2<'_>>();
            prop_assert_eq!(record.unwrap().into_parts(&key), Some((token.clone(), at)));
        }
        if let Ok(bytes) = encode_record("t", &key, &TokenV2::from(&token)) {
            let record = verify_checksum("t", &key, &bytes).unwrap().decode::<TokenV2<'_>>();
            let mut decoded = record.unwrap().into_token(&key).unwrap();
            uses.apply_to(&mut decoded);
            UseCountV1::of(&token).unwrap_or_default().apply_to(&mut decoded);
            prop_assert_eq!(decoded, token);
        }
        let body = EventBody { at, ..event_body() };
        if let Ok(bytes) = encode_record("t", &key, &EventV1::new(1, EventHash::NONE, &body)) {
            let record = verify_checksum("t", &key, &bytes).unwrap().decode::<EventV1<'_>>();
            prop_assert_eq!(record.unwrap().into_event_body(), Some(body));
        }
    }
}

/// Later versions will fill in these fields.
#[test]
fn a_field_of_a_later_version_is_refused() {
    let (key, token) = (*id().as_bytes(), token());
    let good = TokenV2::from(&token);
    assert!(good.clone().into_token(&key).is_some());
    for newer in [
        TokenV2 { origin_host: Some("host"), ..good.clone() },
        TokenV2 { signature: Some(&[1]), ..good.clone() },
    ] {
        let bytes = encode_record("t", &key, &newer).unwrap();
        let body = verify_checksum("t", &key, &bytes).unwrap();
        assert_eq!(body.decode(), Some(newer));
        assert_eq!(TokenV2::decode_token(&key, body), None);
    }
}

/// A record decodes only to a token that is encoded to the same record.
#[test]
fn labels_and_owners_that_nobody_could_set_are_damage() {
    let (key, token) = (*id().as_bytes(), token());
    let good = TokenV2::from(&token);
    let read = |labels: &[(&'static str, &'static str)], owner: Option<&'static str>| {
        TokenV2 { labels: labels.to_vec(), owner, ..good.clone() }.into_token(&key)
    };
    let labelled = read(&[("Env", "prod"), ("team", "edge")], Some("Ann")).unwrap();
    assert_eq!(labelled.labels.to_string(), "Env=prod, team=edge");
    assert_eq!(labelled.owner.as_str(), "Ann");
    for labels in [
        &[("", "a")][..],
        &[("-a", "a")],
        &[("a", "")],
        &[("a", " b")],
        &[("a", "b,c")],
        &[("a", "b\u{1b}")],
        &[("b", "1"), ("a", "2")],
        &[("a", "1"), ("A", "2")],
        &[("a", "1"); 17],
    ] {
        assert_eq!(read(labels, None), None, "{labels:?}");
    }
    for owner in ["", " ann", "a\nb"] {
        assert_eq!(read(&[], Some(owner)), None, "{owner:?}");
    }
}

/// Version 0.1.0 accepted such scopes. Their tokens must stay readable, so that they can be
/// revoked.
#[test]
fn a_stored_scope_with_a_star_in_a_name_is_no_damage() {
    let held: Vec<_> = ["channels:c-*:read", "channels:c-1:read@e*"]
        .map(|text| Scope::parse_stored(text).unwrap())
        .into_iter()
        .collect();
    let token = Token { scopes: Scopes::from_stored(held).unwrap(), last_used: None, ..token() };
    let token = Token { previous: None, last_denied: None, uses_taken: 0, ..token };
    assert_eq!(TokenV2::from(&token).into_token(id().as_bytes()), Some(token));
}

#[test]
fn a_record_that_the_domain_would_refuse_is_damaged() {
    let (key, token) = (*id().as_bytes(), token());
    let good = TokenV1::from(&token);
    let read = |record: TokenV1<'_>| record.into_token(&key);
    assert!(read(good.clone()).is_some());
    assert_eq!(good.clone().into_token(b"000000000000"), None);
    for bad in [
        TokenV1 { name: "", ..good.clone() },
        TokenV1 { algorithm: 2, ..good.clone() },
        TokenV1 { scopes: [good.scopes.clone(), good.scopes.clone()].concat(), ..good.clone() },
        TokenV1 { expires: Some(TimestampV1(i64::MAX, 0)), ..good.clone() },
    ] {
        assert_eq!(read(bad), None);
    }
}

#[test]
fn a_use_of_a_replaced_secret_counts_for_the_token() {
    let read = |uses: &TokenUses, token: &Token| {
        let mut token = TokenV1::from(token).into_token(id().as_bytes()).unwrap();
        uses.clone().apply_to(&mut token);
        token
    };
    let newest = LastUse { at: at(20), ..late() };
    let mut uses = TokenUses::of(&token());
    uses.previous_mut(Digest::from_bytes([0xbb; 32])).record(&newest, true);
    let ended = Token { previous: None, ..token() };
    assert_eq!(read(&uses, &ended).last_used, Some(newest.clone()));
    // The next secret was replaced, too, before its first use.
    let digest = Digest::from_bytes([0xcc; 32]);
    let next =
        PreviousSecret { digest, until: at(9), last_used: None, last_denied: None, uses_taken: 0 };
    let rotated = Token { previous: Some(next.clone()), ..token() };
    let found = read(&uses, &rotated);
    assert_eq!((found.last_used, found.previous), (Some(newest.clone()), Some(next.clone())));
    uses.previous_mut(next.digest).record(&last(), true);
    let found = read(&uses, &rotated);
    assert_eq!(found.last_used, Some(newest), "recording the next one keeps it");
    assert_eq!(found.previous.unwrap().last_used, Some(last()));
}
