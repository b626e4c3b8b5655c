//! The words of the user interface: which key does what where, and how that is told. Dispatch,
//! footer, help, the `[keys]` part of the config and the README's table all read one table.
//! Knows no screen; called by the app, the config and the documents' tests.

pub mod action;
pub mod bindings;
pub mod commands;
#[cfg(any(test, feature = "testing"))]
pub mod documents;
pub mod fault;
pub mod hints;
pub mod key;
pub mod map;
pub mod mode;
pub mod overrides;
pub mod suggest;

pub use action::Action;
pub use bindings::{BINDINGS, Binding};
pub use commands::{Availability, PaletteCommand, commands};
#[cfg(any(test, feature = "testing"))]
pub use documents::{to_markdown, to_toml};
pub use fault::KeyFault;
pub use hints::{footer, key_label};
pub use key::{Key, KeyError, Sequence};
pub use map::{Keymap, Resolved};
pub use mode::{Group, Mode};
pub use overrides::Override;
