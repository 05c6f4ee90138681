//! The helper's side of every operation, made from the table: decode the arguments, ask the driver, encode the answer.

use crate::backend::Connection;
use crate::backend::operations::for_each_family;
use crate::error::Result;
use crate::model::*;
use crate::rpc::frame::{QEMU_PROGRAM, REMOTE_PROGRAM};
use crate::rpc::xdr::{Reader, Xdr, to_bytes};
use crate::rpc::{Counted, Items, Reply, WireArgument};
use uuid::Uuid;

/// Tries the procedures of a family; returns from the caller when one fits.
macro_rules! dispatch_family {
    ($(#[$doc:meta])* trait $family:ident in $getter:ident, on $program:ident {$(
        $(#[$row_doc:meta])*
        $number:literal $access:ident $api:ident fn $method:ident($($arg:ident: $ty:ty),*)
            $([$asked:literal] ($($more:ident: $more_ty:ty),*))? -> $reply:ty;
    )*}) => {
        #[allow(non_snake_case, unused_variables, unused_mut)]
        pub(super) fn $family(connection: &dyn Connection, program: u32, procedure: i32, payload: &[u8]) -> Option<Result<Vec<u8>>> {
            if program != $program {
                return None;
            }
            match procedure {
                $($number => Some((|| {
                    let mut input = Reader::new(payload);
                    $(let $arg = <<$ty as WireArgument>::Owned as Xdr>::decode(&mut input)?;)*
                    let asked = 1;
                    $(
                        let _ = $asked;
                        let asked = i32::decode(&mut input)?;
                        $(let $more = <<$more_ty as WireArgument>::Owned as Xdr>::decode(&mut input)?;)*
                    )?
                    input.finish()?;
                    let answer = connection.$getter().$method(
                        $(<$ty as WireArgument>::lend(&$arg),)*
                        $($(<$more_ty as WireArgument>::lend(&$more)),*)?
                    )?;
                    Ok(to_bytes(&<$reply as Reply>::new(answer, asked)))
                })()),)*
                _ => None,
            }
        }
    };
}

/// One function a family.
mod families {
    use super::*;
    for_each_family!(dispatch_family);
}

/// Runs the operation that `procedure` names; `None` when the table has no such row.
pub fn dispatch(
    connection: &dyn Connection,
    program: u32,
    procedure: i32,
    payload: &[u8],
) -> Option<Result<Vec<u8>>> {
    macro_rules! ask_family {
        ($(#[$doc:meta])* trait $family:ident in $($rest:tt)*) => {
            if let Some(answer) = families::$family(connection, program, procedure, payload) {
                return Some(answer);
            }
        };
    }
    for_each_family!(ask_family);
    None
}
