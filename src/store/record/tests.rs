//! Golden bytes of every stored struct. If a test fails here, existing stores can no longer be
//! read: add a new struct with a new version instead.

use std::fmt::Write as _;

use chrono::{TimeZone as _, Utc};
use proptest::prelude::*;

use super::*;
use crate::domain::{
    AuditAction, Description, Digest, EventBody, EventHash, LastUse, MaxUses, Name, PreviousSecret,
    Scopes, SourceNetwork, SourceNetworks, Token, TokenLimits, UsageDays,
};
use crate::store::codec::{RecordBody, encode_record, verify_checksum};

fn at(second: i64) -> Timestamp {
    Utc.timestamp_opt(1_800_000_000 + second, 123_456_789).unwrap()
}

fn id() -> TokenId {
    TokenId::parse("4fKq9Zt0WbXe").unwrap()
}

fn actor() -> Actor {
    Actor { user: "root".into(), sudo_user: Some("alice".into()), from: None }
}

fn last() -> LastUse {
    LastUse { at: at(9), from: Some("::1".into()), summary: "w".into() }
}

fn late() -> LastUse {
    LastUse { at: at(8), from: None, summary: "l".into() }
}

fn token() -> Token {
    let mut scopes = Scopes::default();
    for scope in ["clients:*:read", "channels:c1:publish@d1"] {
        scopes.add(scope.parse().unwrap()).unwrap();
    }
    Token {
        id: id(),
        name: Name::parse("ci").unwrap(),
        description: Description::parse("d").unwrap(),
        scopes,
        prefix: "pat".into(),
        digest: Digest::from_bytes([0xaa; 32]),
        previous: Some(PreviousSecret {
            digest: Digest::from_bytes([0xbb; 32]),
            until: at(1),
            last_used: Some(late()),
            uses_taken: 3,
            last_denied: None,
        }),
        created: at(2),
        created_by: actor(),
        issued: at(3),
        expires: Some(at(4)),
        revoked: None,
        version: 300,
        generation: 3,
        delivered: true,
        last_used: Some(last()),
        limits: TokenLimits {
            sources: Some("10.0.0.0/8,2001:db8::/32".parse().unwrap()),
            not_before: Some(at(3)),
            max_uses: MaxUses::new(9),
        },
        uses_taken: 4,
        last_denied: Some(late()),
    }
}

fn event_body() -> EventBody {
    EventBody {
        at: at(5),
        actor: actor(),
        token: Some(id()),
        name: "ci".into(),
        action: AuditAction::Revoked,
        detail: "leaked".into(),
    }
}

/// Encodes `record`, compares it with the golden bytes, and decodes it again with `is_same`.
#[track_caller]
fn assert_golden<R: Record>(record: &R, is_same: impl Fn(RecordBody<'_>) -> bool, expected: &str) {
    let encoded = encode_record("t", b"k", record).unwrap();
    let mut hex = String::new();
    for byte in &encoded {
        write!(hex, "{byte:02x}").unwrap();
    }
    assert_eq!(hex, expected);
    assert!(verify_checksum("t", b"k", &encoded).is_some_and(is_same));
}

#[test]
fn the_bytes_of_a_token_in_schema_1_are_frozen() {
    let token = token();
    let record = TokenV1::from(&token);
    assert_golden(
        &record,
        |body| body.decode() == Some(record.clone()),
        "0134664b71395a743057625865026369016402086368616e6e656c73026331077075626c69736801\
         02643107636c69656e7473012a0472656164000370617401aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
         aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa01bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\
         bbbbbbbbbbbbbbbbbbfc02a493d6fc15cd5b07fc04a493d6fc15cd5b0704726f6f740105616c6963\
         6500fc06a493d6fc15cd5b0701fc08a493d6fc15cd5b070001b9c33ed5177791af",
    );
}

#[test]
fn the_bytes_of_a_token_are_frozen() {
    let token = token();
    let record = TokenV2::from(&token);
    assert_golden(
        &record,
        |body| body.decode() == Some(record.clone()),
        "0234664b71395a743057625865026369016402086368616e6e656c73026331077075626c69736801\
         02643107636c69656e7473012a0472656164000370617401aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
         aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa01bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\
         bbbbbbbbbbbbbbbbbbfc02a493d6fc15cd5b07fc04a493d6fc15cd5b0704726f6f740105616c6963\
         6500fc06a493d6fc15cd5b0701fc08a493d6fc15cd5b070001fb2c010302000a000000080120010d\
         b80000000000000000000000002001fc06a493d6fc15cd5b070109000000006dab5ffaa046b4d0",
    );
}

#[test]
fn the_bytes_of_the_last_uses_are_frozen() {
    let uses = TokenUses::of(&token());
    let record = TokenUsesV2::from(&uses);
    assert_golden(
        &record,
        |body| body.decode() == Some(record.clone()),
        "0201fc12a493d6fc15cd5b0701033a3a31017701fc10a493d6fc15cd5b0700016c01bbbbbbbbbbbb\
         bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb01fc10a493d6fc15cd5b0700016c\
         009c74f501023c3744",
    );
}

#[test]
fn the_bytes_of_the_last_uses_in_schema_1_are_frozen() {
    let uses = TokenUses::of(&token());
    let record = TokenUsesV1::of(&uses);
    assert_golden(
        &record,
        |body| body.decode() == Some(record.clone()),
        "0101fc12a493d6fc15cd5b0701033a3a31017701bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\
         bbbbbbbbbbbbbbbbbbbbbbbbfc10a493d6fc15cd5b0700016cc662144228b8bbdc",
    );
    let migrated = record.into_usage().unwrap();
    assert_eq!((migrated.current.used, migrated.current.denied), (Some(last()), None));
}

#[test]
fn the_bytes_of_the_numbers_of_uses_are_frozen() {
    let mut days = UsageDays::default();
    days.count(at(1), true);
    days.count(at(90_000), false);
    let record = UsageDaysV1::from(&days);
    assert_eq!(record.clone().into_days(), Some(days));
    assert_golden(
        &record,
        |body| body.decode() == Some(record.clone()),
        "0102fb61510100fb62510001196940352557ff8a",
    );
}

#[test]
fn the_bytes_of_an_event_are_frozen() {
    let body = event_body();
    let record = EventV1::new(300, EventHash::from_bytes([0xcc; 32]), &body);
    assert_golden(
        &record,
        |body| body.decode() == Some(record.clone()),
        "01fb2c01ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccfc0aa493\
         d6fc15cd5b0704726f6f740105616c696365000134664b71395a74305762586502636905066c6561\
         6b6564565ef2eed21bed05",
    );
}

#[test]
fn the_bytes_of_a_deleted_token_in_schema_1_are_frozen() {
    let (token, uses) = (token(), TokenUses::of(&token()));
    let uses = TokenUsesV1::of(&uses);
    let record = TrashV1 { token: (&token).into(), uses, at: at(6).into() };
    assert_golden(
        &record,
        |body| body.decode() == Some(record.clone()),
        "0134664b71395a743057625865026369016402086368616e6e656c73026331077075626c69736801\
         02643107636c69656e7473012a0472656164000370617401aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
         aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa01bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\
         bbbbbbbbbbbbbbbbbbfc02a493d6fc15cd5b07fc04a493d6fc15cd5b0704726f6f740105616c6963\
         6500fc06a493d6fc15cd5b0701fc08a493d6fc15cd5b07000101fc12a493d6fc15cd5b0701033a3a\
         31017701bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbfc10a493\
         d6fc15cd5b0700016cfc0ca493d6fc15cd5b07e0355f11ff64ffdd",
    );
}

#[test]
fn the_bytes_of_a_deleted_token_are_frozen() {
    let (token, uses) = (token(), TokenUses::of(&token()));
    let record = TrashV2::new(&token, &uses, at(6));
    assert_golden(
        &record,
        |body| body.decode() == Some(record.clone()),
        "0234664b71395a743057625865026369016402086368616e6e656c73026331077075626c69736801\
         02643107636c69656e7473012a0472656164000370617401aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
         aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa01bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\
         bbbbbbbbbbbbbbbbbbfc02a493d6fc15cd5b07fc04a493d6fc15cd5b0704726f6f740105616c6963\
         6500fc06a493d6fc15cd5b0701fc08a493d6fc15cd5b070001fb2c010302000a000000080120010d\
         b80000000000000000000000002001fc06a493d6fc15cd5b0701090000000001fc12a493d6fc15cd\
         5b0701033a3a31017701bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\
         bbbbfc10a493d6fc15cd5b0700016c030403fc0ca493d6fc15cd5b07ae2c08a98bdf6018",
    );
}

#[test]
fn the_bytes_of_the_small_records_are_frozen() {
    let name = TokenIdRecordV1(*id().as_bytes());
    let same = |body: RecordBody<'_>| body.decode() == Some(name);
    assert_golden(&name, same, "0134664b71395a743057625865d6ee1de6292b2ee4");
    assert_golden(
        &TokenEventIndexEntryV1,
        |body| body.decode() == Some(TokenEventIndexEntryV1),
        "018fecefa8976c9712",
    );
    let schema = SchemaNumberV1(1);
    assert_golden(&schema, |body| body.decode() == Some(schema), "01019ddc7b30b98beec3");
    let info = StoreInfoV1 { id: [0xdd; 16], created: at(7).into() };
    assert_golden(
        &info,
        |body| body.decode() == Some(info),
        "01ddddddddddddddddddddddddddddddddfc0ea493d6fc15cd5b07da9b0a5920987122",
    );
    let clock = ClockStateV1 { newest_use: Some(at(8).into()), accepted: 2 };
    assert_golden(
        &clock,
        |body| body.decode() == Some(clock),
        "0101fc10a493d6fc15cd5b07024f423c6c3929a144",
    );
    let count = UseCountV1::of(&token()).unwrap();
    assert_golden(&count, |body| body.decode() == Some(count), "010304036849d1ae5696c1ed");
    let head = ChainHeadV1 { event_count: 70_000, hash: [0xee; 32] };
    assert_golden(
        &head,
        |body| body.decode() == Some(head),
        "01fc70110100eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee4fb5\
         8c1f0eb6158d",
    );
}

#[test]
fn the_hash_of_an_event_is_frozen() {
    let body = event_body();
    let record = EventV1::new(300, EventHash::from_bytes([0xcc; 32]), &body);
    let row = encode_record("t", b"k", &record).unwrap();
    let hash = crate::store::codec::body_unchecked(&row).unwrap().hash();
    assert_eq!(
        hash.to_string(),
        "54a669066940959b5d9a4977c07d86c10dd13e5591e3e06c585c56ae635928d9"
    );
}

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
        TokenV2 { labels: vec![("team", "a")], ..good.clone() },
        TokenV2 { owner: Some("alice"), ..good.clone() },
        TokenV2 { origin_host: Some("host"), ..good.clone() },
        TokenV2 { signature: Some(&[1]), ..good.clone() },
    ] {
        let bytes = encode_record("t", &key, &newer).unwrap();
        let body = verify_checksum("t", &key, &bytes).unwrap();
        assert_eq!(body.decode(), Some(newer));
        assert_eq!(TokenV2::decode_token(&key, body), None);
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
