//! The binary: readable panics without the environment in them, then the library's `run`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let hooks =
        color_eyre::config::HookBuilder::default().display_env_section(false).panic_section(
            "This is a fault of patdeck. The store is not harmed: changes are whole or absent.",
        );
    // Without the hook a panic is still told, only less readably.
    drop(hooks.install());
    patdeck::run()
}
