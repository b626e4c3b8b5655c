//! Golden bytes of every stored struct. If a test fails here, existing stores can no longer be
//! read: add a new struct with a new version instead.

use std::fmt::Write as _;

use chrono::{TimeZone as _, Utc};

use super::*;
use crate::domain::{
    AuditAction, DenialReason, DeniedAttempt, DeniedAttempts, Description, Digest, EventBody,
    EventHash, HookFailure, HookRun, Labels, LastUse, MaxUses, Name, Owner, PreviousSecret, Scopes,
    SecretSlot, Token, TokenLimits, UsageDays,
};
use crate::store::codec::{RecordBody, encode_record, verify_checksum};

pub(super) fn at(second: i64) -> Timestamp {
    Utc.timestamp_opt(1_800_000_000 + second, 123_456_789).unwrap()
}

pub(super) fn id() -> TokenId {
    TokenId::parse("4fKq9Zt0WbXe").unwrap()
}

fn actor() -> Actor {
    Actor { user: "root".into(), sudo_user: Some("alice".into()), from: None }
}

pub(super) fn last() -> LastUse {
    LastUse { at: at(9), from: Some("::1".into()), summary: "w".into() }
}

pub(super) fn late() -> LastUse {
    LastUse { at: at(8), from: None, summary: "l".into() }
}

pub(super) fn token() -> Token {
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
        labels: Labels::default(),
        owner: Owner::default(),
        uses_taken: 4,
        last_denied: Some(late()),
    }
}

pub(super) fn event_body() -> EventBody {
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
fn the_bytes_of_labels_and_owner_are_frozen() {
    let labels = "team=edge, Env=prod".parse().unwrap();
    let token = Token { labels, owner: Owner::parse("Ann").unwrap(), ..token() };
    let record = TokenV2::from(&token);
    assert_golden(
        &record,
        |body| body.decode() == Some(record.clone()),
        "0234664b71395a743057625865026369016402086368616e6e656c73026331077075626c69736801\
         02643107636c69656e7473012a0472656164000370617401aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
         aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa01bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\
         bbbbbbbbbbbbbbbbbbfc02a493d6fc15cd5b07fc04a493d6fc15cd5b0704726f6f740105616c6963\
         6500fc06a493d6fc15cd5b0701fc08a493d6fc15cd5b070001fb2c010302000a000000080120010d\
         b80000000000000000000000002001fc06a493d6fc15cd5b0701090203456e760470726f64047465\
         616d04656467650103416e6e0000174df10d66b74274",
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
fn the_bytes_of_the_denied_attempts_are_frozen() {
    let mut attempts = DeniedAttempts::default();
    for (second, slot) in [(1, SecretSlot::Current), (2, SecretSlot::Previous)] {
        attempts.add(DeniedAttempt {
            at: at(second),
            reason: DenialReason::NoScope,
            request: "w".into(),
            from: Some("::1".into()),
            slot,
        });
    }
    let record = DeniedAttemptsV1::from(&attempts);
    let decode = DeniedAttemptsV1::decode_attempts;
    assert_golden(
        &record,
        |body| decode(body) == Some(attempts.clone()),
        "0102fc04a493d6fc15cd5b0709017701033a3a3101fc02a493d6fc15cd5b0709017701033a3a310029c2b5383d6ab7a2",
    );
}

#[test]
fn the_bytes_of_a_run_of_a_hook_are_frozen() {
    let failure = HookFailure { attempts: 2, at: at(6), reason: "r".into() };
    let run = HookRun {
        hook: "h".into(),
        event: 300,
        at: at(5),
        action: AuditAction::Revoked,
        token: Some(id()),
        name: "ci".into(),
        lock: 9,
        failure: Some(failure),
    };
    let record = HookRunV1::from(&run);
    assert_golden(
        &record,
        |body| HookRunV1::decode_run(body) == Some(run.clone()),
        "010168fb2c01fc0aa493d6fc15cd5b07050134664b71395a743057625865026369090102fc0ca493d6fc15cd5b07017201bd71bc2c69a6de",
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
         5b0701033a3a31017701fc10a493d6fc15cd5b0700016c01bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\
         bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb01fc10a493d6fc15cd5b0700016c00030403fc0ca493d6fc\
         15cd5b07feb79c12b7677d25",
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
