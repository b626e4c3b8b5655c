//! The pending requests to the service with their origin. Each response goes to the origin of its
//! request; responses can arrive in any order. Owned by the app.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

/// Identifies a request to the service and its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(u64);

impl RequestId {
    /// A new id, unique in this process.
    pub fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Identifies an open dialog, which need not be the topmost when its response arrives.
pub(super) type DialogId = u64;

/// Who made a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    App,
    /// The app, to undo the last command.
    Undo,
    /// The app, for the tokens on the screen.
    VisibleTokens,
    /// The app, to prefetch the tokens around the visible ones.
    NearbyTokens,
    CreateForm,
    /// A dialog, for its own command.
    Dialog(DialogId),
    /// A dialog, to update its content while its fields change.
    Query(DialogId),
}

/// The origin of each pending request.
#[derive(Debug, Default)]
pub(super) struct Pending(HashMap<RequestId, Origin>);

impl Pending {
    pub(super) fn insert(&mut self, id: RequestId, origin: Origin) {
        self.0.insert(id, origin);
    }

    /// Removes the request `id` and returns its origin.
    pub(super) fn remove(&mut self, id: RequestId) -> Option<Origin> {
        self.0.remove(&id)
    }

    pub(super) fn contains(&self, origin: Origin) -> bool {
        self.0.values().any(|each| *each == origin)
    }

    /// Whether a pending response affects what is visible. Prefetches do not.
    pub(super) fn delays_screen(&self) -> bool {
        self.0.values().any(|origin| *origin != Origin::NearbyTokens)
    }

    #[cfg(any(test, feature = "testing"))]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
