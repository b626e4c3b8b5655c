//! The overlaps that a regeneration can choose from. Called by `token`, which applies them, and by
//! `import`, which refuses a longer one.

use chrono::TimeDelta;

use super::labelled_enum::labels;

labels! {
    /// How long the previous secret keeps working after a regeneration.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub enum SecretOverlap, ALL, as_str {
        /// The previous secret stops working immediately.
        #[default]
        None => "0",
        QuarterHour => "15m",
        Hour => "1h",
        Day => "24h",
    }
}

impl SecretOverlap {
    /// How long the longest overlap lasts.
    pub fn longest() -> TimeDelta {
        Self::ALL.iter().filter_map(|overlap| overlap.as_delta()).max().unwrap_or_default()
    }

    pub(super) fn as_delta(self) -> Option<TimeDelta> {
        match self {
            Self::None => None,
            Self::QuarterHour => Some(TimeDelta::minutes(15)),
            Self::Hour => Some(TimeDelta::hours(1)),
            Self::Day => Some(TimeDelta::hours(24)),
        }
    }
}
