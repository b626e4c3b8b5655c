//! The arguments, as clap reads them. Their text is the help; nothing here acts.

use std::path::PathBuf;

use clap::Parser;

use crate::config::Flags;

/// Issue, scope, watch, revoke, regenerate and check personal access tokens.
#[derive(Debug, Parser)]
#[command(
    name = "patdeck",
    version,
    about,
    after_help = "patdeck opens the app; ? shows the keys that work where you are.\n\n\
                  Exit codes: 0 done, 2 usage, settings or terminal, 4 the store is unavailable,\n\
                  damaged or unsafe, 129 the line dropped, 130 interrupted, 143 terminated.\n\n\
                  Environment: PATDECK_STORE, PATDECK_CONFIG, NO_COLOR, LC_ALL, LC_CTYPE, LANG."
)]
pub struct Args {
    /// The store to work on, instead of the one in your data folder
    #[arg(long, value_name = "FILE")]
    pub store: Option<PathBuf>,

    /// The settings to read, instead of those in your config folder
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl Args {
    /// What they say about settings.
    pub fn flags(&self) -> Flags {
        Flags {
            config: self.config.clone(),
            store: self.store.clone(),
        }
    }
}
