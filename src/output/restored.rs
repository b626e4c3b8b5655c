//! What a token can do after it was brought back from the trash. Used by the messages of both front
//! ends.

use crate::domain::Status;

/// Returns the second half of a sentence about a restored token.
pub fn restored_state(status: Status) -> &'static str {
    match status {
        Status::Active => "its secret works as before",
        Status::NotYetValid => "its secret works once the token is valid",
        Status::Expired => "it has expired",
        Status::Revoked => "it is revoked, as before",
    }
}
