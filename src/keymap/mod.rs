//! The key bindings: which key runs which action in which mode. Key dispatch, the footer, the help,
//! the `[keys]` table of the config and the key table of `docs/guide.md` all read [`BINDINGS`].
//! Does not know the screens. Called by the app, the config and the tests of the documents.

pub mod action;
pub mod bindings;
#[cfg(any(test, feature = "testing"))]
pub mod doc_tables;
pub mod hints;
pub mod key;
pub mod key_fault;
pub mod map;
pub mod mode;
pub mod overrides;
pub mod palette_commands;
pub mod suggest;

pub use action::Action;
pub use bindings::{BINDINGS, KeyBinding, OPTION_KEYS};
#[cfg(any(test, feature = "testing"))]
pub use doc_tables::{to_markdown, to_toml};
pub use hints::{HintChange, footer, key_label};
pub use key::{Key, KeyError, KeySequence};
pub use key_fault::KeyFault;
pub use map::{KeyResolution, Keymap};
pub use mode::{HelpSection, Mode};
pub use overrides::KeyOverride;
pub use palette_commands::{CommandAvailability, PaletteCommand, commands};
