//! Calls of every operation with arbitrary arguments, on the test driver.
#![no_main]

use hvsh::backend::test::TestConnection;
use hvsh::server::dispatch::dispatch;
use hvsh::uri::Uri;

libfuzzer_sys::fuzz_target!(|call: (u16, bool, Vec<u8>)| {
    let (procedure, qemu, arguments) = call;
    let uri = Uri::parse("test:///default").expect("a URI");
    let connection = TestConnection::open(&uri).expect("the default node");
    let program = if qemu { hvsh::rpc::frame::QEMU_PROGRAM } else { hvsh::rpc::frame::REMOTE_PROGRAM };
    let _ = dispatch(&connection, program, i32::from(procedure % 460), &arguments);
});
