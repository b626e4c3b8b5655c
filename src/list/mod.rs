//! The list engine: filters, searches, sorts and counts all tokens of a store and stays in sync
//! with it. Owns a columnar table and one sorted order for each column; holds no records. Called by
//! the app; imports the domain and the service.

mod engine;
mod execute;
mod order;
mod request;
mod result;
mod status;
mod synced;
mod table;
mod text;
mod token_cache;
mod worker;

#[cfg(any(test, feature = "testing"))]
pub use self::engine::ListEngine;
pub use self::{
    request::{Completeness, ListRequest, ListResult, StoreSummary},
    token_cache::TokenCache,
    worker::ListWorker,
};

#[cfg(test)]
mod tests;
