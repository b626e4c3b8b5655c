//! The words of the user interface: which key does what where, and how that is told. Dispatch,
//! footer, help, the `[keys]` part of the config and the README's table all read one table.
//! Knows no screen; called by the app, the config and the documents' tests.

pub mod action;
pub mod bindings;

pub use action::Action;
pub use bindings::{BINDINGS, Binding, Group, Mode};
