//! Arguments of a command that are only built when the command is asked for: a check is a
//! process, and half of what clap does in it was to describe what nobody asked for. Called by
//! the arguments; clap sees no difference.

use std::ops::Deref;

use clap::{ArgMatches, Args, Command, FromArgMatches, builder::Resettable};

/// The arguments of one command, described to clap late.
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
        command.defer(|command| told(T::augment_args, command))
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(|command| told(T::augment_args_for_update, command))
    }
}

/// Adds the arguments to a command that has its words already: a description of the arguments
/// must not take their place.
fn told(augment: fn(Command) -> Command, command: Command) -> Command {
    let (about, long) = (command.get_about().cloned(), command.get_long_about().cloned());
    augment(command).about(Resettable::from(about)).long_about(Resettable::from(long))
}
