//! The arguments that set the labels and the owner of a token, shared by `create` and `edit`. Called
//! by the definition of the arguments.

use super::completers;
use crate::domain::{Label, Owner};

/// Labels and owner of a token.
#[derive(Debug, clap::Args)]
pub struct LabelArgs {
    /// Set this label, in the place of one with the same key; repeatable
    #[arg(long = "label", value_name = "KEY=VALUE", add = completers::labels())]
    pub labels: Vec<Label>,

    /// Owner, any text; without one, the creator is the owner
    #[arg(long, value_name = "NAME", value_parser = Owner::parse, add = completers::owners())]
    pub owner: Option<Owner>,
}
