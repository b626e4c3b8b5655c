//! Value parsers for the paths on the command line. They expand `~/`, and refuse a path that cannot
//! name a file before the command starts. `--store` and `--config` have the same rules in `config`.

use std::path::{Path, PathBuf};

use clap::builder::{PathBufValueParser, TypedValueParser};

use crate::domain::file_path::{PathFault, any_path, file_path};

/// The path of a file in an argument.
pub(super) fn file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| with_home(&path, file_path))
}

/// The path of a file where a subcommand can be, too. Refuses a plain word for which `meant` names a
/// subcommand.
pub(super) fn file_or_slip(
    meant: fn(&str) -> Option<&'static str>,
) -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(move |path| {
        let word = path.to_str().filter(|word| !word.contains(['/', '.']));
        match word.and_then(|word| Some((word, meant(word)?))) {
            Some((word, meant)) => Err(format!(
                "did you mean the command `{meant}`? for a file with this name, write ./{word}"
            )),
            None => with_home(&path, file_path).map_err(|fault| fault.to_string()),
        }
    })
}

/// A file, or `-` for standard input or output.
pub(super) fn file_or_dash() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.as_os_str().as_encoded_bytes() {
        b"-" => Ok(path),
        _ => with_home(&path, file_path),
    })
}

/// A file or folder, or `-` for standard input.
pub(super) fn file_or_folder() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| with_home(&path, any_path))
}

fn with_home(
    path: &Path,
    parse: impl Fn(&Path, Option<&Path>) -> Result<PathBuf, PathFault>,
) -> Result<PathBuf, PathFault> {
    parse(path, etcetera::home_dir().ok().as_deref())
}

/// Whether `path` stands for standard input or output.
pub(super) fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}
