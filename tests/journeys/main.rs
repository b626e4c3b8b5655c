//! End-to-end tests of the app: key scripts run through the real event loop, with a real worker on
//! a store file, a fixed clock, seeded randomness and a recording display. Each module covers one
//! topic; `snapshots` compares every screen with its snapshot. `INSTA_UPDATE=always cargo test
//! --test journeys` updates the snapshots.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers as in itself"
)]

mod access_check;
mod auditing;
mod bulk_changes;
mod cloning;
mod command_lines;
mod creating;
mod detail;
mod fixture;
mod journey;
mod key_table;
mod labels;
mod large_store;
mod lifecycle;
mod limits;
mod listing;
mod menus;
mod mouse;
mod overview;
mod random_input;
mod read_only;
mod recording_display;
mod responses;
mod safeguards;
mod scenes;
mod scope_toggling;
mod screen_text;
mod search;
mod search_terms;
mod secret;
mod setup;
mod shared_store;
mod small_screen;
mod snapshots;
mod undo;
mod untrusted_text;
mod wake_up;
