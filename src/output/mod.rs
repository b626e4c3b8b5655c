//! Output that both front ends share: the confirmation question of a command, the command line that
//! is equivalent to a command, the JSON of tokens and events, and error messages with their hints.
//! Called by the app and by the command line.

pub mod advice;
pub mod command_line;
pub mod json;
pub mod overview;
pub mod question;
pub mod relative_time;
pub mod restored;
pub mod secret_format;
