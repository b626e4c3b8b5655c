//! `status`: prints in one line whether the store is in order, for people and monitoring systems.
//! The figures are those of the app's overview.

use super::{
    exit::{CliError, Exit},
    print::Output,
};
use crate::{
    output::{
        json::overview_json,
        overview::{is_in_order, status_line},
    },
    service::Service,
};

/// Prints the figures. The exit code is 1 if something needs attention.
pub(super) fn status(service: &Service, out: &Output) -> Result<Exit, CliError> {
    let (overview, chain) = (service.overview()?, service.verify_chain()?);
    let exit = if is_in_order(&overview, &chain) { Exit::Done } else { Exit::No };
    if out.json {
        out.object(overview_json(&overview, &chain))?;
    } else {
        out.line(&status_line(&overview, &chain))?;
    }
    Ok(exit)
}
