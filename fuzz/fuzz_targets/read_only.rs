//! Calls that a reader may send, as the Xen proxy takes them: nothing that is asked changes anything.
#![no_main]

use hvsh::backend::test::TestConnection;
use hvsh::backend::{Connection, ReadOnly};
use hvsh::server::dispatch::dispatch;
use hvsh::uri::Uri;

/// Everything that could have been changed, as text.
fn everything(connection: &dyn Connection) -> String {
    let domains = connection.domains();
    let all = domains.list_all_domains(0).expect("the domains");
    let texts = all.iter().map(|domain| {
        let state = domains.state(domain, 0).expect("a state");
        format!("{domain:?} {state:?} {}", domains.xml(domain, 0).expect("a document"))
    });
    texts.collect()
}

libfuzzer_sys::fuzz_target!(|calls: Vec<(u16, bool, Vec<u8>)>| {
    let uri = Uri::parse("test:///default").expect("a URI");
    let connection = TestConnection::open(&uri).expect("the default node");
    let reader = ReadOnly::new(Box::new(connection));
    let before = everything(&reader);
    for (procedure, qemu, arguments) in calls {
        let program = if qemu { hvsh::rpc::frame::QEMU_PROGRAM } else { hvsh::rpc::frame::REMOTE_PROGRAM };
        let _ = dispatch(&reader, program, i32::from(procedure % 460), &arguments);
    }
    assert_eq!(everything(&reader), before);
});
