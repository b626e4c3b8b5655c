//! The terminal app.

pub mod canvas;
pub mod escapes;
pub mod hangup;
pub mod input;
pub mod paste;
pub mod terminal;
pub mod wire;
