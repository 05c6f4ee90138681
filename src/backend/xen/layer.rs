//! What the union sees of a layer.

use crate::backend::{Absent, Domains, Events, Host};
use crate::error::Error;

/// The ways to reach a Xen host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LayerKind {
    /// What only all layers together can answer: which domains there are, and what they are called.
    Directory,
    /// Hypercalls through `/dev/xen/privcmd`.
    Hypervisor,
    /// The store of the toolstack and the guests.
    Xenstore,
    /// The old daemon, over HTTP.
    Xend,
    /// Today's toolstack, as a child process.
    Xl,
    /// Configuration files of inactive domains.
    Files,
    /// The root proxy, for plain users.
    Proxy,
}

impl LayerKind {
    /// The name under which a layer is shown.
    pub fn name(self) -> &'static str {
        match self {
            LayerKind::Directory => "directory",
            LayerKind::Hypervisor => "hypervisor",
            LayerKind::Xenstore => "xenstore",
            LayerKind::Xend => "xend",
            LayerKind::Xl => "xl",
            LayerKind::Files => "files",
            LayerKind::Proxy => "proxy",
        }
    }
}

/// One way to reach a Xen host: a partial driver.
///
/// A layer looks a domain up by its uuid before each change: an id that another domain has by now is never used.
pub trait Layer: Send + Sync {
    /// Which one this is.
    fn kind(&self) -> LayerKind;
    /// What it knows about the host.
    fn host(&self) -> &dyn Host {
        &Absent
    }
    /// What it can do with domains.
    fn domains(&self) -> &dyn Domains {
        &Absent
    }
    /// What it tells those who watch.
    fn events(&self) -> &dyn Events {
        &Absent
    }
    /// Whether it can still be asked.
    fn is_alive(&self) -> bool {
        true
    }
}

/// A layer that cannot serve on this host.
pub struct Missing {
    /// Which one.
    pub kind: LayerKind,
    /// Why: the file or socket, and what the system said.
    pub reason: Error,
}

impl<T: Layer> Layer for std::sync::Arc<T> {
    fn kind(&self) -> LayerKind {
        (**self).kind()
    }
    fn host(&self) -> &dyn Host {
        (**self).host()
    }
    fn domains(&self) -> &dyn Domains {
        (**self).domains()
    }
    fn events(&self) -> &dyn Events {
        (**self).events()
    }
    fn is_alive(&self) -> bool {
        (**self).is_alive()
    }
}
