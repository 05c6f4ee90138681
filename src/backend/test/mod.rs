//! `test:///`: a node in memory, for tests, demonstrations and learning. Strict: it refuses what a real driver would.

use super::*;
use crate::uri::Uri;

/// A node of the test driver; it lives as long as the connection.
pub struct TestConnection;

impl TestConnection {
    /// Opens the default node, or the one that a file describes.
    pub fn open(_uri: &Uri) -> Result<TestConnection> {
        Ok(TestConnection)
    }
}

impl Connection for TestConnection {
    fn host(&self) -> &dyn Host {
        &Absent
    }
    fn domains(&self) -> &dyn Domains {
        &Absent
    }
}
