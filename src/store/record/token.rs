//! The records of tokens and deleted tokens. Schema 2 adds the counters `version` and `generation`,
//! the limits, the labels and the owner. Its records contain a `TokenV1`; the other structs of schema 1 remain for the
//! migration.

use bincode::{BorrowDecode, Encode};

use super::{
    ActorV1, IdV1, ScopeV1, TimestampV1, TokenUses, TokenUsesV1, TokenUsesV2,
    limits::{TokenLimitsV1, UseCountV1},
    try_map,
};
use crate::{
    domain::{
        Description, Digest, Label, Labels, Name, Owner, PreviousSecret, Scopes, Timestamp, Token,
        TokenId, TokenLimits,
    },
    store::codec::{Record, RecordBody},
};

/// A token without its last uses, which have their own table.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct TokenV1<'a> {
    pub(super) id: IdV1,
    pub(super) name: &'a str,
    pub(super) description: &'a str,
    pub(super) scopes: Vec<ScopeV1<'a>>,
    pub(super) prefix: &'a str,
    /// The digest algorithm: 1 is SHA-256 of the whole secret. Other values are refused.
    pub(super) algorithm: u8,
    pub(super) digest: [u8; 32],
    pub(super) previous: Option<([u8; 32], TimestampV1)>,
    pub(super) created: TimestampV1,
    pub(super) created_by: ActorV1<'a>,
    pub(super) issued: TimestampV1,
    pub(super) expires: Option<TimestampV1>,
    pub(super) revoked: Option<TimestampV1>,
    pub(super) delivered: bool,
}

const SHA_256: u8 = 1;

impl Record for TokenV1<'_> {}

impl<'a> From<&'a Token> for TokenV1<'a> {
    fn from(token: &'a Token) -> Self {
        let previous = token.previous.as_ref();
        let previous = previous.map(|old| (*old.digest.as_bytes(), old.until.into()));
        Self {
            id: *token.id.as_bytes(),
            name: token.name.as_str(),
            description: token.description.as_str(),
            scopes: token.scopes.iter().map(ScopeV1::from).collect(),
            prefix: &token.prefix,
            algorithm: SHA_256,
            digest: *token.digest.as_bytes(),
            previous,
            created: token.created.into(),
            created_by: (&token.created_by).into(),
            issued: token.issued.into(),
            expires: token.expires.map(Into::into),
            revoked: token.revoked.map(Into::into),
            delivered: token.delivered,
        }
    }
}

/// The fields of a token that an import compares. Decoding them is cheaper than decoding the whole
/// token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedFields {
    pub id: TokenId,
    pub name: Name,
    pub is_revoked: bool,
    pub expires: Option<Timestamp>,
    pub not_before: Option<Timestamp>,
}

impl TokenV1<'_> {
    fn summary(&self) -> Option<ComparedFields> {
        Some(ComparedFields {
            id: TokenId::from_bytes(self.id)?,
            name: Name::parse_stored(self.name).ok()?,
            is_revoked: self.revoked.is_some(),
            expires: try_map(self.expires, TimestampV1::to_timestamp).ok()?,
            not_before: None,
        })
    }

    /// Returns the token at the key `id`, without last uses, or `None` if the domain would refuse
    /// the token.
    pub(in crate::store) fn into_token(self, id: &IdV1) -> Option<Token> {
        if self.id != *id || self.algorithm != SHA_256 {
            return None;
        }
        let scopes: Option<Vec<_>> = self.scopes.into_iter().map(ScopeV1::into_scope).collect();
        let has_previous = self.previous.is_some();
        let previous = try_map(self.previous, |(digest, until)| {
            let digest = Digest::from_bytes(digest);
            Some(PreviousSecret {
                digest,
                until: until.to_timestamp()?,
                last_used: None,
                last_denied: None,
                uses_taken: 0,
            })
        })
        .ok()?;
        Some(Token {
            id: TokenId::from_bytes(self.id)?,
            name: Name::parse_stored(self.name).ok()?,
            description: Description::parse_stored(self.description).ok()?,
            scopes: Scopes::from_stored(scopes?)?,
            prefix: self.prefix.into(),
            digest: Digest::from_bytes(self.digest),
            previous,
            created: self.created.to_timestamp()?,
            created_by: self.created_by.into(),
            issued: self.issued.to_timestamp()?,
            expires: try_map(self.expires, TimestampV1::to_timestamp).ok()?,
            revoked: try_map(self.revoked, TimestampV1::to_timestamp).ok()?,
            delivered: self.delivered,
            last_used: None,
            last_denied: None,
            // Schema 1 has none of these fields. A previous secret has a generation of its own.
            labels: Labels::default(),
            owner: Owner::default(),
            limits: TokenLimits::default(),
            uses_taken: 0,
            version: 1,
            generation: if has_previous { 2 } else { 1 },
        })
    }
}

/// A token with its version, generation, limits, labels and owner. The last two fields are for later
/// versions and empty. A record in which one of them is not empty was written by a newer patdeck, and
/// is refused. In the same way, a build from before the labels refuses a token that has a label or an
/// owner, and so cannot lose them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct TokenV2<'a> {
    pub(super) token: TokenV1<'a>,
    pub(super) version: u64,
    pub(super) generation: u32,
    pub(super) limits: TokenLimitsV1,
    /// Pairs of key and value, sorted by key without regard to case.
    pub(super) labels: Vec<(&'a str, &'a str)>,
    /// `None` if the creator is the owner.
    pub(super) owner: Option<&'a str>,
    /// The host on which the token was created.
    pub(super) origin_host: Option<&'a str>,
    pub(super) signature: Option<&'a [u8]>,
}

impl Record for TokenV2<'_> {
    const VERSION: u8 = 2;
}

impl<'a> From<&'a Token> for TokenV2<'a> {
    fn from(token: &'a Token) -> Self {
        Self {
            token: token.into(),
            version: token.version,
            generation: token.generation,
            limits: (&token.limits).into(),
            labels: token.labels.iter().map(|it| (it.key().as_str(), it.value())).collect(),
            owner: Some(token.owner.as_str()).filter(|owner| !owner.is_empty()),
            origin_host: None,
            signature: None,
        }
    }
}

impl TokenV2<'_> {
    /// Decodes the token at the key `id`, without last uses. Returns `None` if the record is
    /// damaged.
    pub(in crate::store) fn decode_token(id: &IdV1, body: RecordBody<'_>) -> Option<Token> {
        body.decode::<TokenV2<'_>>()?.into_token(id)
    }

    /// The summary; `None` if the domain would refuse one of its fields.
    pub(in crate::store) fn summary(&self) -> Option<ComparedFields> {
        let not_before = self.limits.clone().into_limits()?.not_before;
        Some(ComparedFields { not_before, ..self.token.summary()? })
    }

    /// Whether a newer patdeck wrote the record.
    fn is_newer(&self) -> bool {
        self.origin_host.is_some() || self.signature.is_some()
    }

    /// The token at the key `id`, without last uses; `None` if the domain would refuse it.
    pub(in crate::store) fn into_token(self, id: &IdV1) -> Option<Token> {
        if self.is_newer() {
            return None;
        }
        let Self { token, version, generation, limits, labels, owner, .. } = self;
        let limits = limits.into_limits()?;
        let (labels, owner) = (read_labels(&labels)?, try_map(owner, read_owner).ok()?);
        let owner = owner.unwrap_or_default();
        Some(Token { version, generation, limits, labels, owner, ..token.into_token(id)? })
    }
}

/// Returns the labels, or `None` unless they are exactly as [`TokenV2::from`] writes them.
fn read_labels(pairs: &[(&str, &str)]) -> Option<Labels> {
    let label = |(key, value): &(&str, &str)| Label::from_stored(key.parse().ok()?, value).ok();
    let labels = Labels::new(pairs.iter().map(label).collect::<Option<Vec<_>>>()?).ok()?;
    let is_same = labels.iter().map(|it| (it.key().as_str(), it.value())).eq(pairs.iter().copied());
    is_same.then_some(labels)
}

/// Returns the owner, or `None` unless it is exactly as [`TokenV2::from`] writes it.
fn read_owner(text: &str) -> Option<Owner> {
    Owner::parse_stored(text).ok().filter(|owner| !text.is_empty() && owner.as_str() == text)
}

/// A deleted token and the time of its deletion, in schema 1.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct TrashV1<'a> {
    pub(super) token: TokenV1<'a>,
    pub(super) uses: TokenUsesV1<'a>,
    pub(super) at: TimestampV1,
}

impl Record for TrashV1<'_> {}

impl TrashV1<'_> {
    pub(in crate::store) fn into_parts(self, id: &IdV1) -> Option<(Token, Timestamp)> {
        let mut token = self.token.into_token(id)?;
        self.uses.into_usage()?.apply_to(&mut token);
        Some((token, self.at.to_timestamp()?))
    }
}

/// A deleted token and the time of its deletion.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct TrashV2<'a> {
    token: TokenV2<'a>,
    uses: TokenUsesV2<'a>,
    use_count: UseCountV1,
    at: TimestampV1,
}

impl Record for TrashV2<'_> {
    const VERSION: u8 = 2;
}

impl<'a> TrashV2<'a> {
    /// Decodes the deleted token at the key `id` and the time of its deletion. Returns `None` if
    /// the record is damaged.
    pub(in crate::store) fn decode_parts(
        id: &IdV1,
        body: RecordBody<'_>,
    ) -> Option<(Token, Timestamp)> {
        body.decode::<TrashV2<'_>>()?.into_parts(id)
    }

    /// `uses` must be the last uses of `token`.
    pub(in crate::store) fn new(token: &'a Token, uses: &'a TokenUses, at: Timestamp) -> Self {
        let use_count = UseCountV1::of(token).unwrap_or_default();
        Self { token: token.into(), uses: uses.into(), use_count, at: at.into() }
    }

    pub(in crate::store) fn into_parts(self, id: &IdV1) -> Option<(Token, Timestamp)> {
        let mut token = self.token.into_token(id)?;
        self.uses.into_usage()?.apply_to(&mut token);
        self.use_count.apply_to(&mut token);
        Some((token, self.at.to_timestamp()?))
    }
}
