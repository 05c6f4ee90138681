//! The client's side of every operation, made from the table: encode the arguments, call, decode the answer.

use super::RemoteConnection;
use crate::backend::operations::for_each_family;
use crate::backend::*;
use crate::error::Result;
use crate::model::*;
use crate::rpc::frame::{QEMU_PROGRAM, REMOTE_PROGRAM};
use crate::rpc::xdr::{Writer, Xdr};
use crate::rpc::{Counted, Items, Reply, WireArgument};
use uuid::Uuid;

/// Implements a family by calls over the wire.
macro_rules! call_family {
    ($(#[$doc:meta])* trait $family:ident in $getter:ident, on $program:ident {$(
        $(#[$row_doc:meta])*
        $number:literal $access:ident $api:ident fn $method:ident($($arg:ident: $ty:ty),*)
            $([$asked:literal] ($($more:ident: $more_ty:ty),*))? -> $reply:ty;
    )*}) => {
        impl $family for RemoteConnection {$(
            #[allow(unused_mut, clippy::too_many_arguments)]
            fn $method(&self, $($arg: $ty,)* $($($more: $more_ty),*)?) -> Result<<$reply as Reply>::Value> {
                let mut arguments = Writer::default();
                $(<$ty as WireArgument>::put($arg, &mut arguments);)*
                $(
                    i32::encode(&$asked, &mut arguments);
                    $(<$more_ty as WireArgument>::put($more, &mut arguments);)*
                )?
                self.call::<$reply>($program, $number, arguments).map(Reply::value)
            }
        )*}
    };
}
for_each_family!(call_family);
