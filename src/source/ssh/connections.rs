//! The connections to the nodes: one for each, shared by all who read there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::master::Connection;
use super::way::Way;
use crate::model::SourceError;

/// One node's, held while somebody opens it.
type Slot = Arc<tokio::sync::Mutex<Weak<Connection>>>;

/// The connections that are open. Each ends when nobody reads over it any more.
#[derive(Clone, Default)]
pub struct Connections(Arc<Mutex<HashMap<Way, Slot>>>);

impl Connections {
    /// The connection that is there, else a new one.
    ///
    /// # Errors
    /// A sentence: what ssh said, and the command that would mend it.
    pub(super) async fn to(&self, way: &Way) -> Result<Arc<Connection>, SourceError> {
        let slot = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(way.clone()).or_default());
        let mut slot = slot.lock().await;
        if let Some(connection) = slot.upgrade().filter(|connection| connection.stands()) {
            return Ok(connection);
        }
        let connection = Arc::new(Connection::open(way).await?);
        *slot = Arc::downgrade(&connection);
        Ok(connection)
    }
}
