//! The arguments that set or remove the limits of a token, shared by `create` and `edit`. Called by
//! `change_commands`.

use crate::domain::{
    LimitChange, LimitChanges, LimitError, MaxUses, NotBefore, SourceNetwork, SourceNetworks,
};

/// The word that removes a limit.
pub(crate) const NONE: &str = crate::output::command_line::NO_LIMIT;

/// Limits of a token.
#[derive(Debug, clap::Args)]
pub struct LimitArgs {
    /// Accept the secret only from this network (CIDR) or address; repeatable; none: from anywhere
    #[arg(long, value_name = "CIDR", value_parser = limit::<SourceNetwork>)]
    pub allow_from: Vec<LimitValue<SourceNetwork>>,

    /// Valid only from then on: 2h (from now), a local date (from 00:00) or time, or an instant; none: at once
    #[arg(long, value_name = "TIME", value_parser = limit::<NotBefore>)]
    pub not_before: Option<LimitValue<NotBefore>>,

    /// Number of times that each secret can be used, 1 to 1000000000; none: any number
    #[arg(long, value_name = "N", value_parser = limit::<MaxUses>)]
    pub max_uses: Option<LimitValue<MaxUses>>,
}

/// The value of a limit; `None` for the word `none`.
#[derive(Debug, Clone, Copy)]
pub struct LimitValue<T>(Option<T>);

fn limit<T: std::str::FromStr<Err = LimitError>>(text: &str) -> Result<LimitValue<T>, String> {
    if text == NONE {
        return Ok(LimitValue(None));
    }
    text.parse().map(|value| LimitValue(Some(value))).map_err(|error: LimitError| error.to_string())
}

impl LimitArgs {
    /// The changes that the arguments describe. Fails if `none` is combined with a network, or if
    /// there are too many networks.
    pub(super) fn changes(&self) -> Result<LimitChanges, String> {
        let networks: Vec<_> = self.allow_from.iter().filter_map(|value| value.0).collect();
        let sources = match (self.allow_from.len(), networks.len()) {
            (0, _) => LimitChange::Keep,
            (_, 0) => LimitChange::Remove,
            (all, given) if given < all => {
                return Err("--allow-from none cannot be combined with a network".to_owned());
            }
            _ => {
                let sources = SourceNetworks::new(networks);
                LimitChange::Set(sources.map_err(|error| error.to_string())?)
            }
        };
        let change = LimitChange::to;
        Ok(LimitChanges {
            sources,
            not_before: self.not_before.map_or(LimitChange::Keep, |value| change(value.0)),
            max_uses: self.max_uses.map_or(LimitChange::Keep, |value| LimitChange::to(value.0)),
        })
    }
}
