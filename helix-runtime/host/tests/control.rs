//! The control socket: its owner's alone, whatever is said on it.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;

use helix_host::Host;
use helix_host::control::{Client, LONGEST, Server, Verb};
use helix_runtime::{EventSubscription, EventTopic, Tick};
use serde_json::Value;

fn served(test: &str) -> (Arc<Host>, Server, PathBuf) {
    let host = Arc::new(Host::builder().start().unwrap());
    let socket = support::folder(test).join("private/host.sock");
    let server = Server::new(host.clone(), &socket).unwrap();
    (host, server, socket)
}

/// What is answered to these bytes.
fn said(socket: &PathBuf, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    // The host may have answered and gone before all of it was sent.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn the_socket_is_its_owners_alone() {
    let (_host, server, socket) = served("control-owner");
    let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&socket), mode(&socket.parent().unwrap().into())), (0o600, 0o700));
    // Another host does not take it over.
    let other = Arc::new(Host::builder().start().unwrap());
    let taken = Server::new(other.clone(), &socket).unwrap_err().to_string();
    assert!(taken.contains("a host is running there already"), "{taken}");
    // Nor is a directory taken into which others may write.
    let open = support::folder("control-open");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    let refused = Server::new(other.clone(), &open.join("host.sock")).unwrap_err().to_string();
    assert!(refused.contains("others may write into the directory (mode 777, owner"), "{refused}");
    drop(server);
    assert!(!socket.exists());
    // What a killed host has left is no hindrance.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    drop(Server::new(other, &socket).unwrap());
}

#[test]
fn what_is_no_question_is_told_so_and_the_next_is_answered() {
    let (_host, _server, socket) = served("control-garbage");
    for (bytes, says) in [
        (&b"hello\n"[..], "a question that is none"),
        (b"{\"helix\":1,\"verb\":\"fly\"}\n", "unknown variant `fly`"),
        (b"{\"helix\":1,\"verb\":\"why\"}\n", "missing field `module`"),
        (b"{\"helix\":9,\"verb\":\"ls\"}\n", "found version 9 of the control protocol, expected 1"),
        (b"{\"helix\":1,\"verb\":\"ls\"", "a line that is cut off"),
        (b"\xff\xfe\n", "a question that is none"),
    ] {
        let answer = said(&socket, bytes);
        assert!(answer.contains(says) && answer.contains("\"exit\":2"), "{answer}");
        assert_eq!(answer.lines().count(), 1, "{answer}");
    }
    let deep =
        [b"{\"helix\":1,\"verb\":\"call\",\"request\":\"a.b\",\"args\":".to_vec(), vec![b'['; 100_000], b"\n".to_vec()]
            .concat();
    assert!(said(&socket, &deep).contains("recursion limit"));
    assert!(said(&socket, &vec![b' '; LONGEST as usize + 10]).contains("expected one that is shorter"));
    assert_eq!(said(&socket, b""), "");
    let mut answers = Vec::new();
    Client::new(&socket).unwrap().ask(Verb::Ls, &mut |value| answers.push(value)).unwrap();
    assert_eq!(answers, [Value::Array(vec![])]);
}

#[test]
fn events_are_told_as_they_are_published_and_whoever_listens_may_go() {
    let (host, server, socket) = served("control-events");
    let asked = socket.clone();
    let (tells, told) = std::sync::mpsc::channel();
    let listens = std::thread::spawn(move || {
        Client::new(&asked)
            .unwrap()
            .ask(Verb::Events { filter: Some("tick".into()) }, &mut |event| tells.send(event).unwrap())
    });
    // It may not have subscribed yet.
    let mut number = 0;
    let event = loop {
        number += 1;
        let _ = host.runtime().publish(&Tick { timestamp_ns: 7, tick_number: number });
        if let Ok(event) = told.try_recv() {
            break event;
        }
    };
    assert_eq!((event["event"].as_str(), event["value"]["timestamp_ns"].as_u64()), (Some("tick"), Some(7)));
    // The end of the host's socket ends it.
    drop(server);
    assert!(listens.join().unwrap().is_ok());
    // Others are as they were.
    let ear =
        EventSubscription::new("ear", vec![EventTopic::Tick], Box::new(|_| helix_runtime::EventResponse::Handled));
    host.runtime().subscribe(ear).unwrap();
    assert_eq!(host.runtime().publish(&Tick { timestamp_ns: 0, tick_number: 0 }).handled, 1);
}

#[test]
fn many_that_say_nothing_do_not_keep_others_from_asking_for_long() {
    let (_host, server, socket) = served("control-many");
    let idle: Vec<UnixStream> = (0..40).map(|_| UnixStream::connect(&socket).unwrap()).collect();
    drop(idle);
    support::until("the host answers", || Client::new(&socket).unwrap().ask(Verb::Ls, &mut |_| {}).is_ok());
    drop(server);
}
