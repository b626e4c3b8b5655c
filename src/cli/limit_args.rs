//! The arguments that set or remove the limits of a token, shared by `create` and `edit`. Called by
//! `change_commands`.

use crate::{
    domain::{
        LimitChange, LimitChanges, LimitError, MaxUses, NotBefore, SourceNetwork, SourceNetworks,
    },
    output::command_line::NO_LIMIT,
};

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
    if text == NO_LIMIT {
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
        Ok(LimitChanges {
            sources,
            not_before: change(self.not_before),
            max_uses: change(self.max_uses),
        })
    }
}

/// The change that an option with `value` describes; `None` if the option is not given.
fn change<T>(value: Option<LimitValue<T>>) -> LimitChange<T> {
    value.map_or(LimitChange::Keep, |value| LimitChange::to(value.0))
}
