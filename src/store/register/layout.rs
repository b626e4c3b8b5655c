//! The bytes of the revocation register: a header page, then pages of 32 slots; a slot holds one
//! entry. Encodes and decodes them, and does no I/O. A slot with a wrong checksum counts as
//! damaged, never as free, because it may contain a partially written ending. Called by `file` and
//! `writer`.

use chrono::DateTime;

use super::{
    Ending, EndingKind, RevocationEntry,
    mark::{MARK_LEN, StoredMark},
};
use crate::domain::{Actor, DigestPrefix, Timestamp, TokenId, time_range::is_supported};

/// Bytes of the header page, and of each page of slots.
pub(super) const PAGE_LEN: usize = 4096;
/// Bytes of a slot. 32 of them fill a page, so that none crosses a sector of the disk.
pub(super) const SLOT_LEN: usize = 128;
pub(super) const SLOTS_PER_PAGE: usize = PAGE_LEN / SLOT_LEN;
/// The bytes of a slot without an entry.
pub(super) const FREE_SLOT: [u8; SLOT_LEN] = [0; SLOT_LEN];
/// Bytes of the encoded header.
pub(super) const HEADER_LEN: usize = 64;

/// Offset of the stamp: random bytes that a writer replaces after each change of entries. While the
/// stamp is the same, the entries are the same.
pub(super) const STAMP_OFFSET: usize = HEADER_LEN;
pub(super) const STAMP_LEN: usize = 16;

/// Offset of the pending hints: one byte for each lock. A hint is 0 only if no entry that was written
/// under its lock has a pending ending. Each lock has its own byte, so that no writer clears the
/// hint of another writer.
pub(super) const PENDING_OFFSET: usize = STAMP_OFFSET + STAMP_LEN;

/// Offset of the [`StoredMark`].
pub(super) const MARK_OFFSET: usize = PENDING_OFFSET + 2;

/// Offset in the header page of one byte for each group of pages. A byte is 0
/// only if no entry in these pages is pending, so that the pages need not be read. One row of bytes
/// for each lock.
pub(super) const GROUPS_OFFSET: usize = 2056;
/// Number of groups of pages.
pub(super) const GROUPS: usize = 1_000;

const MAGIC: [u8; 8] = *b"patdeckR";
const FORMAT: u32 = 1;
const CRC_LEN: usize = 4;
/// The longest actor in a slot, in bytes; a longer one is cut.
const ACTOR_LEN: usize = 70;
/// The stored expiry of a token that never expires.
const NEVER: i64 = i64::MAX;

/// The start of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Id of this register. The store contains the same id in the table `meta-1`.
    pub(super) id: [u8; 16],
    /// Number of slot pages after the header page.
    pub(super) pages: u32,
    /// Whether a larger file is about to replace this one.
    pub(super) is_superseded: bool,
}

/// Returns the number of pages that contain at least `slots` slots.
pub(super) fn pages_for(slots: usize) -> u32 {
    u32::try_from(slots.div_ceil(SLOTS_PER_PAGE)).unwrap_or(u32::MAX)
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER_LEN] {
        let mut writer = FieldWriter::<HEADER_LEN>::default();
        writer.put(&MAGIC);
        writer.put(&FORMAT.to_le_bytes());
        writer.put(&self.pages.to_le_bytes());
        writer.put(&self.id);
        writer.put(&[u8::from(self.is_superseded)]);
        writer.seal()
    }

    /// Decodes a header. Returns `None` if the bytes are not a header of this format.
    pub(super) fn decode(bytes: &[u8; HEADER_LEN]) -> Option<Self> {
        let mut fields = FieldReader::verified(bytes)?;
        let is_ours = fields.take()? == MAGIC && fields.take()? == FORMAT.to_le_bytes();
        let pages = u32::from_le_bytes(fields.take()?);
        let (id, [superseded]) = (fields.take()?, fields.take()?);
        (is_ours && pages > 0).then_some(Self { id, pages, is_superseded: superseded != 0 })
    }

    /// The page at which a search for `id` begins.
    pub(super) fn first_page(&self, id: &TokenId) -> u32 {
        crc32fast::hash(id.as_bytes()).checked_rem(self.pages).unwrap_or(0)
    }

    /// The group that `page` belongs to.
    pub(super) fn group_of(&self, page: u32) -> usize {
        let group = u64::from(page).saturating_mul(GROUPS as u64) / u64::from(self.pages.max(1));
        usize::try_from(group).unwrap_or(GROUPS).min(GROUPS - 1)
    }

    /// The pages of a group.
    pub(super) fn pages_of(&self, group: usize) -> std::ops::Range<u32> {
        let first = |group: usize| {
            let page = (group as u64).saturating_mul(u64::from(self.pages)).div_ceil(GROUPS as u64);
            u32::try_from(page).unwrap_or(u32::MAX).min(self.pages)
        };
        first(group)..first(group.saturating_add(1))
    }

    /// The page after `page`, which is the first one again at the end.
    pub(super) fn next_page(&self, page: u32) -> u32 {
        let next = page.saturating_add(1);
        if next < self.pages { next } else { 0 }
    }
}

/// The start of the file: the header, the stamp, the pending hints and the mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileStart {
    pub(super) bytes: [u8; Self::LEN],
    pub(super) header: Header,
}

impl FileStart {
    pub(super) const LEN: usize = MARK_OFFSET + MARK_LEN;

    /// Returns `None` unless `bytes` begin with a header of this format.
    pub(super) fn decode(bytes: [u8; Self::LEN]) -> Option<Self> {
        let header = Header::decode(bytes.first_chunk()?)?;
        Some(Self { bytes, header })
    }

    /// Returns the pending hints of the first and of the second lock; see [`PENDING_OFFSET`]. If a
    /// hint is `false`, no entry that was written under its lock has a pending ending.
    pub(super) fn may_have_pending(&self) -> [bool; 2] {
        let hints = self.bytes.get(PENDING_OFFSET..).and_then(<[u8]>::first_chunk);
        hints.copied().unwrap_or([1; 2]).map(|byte| byte != 0)
    }

    /// Returns the mark; that of 1970 without an event if the register has none.
    pub(super) fn mark(&self) -> StoredMark {
        self.bytes.last_chunk().map_or_else(StoredMark::default, StoredMark::decode)
    }
}

/// The content of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slot {
    Free,
    Used(RevocationEntry),
    /// The checksum is wrong. Contains the token id if its bytes are still a valid id.
    Damaged(Option<TokenId>),
}

impl Slot {
    /// Whether the checksum is correct, so that the id is that of the entry.
    pub(super) fn is_intact(bytes: &[u8; SLOT_LEN]) -> bool {
        FieldReader::verified(bytes).is_some()
    }

    pub(super) fn decode(bytes: &[u8; SLOT_LEN]) -> Self {
        // Compares the whole slot at once: a check decodes up to 32 free slots.
        if *bytes == FREE_SLOT {
            return Self::Free;
        }
        let entry = FieldReader::verified(bytes).and_then(|fields| decode_entry(fields));
        entry.map_or_else(
            || Self::Damaged(bytes.first_chunk().and_then(|id| TokenId::from_bytes(*id))),
            Self::Used,
        )
    }
}

pub(super) fn encode_entry(entry: &RevocationEntry) -> [u8; SLOT_LEN] {
    let mut writer = FieldWriter::<SLOT_LEN>::default();
    writer.put(entry.id.as_bytes());
    writer.put(&entry.ended_generation.to_le_bytes());
    writer.put(&entry.min_version.to_le_bytes());
    writer.put(&entry.expires.map_or(NEVER, seconds_rounded_up).to_le_bytes());
    let (code, secret) = encode_kind(entry.pending.as_ref().map(|pending| pending.kind));
    writer.put(&[code]);
    if let Some(Ending { at, actor, .. }) = &entry.pending {
        writer.put(&secret);
        writer.put(&at.timestamp().to_le_bytes());
        writer.put(&at.timestamp_subsec_nanos().to_le_bytes());
        let actor = actor.as_ref().map_or_else(String::new, encode_actor);
        writer.put(&[u8::try_from(actor.len()).unwrap_or(u8::MAX)]);
        writer.put(actor.as_bytes());
    }
    writer.seal()
}

/// The number of the kind, 0 for no ending, and the start of the digest of the only secret that it ends.
fn encode_kind(kind: Option<EndingKind>) -> (u8, [u8; DigestPrefix::LEN]) {
    let none = [0; DigestPrefix::LEN];
    match kind {
        None => (0, none),
        Some(EndingKind::Revoke) => (1, none),
        Some(EndingKind::EndSecret(secret)) => (2, *secret.as_bytes()),
        Some(EndingKind::Delete) => (3, none),
    }
}

fn decode_kind(code: u8, secret: [u8; DigestPrefix::LEN]) -> Option<EndingKind> {
    match code {
        1 => Some(EndingKind::Revoke),
        2 => Some(EndingKind::EndSecret(DigestPrefix::from_bytes(secret))),
        3 => Some(EndingKind::Delete),
        _ => None,
    }
}

/// Seconds since 1970, rounded up: an entry must not be dropped before its token expires.
fn seconds_rounded_up(at: Timestamp) -> i64 {
    at.timestamp().saturating_add(i64::from(at.timestamp_subsec_nanos() > 0))
}

fn decode_entry(mut fields: FieldReader<'_>) -> Option<RevocationEntry> {
    let id = TokenId::from_bytes(fields.take()?)?;
    let ended_generation = u32::from_le_bytes(fields.take()?);
    let min_version = u64::from_le_bytes(fields.take()?);
    let expires = match i64::from_le_bytes(fields.take()?) {
        NEVER => None,
        seconds => Some(DateTime::from_timestamp(seconds, 0)?),
    };
    let pending = match fields.take()? {
        [0] => None,
        [code] => {
            let kind = decode_kind(code, fields.take()?)?;
            Some(decode_ending(kind, &mut fields)?)
        }
    };
    Some(RevocationEntry { id, ended_generation, min_version, expires, pending })
}

fn decode_ending(kind: EndingKind, fields: &mut FieldReader<'_>) -> Option<Ending> {
    let seconds = i64::from_le_bytes(fields.take()?);
    let nanos = u32::from_le_bytes(fields.take()?);
    let at = DateTime::from_timestamp(seconds, nanos).filter(|at| is_supported(*at))?;
    let [length] = fields.take()?;
    let actor = std::str::from_utf8(fields.slice(usize::from(length))?).ok()?;
    let actor = (!actor.is_empty()).then(|| decode_actor(actor));
    Some(Ending { kind, at, actor })
}

/// Joins the parts of an actor with NUL and cuts the result to [`ACTOR_LEN`] bytes.
fn encode_actor(actor: &Actor) -> String {
    let parts = [Some(&actor.user), actor.sudo_user.as_ref(), actor.from.as_ref()];
    let mut text = parts.map(|part| part.map_or("", |text| text.as_str())).join("\0");
    let fits = (0..=ACTOR_LEN.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(fits.unwrap_or(0));
    text
}

fn decode_actor(text: &str) -> Actor {
    let mut parts = text.split('\0');
    let user = parts.next().unwrap_or_default().into();
    let mut part = || parts.next().filter(|text| !text.is_empty()).map(Into::into);
    Actor { user, sudo_user: part(), from: part() }
}

/// Writes consecutive fields to a buffer of `N` bytes. The last 4 bytes become the CRC-32 of all
/// other bytes.
struct FieldWriter<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Default for FieldWriter<N> {
    fn default() -> Self {
        Self { bytes: [0; N], len: 0 }
    }
}

impl<const N: usize> FieldWriter<N> {
    fn put(&mut self, field: &[u8]) {
        let end = self.len.saturating_add(field.len());
        // The fields fit: the tests encode the longest ones.
        if let Some(to) = self.bytes.get_mut(self.len..end) {
            to.copy_from_slice(field);
            self.len = end;
        }
    }

    fn seal(mut self) -> [u8; N] {
        if let Some((body, crc)) = self.bytes.split_last_chunk_mut::<CRC_LEN>() {
            *crc = crc32fast::hash(body).to_le_bytes();
        }
        self.bytes
    }
}

/// Reads consecutive fields.
struct FieldReader<'a>(&'a [u8]);

impl<'a> FieldReader<'a> {
    /// Returns the fields before the CRC-32, or `None` if the CRC-32 is wrong.
    fn verified(bytes: &'a [u8]) -> Option<Self> {
        let (body, crc) = bytes.split_last_chunk::<CRC_LEN>()?;
        (crc32fast::hash(body).to_le_bytes() == *crc).then_some(Self(body))
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }

    fn slice(&mut self, len: usize) -> Option<&'a [u8]> {
        let (field, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;
    use proptest::prelude::*;

    use super::*;

    fn id(byte: u8) -> TokenId {
        TokenId::from_bytes([b'a' + byte % 26; 12]).unwrap()
    }

    fn timestamp() -> impl Strategy<Value = Timestamp> {
        (0..200_000_000_000_i64, 0..1_000_000_000_u32)
            .prop_map(|(s, n)| chrono::Utc.timestamp_opt(s, n).unwrap())
    }

    fn ending() -> impl Strategy<Value = Ending> {
        let text = || prop::option::of("[a-zé0-9.]{1,12}".prop_map(Into::into));
        let actor = ("[a-zé]{1,12}", text(), text()).prop_map(|(user, sudo_user, from)| Actor {
            user: String::into(user),
            sudo_user,
            from,
        });
        let end_secret = |bytes| EndingKind::EndSecret(DigestPrefix::from_bytes(bytes));
        let kind = prop_oneof![
            Just(EndingKind::Revoke),
            Just(EndingKind::Delete),
            any::<[u8; DigestPrefix::LEN]>().prop_map(end_secret),
        ];
        (kind, timestamp(), prop::option::of(actor)).prop_map(|(kind, at, actor)| Ending {
            kind,
            at,
            actor,
        })
    }

    fn entry() -> impl Strategy<Value = RevocationEntry> {
        let seconds = prop::option::of(0..200_000_000_000_i64);
        (any::<u8>(), any::<u32>(), any::<u64>(), seconds, prop::option::of(ending())).prop_map(
            |(byte, ended_generation, min_version, expires, pending)| RevocationEntry {
                id: id(byte),
                ended_generation,
                min_version,
                expires: expires.map(|s| chrono::Utc.timestamp_opt(s, 0).unwrap()),
                pending,
            },
        )
    }

    proptest! {
        #[test]
        fn a_slot_holds_the_whole_entry(entry in entry()) {
            prop_assert_eq!(Slot::decode(&encode_entry(&entry)), Slot::Used(entry));
        }

        #[test]
        fn a_changed_byte_is_damage(entry in entry(), at in 0..SLOT_LEN, flip in 1..=255_u8) {
            let mut bytes = encode_entry(&entry);
            bytes[at] ^= flip;
            prop_assert!(matches!(Slot::decode(&bytes), Slot::Damaged(_)));
        }

        #[test]
        fn a_long_actor_is_cut(user in "\\PC{0,200}", from in prop::option::of("\\PC{0,99}")) {
            let at = chrono::Utc.timestamp_opt(0, 0).unwrap();
            let actor = Actor { user: user.into(), sudo_user: None, from: from.map(Into::into) };
            let pending = Some(Ending { kind: EndingKind::Revoke, at, actor: Some(actor) });
            let entry =
                RevocationEntry { pending, ended_generation: 1, ..RevocationEntry::of(id(1)) };
            prop_assert!(matches!(Slot::decode(&encode_entry(&entry)), Slot::Used(_)));
        }
    }

    #[test]
    fn every_page_belongs_to_one_group() {
        for pages in [1, 64, 999, 1_000, 1_001, 4_097, 80_000] {
            let header = Header { id: [7; 16], pages, is_superseded: false };
            let all: Vec<u32> = (0..GROUPS).flat_map(|group| header.pages_of(group)).collect();
            assert_eq!(all, (0..pages).collect::<Vec<_>>(), "{pages} pages");
            for group in 0..GROUPS {
                assert!(header.pages_of(group).all(|page| header.group_of(page) == group));
            }
        }
    }

    #[test]
    fn a_header_is_read_back_and_a_changed_one_refused() {
        let header = Header { id: [7; 16], pages: 64, is_superseded: true };
        let bytes = header.encode();
        assert_eq!(Header::decode(&bytes), Some(header));
        for at in 0..HEADER_LEN {
            let mut changed = bytes;
            changed[at] ^= 1;
            assert_eq!(Header::decode(&changed), None, "byte {at}");
        }
    }
}
