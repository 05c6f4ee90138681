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
                let ask = |most: i32| {
                    let _ = most;
                    let mut arguments = Writer::default();
                    $(<$ty as WireArgument>::put($arg, &mut arguments);)*
                    $(
                        let _ = $asked;
                        most.encode(&mut arguments);
                        $(<$more_ty as WireArgument>::put($more, &mut arguments);)*
                    )?
                    self.call::<$reply>($program, $number, arguments)
                };
                ask_for_all(0 $(+ $asked)?, ask).map(Reply::value)
            }
        )*}
    };
}
for_each_family!(call_family);

/// Asks for a listing's items, at most `most`. Some listings want the exact number of their items or none, so
/// where the answer can say how many there are, that is asked first. (A `most` of one stands for "all".)
fn ask_for_all<T: Reply>(most: i32, ask: impl Fn(i32) -> Result<T>) -> Result<T> {
    if most <= 1 || !T::COUNTED {
        return ask(most);
    }
    let first = ask(0)?;
    match first.count() {
        Some(count) if count > 0 => ask(count),
        _ => Ok(first),
    }
}
