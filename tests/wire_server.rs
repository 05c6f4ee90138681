//! Our client against our server, with the in-memory driver behind it.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod mock;

use hvsh::backend::remote::RemoteConnection;
use hvsh::backend::{Connection, Events, registry};
use hvsh::error::{ErrorCode, Result};
use hvsh::model::event::{DomainEvent, Event, EventFilter};
use hvsh::server::access::Peer;
use hvsh::server::{ConnectionFactory, ServerOptions};
use hvsh::uri::Uri;
use mock::ServerStage;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

/// Opens whatever the registry knows, so `test:///default` is a driver without side effects.
struct AnyDriver;

impl ConnectionFactory for AnyDriver {
    fn open(&self, uri: &Uri, _read_only: bool, _peer: &Peer) -> Result<Box<dyn Connection>> {
        registry::open(uri, false)
    }
    fn is_idle(&self) -> bool {
        true
    }
}

fn stage(options: ServerOptions) -> ServerStage {
    ServerStage::serving(Arc::new(AnyDriver), Arc::default(), options)
}

fn test_connection(stage: &ServerStage, socket: &str) -> RemoteConnection {
    stage.connect_to("test:///default", socket)
}

#[test]
fn operations_travel_both_ways() {
    let stage = stage(ServerOptions::default());
    let connection = test_connection(&stage, "rw");
    let domains = connection.domains().list_all_domains(0).unwrap();
    assert_eq!(domains.len(), 1);
    assert_eq!(domains[0].name, "test");
    let info = connection.domains().info(&domains[0]).unwrap();
    assert_eq!(info.max_memory, 8_388_608);
    assert!(connection.host().capabilities().unwrap().starts_with("<capabilities>"));
    assert_eq!(connection.host().uri().unwrap(), "test:///default");
    let missing = connection.domains().lookup_by_name("nobody").unwrap_err();
    assert_eq!(missing.code, ErrorCode::NO_DOMAIN);
}

#[test]
fn the_read_only_socket_refuses_writes_by_name() {
    let stage = stage(ServerOptions::default());
    let connection = test_connection(&stage, "ro");
    let domain = connection.domains().lookup_by_name("test").unwrap();
    let refused = connection.domains().destroy(&domain, 0).unwrap_err();
    assert_eq!(refused.to_string(), "operation forbidden: read only access prevents virDomainDestroyFlags");
    assert!(connection.domains().is_active(&domain).unwrap());
}

#[test]
fn events_arrive_in_order_and_stop() {
    let stage = stage(ServerOptions::default());
    let connection = test_connection(&stage, "rw");
    let filter = EventFilter::Domain { id: 0, domain: None };
    let subscription = connection.subscribe(&filter).unwrap();
    let domain = connection.domains().lookup_by_name("test").unwrap();
    connection.domains().suspend(&domain).unwrap();
    connection.domains().resume(&domain).unwrap();
    for expected in [3, 4] {
        let (number, event) = connection.next(Some(Duration::from_secs(5))).unwrap().unwrap();
        assert_eq!(number, subscription);
        assert!(matches!(event, Event::Domain(_, DomainEvent::Lifecycle { event, .. }) if event == expected));
    }
    connection.unsubscribe(&filter, subscription).unwrap();
    connection.domains().suspend(&domain).unwrap();
    assert_eq!(connection.next(Some(Duration::from_millis(50))).unwrap(), None);
    let again = connection.unsubscribe(&filter, subscription).unwrap_err();
    assert!(again.to_string().contains("not registered"), "{again}");
}

#[test]
fn five_hundred_clients_are_served_at_once() {
    let stage = stage(ServerOptions::default());
    let clients: Vec<_> = (0..500).map(|_| test_connection(&stage, "rw")).collect();
    assert_eq!(stage.server.client_count(), 500);
    for client in &clients {
        assert_eq!(client.host().driver_type().unwrap(), "TEST");
    }
    drop(clients);
    stage.wait_for_clients(0);
}

#[test]
fn garbage_costs_only_its_sender() {
    let stage = stage(ServerOptions::default());
    let honest = test_connection(&stage, "rw");
    for garbage in [&[0xff; 64][..], &[0, 0, 0, 1, 0, 0, 0, 0], &[0x7f, 0xff, 0xff, 0xff]] {
        let mut socket = UnixStream::connect(stage.socket("rw")).unwrap();
        socket.write_all(garbage).unwrap();
        let mut rest = Vec::new();
        // Closed with or without bytes of ours unread: an end or a reset.
        let _ = socket.read_to_end(&mut rest);
        assert!(rest.is_empty());
    }
    assert_eq!(honest.host().driver_type().unwrap(), "TEST");
    stage.wait_for_clients(1);
}

#[test]
fn many_calls_take_one_round_trip() {
    let stage = stage(ServerOptions::default());
    let connection = test_connection(&stage, "rw");
    let calls = (0..2000).map(|_| (0x2000_8086, 3, Vec::new())).collect();
    let answers = connection.call_many(calls).unwrap();
    assert_eq!(answers.len(), 2000);
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().ends_with(b"TEST")));
}

#[test]
fn one_client_more_than_there_may_be_is_turned_away() {
    let options = ServerOptions { clients_max: Some(2), ..ServerOptions::default() };
    let stage = stage(options);
    let mut connections: Vec<_> = ["rw", "ro"].map(|socket| test_connection(&stage, socket)).into();
    let refused =
        RemoteConnection::open_socket(&stage.socket("rw"), "test:///default", "test:///default", false);
    assert_eq!(refused.err().unwrap().code, ErrorCode::SYSTEM, "it hangs up without a word");
    connections.pop();
    stage.wait_for_clients(1);
    test_connection(&stage, "rw").host().driver_type().unwrap();
}

#[test]
fn an_idle_server_leaves_and_takes_its_sockets_along() {
    let options = ServerOptions { idle_exit: Some(Duration::from_millis(300)), ..ServerOptions::default() };
    let mut stage = stage(options);
    let connection = test_connection(&stage, "rw");
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(connection.host().driver_type().unwrap(), "TEST", "it stays while a client is there");
    drop(connection);
    stage.thread.take().unwrap().join().unwrap();
    assert!(!stage.socket("rw").exists() && !stage.socket("ro").exists());
}
