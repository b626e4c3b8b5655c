//! patdeck: issue, scope, watch, revoke, regenerate and check personal access tokens.

pub mod cli;
pub mod config;
pub mod domain;
pub mod keymap;
pub mod process;
pub mod service;
pub mod store;
pub mod tui;
