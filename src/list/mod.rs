//! The list engine: filters, searches, sorts and counts all tokens of a store and stays in sync
//! with it. Owns a columnar table and one sorted order for each column; holds no records. Called by
//! the app; imports the domain and the service.

mod engine;
mod expiry_days;
mod query;
mod request;
mod result_rows;
mod sorted_orders;
mod status_classes;
mod synced_index;
mod text_block;
mod token_cache;
mod token_table;
mod worker;

#[cfg(any(test, feature = "testing"))]
pub use self::engine::ListEngine;
pub use self::{
    request::{Completeness, ListRequest, ListResult, StoreSummary},
    token_cache::TokenCache,
    worker::ListThreadHandle,
};

#[cfg(test)]
mod tests;
