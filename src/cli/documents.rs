//! `completions` and `man`: made from the definition of the arguments.

use std::io;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{
    args::Args,
    exit::{Exit, Failure},
};

/// Prints the completions for `shell`.
pub(super) fn completions(shell: Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "patdeck", &mut script);
    io::Write::write_all(&mut io::stdout(), &script)?;
    Ok(Exit::Done)
}

/// Prints the manual page.
pub(super) fn man() -> Result<Exit, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Args::command()).render(&mut page)?;
    io::Write::write_all(&mut io::stdout(), &page)?;
    Ok(Exit::Done)
}
