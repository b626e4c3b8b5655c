//! The terminal app.

pub mod canvas;
pub mod clipboard;
pub mod escapes;
mod handoff;
pub mod hangup;
pub mod input;
pub mod paste;
pub mod terminal;
pub mod wire;
