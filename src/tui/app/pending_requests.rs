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

/// Identifies an open dialog. When a response for the dialog arrives, another dialog can be on top.
pub(super) type DialogId = u64;

/// Who made a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestOrigin {
    App,
    /// The app, to undo the last command.
    Undo,
    /// The app, for the tokens on the screen.
    VisibleTokens,
    /// The app, to prefetch the tokens around the visible ones.
    NearbyTokens,
    /// The app, for the figures of the overview.
    Figures,
    CreateForm,
    /// A dialog, for its own command.
    Dialog(DialogId),
    /// A dialog, to update its content while its fields change.
    Query(DialogId),
}

/// The origin of each pending request.
#[derive(Debug, Default)]
pub(super) struct PendingRequests(HashMap<RequestId, RequestOrigin>);

impl PendingRequests {
    pub(super) fn insert(&mut self, id: RequestId, origin: RequestOrigin) {
        self.0.insert(id, origin);
    }

    /// Removes the request `id` and returns its origin.
    pub(super) fn remove(&mut self, id: RequestId) -> Option<RequestOrigin> {
        self.0.remove(&id)
    }

    pub(super) fn contains(&self, origin: RequestOrigin) -> bool {
        self.0.values().any(|each| *each == origin)
    }

    /// Whether the visible content depends on a pending response. The response to a prefetch does
    /// not change the visible content, and counting the figures of a large store takes seconds.
    pub(super) fn delays_screen(&self) -> bool {
        let in_background = [RequestOrigin::NearbyTokens, RequestOrigin::Figures];
        self.0.values().any(|origin| !in_background.contains(origin))
    }

    #[cfg(any(test, feature = "testing"))]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
