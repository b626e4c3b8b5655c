//! Labels of a token: pairs of a key and a value, such as `team=edge`. Refuses malformed keys and
//! values, repeated keys and more than 16 labels, so that the text of a set of labels parses to the
//! same set. Called by forms, the command line, searches, plans and the store.

use std::{cmp::Ordering, fmt, str::FromStr};

use compact_str::CompactString;

use super::{
    count::grouped,
    name::fold,
    scan::contains_secret,
    terminal_text::{escape, first_unsafe},
};

/// Why a label is invalid. Forms show the message beside the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    #[error("invalid label `{}`: use KEY=VALUE, e.g. team=edge", escape(.0))]
    Malformed(String),
    #[error(
        "invalid key `{}`: use up to {max} letters, digits or -_./, beginning with a letter or digit",
        escape(.0),
        max = LabelKey::MAX_BYTES
    )]
    MalformedKey(String),
    #[error("label {0} has no value: use {0}=VALUE")]
    NoValue(LabelKey),
    #[error("the value of {key} is too long ({len} bytes): use at most {max} bytes", len = grouped(.len), max = Label::MAX_VALUE_BYTES)]
    TooLong { key: LabelKey, len: usize },
    /// A comma separates labels.
    #[error("the value of {0} contains a comma: leave it out")]
    Comma(LabelKey),
    /// A character that could change what a terminal shows.
    #[error("the value of {key} contains U+{code:04X}, which is invisible, a control character or a stray mark: remove it", code = u32::from(*.character))]
    UnsafeCharacter { key: LabelKey, character: char },
    #[error("the value of {0} contains the secret of a token: remove it")]
    Secret(LabelKey),
    #[error("the key of a label contains the secret of a token: remove it")]
    SecretKey,
    #[error("label {0} is given more than once: use each key once")]
    Repeated(LabelKey),
    #[error("too many labels: a token can have at most {max}", max = Labels::MAX)]
    TooMany,
    #[error("label {0} is set and removed at once: choose one of the two")]
    SetAndRemoved(LabelKey),
    #[error("the token has no label {0}")]
    NotFound(LabelKey),
}

/// The key of a label: 1 to [`LabelKey::MAX_BYTES`] ASCII letters, digits and `-_./`. It begins with
/// a letter or digit. Keys are equal without regard to case.
#[derive(Debug, Clone)]
pub struct LabelKey(CompactString);

impl LabelKey {
    pub const MAX_BYTES: usize = 63;

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn lower_case(&self) -> impl Iterator<Item = u8> {
        self.0.bytes().map(|byte| byte.to_ascii_lowercase())
    }
}

impl FromStr for LabelKey {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        let text = text.trim();
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        let begins_well = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if begins_well && text.len() <= Self::MAX_BYTES && text.bytes().all(is_allowed) {
            Ok(Self(text.into()))
        } else {
            Err(LabelError::MalformedKey(text.to_owned()))
        }
    }
}

impl Ord for LabelKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.lower_case().cmp(other.lower_case())
    }
}

impl PartialOrd for LabelKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for LabelKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for LabelKey {}

impl fmt::Display for LabelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key with its value, in the form `team=edge`. The value has 1 to [`Label::MAX_VALUE_BYTES`]
/// visible bytes, trimmed, without a comma.
#[derive(Debug, Clone)]
pub struct Label {
    key: LabelKey,
    value: CompactString,
}

impl Label {
    pub const MAX_VALUE_BYTES: usize = 128;

    /// Trims and validates `value`. Returns an error if it or the key contains a secret.
    pub fn new(key: LabelKey, value: &str) -> Result<Self, LabelError> {
        if contains_secret(key.as_str()) {
            return Err(LabelError::SecretKey);
        }
        if contains_secret(value) {
            return Err(LabelError::Secret(key));
        }
        Self::from_stored(key, value)
    }

    /// Returns a label that a token may already have. Earlier versions accepted a secret.
    pub fn from_stored(key: LabelKey, value: &str) -> Result<Self, LabelError> {
        let value = value.trim();
        if value.is_empty() {
            return Err(LabelError::NoValue(key));
        }
        if value.len() > Self::MAX_VALUE_BYTES {
            return Err(LabelError::TooLong { key, len: value.len() });
        }
        if value.contains(',') {
            return Err(LabelError::Comma(key));
        }
        if let Some(character) = first_unsafe(value) {
            return Err(LabelError::UnsafeCharacter { key, character });
        }
        Ok(Self { key, value: value.into() })
    }

    pub fn key(&self) -> &LabelKey {
        &self.key
    }

    pub fn value(&self) -> &str {
        &self.value
    }

    /// The form in which labels are compared, such as `team=edge` for `Team=EDGE`.
    pub fn folded(&self) -> String {
        [fold(self.key.as_str()), Self::fold_value(&self.value)].join("=")
    }

    /// The form in which values are compared. It is trimmed because the compatibility form of some
    /// characters begins with a blank.
    pub(super) fn fold_value(value: &str) -> String {
        fold(value).trim().to_owned()
    }
}

/// Two labels are equal if key and value are written in the same way. An edit can thus change the
/// case of a label.
impl PartialEq for Label {
    fn eq(&self, other: &Self) -> bool {
        (self.key.as_str(), &self.value) == (other.key.as_str(), &other.value)
    }
}

impl Eq for Label {}

impl std::hash::Hash for Label {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.key.as_str(), &self.value).hash(state);
    }
}

impl FromStr for Label {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        let malformed = || LabelError::Malformed(text.trim().to_owned());
        let (key, value) = text.split_once('=').ok_or_else(malformed)?;
        Self::new(key.parse()?, value)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

/// The labels of a token, sorted by key. Each key occurs once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Labels(Vec<Label>);

impl Labels {
    /// The largest number of labels of a token.
    pub const MAX: usize = 16;

    /// Returns an error if a key is repeated or if there are too many labels.
    pub fn new(labels: impl IntoIterator<Item = Label>) -> Result<Self, LabelError> {
        let mut labels: Vec<_> = labels.into_iter().take(Self::MAX + 1).collect();
        if labels.len() > Self::MAX {
            return Err(LabelError::TooMany);
        }
        labels.sort_by(|one, other| one.key.cmp(&other.key));
        let repeated = labels.windows(2).find_map(|pair| match pair {
            [one, next] if one.key == next.key => Some(next.key.clone()),
            _ => None,
        });
        repeated.map_or(Ok(Self(labels)), |key| Err(LabelError::Repeated(key)))
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Label> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, key: &LabelKey) -> Option<&Label> {
        let at = self.0.binary_search_by(|label| label.key.cmp(key)).ok()?;
        self.0.get(at)
    }

    /// Returns the labels after `changes`. Returns an error for the removal of a label that does not
    /// exist, for a key that is changed twice, and for too many labels.
    pub fn changed(&self, changes: &LabelChanges) -> Result<Self, LabelError> {
        let set = Self::new(changes.set.iter().cloned())?;
        for key in &changes.removed {
            if set.get(key).is_some() {
                return Err(LabelError::SetAndRemoved(key.clone()));
            }
            if self.get(key).is_none() {
                return Err(LabelError::NotFound(key.clone()));
            }
        }
        let is_kept =
            |label: &&Label| set.get(&label.key).is_none() && !changes.removed.contains(&label.key);
        let kept: Vec<_> = self.0.iter().filter(is_kept).cloned().collect();
        Self::new(kept.into_iter().chain(set.0))
    }
}

impl FromStr for Labels {
    type Err = LabelError;

    /// Parses labels that are separated by commas. An empty text has no labels.
    fn from_str(text: &str) -> Result<Self, LabelError> {
        let parts = text.split(',').filter(|part| !part.trim().is_empty());
        Self::new(parts.map(str::parse).collect::<Result<Vec<Label>, _>>()?)
    }
}

impl fmt::Display for Labels {
    /// `env=prod, team=edge`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, label) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            write!(f, "{separator}{label}")?;
        }
        Ok(())
    }
}

/// A change of the labels of a token. Each key occurs at most once in both lists together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelChanges {
    /// Labels to add, or to put in the place of labels with the same keys.
    pub set: Vec<Label>,
    /// Keys of labels to remove.
    pub removed: Vec<LabelKey>,
}

impl LabelChanges {
    /// The change that makes `after` of `before`.
    pub fn between(before: &Labels, after: &Labels) -> Self {
        let set = after.iter().filter(|label| before.get(&label.key) != Some(label));
        let removed = before.iter().filter(|label| after.get(&label.key).is_none());
        Self {
            set: set.cloned().collect(),
            removed: removed.map(|label| label.key.clone()).collect(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.removed.is_empty()
    }
}

#[cfg(test)]
#[path = "label_tests.rs"]
pub(crate) mod tests;
