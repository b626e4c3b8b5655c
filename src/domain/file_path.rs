//! Rules for the text of a path that an operator gives: in an option, a variable, the config or a
//! form. Expands a leading `~/`, because many programs and shells pass `~/` on unchanged. Refuses a
//! path that would create a file with an unintended name, such as `-` or `~name`. Accesses no file.

use std::path::{Path, PathBuf};

use super::terminal_text::escape;

/// Why a path is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    #[error("the path is empty: write the path of a file")]
    Empty,
    #[error("the path contains a NUL character: remove it")]
    Nul,
    #[error("`-` is not a file here: for a file of this name, write ./-")]
    Dash,
    /// The path starts with `~`, but not with `~/`.
    #[error("{} cannot be expanded, only ~/ can: write the full path, or ./~ for a name that begins with ~", escape(.0))]
    Tilde(String),
    /// The path starts with `~/`, and the operator has no home directory.
    #[error("~/ cannot be expanded without a home directory: write the full path")]
    NoHome,
    /// The path ends with a slash.
    #[error("{} is a folder: add the name of a file", escape(.0))]
    Folder(String),
}

/// Returns the path of the file `given`. `home` is the home directory of the operator.
pub fn file_path(given: &Path, home: Option<&Path>) -> Result<PathBuf, PathFault> {
    match given.as_os_str().as_encoded_bytes() {
        [] => Err(PathFault::Empty),
        b"-" => Err(PathFault::Dash),
        [.., b'/'] => Err(PathFault::Folder(given.to_string_lossy().into_owned())),
        _ => any_path(given, home),
    }
}

/// Returns the path of the file or folder `given`. `home` is the home directory of the operator.
pub fn any_path(given: &Path, home: Option<&Path>) -> Result<PathBuf, PathFault> {
    let bytes = given.as_os_str().as_encoded_bytes();
    if bytes.contains(&0) {
        return Err(PathFault::Nul);
    }
    match bytes {
        [b'~', b'/', ..] | b"~" => {
            let rest = given.strip_prefix("~").unwrap_or(given);
            home.map(|home| home.join(rest)).ok_or(PathFault::NoHome)
        }
        [b'~', ..] => Err(PathFault::Tilde(given.to_string_lossy().into_owned())),
        _ => Ok(given.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_home_is_expanded() {
        let read = |text: &str| file_path(Path::new(text), Some(Path::new("/home/op")));
        assert_eq!(read("~/x.redb"), Ok("/home/op/x.redb".into()));
        for plain in ["x.redb", "./~", "a~", "/~/x", "./-", "-x"] {
            assert_eq!(read(plain), Ok(plain.into()));
        }
        assert_eq!(read("~root/x"), Err(PathFault::Tilde("~root/x".to_owned())));
        assert_eq!(file_path(Path::new("~/x"), None), Err(PathFault::NoHome));
    }

    #[test]
    fn paths_of_surprising_files_are_refused() {
        let read = |text: &str| file_path(Path::new(text), Some(Path::new("/home/op")));
        assert_eq!(read(""), Err(PathFault::Empty));
        assert_eq!(read("-"), Err(PathFault::Dash));
        assert_eq!(read("a\0b"), Err(PathFault::Nul));
        for folder in ["a/", "/", "~/", "./"] {
            assert_eq!(read(folder), Err(PathFault::Folder(folder.to_owned())));
        }
        assert_eq!(any_path(Path::new("a/"), None), Ok("a/".into()));
    }
}
