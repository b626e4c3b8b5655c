//! Builds the arguments of a subcommand only when the subcommand is used. A one-shot check runs
//! 1.47 M instructions instead of 2.04 M (callgrind). `args` wraps the arguments of each command in
//! [`LazyArgs`].

use std::ops::Deref;

use clap::{ArgMatches, Args, Command, FromArgMatches, builder::Resettable};

/// The arguments `T` of one command, built by clap on demand.
#[derive(Debug)]
pub struct LazyArgs<T>(T);

impl<T> Deref for LazyArgs<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: FromArgMatches> FromArgMatches for LazyArgs<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        T::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl<T: Args> Args for LazyArgs<T> {
    fn augment_args(command: Command) -> Command {
        command.defer(|command| augment_keeping_about(T::augment_args, command))
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(|command| augment_keeping_about(T::augment_args_for_update, command))
    }
}

/// Adds the arguments, but keeps the description of the command: `augment` would replace it by the
/// doc comment of the argument struct.
fn augment_keeping_about(augment: fn(Command) -> Command, command: Command) -> Command {
    let (about, long) = (command.get_about().cloned(), command.get_long_about().cloned());
    augment(command).about(Resettable::from(about)).long_about(Resettable::from(long))
}
