//! The union: asks the layers in the order that suits an operation, and the next when one cannot.

use super::events::XenEvents;
use super::layer::{Layer, LayerKind, Missing};
use crate::backend::operations::for_each_family;
use crate::backend::*;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::*;
use uuid::Uuid;

/// Who is asked first when nothing is changed: the hypervisor and the store know best.
const FOR_READS: &[LayerKind] = &[
    LayerKind::Directory,
    LayerKind::Proxy,
    LayerKind::Hypervisor,
    LayerKind::Xenstore,
    LayerKind::Xend,
    LayerKind::Xl,
    LayerKind::Files,
];
/// Who is asked first for a change: the toolstack, so that it knows; then what works without one.
const FOR_WRITES: &[LayerKind] = &[
    LayerKind::Directory,
    LayerKind::Xend,
    LayerKind::Xl,
    LayerKind::Hypervisor,
    LayerKind::Xenstore,
    LayerKind::Files,
    LayerKind::Proxy,
];

/// A Xen host.
pub struct XenConnection {
    layers: Vec<Box<dyn Layer>>,
    /// What cannot serve here, and why.
    missing: Vec<Missing>,
    /// What happens on this host; a proxy tells it by itself.
    events: Option<XenEvents>,
}

/// Nothing of Xen was found: what was tried, and what it said.
fn none_serves(missing: &[Missing]) -> Error {
    let reasons: Vec<String> =
        missing.iter().map(|missing| format!("{}: {}", missing.kind.name(), missing.reason)).collect();
    let reasons = if reasons.is_empty() { "no layer was tried".to_string() } else { reasons.join("; ") };
    Error::new(ErrorCode::NO_XEN, format!("not a Xen host? {reasons}")).from_origin(ErrorOrigin::XEN)
}

impl XenConnection {
    /// A union of layers; fails when none of them reaches Xen itself, and tells why not.
    pub(super) fn of(
        layers: Vec<Box<dyn Layer>>,
        missing: Vec<Missing>,
        events: Option<XenEvents>,
    ) -> Result<XenConnection> {
        // Programs and files alone are no Xen host.
        let reaches = [LayerKind::Hypervisor, LayerKind::Xenstore, LayerKind::Xend, LayerKind::Proxy];
        if !layers.iter().any(|layer| reaches.contains(&layer.kind())) {
            return Err(none_serves(&missing));
        }
        Ok(XenConnection { layers, missing, events })
    }

    /// The layers in the order `kinds`.
    fn in_order<'a>(&'a self, kinds: &'a [LayerKind]) -> impl Iterator<Item = &'a dyn Layer> {
        let layer = |kind| self.layers.iter().find(move |layer| layer.kind() == kind);
        kinds.iter().filter_map(move |kind| layer(*kind)).map(|layer| &**layer)
    }
}

impl Connection for XenConnection {
    fn host(&self) -> &dyn Host {
        self
    }
    fn domains(&self) -> &dyn Domains {
        self
    }
    fn details(&self) -> Vec<(String, String)> {
        let shown = |kind: &LayerKind| *kind != LayerKind::Directory && *kind != LayerKind::Files;
        let of = |kind: LayerKind| {
            let serves = self.layers.iter().any(|layer| layer.kind() == kind);
            let missing = self.missing.iter().find(|missing| missing.kind == kind);
            let state = match (serves, missing) {
                (true, _) => "serves".to_string(),
                (false, Some(missing)) => format!("does not serve: {}", missing.reason),
                (false, None) => return None,
            };
            Some((format!("Layer {}", kind.name()), state))
        };
        FOR_READS.iter().copied().filter(shown).filter_map(of).collect()
    }
    /// Of the layers only a proxy can go away; whoever asks it next has to be connected anew.
    fn is_alive(&self) -> bool {
        self.layers.iter().all(|layer| layer.is_alive())
    }
    fn events(&self) -> &dyn Events {
        let proxy = || self.layers.iter().find(|layer| layer.kind() == LayerKind::Proxy);
        match &self.events {
            Some(events) => events,
            None => proxy().map_or(&Absent, |layer| layer.events()),
        }
    }
}

/// Which order an operation's access asks for.
macro_rules! order {
    (read) => {
        FOR_READS
    };
    (write) => {
        FOR_WRITES
    };
}

/// Gives the union a family that layers have; the others stay *unsupported*.
macro_rules! ask_layers {
    ($(#[$doc:meta])* trait $family:ident in host, $($rest:tt)*) => {
        ask_layers! { @each $family host $($rest)* }
    };
    ($(#[$doc:meta])* trait $family:ident in domains, $($rest:tt)*) => {
        ask_layers! { @each $family domains $($rest)* }
    };
    ($(#[$doc:meta])* trait $family:ident in $other:ident, $($rest:tt)*) => {};
    (@each $family:ident $getter:ident on $program:ident {$(
        $(#[$row_doc:meta])*
        $number:literal $access:ident $api:ident fn $method:ident($($arg:ident: $ty:ty),*)
            $([$asked:literal] ($($more:ident: $more_ty:ty),*))? -> $reply:ty;
    )*}) => {
        impl $family for XenConnection {$(
            #[allow(clippy::too_many_arguments)]
            fn $method(&self, $($arg: $ty,)* $($($more: $more_ty),*)?) -> Result<$reply> {
                let mut nobody = Error::unsupported(stringify!($api));
                for layer in self.in_order(order!($access)) {
                    match layer.$getter().$method($($arg,)* $($($more),*)?) {
                        // One that says why it cannot is worth more than the name alone.
                        Err(error) if error.is_unsupported() => {
                            if error.message.len() > nobody.message.len() {
                                nobody = error;
                            }
                        }
                        answer => return answer,
                    }
                }
                Err(nobody)
            }
        )*}
    };
}
/// In the traits a listing is simply its items.
type Counted<T> = Vec<T>;
/// In the traits a listing is simply its items.
type Items<T> = Vec<T>;
for_each_family!(ask_layers);

impl DomainStreams for XenConnection {
    fn open_console(&self, domain: &DomainRef, device: Option<&str>, flags: u32) -> Result<Box<dyn Stream>> {
        for layer in self.in_order(FOR_WRITES) {
            match layer.domains().open_console(domain, device, flags) {
                Err(error) if error.is_unsupported() => {}
                answer => return answer,
            }
        }
        Err(Error::unsupported("virDomainOpenConsole"))
    }
}
