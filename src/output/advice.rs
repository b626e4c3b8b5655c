//! The sentence that an operator reads about an error: the fact, which the error itself has, and
//! what to do about it. Called wherever a front end prints an error of the service or the store.

use std::{borrow::Cow, path::Path};

use crate::service::{PathError, PathProblem, PermissionFix, ServiceError, StoreError};

/// The sentence for an error of the service.
pub fn message(error: &ServiceError) -> String {
    match error {
        ServiceError::Store(error) => store_message(error),
        ServiceError::Unsure { why, .. } => {
            // Its text begins with that of the error beneath it.
            let text = error.to_string();
            let rest = text.strip_prefix(&why.to_string()).unwrap_or_default();
            format!("{}{rest}", message(why))
        }
        other => other.to_string(),
    }
}

/// The sentence for an error of the store.
pub fn store_message(error: &StoreError) -> String {
    let advice = advice(error);
    match error {
        StoreError::Busy { .. } => format!("{error}; {advice}"),
        // The operation and the path help who debugs it, not who fixes it.
        StoreError::Io { source, .. } => format!("the store cannot be used ({source}): {advice}"),
        _ => format!("{error}: {advice}"),
    }
}

fn advice(error: &StoreError) -> Cow<'static, str> {
    let advice = match error {
        StoreError::Path(error) => return path_advice(error),
        StoreError::Newer { .. } => "update patdeck, the file was left as it is",
        StoreError::Busy { .. } => "try again, or end that process if it hangs",
        StoreError::CommitResultUnknown { .. } => "look at it before you make it again",
        StoreError::Full => "free some space, then try again",
        StoreError::ReadOnly => "remount it, or name another store",
        StoreError::ReadOnlyMode => {
            "leave away --read-only, PATDECK_READ_ONLY or `read-only` in the settings to change \
             something"
        }
        StoreError::NeedsWriteAccess { .. } => "start it once without --read-only",
        StoreError::Damaged(_) => "restore a backup",
        StoreError::Broken { .. } => "copy its file away, then restore a backup",
        StoreError::NameTaken { .. } => "choose another",
        StoreError::TooLarge { .. } => "shorten its texts",
        StoreError::Io { .. } => "check its disk, then try again",
    };
    advice.into()
}

fn path_advice(error: &PathError) -> Cow<'static, str> {
    let advice = match error.problem {
        PathProblem::NotFound => "put it back, or start patdeck again for an empty store",
        PathProblem::PermissionDenied => "run patdeck as the user that owns it",
        PathProblem::NotAStore => "it was left as it is, move it away or name another path",
        PathProblem::Exists => "choose another name",
        PathProblem::NoFolder => "make it first, or choose another",
        PathProblem::NotAFile => "name another path",
        PathProblem::Symlink => "name the path that it leads to",
        PathProblem::ForeignOwner(_) => "run patdeck as that user, or give it to yours with chown",
        PathProblem::InsecurePermissions { fix, .. } => {
            return format!("run `{}`", command(&error.path, fix)).into();
        }
        PathProblem::Network(_) => "keep the store on a local disk",
    };
    advice.into()
}

/// The command that makes `path` safe, between backticks.
fn command(path: &Path, fix: PermissionFix) -> String {
    match fix {
        PermissionFix::Chmod(mode) => format!("chmod {mode} {}", quoted(path)),
        PermissionFix::PrivateFolder => {
            let inner = path.join("patdeck");
            format!("mkdir -m 700 {}` and keep the store there: `{0}", quoted(&inner))
        }
    }
}

/// `path` as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "/._-+@:".contains(c);
    if text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
#[path = "advice_tests.rs"]
mod tests;
